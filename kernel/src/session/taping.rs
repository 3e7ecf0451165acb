//! `:record`, `:replay` and the options that mean them: what the session's statements take from outside, kept in a file or
//! fed back from one (section 16).
//!
//! The file is written whole after every cell, so what is lost in a crash is the cell under way. Never: what agents do for
//! cells that began before.

use std::path::Path;
use std::sync::Arc;

use ag_lang::diag::codes;
use ag_runtime::builtin::record::{load, save};
use ag_runtime::fault::Fault;
use ag_runtime::journal::effect::EffectJournal;
use ag_runtime::journal::tape::Tape;

use crate::output::{Output, OutputSink};
use crate::session::answers::NOTEBOOK;
use crate::session::command::Refusal;
use crate::session::options::Taping;
use crate::session::seat::Seat;

/// What ends a recording or a replay.
const OFF: &str = "off";

/// Opens what the options of a session ask for.
pub fn open(taping: &Taping, folder: &Path) -> Result<Arc<Tape>, Fault> {
    match taping {
        Taping::Record(file) => {
            let tape = Tape::recording(file);
            // Whether it can be written is better known before anything was spent.
            save(folder, &tape).map(|()| tape)
        }
        Taping::Replay(file) => load(folder, file),
    }
}

impl Seat {
    /// A command: begins, ends (`off`) or tells (nothing).
    pub fn tape(&self, taping: &Taping) -> Result<Vec<Output>, Refusal> {
        match taping.file() {
            "" => Ok(vec![Output::info(self.told())]),
            OFF => Ok(self.end_taping()),
            _ => {
                let refused = |fault: Fault| Refusal::new(codes::E0905, fault.message);
                let tape = open(taping, &self.folder).map_err(refused)?;
                let mut outputs = self.end_taping();
                let begun = match taping {
                    Taping::Record(file) => format!(
                        "what is taken from outside from here on is written to {file}; `:record off` ends it"
                    ),
                    Taping::Replay(file) => format!(
                        "from here on {file} is fed back: no lane is called and nothing is charged; `:replay off` ends it"
                    ),
                };
                self.effects().set_session(Some(tape));
                outputs.push(Output::info(begun));
                Ok(outputs)
            }
        }
    }

    fn told(&self) -> String {
        match self.effects().session() {
            None => "nothing is recorded or replayed".to_owned(),
            Some(tape) if tape.is_recording() => {
                format!("{} effects are recorded in {}", tape.len(), tape.name())
            }
            Some(tape) => format!("{} effects of {} are left to replay", tape.len(), tape.name()),
        }
    }

    /// Ends whatever there is and says what it came to.
    pub fn end_taping(&self) -> Vec<Output> {
        let Some(tape) = self.effects().set_session(None) else { return Vec::new() };
        tape.close();
        if !tape.is_recording() {
            return tape.left_over().map(Output::warning).into_iter().collect();
        }
        match save(&self.folder, &tape) {
            Ok(()) => {
                vec![Output::info(format!("{} effects are in {}", tape.len(), tape.name()))]
            }
            Err(fault) => vec![Output::warning(fault.to_string())],
        }
    }

    /// A cell has ended.
    pub fn keep_recording(&self, sink: &Arc<dyn OutputSink>) {
        let recording = self.effects().session().filter(|tape| tape.is_recording());
        if let Some(Err(fault)) = recording.map(|tape| save(&self.folder, &tape)) {
            sink.emit(Output::warning(fault.to_string()));
        }
    }

    /// `:set cache`: keeps the replies of all lane calls in `.ag` beside the notebook.
    pub fn keep_replies(&self, value: &str) -> Result<(), String> {
        let folder = match value {
            NOTEBOOK => Some(self.folder.join(".ag").join("replies")),
            "off" => None,
            _ => return Err("`cache` takes notebook or off".to_owned()),
        };
        let services = self.program.services().ok_or("this session has no lanes")?;
        services.calls().replies.keep_all(folder);
        Ok(())
    }

    fn effects(&self) -> &Arc<EffectJournal> {
        self.program.world().effects()
    }
}
