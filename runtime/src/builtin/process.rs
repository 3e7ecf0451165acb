//! What the process was given: its arguments and its environment.
//!
//! Both pass the door, so that a recording can stand in for them. Never: sets a variable.

use crate::builtin::declare::{Moved, Outcome, builtins};
use crate::builtin::memory::build;
use crate::builtin::support::fail;
use crate::builtin::text::texts;
use crate::context::Cx;
use crate::fault::code;
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::value::list::ListBuf;
use crate::value::shape::ShapeId;
use crate::value::text::TextRef;
use serde_json::json;
use std::sync::Arc;

builtins! {
    /// A variable of the environment, if it is set.
    function "env" "(name: Text) -> Text?"
        example "env(\"HOME\") ?? \"nowhere\"" => ""
        = |cx, name: TextRef<'_>| env(cx, name.as_str());
    /// The arguments of the program: what stands after `--` in `ag run FILE -- a b c`.
    function "args" "() -> List<Text>"
        example "args()" => "[]"
        = |cx| args(cx);
}

fn env(cx: &mut Cx, name: &str) -> Outcome<Moved> {
    let world = Arc::clone(&cx.world);
    let pending = world.effects().begin("env", Fingerprint::of_json(&json!({ "name": name })));
    // Never set, and asking the system for such a name may be an error.
    let is_possible = !name.is_empty() && !name.contains(['=', '\0']);
    let value = std::env::var_os(name).filter(|_| is_possible).map(std::ffi::OsString::into_string);
    match value.transpose() {
        Ok(value) => {
            let value = json!(value);
            pending.done(Payload::free(value.clone()));
            build(cx, &value, ShapeId::option(ShapeId::TEXT))
        }
        Err(_) => {
            let message = format!("the variable `{name}` is not valid UTF-8");
            pending.failed(&message);
            fail(cx, code::INVALID_CONVERSION, message)
        }
    }
}

fn args(cx: &mut Cx) -> Outcome<ListBuf> {
    let world = Arc::clone(&cx.world);
    let arguments = &world.outside().arguments;
    let pending = world.effects().begin("env", Fingerprint::of_text("args"));
    pending.done(Payload::free(json!(arguments)));
    texts(cx, arguments.iter().map(String::as_str))
}
