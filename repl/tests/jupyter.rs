//! The kernel under real Jupyter clients: `jupyter_kernel_test`, the rest of the protocol, and the notebook by nbclient.
//!
//! `make test` prepares the Python that `AG_PYTHON` names; without it these tests are skipped with that reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/skip.rs"]
mod skip;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder with the kernelspec, an empty home and a place to work in.
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
        let folder = tempfile::tempdir().unwrap();
        let mut install = Command::new(env!("CARGO_BIN_EXE_ag"));
        install.args(["kernel", "install", "--prefix"]).arg(folder.path());
        assert!(install.output().unwrap().status.success());
        std::fs::create_dir(folder.path().join("work")).unwrap();
        Some(Place { folder, python })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script with this kernel as the only one, and gives what it printed.
    fn run(&self, script: &Path, arguments: &[&Path]) -> String {
        let mut command = Command::new(&self.python);
        command.arg(script).args(arguments).current_dir(self.path("work"));
        command.env("JUPYTER_PATH", self.path("share/jupyter"));
        command
            .env("JUPYTER_DATA_DIR", self.path("data"))
            .env("JUPYTER_RUNTIME_DIR", self.path("runtime"));
        if let Some(models) = std::env::var_os("AG_TEST_MODELS") {
            command.env("AG_MODELS", models);
        }
        command.env("AG_HOME", self.path("home")).env("PYTHONDONTWRITEBYTECODE", "1");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} failed:\n{said}", script.display());
        said
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jupyter").join(name)
}

#[test]
fn jupyter_kernel_test_passes_whole() {
    let Some(place) = Place::new("jupyter_kernel_test_passes_whole") else { return };
    let said = place.run(&script("conformance.py"), &[]);
    assert!(said.contains("ran 13, skipped 0"), "{said}");
}

#[test]
fn the_23_points_of_the_comparison_hold() {
    let Some(place) = Place::new("the_23_points_of_the_comparison_hold") else { return };
    let said = place.run(&script("more.py"), &[]);
    assert!(said.contains("Ran 23 tests") && said.contains("\nOK\n"), "{said}");
}

#[test]
fn a_kernel_endures_what_people_do_to_it() {
    let Some(place) = Place::new("a_kernel_endures_what_people_do_to_it") else { return };
    place.run(&script("endure.py"), &[]);
}

#[test]
fn the_rest_of_the_protocol_holds() {
    let Some(place) = Place::new("the_rest_of_the_protocol_holds") else { return };
    place.run(&script("protocol.py"), &[]);
}

#[test]
fn results_are_marked_where_they_stand() {
    let Some(place) = Place::new("results_are_marked_where_they_stand") else { return };
    place.run(&script("stale.py"), &[]);
}

#[test]
fn displays_progress_and_questions_hold() {
    let Some(place) = Place::new("displays_progress_and_questions_hold") else { return };
    place.run(&script("display.py"), &[]);
}

/// L-159: what a cell beside another may do, and what is E0904 there.
#[test]
fn subshells_and_editors_do_not_wait_for_a_cell() {
    let Some(place) = Place::new("subshells_and_editors_do_not_wait_for_a_cell") else { return };
    place.run(&script("subshells.py"), &[]);
}

#[test]
fn the_first_cells_give_what_their_texts_promise() {
    let Some(place) = Place::new("the_first_cells_give_what_their_texts_promise") else { return };
    let notebook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../notebooks/01-first-cells.ipynb");
    let copy = place.path("work/01-first-cells.ipynb");
    std::fs::copy(notebook, &copy).unwrap();
    place.run(&script("first_cells.py"), &[&copy]);
}

#[test]
fn live_panels_bad_messages_and_floods_hold() {
    let Some(place) = Place::new("live_panels_bad_messages_and_floods_hold") else { return };
    place.run(&script("abuse.py"), &[Path::new(env!("CARGO_BIN_EXE_ag"))]);
}

#[test]
fn the_notebook_of_orchestrations_shows_votes_and_broadcast() {
    let name = "the_notebook_of_orchestrations_shows_votes_and_broadcast";
    let Some(place) = Place::new(name) else { return };
    let notebook =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../notebooks/03-orchestration.ipynb");
    let copy = place.path("work/03-orchestration.ipynb");
    std::fs::copy(notebook, &copy).unwrap();
    place.run(&script("orchestration.py"), &[&copy]);
}

#[test]
fn the_notebook_shows_trace_ledger_and_recall() {
    let Some(place) = Place::new("the_notebook_shows_trace_ledger_and_recall") else { return };
    let notebook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../notebooks/02-agents.ipynb");
    let copy = place.path("work/02-agents.ipynb");
    std::fs::copy(notebook, &copy).unwrap();
    place.run(&script("notebook.py"), &[&copy]);
}
