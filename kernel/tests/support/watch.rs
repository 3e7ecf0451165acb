//! Sessions that broken programs run in, and somebody who watches them: what takes long is interrupted, what does not end
//! then ends the whole test with the program's text.

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::render::{self, Style};
use ag_kernel::session::Session;
use ag_kernel::session::options::{HomeChoice, SessionOptions};
use ag_kernel::session::request::{CellReply, CellRequest};
use ag_kernel::session::running::Interrupter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program may compute so long; then a person would interrupt it, too.
const PATIENCE: Duration = Duration::from_millis(700);
/// What an interrupt has not ended by then hangs. A hundred times what checking may take: the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(100);

#[derive(Default)]
pub struct Collect {
    pub outputs: Mutex<Vec<Output>>,
}

impl OutputSink for Collect {
    fn emit(&self, output: Output) {
        self.outputs.lock().unwrap().push(output);
    }
}

/// What a cell gave.
pub struct Seen {
    pub reply: CellReply,
    pub text: String,
    /// The codes of errors and of the Fault that ended it.
    pub codes: Vec<String>,
    pub was_interrupted: bool,
}

struct Running {
    text: String,
    since: Instant,
    interrupter: Interrupter,
    was_interrupted: bool,
}

/// Looks at what runs; one for a test.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Option<Running>>>);

impl Watch {
    pub fn start() -> Watch {
        let watch = Watch::default();
        let looked_at = watch.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(50));
                looked_at.look();
            }
        });
        watch
    }

    fn look(&self) {
        let mut running = self.0.lock().unwrap();
        let Some(running) = running.as_mut() else { return };
        let took = running.since.elapsed();
        if took > DEADLINE {
            eprintln!("does not end, interrupted or not:\n{}", running.text);
            std::process::abort();
        }
        if took > PATIENCE {
            running.was_interrupted = true;
            running.interrupter.interrupt();
        }
    }

    /// Runs a cell. A panic is told with the text that caused it.
    pub fn evaluate(&self, session: &mut Session, text: &str) -> Result<Seen, String> {
        let (interrupter, was_interrupted) = (session.interrupter(), false);
        let (text, since) = (text.to_owned(), Instant::now());
        *self.0.lock().unwrap() =
            Some(Running { text: text.clone(), since, interrupter, was_interrupted });
        let collect = Arc::new(Collect::default());
        let sink: Arc<dyn OutputSink> = collect.clone();
        let request = CellRequest::new(text.clone());
        let reply = catch_unwind(AssertUnwindSafe(|| session.evaluate(request, &sink)));
        let running = self.0.lock().unwrap().take();
        let reply = reply.map_err(|_| format!("a panic, for:\n{text}"))?;
        let outputs = std::mem::take(&mut *collect.outputs.lock().unwrap());
        let was_interrupted = running.is_some_and(|running| running.was_interrupted);
        let codes = outputs.iter().flat_map(codes).collect();
        let shown: String = outputs.iter().map(shown).collect();
        let seen = Seen { reply, text: shown, codes, was_interrupted };
        match seen.text.contains("R0999") && !text.contains("R0999") {
            true => Err(format!("an internal error, for:\n{text}\nit gave:\n{}", seen.text)),
            false => Ok(seen),
        }
    }
}

fn codes(output: &Output) -> Vec<String> {
    match output {
        Output::Fault(fault) => vec![fault.code.to_string()],
        Output::Diagnostics(list) => {
            let errors = list.iter().filter(|view| !view.code.starts_with('W'));
            errors.map(|view| view.code.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn shown(output: &Output) -> String {
    render::terminal(output, &Style { width: 100, color: false })
}

/// Small, offline, the same on every run.
pub fn open(folder: &Path, watch: &Watch) -> Session {
    let options = SessionOptions {
        home: HomeChoice::Ephemeral,
        folder: Some(folder.to_owned()),
        lane: Some("echo".to_string()),
        seed: Some(7),
        workers: Some(1),
        ..SessionOptions::default()
    };
    let mut session = Session::open(options).expect("a session");
    watch.evaluate(&mut session, ":set memory 60 MB").expect("a setting");
    session
}
