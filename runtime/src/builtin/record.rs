//! `@record` and `@replay`: blocks whose effects are written to a file, or come from one (section 16).
//!
//! What the block asks others for belongs to it until it ends. The file appears whole or not at all. Never: an effect; they
//! pass the door in `context/door.rs`.

use crate::builtin::cost::depth;
use crate::builtin::declare::{Outcome, builtins};
use crate::builtin::file::disk::Disk;
use crate::builtin::file::refusal_to_write;
use crate::context::Cx;
use crate::context::scope::Scope;
use crate::context::sink::Stream;
use crate::fault::{Fault, Faulted, code};
use crate::journal::tape::Tape;
use crate::journal::track::Track;
use crate::value::text::TextRef;
use crate::world::outside::Reach;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

builtins! {
    /// Writes everything the block takes from outside to a file, one effect a line, when it ends.
    block "record" "(file: Text) -> Unit"
        example "@record(\"run.cassette\") { run() }" => ""
        effects ["fs", "suspend"] form Scope
        = |cx, file: TextRef<'_>| record(cx, file.as_str()),
        exit |cx, scope: i64| end(cx, scope);
    /// Feeds a recording back: no lane or tool is called and no money charged. `live: llm` names what happens all the same.
    block "replay" "(file: Text, live: Text = \"\") -> Unit"
        example "@replay(\"run.cassette\") { run() }" => ""
        effects ["fs", "suspend"] form Scope
        = |cx, file: TextRef<'_>, live: TextRef<'_>| replay(cx, file.as_str(), live.as_str()),
        exit |cx, scope: i64| end(cx, scope);
}

fn record(cx: &mut Cx, file: &str) -> Outcome<i64> {
    if file.is_empty() {
        cx.fail(code::FILE, "a recording needs the name of a file");
        return Err(Faulted);
    }
    Ok(open(cx, Tape::recording(file)))
}

fn replay(cx: &mut Cx, file: &str, live: &str) -> Outcome<i64> {
    let (disk, limit) = (Disk::new(cx, file), cx.world.memory_limit());
    let read = cx.blocking(move |wanted| disk.read(limit, wanted))?;
    let live = live.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let tape = read
        .and_then(|text| Tape::replaying(file, &text, live).map_err(|why| unreadable(file, &why)));
    match tape {
        Ok(tape) => Ok(open(cx, tape)),
        Err(fault) => {
            cx.raise(Box::new(fault));
            Err(Faulted)
        }
    }
}

/// A file that is no recording, or a damaged one.
#[must_use]
pub fn unreadable(file: &str, why: &str) -> Fault {
    let fault = Fault::new(code::FILE, format!("`{file}` cannot be replayed: {why}"));
    fault.with_data(json!({ "path": file }))
}

/// Writes a session's recording: a person named the file, so nobody is asked.
pub fn save(folder: &Path, tape: &Tape) -> Result<(), Fault> {
    let disk = Disk { written: tape.name().to_owned(), folder: folder.to_owned() };
    disk.write(&tape.text(), None, &|| true)
}

/// Reads a recording that a session replays whole.
pub fn load(folder: &Path, file: &str) -> Result<Arc<Tape>, Fault> {
    let disk = Disk { written: file.to_owned(), folder: folder.to_owned() };
    let text = disk.read(u64::MAX, &|| true)?;
    Tape::replaying(file, &text, Vec::new()).map_err(|why| unreadable(file, &why))
}

fn open(cx: &mut Cx, tape: Arc<Tape>) -> i64 {
    let outer = cx.audience.track.take();
    cx.audience.track = Some(Track::root(&tape, outer.clone()));
    depth(cx.open_scope(Box::new(Taped { tape, outer })))
}

/// The end of a block that was not left early: here the file can still be waited for.
fn end(cx: &mut Cx, scope: i64) -> Outcome<()> {
    let tape = cx.audience.track.as_ref().map(|track| Arc::clone(track.tape()));
    let written = match tape {
        Some(tape) if !tape.is_recording() => {
            // Only here: a block that was left by a Fault has a reason for what is left.
            if let (true, Some(notice)) = (tape.close(), tape.left_over()) {
                cx.print(Stream::Err, notice + "\n");
            }
            Ok(Ok(()))
        }
        Some(tape) if tape.close() => {
            let disk = Disk::new(cx, tape.name());
            let refusal = refusal_to_write(cx, tape.name());
            refusal.and_then(|refusal| {
                cx.blocking(move |_| disk.write(&tape.text(), refusal, &|| true))
            })
        }
        _ => Ok(Ok(())),
    };
    cx.close_scopes(usize::try_from(scope).unwrap_or(0));
    match written? {
        Ok(()) => Ok(()),
        Err(fault) => {
            cx.raise(Box::new(fault));
            Err(Faulted)
        }
    }
}

struct Taped {
    tape: Arc<Tape>,
    outer: Option<Arc<Track>>,
}

impl Scope for Taped {
    fn close(self: Box<Self>, cx: &mut Cx) {
        cx.audience.track.clone_from(&self.outer);
        if !self.tape.close() || !self.tape.is_recording() {
            return;
        }
        // Left by a Fault or a cancellation, when nothing can be waited for: what was recorded so far is written now.
        let name = self.tape.name();
        let what = format!("writing `{name}` would leave the folder of the notebook or file");
        let refusal = cx.world.permissions().refusal(Reach::Files, &what);
        let disk = Disk::new(cx, name);
        if let Err(fault) = disk.write(&self.tape.text(), refusal, &|| true) {
            cx.print(Stream::Err, format!("{fault}\n"));
        }
    }
}
