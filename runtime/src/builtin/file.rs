//! Files as programs see them: read a text, write a text, list.
//!
//! Relative paths start in the folder of the notebook or file. Never: touches a file on a worker, or leaves half a file.

use crate::builtin::declare::{Outcome, builtins};
use crate::builtin::file::disk::Disk;
use crate::builtin::{human, large};
use crate::builtin::text::texts;
use crate::context::Cx;
use crate::fault::{Fault, Faulted};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::policy::Verdict;
use crate::value::list::ListBuf;
use crate::value::owned::Owned;
use crate::value::shape::ShapeId;
use crate::value::text::{TextBuf, TextRef};
use crate::world::outside::Reach;
use serde_json::{Value, json};
use std::sync::Arc;

mod disk;
mod glob;

builtins! {
    /// The text of a file. Relative paths start in the folder of the notebook or file; R0112 if it cannot be read or is not UTF-8.
    function "read_text" "(path: Text) -> Text"
        example "read_text(\"notes.txt\")" => ""
        effects ["fs", "suspend"]
        = |cx, path: TextRef<'_>| read_text(cx, path.as_str());
    /// Writes a text to a file, whole or not at all. Outside the folder of the notebook or file it needs permission.
    function "write_text" "(path: Text, content: Text) -> Unit"
        example "write_text(\"notes.txt\", \"hi\")" => ""
        effects ["fs", "suspend"]
        = |cx, path: TextRef<'_>, content: TextRef<'_>| write_text(cx, path.as_str(), content.as_str());
    /// The files of a folder, or those a pattern matches (`*`, `?`, `**` for folders below), sorted; hidden ones are left out.
    function "list_files" "(path: Text) -> List<Text>"
        example "list_files(\"data/*.csv\")" => ""
        effects ["fs", "suspend"]
        = |cx, path: TextRef<'_>| list_files(cx, path.as_str());
}

fn read_text(cx: &mut Cx, path: &str) -> Outcome<TextBuf> {
    may(cx, path, false)?;
    let (disk, limit) = (Disk::new(cx, path), cx.world.memory_limit());
    let read = move |wanted: &dyn Fn() -> bool| disk.read(limit, wanted);
    through_the_door(cx, &json!({ "read": path }), read, |cx, text| {
        large::text(cx, &text).map(|given| (given, Value::String(text)))
    })
}

/// What the rules say of a file; false if nothing.
fn may(cx: &mut Cx, path: &str, write: bool) -> Outcome<bool> {
    let arguments = || of_file(path, write);
    match cx.ruled("fs", &arguments)? {
        None => Ok(false),
        Some(Verdict::Ask) => cx.ask_permission("fs", &arguments).map(|()| true),
        Some(_) => Ok(true),
    }
}

fn of_file(path: &str, write: bool) -> Vec<(Arc<str>, Owned)> {
    vec![human::text("path", path), ("write".into(), Owned::new(u64::from(write), ShapeId::BOOL))]
}

fn write_text(cx: &mut Cx, path: &str, content: &str) -> Outcome<()> {
    let mut refusal = None;
    if !may(cx, path, true)? {
        let what = format!("writing `{path}` would leave the folder of the notebook or file");
        refusal = cx.world.permissions().refusal(Reach::Files, &what);
    }
    // Whether a path leads outside is known on the disk's thread; nothing was written then.
    if let Some(refused) = refusal.clone() {
        let disk = Disk::new(cx, path);
        let leads = cx.blocking(move |_| disk.leaves_folder())?;
        if leads == Ok(true) {
            let allowed = cx.ask_instead(Reach::Files, refused, &|| of_file(path, true))?;
            refusal = allowed.err();
        }
    }
    let disk = Disk::new(cx, path);
    let inputs = json!({ "write": path, "content": content });
    let content = content.to_owned();
    let write = move |wanted: &dyn Fn() -> bool| disk.write(&content, refusal, wanted);
    through_the_door(cx, &inputs, write, |_, ()| Ok(((), Value::Null)))
}

fn list_files(cx: &mut Cx, path: &str) -> Outcome<ListBuf> {
    may(cx, path, false)?;
    let disk = Disk::new(cx, path);
    let list = move |wanted: &dyn Fn() -> bool| glob::list(&disk, wanted);
    through_the_door(cx, &json!({ "list": path }), list, |cx, found| {
        let names = texts(cx, found.iter().map(String::as_str))?;
        Ok((names, json!(found)))
    })
}

/// The door: does the work on a thread for blocking calls, notes it, and gives what `finish` makes of its result.
fn through_the_door<T: Send + 'static, R>(
    cx: &mut Cx,
    inputs: &Value,
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, Fault> + Send + 'static,
    finish: impl FnOnce(&mut Cx, T) -> Outcome<(R, Value)>,
) -> Outcome<R> {
    let world = Arc::clone(&cx.world);
    let pending = world.effects().begin("fs", Fingerprint::of_json(inputs));
    let finished = match cx.blocking(work) {
        Ok(Ok(value)) => finish(cx, value),
        Ok(Err(fault)) => {
            pending.failed(&fault);
            cx.raise(Box::new(fault));
            return Err(Faulted);
        }
        Err(Faulted) => Err(Faulted),
    };
    match finished {
        Ok((result, payload)) => {
            pending.done(Payload::free(payload));
            Ok(result)
        }
        Err(Faulted) => {
            pending.failed(&"cancelled");
            Err(Faulted)
        }
    }
}
