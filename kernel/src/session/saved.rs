//! `:save n` and `:load n`: definitions and the values that have a form on disk, kept in the home under a name (L-157).
//!
//! A value is kept only if reading its form gives it back exactly; what is not kept is told, and nothing is lost from the
//! session. Loading is a cell: what was saved is checked anew and put in force whole. Never: keeps agents or functions as values.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ag_lang::db::GlobalType;
use ag_lang::diag::{codes, nearest};
use ag_lang::ide::symbols::sources;
use ag_lang::types::ty::Ty;
use ag_runtime::value::json;
use ag_runtime::value::owned::Owned;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::output::{Output, OutputSink};
use crate::session::command::Refusal;
use crate::session::evaluate::Evaluation;
use crate::session::graph::{Kept, KeptStatement};
use crate::session::request::{CellRequest, CellStatus};
use crate::session::seat::Seat;
use crate::session::sink::Forward;

/// The form of the file; a newer one is not read.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    definitions: Vec<String>,
    /// Those that did not check when they were saved.
    broken: Vec<String>,
    /// The statements that made the values, in the order they ran.
    statements: Vec<KeptStatement>,
    values: Vec<SavedValue>,
}

#[derive(Serialize, Deserialize)]
struct SavedValue {
    #[serde(rename = "type")]
    ty: String,
    mutable: bool,
    value: serde_json::Value,
    #[serde(flatten)]
    kept: Kept,
}

