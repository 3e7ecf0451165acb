//! `input`: a line from the person behind the cell.
//!
//! The coroutine gives its worker back while the person thinks. Never: reads stdin; the front end does.

use crate::builtin::declare::{Outcome, builtins};
use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::value::text::TextRef;
use serde_json::json;
use std::sync::Arc;

builtins! {
    /// Asks the person for a line: an input field in a notebook, a line of stdin elsewhere. R0702 if nobody can answer.
    function "input" "(prompt: Text = \"\") -> Text"
        example "let name := input(\"Name? \")" => ""
        effects ["human", "suspend"]
        = |cx, prompt: TextRef<'_>| input(cx, prompt.as_str().to_owned());
}

fn input(cx: &mut Cx, prompt: String) -> Outcome<String> {
    let world = Arc::clone(&cx.world);
    let print = Fingerprint::of_json(&json!({ "prompt": prompt }));
    let pending = world.effects().begin("human", print);
    match cx.ask_person(prompt) {
        Ok(Ok(line)) => {
            pending.done(Payload::free(json!(line)));
            Ok(line)
        }
        Ok(Err(refusal)) => {
            pending.failed(&refusal);
            cx.fail(code::REFUSED, refusal);
            Err(Faulted)
        }
        Err(Faulted) => {
            pending.failed(&"cancelled");
            Err(Faulted)
        }
    }
}
