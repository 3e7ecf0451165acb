//! Which files have tests, and what stands around each.

use std::path::{Path, PathBuf};

use ag_kernel::output::Output;
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::CellRequest;
use ag_kernel::session::testing::{self, Listed, Source};

use super::named;
use crate::command::run::{Program, read};

/// One test to run.
pub struct Job {
    /// Its place in the order.
    pub number: usize,
    pub sources: Vec<Source>,
    pub folder: Option<PathBuf>,
    pub test: Listed,
}

#[derive(Default)]
pub struct Found {
    pub jobs: Vec<Job>,
    /// The mistakes of programs that do not check.
    pub rejected: Vec<Output>,
    /// How many files were looked at.
    pub files: usize,
}

/// Folders that hold what machines made.
const SKIPPED: &[&str] = &["target", "node_modules", "__pycache__"];

/// The tests in these files and folders, in the order of their names. The error is a sentence for the person.
pub fn find(paths: &[PathBuf], filter: Option<&str>) -> Result<Found, String> {
    let mut files = Vec::new();
    let here = [PathBuf::from(".")];
    for path in if paths.is_empty() { &here } else { paths } {
        match path.is_dir() {
            true => walk(path, &mut files)?,
            false => files.push(path.clone()),
        }
    }
    let mut found = Found { files: files.len(), ..Found::default() };
    for file in &files {
        let is_named = paths.contains(file);
        match read(file) {
            Ok(program) => found.add(file, program, filter)?,
            Err(message) if is_named => return Err(message),
            // Somebody else's notebook in the same folder is not ours to judge.
            Err(_) => {}
        }
    }
    Ok(found)
}

pub fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if path.is_symlink() || name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else if name.ends_with(".ag") || name.ends_with(".ipynb") {
            files.push(path);
        }
    }
    Ok(())
}

impl Found {
    fn add(&mut self, file: &Path, program: Program, filter: Option<&str>) -> Result<(), String> {
        let name = named(file);
        let (sources, whole) = match program {
            Program::File(request) => {
                (vec![Source { title: name, text: request.text.clone() }], Some(request))
            }
            Program::Cells(cells) => {
                let cells = cells.into_iter().map(|cell| cell.request).collect();
                (of_notebook(&name, cells), None)
            }
        };
        let wanted = |test: &Listed| filter.is_none_or(|text| test.title.contains(text));
        let tests: Vec<Listed> = testing::list(&sources).into_iter().filter(wanted).collect();
        // A program without tests is checked all the same: what does not check is no success.
        if tests.is_empty() && (whole.is_none() || filter.is_some()) {
            return Ok(());
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map(Path::to_owned);
        if let Some(request) = whole
            && let Some(mistakes) = mistakes(&request, folder.clone())?
        {
            self.rejected.push(mistakes);
            return Ok(());
        }
        for test in tests {
            // A notebook's test sees the cells up to its own, as when somebody runs it there.
            let sources = sources.iter().take(test.source + 1).cloned().collect();
            let number = self.jobs.len();
            self.jobs.push(Job { number, sources, folder: folder.clone(), test });
        }
        Ok(())
    }
}

fn of_notebook(name: &str, cells: Vec<CellRequest>) -> Vec<Source> {
    let source = |(at, cell): (usize, CellRequest)| Source {
        title: format!("{name} cell {}", at + 1),
        text: cell.text,
    };
    cells.into_iter().enumerate().map(source).collect()
}

/// What checking the whole file finds, if it is wrong.
fn mistakes(request: &CellRequest, folder: Option<PathBuf>) -> Result<Option<Output>, String> {
    let options =
        SessionOptions { home: HomeChoice::Ephemeral, folder, ..SessionOptions::default() };
    let session = Session::open(options).map_err(|error| error.to_string())?;
    let found = Output::Diagnostics(session.check(request));
    Ok(found.is_failure().then_some(found))
}
