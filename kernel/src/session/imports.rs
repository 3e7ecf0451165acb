//! The files that cells and programs import (L-64): read, checked and put in force before the text that asks for them.
//!
//! Every text that is taken in looks at the files known so far, so an edit of one is seen. Files come in the order in which
//! they need each other. Never: puts anything in force when one of the new texts has a mistake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ag_lang::db::Imported;
use ag_lang::db::workspace::files::paths_in;
use ag_lang::db::workspace::{CellId, Changes, CheckedCell, Workspace};
use ag_lang::diag::{Diagnostic, codes};
use ag_lang::names::import::stem;
use ag_lang::source::text_of;

use crate::session::evaluate::refuse_commands;
use crate::session::program::Program;

/// The files of a session, by where they are.
#[derive(Default)]
pub struct Files {
    known: BTreeMap<PathBuf, Known>,
}

struct Known {
    name: Arc<str>,
    text: Arc<str>,
    cell: CellId,
}

/// What a text brings along.
#[derive(Default)]
pub struct Taken {
    /// The files that are new or were changed, in the order in which they are to run.
    pub cells: Vec<(CellId, CheckedCell)>,
    /// Where the imports of the text lead.
    pub imports: Vec<Imported>,
    /// To be told to whoever asked.
    pub notes: Vec<String>,
}

impl Taken {
    pub fn has_errors(&self) -> bool {
        self.cells.iter().any(|(_, checked)| checked.has_errors())
    }
}

/// A file as it is read now.
struct Read {
    path: PathBuf,
    name: Arc<str>,
    text: Arc<str>,
    imports: Vec<Imported>,
}

/// Reads, checks and links the files that a text in `folder` imports, and those known that were changed. A known file that
/// this text does not ask for and that has mistakes now stays what it was.
pub fn take_in(program: &Program, folder: &Path, text: &str) -> Taken {
    let mut files = program.files.lock();
    let paths = paths_in(text);
    if paths.is_empty() && files.known.is_empty() {
        return Taken::default();
    }
    let mut reading = Reading { files: &files, read: Vec::new(), names: BTreeMap::new() };
    let imports = paths.iter().map(|path| reading.import(folder, path.as_deref())).collect();
    let wanted = reading.read.len();
    for path in files.known.keys() {
        let _ = reading.file(path.clone());
    }
    let is_new = |file: &Read| files.known.get(&file.path).is_none_or(|k| k.text != file.text);
    let mut read = reading.read;
    let changed = read.split_off(wanted).into_iter().filter(is_new).collect::<Vec<_>>();
    read.retain(is_new);
    let wanted = read.len();
    read.extend(changed);
    let mut taken = Taken { imports, ..link(program, folder, &mut files, &read) };
    let is_wrong = |(_, checked): &&(CellId, CheckedCell)| checked.has_errors();
    if taken.cells.iter().take(wanted).find(is_wrong).is_none() && taken.has_errors() {
        let wrong = read.iter().zip(&taken.cells).find(|(_, cell)| is_wrong(cell));
        let note = wrong.and_then(|(file, (_, checked))| {
            let first = checked.diagnostics.iter().find(|diagnostic| diagnostic.is_error())?;
            let file = title(folder, &file.path);
            Some(format!(
                "{file} has mistakes and stays what it was: {} ({})",
                first.message, first.code
            ))
        });
        read.truncate(wanted);
        let notes = note.into_iter().collect();
        taken = Taken { imports: taken.imports, notes, ..link(program, folder, &mut files, &read) };
    }
    taken
}

