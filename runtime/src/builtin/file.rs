//! Files as programs see them: read a text, write a text, list.
//!
//! Relative paths start in the folder of the notebook or file. Never: touches a file on a worker, or leaves half a file.

use crate::builtin::declare::{Outcome, builtins};
use crate::builtin::file::disk::Disk;
use crate::builtin::text::texts;
use crate::builtin::{human, large};
use crate::context::Cx;
use crate::context::door::Begun;
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

pub(super) mod disk;
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
    let prepare = |cx: &mut Cx| {
        may(cx, path, false)?;
        let (disk, limit) = (Disk::new(cx, path), cx.world.memory_limit());
        Ok(move |wanted: &dyn Fn() -> bool| disk.read(limit, wanted))
    };
    let finish = |cx: &mut Cx, text: String| {
        large::text(cx, &text).map(|given| (given, Value::String(text)))
    };
    let again = |cx: &mut Cx, value: Value| match value.as_str() {
        Some(text) => large::text(cx, text),
        None => Err(cx.unfit("fs", &["no text"])),
    };
    through_the_door(cx, &json!({ "read": path }), prepare, finish, again)
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
    let inputs = json!({ "write": path, "content": content });
    let prepare = |cx: &mut Cx| {
        let refusal = refusal_to_write(cx, path)?;
        let (disk, content) = (Disk::new(cx, path), content.to_owned());
        Ok(move |wanted: &dyn Fn() -> bool| disk.write(&content, refusal, wanted))
    };
    through_the_door(cx, &inputs, prepare, |_, ()| Ok(((), Value::Null)), |_, _| Ok(()))
}

/// Why the file may not be written if it stands outside of the folder.
pub(super) fn refusal_to_write(cx: &mut Cx, path: &str) -> Outcome<Option<Fault>> {
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
    Ok(refusal)
}

fn list_files(cx: &mut Cx, path: &str) -> Outcome<ListBuf> {
    let prepare = |cx: &mut Cx| {
        may(cx, path, false)?;
        let disk = Disk::new(cx, path);
        Ok(move |wanted: &dyn Fn() -> bool| glob::list(&disk, wanted))
    };
    let finish = |cx: &mut Cx, found: Vec<String>| {
        let names = texts(cx, found.iter().map(String::as_str))?;
        Ok((names, json!(found)))
    };
    let again = |cx: &mut Cx, value: Value| names_in(cx, &value);
    through_the_door(cx, &json!({ "list": path }), prepare, finish, again)
}

/// A recorded list of names.
fn names_in(cx: &mut Cx, value: &Value) -> Outcome<ListBuf> {
    let items = value.as_array().map(Vec::as_slice);
    let names = items.and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    match names {
        Some(names) => texts(cx, names.into_iter()),
        None => Err(cx.unfit("fs", &["no list of names"])),
    }
}

/// The door: asks for permission, does the work on a thread for blocking calls, notes it, and gives what `finish` makes of its
/// result. `again` makes the same of what was recorded, where nothing needs permission.
fn through_the_door<T: Send + 'static, W, R>(
    cx: &mut Cx,
    inputs: &Value,
    prepare: impl FnOnce(&mut Cx) -> Outcome<W>,
    finish: impl FnOnce(&mut Cx, T) -> Outcome<(R, Value)>,
    again: impl FnOnce(&mut Cx, Value) -> Outcome<R>,
) -> Outcome<R>
where
    W: FnOnce(&dyn Fn() -> bool) -> Result<T, Fault> + Send + 'static,
{
    let pending = match cx.begin("fs", Fingerprint::of_json(inputs))? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => {
            let value = cx.given(*line)?;
            return again(cx, value);
        }
    };
    let worked = prepare(cx).and_then(|work| cx.blocking(work));
    let finished = match worked {
        Ok(Ok(value)) => finish(cx, value),
        Ok(Err(fault)) => {
            cx.raise(Box::new(fault));
            Err(Faulted)
        }
        Err(Faulted) => Err(Faulted),
    };
    match finished {
        Ok((result, payload)) => {
            pending.done(Payload::free(payload));
            Ok(result)
        }
        Err(Faulted) => {
            cx.end_faulted(pending);
            Err(Faulted)
        }
    }
}
