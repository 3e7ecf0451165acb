//! `ag check [FILE..]`: mistakes of programs and notebooks, without running anything.

use std::path::{Path, PathBuf};

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};

use crate::command::run::{Program, read};
use crate::command::test::find::walk;
use crate::exit::Exit;
use crate::refuse;
use crate::term::sink::{JsonSink, TerminalSink};

pub fn check(paths: &[PathBuf], json: bool) -> Exit {
    let here = [PathBuf::from(".")];
    let mut files = Vec::new();
    for path in if paths.is_empty() { &here } else { paths } {
        match path.is_dir() {
            true => match walk(path, &mut files) {
                Ok(()) => {}
                Err(message) => return refuse(message),
            },
            false => files.push(path.clone()),
        }
    }
    if files.is_empty() {
        return refuse("there are no programs (.ag) and no notebooks (.ipynb) here");
    }
    files.iter().fold(Exit::Success, |exit, file| exit.or(check_file(file, paths, json)))
}

/// Each file has a session of its own, so that no file sees another's names.
fn check_file(file: &Path, named: &[PathBuf], json: bool) -> Exit {
    let program = match read(file) {
        Ok(program) => program,
        Err(message) if named.iter().any(|path| path == file) => return refuse(message),
        // Somebody else's notebook in the same folder is not ours to judge.
        Err(_) => return Exit::Success,
    };
    let folder = file.parent().map(Path::to_owned);
    let options =
        SessionOptions { home: HomeChoice::Ephemeral, folder, ..SessionOptions::default() };
    let session = match Session::open(options) {
        Ok(session) => session,
        Err(error) => return refuse(error),
    };
    let found =
        match program {
            Program::File(request) => session.check(&request),
            Program::Cells(cells) => {
                let name = file.display();
                // A cell that is meant to fail may be wrong.
                let wanted = cells.iter().enumerate().filter(|(_, cell)| !cell.may_fail);
                session.check_cells(wanted.map(|(at, cell)| {
                    (format!("{name} cell {}", at + 1), cell.request.text.as_str())
                }))
            }
        };
    let found = Output::Diagnostics(found);
    let is_wrong = found.is_failure();
    match found {
        Output::Diagnostics(list) if json => {
            let sink = JsonSink::default();
            list.into_iter().for_each(|one| sink.emit(Output::Diagnostics(vec![one])));
        }
        Output::Diagnostics(list) if list.is_empty() => {}
        found => TerminalSink::default().emit(found),
    }
    if is_wrong { Exit::Diagnostics } else { Exit::Success }
}