/// Checks files together and puts them in the place of what they were, if none has a mistake.
fn link(program: &Program, folder: &Path, files: &mut Files, read: &[Read]) -> Taken {
    let mut workspace = program.workspace.lock();
    let mut taken = Taken { cells: check(&mut workspace, read), ..Taken::default() };
    let ids: Vec<CellId> = taken.cells.iter().map(|(id, _)| *id).collect();
    if taken.has_errors() {
        ids.iter().rev().for_each(|id| drop(workspace.remove_cell(*id)));
    } else {
        for (id, file) in ids.iter().zip(read) {
            let known = Known { name: file.name.clone(), text: file.text.clone(), cell: *id };
            if let Some(old) = files.known.insert(file.path.clone(), known) {
                let changes = workspace.remove_cell(old.cell);
                if let Some((_, last)) = taken.cells.last_mut() {
                    merge(&mut last.changes, changes);
                }
            }
        }
    }
    drop(workspace);
    for (id, file) in ids.iter().zip(read) {
        program.name_source(*id, &title(folder, &file.path));
    }
    taken
}

/// All at once, because they may need each other.
fn check(workspace: &mut Workspace, read: &[Read]) -> Vec<(CellId, CheckedCell)> {
    let ids: Vec<CellId> =
        read.iter().map(|file| workspace.add_file(&file.name, &file.text)).collect();
    for (id, file) in ids.iter().zip(read) {
        workspace.set_imports(*id, file.imports.clone());
    }
    let check = |id: CellId| {
        let mut checked = workspace.check(id);
        refuse_commands(&mut checked);
        (id, checked)
    };
    let mut checked: Vec<(CellId, CheckedCell)> = ids.into_iter().map(check).collect();
    let is_circle = |mistake: &Diagnostic| mistake.code == codes::E0207;
    if checked.iter().any(|(_, checked)| checked.diagnostics.iter().any(is_circle)) {
        // What does not exist yet is missing elsewhere for that reason.
        checked.iter_mut().for_each(|(_, checked)| checked.diagnostics.retain(is_circle));
    }
    checked
}

fn merge(into: &mut Changes, from: Changes) {
    into.broken.extend(from.broken);
    into.mended.extend(from.mended);
    into.relinked.extend(from.relinked);
}

/// As a person would write it.
fn title(folder: &Path, path: &Path) -> String {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    path.strip_prefix(&folder).unwrap_or(path).display().to_string()
}

struct Reading<'f> {
    files: &'f Files,
    /// Those that a file needs come before it.
    read: Vec<Read>,
    names: BTreeMap<PathBuf, Arc<str>>,
}

impl Reading<'_> {
    fn import(&mut self, folder: &Path, path: Option<&str>) -> Imported {
        let Some(path) = path else { return Imported::Failed(Arc::from("not a file")) };
        if path == "std" || path.starts_with("std.") {
            return Imported::Failed(Arc::from("this version of ag has no library of files yet"));
        }
        let full = folder.join(path);
        let found = full.canonicalize().map_err(|error| error.to_string());
        match found.and_then(|full| self.file(full)) {
            Ok(name) => Imported::File(name),
            Err(why) => Imported::Failed(Arc::from(format!("`{path}` cannot be read: {why}"))),
        }
    }

    /// The name of a file, which is read with all it imports.
    fn file(&mut self, path: PathBuf) -> Result<Arc<str>, String> {
        if let Some(name) = self.names.get(&path) {
            return Ok(name.clone());
        }
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        let text = text_of(bytes).map_err(|why| why.to_string())?;
        let name = self.name_of(&path);
        self.names.insert(path.clone(), name.clone());
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        let paths = paths_in(&text);
        let imports = paths.iter().map(|path| self.import(&folder, path.as_deref())).collect();
        self.read.push(Read { path, name: name.clone(), text: text.into(), imports });
        Ok(name)
    }

    /// `risk`, or `risk_2` if another file has that name.
    fn name_of(&self, path: &Path) -> Arc<str> {
        if let Some(known) = self.files.known.get(path) {
            return known.name.clone();
        }
        let stem = stem(&path.to_string_lossy());
        let known = |name: &str| {
            let mut others = self.files.known.iter().filter(|(other, _)| *other != path);
            others.any(|(_, known)| *known.name == *name)
                || self.names.values().any(|other| **other == *name)
        };
        let numbered = (2..).map(|number| format!("{stem}_{number}"));
        let mut names = std::iter::once(stem.to_string()).chain(numbered);
        names.find(|name| !known(name)).map_or(stem.clone(), Arc::from)
    }
}
