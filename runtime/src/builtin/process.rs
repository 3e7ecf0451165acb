//! What the process was given: its arguments and its environment.
//!
//! Both pass the door, so that a recording can stand in for them. Never: sets a variable.

use crate::builtin::declare::{Moved, Outcome, builtins};
use crate::builtin::memory::build;
use crate::builtin::support::fail;
use crate::builtin::text::texts;
use crate::context::Cx;
use crate::context::door::Begun;
use crate::fault::code;
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::journal::secret;
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
    let pending = match cx.begin("env", Fingerprint::of_json(&json!({ "name": name })))? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => {
            let value = json!(secret::value_of(&cx.given(*line)?));
            return build(cx, &value, ShapeId::option(ShapeId::TEXT));
        }
    };
    // Never set, and asking the system for such a name may be an error.
    let is_possible = !name.is_empty() && !name.contains(['=', '\0']);
    let value = std::env::var_os(name).filter(|_| is_possible).map(std::ffi::OsString::into_string);
    match value.transpose() {
        Ok(value) => {
            pending.done(Payload::free(secret::variable(name, value.as_deref())));
            build(cx, &json!(value), ShapeId::option(ShapeId::TEXT))
        }
        Err(_) => {
            let message = format!("the variable `{name}` is not valid UTF-8");
            pending.failed(&format!("{}: {message}", code::INVALID_CONVERSION));
            fail(cx, code::INVALID_CONVERSION, message)
        }
    }
}

fn args(cx: &mut Cx) -> Outcome<ListBuf> {
    let world = Arc::clone(&cx.world);
    let arguments = &world.outside().arguments;
    let pending = match cx.begin("env", Fingerprint::of_text("args"))? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => {
            let value = cx.given(*line)?;
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            return texts(cx, items.iter().filter_map(|item| item.as_str()));
        }
    };
    pending.done(Payload::free(json!(arguments)));
    texts(cx, arguments.iter().map(String::as_str))
}