/// What is read of any version.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Seat {
    pub(super) fn save(&self, name: &str) -> Result<Vec<Output>, Refusal> {
        let (saved, left) = self.to_be_saved();
        let text = serde_json::to_string_pretty(&saved)
            .map_err(|error| Refusal::new(codes::R0999, error.to_string()))?;
        let path = self.place_of(name);
        write(&path, &text).map_err(|error| {
            let code = if self.saved.exists() { codes::R1001 } else { codes::R1006 };
            Refusal::new(code, format!("{} was not written: {error}", path.display()))
        })?;
        let definitions = counted(saved.definitions.len() + saved.broken.len(), "definition");
        let values = counted(saved.values.len(), "value");
        let mut told = vec![Output::info(format!(
            "{definitions} and {values} are saved; `:load {name}` brings them back"
        ))];
        if !left.is_empty() {
            let left: Vec<String> =
                left.iter().map(|(name, why)| format!("\n  `{name}`: {why}")).collect();
            told.push(Output::warning(format!("not saved:{}", left.concat())));
        }
        Ok(told)
    }

    /// What can be kept, and which values cannot, with why.
    fn to_be_saved(&self) -> (Saved, Vec<(String, String)>) {
        let record = self.record.read().clone();
        let texts = sources(&self.program.workspace.lock());
        let is_broken = |name: &str| record.broken().contains(name);
        let (broken, whole): (Vec<_>, Vec<_>) =
            texts.into_iter().partition(|(name, _)| name.as_deref().is_some_and(is_broken));
        let texts = |all: Vec<(_, String)>| all.into_iter().map(|(_, text)| text).collect();
        let mut kept = Vec::new();
        let mut left = Vec::new();
        for name in record.rows().into_iter().filter(|row| row.kind == "let").map(|row| row.name) {
            match self.form_of(&name) {
                Ok((global, value)) => kept.push((global, value)),
                Err(why) => left.push((name, why)),
            }
        }
        let names: Vec<&str> = kept.iter().map(|(global, _)| &*global.name).collect();
        let (statements, mut origins) = record.graph.keep(&names);
        origins.reverse();
        let values = kept.into_iter().filter_map(|(global, value)| {
            let kept = origins.pop()?;
            Some(SavedValue { ty: global.ty.to_string(), mutable: global.mutable, value, kept })
        });
        let values = values.collect();
        let (definitions, broken) = (texts(whole), texts(broken));
        (Saved { format: FORMAT, definitions, broken, statements, values }, left)
    }

    /// The form of a global on disk; an error says why it has none.
    fn form_of(&self, name: &str) -> Result<(GlobalType, serde_json::Value), String> {
        let (global, shape) = {
            let mut workspace = self.program.workspace.lock();
            let global = workspace.global(name).ok_or("it holds no value")?;
            if let Ty::AgentRef(_) = global.ty {
                return Err("an agent ends with its session".to_owned());
            }
            let named = workspace.type_named(&global.ty.to_string());
            if named.as_ref() != Some(&global.ty) {
                return Err(format!("a value of type `{}` has no form on disk", global.ty));
            }
            let shape = workspace.shape(&global.ty);
            (global, shape)
        };
        let value = self.program.engine.global(&global.name, shape).ok_or("it holds no value")?;
        let form = json::to_json(value.value(), shape).map_err(|error| error.message)?;
        let read = serde_json::from_str(&form.to_string()).map_err(|error| error.to_string())?;
        let again = json::from_json(&read, shape).map(|word| Owned::new(word, shape));
        match again.is_ok_and(|again| again == value) {
            true => Ok((global, form)),
            false => Err("its form on disk would not give it back exactly".to_owned()),
        }
    }

    pub(super) fn load(
        &self,
        name: &str,
        shown: &Arc<dyn OutputSink>,
        number: u32,
    ) -> Result<Vec<Output>, Refusal> {
        let saved = self.read(name)?;
        let title = format!("saved {name}");
        let mistakes = self.define_saved(&saved.definitions.join("\n\n"), &title, shown, number);
        if !mistakes.is_empty() {
            return Ok(mistakes);
        }
        let mut left = Vec::new();
        for text in &saved.broken {
            if !self.define_saved(text, &title, shown, number).is_empty() {
                let first = text.lines().find(|line| !line.trim_start().starts_with("//"));
                let first = first.unwrap_or_default().trim();
                left.push(format!(
                    "\n  `{first}` did not check when it was saved, and does not now"
                ));
            }
        }
        let count = self.restore(saved.statements, saved.values, number, &mut left);
        let definitions = counted(saved.definitions.len(), "definition");
        let mut told =
            vec![Output::info(format!("{definitions} and {} are back", counted(count, "value")))];
        if !left.is_empty() {
            told.push(Output::warning(format!("not loaded:{}", left.concat())));
        }
        Ok(told)
    }

    /// Puts definitions in force; what is wrong with them if anything is.
    fn define_saved(
        &self,
        text: &str,
        title: &str,
        shown: &Arc<dyn OutputSink>,
        number: u32,
    ) -> Vec<Output> {
        let mistakes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mistakes);
        let forward = Forward::new(shown, move |output| match output.is_failure() {
            true => {
                kept.lock().push(output);
                None
            }
            false => Some(output),
        });
        let sink: Arc<dyn OutputSink> = Arc::new(forward);
        let request = CellRequest { file: Some(title.to_owned()), ..CellRequest::new(text) };
        let ended = Evaluation::new(self, &request, number, &sink).run(false);
        let found = std::mem::take(&mut *mistakes.lock());
        if ended.status == CellStatus::Ok { Vec::new() } else { found }
    }

    /// Gives the globals their values; how many there were.
    fn restore(
        &self,
        statements: Vec<KeptStatement>,
        values: Vec<SavedValue>,
        number: u32,
        left: &mut Vec<String>,
    ) -> usize {
        let mut globals = Vec::new();
        let mut kept = Vec::new();
        let mut held = Vec::new();
        for saved in values {
            let name = saved.kept.name.clone();
            let mut workspace = self.program.workspace.lock();
            let Some(ty) = workspace.type_named(&saved.ty) else {
                left.push(format!("\n  `{name}`: there is no type `{}`", saved.ty));
                continue;
            };
            let shape = workspace.shape(&ty);
            drop(workspace);
            match json::from_json(&saved.value, shape) {
                Ok(word) => {
                    held.push(Owned::new(word, shape));
                    globals.push(GlobalType {
                        name: name.as_str().into(),
                        ty,
                        mutable: saved.mutable,
                    });
                    kept.push(saved.kept);
                }
                Err(errors) => {
                    let first = errors.first().map_or_else(String::new, ToString::to_string);
                    left.push(format!("\n  `{name}`: {first}"));
                }
            }
        }
        self.program.workspace.lock().declare(globals.clone());
        for (global, value) in globals.iter().zip(held) {
            self.program.engine.set_global(&global.name, value);
        }
        self.record.write().restore(number, &statements, &kept, &globals);
        globals.len()
    }

    fn place_of(&self, name: &str) -> PathBuf {
        self.saved.join(format!("{name}.json"))
    }

    fn read(&self, name: &str) -> Result<Saved, Refusal> {
        let path = self.place_of(name);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => self.unknown(name),
            _ => Refusal::new(codes::R1006, format!("{} was not read: {error}", path.display())),
        })?;
        let corrupt = |error: serde_json::Error| {
            Refusal::new(codes::R1002, format!("{} is damaged: {error}", path.display()))
        };
        let Format { format } = serde_json::from_str(&text).map_err(corrupt)?;
        if format > FORMAT {
            let message = format!("{} was written by a newer version of ag", path.display());
            return Err(Refusal::new(codes::R1003, message));
        }
        serde_json::from_str(&text).map_err(corrupt)
    }

    fn unknown(&self, name: &str) -> Refusal {
        let files = fs::read_dir(&self.saved).into_iter().flatten().filter_map(Result::ok);
        let names = files
            .filter_map(|file| file.file_name().to_str()?.strip_suffix(".json").map(str::to_owned));
        let mut names: Vec<String> = names.collect();
        names.sort();
        let refusal = Refusal::new(codes::E0905, format!("no session is saved as `{name}`"));
        let near = nearest(name, names.iter().map(String::as_str));
        let refusal = refusal.suggesting(&near, ":load ");
        match names.is_empty() {
            true => refusal,
            false => refusal.noting(format!("saved are {}", names.join(", "))),
        }
    }
}

/// Whole or not at all: what was saved before under the name stays until the new file is on disk.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let aside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = File::create(&aside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let written = written.and_then(|()| fs::rename(&aside, path));
    if written.is_err() {
        // The error tells what matters; the part that was written is only in the way.
        let _ = fs::remove_file(&aside);
    }
    written
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
