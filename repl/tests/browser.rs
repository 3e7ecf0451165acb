//! The notebook as people see it: a real JupyterLab in a headless Chromium.
//!
//! `make test` prepares the Python that `AG_PYTHON` names and installs Chromium where it may; without them these tests are
//! skipped with that reason. Everything is in a temporary folder, on a free port, and ended with the test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "browser/corpus.rs"]
mod corpus;
#[path = "support/skip.rs"]
mod skip;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What `main.py` needs that `AG_PYTHON` may lack.
const PROBE: &str = "import playwright.sync_api, sys; sys.path.insert(0, sys.argv[1]); import lab; \
                     sys.exit(0 if lab.browser_program() else 'no Chromium')";

struct Place {
    folder: TempDir,
    python: PathBuf,
}

impl Place {
    fn new(test: &str) -> Option<Place> {
        let Some(python) = std::env::var_os("AG_PYTHON").map(PathBuf::from) else {
            skip::skip(test, "AG_PYTHON names no Python with Jupyter (make test sets it)");
            return None;
        };
        let probe = Command::new(&python).args(["-c", PROBE]).arg(scripts()).output().unwrap();
        if !probe.status.success() {
            let said = String::from_utf8_lossy(&probe.stderr).into_owned();
            let reason = said.lines().last().unwrap_or("no Chromium").to_owned();
            skip::skip(test, &format!("{reason} (apt-get install chromium fonts-dejavu-core)"));
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut install = Command::new(env!("CARGO_BIN_EXE_ag"));
        install.args(["kernel", "install", "--prefix"]).arg(folder.path());
        assert!(install.output().unwrap().status.success());
        Some(Place { folder, python })
    }

    fn run(&self, what: &str, argument: &Path) -> String {
        let mut command = Command::new(&self.python);
        command.arg(scripts().join("main.py")).arg(what).arg(self.folder.path()).arg(argument);
        command.env("JUPYTER_PATH", self.folder.path().join("share/jupyter"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what} failed:\n{said}");
        said
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// No word, bracket or hole is coloured other than the language reads it.
#[test]
fn the_editor_colors_what_the_language_reads() {
    let Some(place) = Place::new("the_editor_colors_what_the_language_reads") else { return };
    let cases = corpus::cases(&root());
    assert!(cases.len() > 500, "{} texts", cases.len());
    let file = place.folder.path().join("cases.json");
    std::fs::write(&file, serde_json::to_string(&cases).unwrap()).unwrap();
    let said = place.run("colors", &file);
    assert_eq!(said.trim(), format!("{} texts agree", cases.len()));
}

/// Run in Lab, light and dark; then opened by somebody who does not trust it and does not run it.
#[test]
fn the_notebook_shows_in_jupyterlab() {
    let Some(place) = Place::new("the_notebook_shows_in_jupyterlab") else { return };
    let said = place.run("notebook", &root().join("notebooks/02-agents.ipynb"));
    assert!(
        said.contains("trusted light, trusted dark, untrusted light, untrusted dark"),
        "{said}"
    );
}
