//! `ag check FILE..`: mistakes, without running anything.

use std::path::{Path, PathBuf};

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};

use crate::command::run::{Program, read};
use crate::exit::Exit;
use crate::refuse;
use crate::term::sink::{JsonSink, TerminalSink};

pub fn check(files: &[PathBuf], json: bool) -> Exit {
    files.iter().fold(Exit::Success, |exit, file| exit.or(check_file(file, json)))
}

/// Each file has a session of its own, so that no file sees another's names.
fn check_file(file: &Path, json: bool) -> Exit {
    let program = match read(file) {
        Ok(program) => program,
        Err(message) => return refuse(message),
    };
    let folder = file.parent().map(Path::to_owned);
    let options =
        SessionOptions { home: HomeChoice::Ephemeral, folder, ..SessionOptions::default() };
    let session = match Session::open(options) {
        Ok(session) => session,
        Err(error) => return refuse(error),
    };
    let found = match program {
        Program::File(request) => session.check(&request),
        Program::Cells(_) => {
            return refuse(format!(
                "check takes programs (.ag); run the notebook with `ag run {}`",
                file.display()
            ));
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
