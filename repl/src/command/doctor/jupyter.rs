//! Jupyter, the kernelspec and the colours in JupyterLab.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ag_kernel::jupyter::install::{Installed, KERNEL_NAME, installed};

use super::{Finding, State};

const INSTALL: &str = "ag kernel install --user";

pub fn findings() -> Vec<Finding> {
    let program = on_path("jupyter");
    let prefix = program.as_deref().and_then(prefix);
    let mut found = vec![jupyter(program.as_deref())];
    match installed(prefix.as_deref()) {
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
    match said(program, "--version") {
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
    let broken = |text: String| Finding::new("kernelspec", State::Broken, text).command(INSTALL);
    let spec = found.kernelspec.display();
    let Some(program) = &found.program else {
        return broken(format!("{spec} does not say what to start"));
    };
    if !program.is_file() {
        return broken(format!("{spec} starts {}, which is not there", program.display()));
    }
    let own = concat!("ag ", env!("CARGO_PKG_VERSION"));
    match said(program, "--version") {
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

fn extension(found: &Installed) -> Finding {
    match found.has_extension {
        true => Finding::new("labextension", State::Fine, "colours of the language in JupyterLab"),
        false => {
            Finding::new("labextension", State::Off, "no colours in JupyterLab").command(INSTALL)
        }
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// `/opt/venv` of `/opt/venv/bin/jupyter`.
fn prefix(program: &Path) -> Option<PathBuf> {
    Some(program.parent()?.parent()?.to_owned())
}

/// What a program prints when it is asked; nothing if it fails or takes longer than anybody waits.
fn said(program: &Path, argument: &str) -> Option<String> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(None) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
    std::io::read_to_string(child.stdout.take()?).ok()
}
