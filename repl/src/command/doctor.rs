//! `ag doctor`: what is there, what is off and the command that turns it on, what is broken.
//!
//! It changes nothing, shows no key's value, and asks no network.

mod home;
mod jupyter;

use std::path::PathBuf;

use ag_kernel::session::home::{Home, models as models_of};
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_runtime::lane::declared::{LaneSpec, predeclared};
use ag_runtime::lane::registry::NO_CLIENT;
use ag_runtime::models::catalog::MODELS;
use ag_runtime::models::{Found, ModelsFolder};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::term::paint;

/// One line of the report.
struct Finding {
    part: String,
    state: State,
    text: String,
    /// What turns it on, or mends it.
    command: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fine,
    /// Not there, and nothing needs it to be.
    Off,
    Broken,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Fine => "ok",
            State::Off => "off",
            State::Broken => "broken",
        }
    }
}

impl Finding {
    fn new(part: impl Into<String>, state: State, text: impl Into<String>) -> Finding {
        Finding { part: part.into(), state, text: text.into(), command: None }
    }

    fn command(mut self, command: impl Into<String>) -> Finding {
        self.command = Some(command.into());
        self
    }

    fn json(&self) -> Value {
        json!({
            "part": self.part,
            "state": self.state.word(),
            "text": self.text,
            "command": self.command,
        })
    }
}

pub fn doctor(as_json: bool, home: Option<PathBuf>) -> Exit {
    let options = SessionOptions {
        home: home.map_or(HomeChoice::Usual, HomeChoice::At),
        ..SessionOptions::default()
    };
    let home = Home::planned(&options);
    let mut findings = vec![build()];
    findings.extend(jupyter::findings());
    findings.push(models(ModelsFolder::new(models_of(&options.home))));
    findings.extend(predeclared().iter().map(key));
    findings.extend(OF_PROGRAMS.iter().map(|name| key_of_programs(name)));
    findings.extend(home::findings(home.data(), home.stores()));
    if as_json {
        let rows: Vec<Value> = findings.iter().map(Finding::json).collect();
        paint::line(&json!({ "version": env!("CARGO_PKG_VERSION"), "findings": rows }).to_string());
    } else {
        findings.iter().for_each(show);
    }
    let is_broken = findings.iter().any(|finding| finding.state == State::Broken);
    if is_broken { Exit::Fault } else { Exit::Success }
}

fn models(folder: ModelsFolder) -> Finding {
    const NONE: &str = "every call is answered, made up and marked so, on the echo lane";
    if !cfg!(feature = "models") {
        return Finding::new("models", State::Off, format!("not in this build: {NONE}"))
            .command("a build with the feature `models`");
    }
    let found: Vec<(&str, Found)> =
        MODELS.iter().map(|model| (model.name, folder.found(model))).collect();
    let broken: Vec<String> =
        found.iter().filter_map(|(name, found)| broken(name, found)).collect();
    let place = folder.path().display();
    if !broken.is_empty() {
        return Finding::new("models", State::Broken, broken.join("; "))
            .command("ag models install");
    }
    let is_whole = |(_, found): &&(&str, Found)| *found == Found::Whole;
    let installed: Vec<&str> = found.iter().filter(is_whole).map(|(name, _)| *name).collect();
    match installed.len() {
        0 => Finding::new("models", State::Off, format!("none in {place}: {NONE}"))
            .command("ag models install"),
        count if count < MODELS.len() => {
            let text = format!("only {} in {place}", installed.join(", "));
            Finding::new("models", State::Fine, text).command("ag models install")
        }
        _ => Finding::new("models", State::Fine, format!("{} in {place}", installed.join(", "))),
    }
}

/// What is wrong with a model that was installed.
fn broken(name: &str, found: &Found) -> Option<String> {
    match found {
        Found::Broken(error) => Some(format!("{name} is broken: {error}")),
        Found::Nothing | Found::Whole => None,
    }
}

fn show(finding: &Finding) {
    paint::line(&format!("{:<7} {:<18} {}", finding.state.word(), finding.part, finding.text));
    if let Some(command) = &finding.command {
        paint::line(&format!("{:<26} {command}", ""));
    }
}

fn build() -> Finding {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let program = std::env::current_exe().map(|path| path.display().to_string());
    let version = env!("CARGO_PKG_VERSION");
    let text = format!("ag {version}, {profile}, {os} {arch}, {}", program.unwrap_or_default());
    Finding::new("build", State::Fine, text)
}

/// A lane that every session has as soon as its key is there: what `:lanes` says of it.
fn key(lane: &LaneSpec) -> Finding {
    let name = lane.key_env.as_deref().unwrap_or_default();
    let (lane, model) = (&lane.name, &lane.model);
    match (cfg!(feature = "net"), is_set(name)) {
        (false, _) => Finding::new(name, State::Off, format!("the lane {lane} is {NO_CLIENT}"))
            .command("a build with the feature `net`"),
        (true, true) => {
            Finding::new(name, State::Fine, format!("set: the lane {lane} asks {model}"))
        }
        (true, false) => Finding::new(name, State::Off, format!("not set: {lane} is not ready"))
            .command(format!("export {name}=KEY: the lane {lane} asks {model}")),
    }
}

/// Keys that only lanes of programs take.
const OF_PROGRAMS: &[&str] = &["OPENAI_API_KEY"];

fn key_of_programs(name: &'static str) -> Finding {
    let text = "only lanes that a program declares with it use it";
    match is_set(name) {
        true => Finding::new(name, State::Fine, format!("set; {text}")),
        false => Finding::new(name, State::Off, format!("not set; {text}")).command(format!(
            "export {name}=KEY, and `lane NAME {{ protocol: openai, key_env: \"{name}\", .. }}`"
        )),
    }
}

/// As lanes see it: blanks are no key.
fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| !value.trim().is_empty())
}
