//! Jupyter, the kernelspec and the colours in JupyterLab.

use std::path::Path;

use ag_kernel::jupyter::install::{Installed, KERNEL_NAME, installed, usual_folders};

use super::{Finding, State};
use crate::jupyter::{data_folders, on_path, said};

const INSTALL: &str = "ag kernel install --user";

pub fn findings() -> Vec<Finding> {
    let program = on_path();
    let folders = program.as_deref().and_then(data_folders).unwrap_or_else(usual_folders);
    let mut found = vec![jupyter(program.as_deref())];
    match installed(&folders) {
        Some(installed) => {
            found.push(kernelspec(&installed));
            found.push(extension(&installed));
        }
        None => {
            let text = format!("the kernel `{KERNEL_NAME}` is not known to Jupyter");
            found.push(Finding::new("kernelspec", State::Off, text).command(INSTALL));
        }
    }
    found
}

fn jupyter(program: Option<&Path>) -> Finding {
    let Some(program) = program else {
        let text = "not on the PATH: notebooks need it, the terminal does not";
        return Finding::new("jupyter", State::Off, text).command("pip install jupyterlab");
    };
    let place = program.display();
    match said(program, &["--version"]) {
        Some(text) => {
            let lab = text.lines().find_map(|line| {
                let (name, version) = line.split_once(':')?;
                (name.trim() == "jupyterlab").then(|| version.trim().to_owned())
            });
            match lab.filter(|version| version != "not installed") {
                Some(version) => {
                    Finding::new("jupyter", State::Fine, format!("JupyterLab {version}, {place}"))
                }
                None => Finding::new("jupyter", State::Off, format!("without JupyterLab, {place}"))
                    .command("pip install jupyterlab"),
            }
        }
        None => {
            Finding::new("jupyter", State::Broken, format!("{place} --version does not answer"))
                .command("pip install --force-reinstall jupyterlab")
        }
    }
}

fn kernelspec(found: &Installed) -> Finding {
    let again = install(found);
    let broken = |text: String| Finding::new("kernelspec", State::Broken, text).command(&again);
    let spec = found.kernelspec.display();
    let Some(program) = &found.program else {
        return broken(format!("{spec} does not say what to start"));
    };
    if !program.is_file() {
        return broken(format!("{spec} starts {}, which is not there", program.display()));
    }
    let own = concat!("ag ", env!("CARGO_PKG_VERSION"));
    match said(program, &["--version"]) {
        Some(text) if text.trim() == own => {
            Finding::new("kernelspec", State::Fine, format!("{spec} starts {}", program.display()))
        }
        Some(text) => {
            let other = text.lines().next().unwrap_or("").trim().to_owned();
            broken(format!("{} is {other}, this is {own}", program.display()))
        }
        None => broken(format!("{} --version does not answer", program.display())),
    }
}

/// Puts a new one in the place of this: one elsewhere would not be looked at.
fn install(found: &Installed) -> String {
    match found.prefix() {
        Some(prefix) => format!("ag kernel install --prefix {}", prefix.display()),
        None => INSTALL.to_owned(),
    }
}

fn extension(found: &Installed) -> Finding {
    match found.has_extension {
        true => Finding::new("labextension", State::Fine, "colours of the language in JupyterLab"),
        false => {
            Finding::new("labextension", State::Off, "no colours in JupyterLab").command(INSTALL)
        }
    }
}
