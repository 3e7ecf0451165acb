//! `input`: a line from the person behind the cell.
//!
//! The coroutine gives its worker back while the person thinks. Never: reads stdin; the front end does.

use crate::builtin::declare::{Outcome, builtins};
use crate::context::Cx;
use crate::context::door::Begun;
use crate::fault::{Faulted, code};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::value::text::TextRef;
use serde_json::{Value, json};

builtins! {
    /// Asks the person for a line: an input field in a notebook, a line of stdin elsewhere. R0702 if nobody can answer.
    function "input" "(prompt: Text = \"\") -> Text"
        example "let name := input(\"Name? \")" => ""
        effects ["human", "suspend"]
        = |cx, prompt: TextRef<'_>| input(cx, prompt.as_str().to_owned());
}

fn input(cx: &mut Cx, prompt: String) -> Outcome<String> {
    let print = Fingerprint::of_json(&json!({ "prompt": prompt }));
    let pending = match cx.begin("human", print)? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => {
            let value = cx.given(*line)?;
            return match value {
                Value::String(text) => Ok(text),
                _ => Err(cx.unfit("human", &["no text"])),
            };
        }
    };
    match cx.ask_person(prompt) {
        Ok(Ok(line)) => {
            pending.done(Payload::free(json!(line)));
            Ok(line)
        }
        Ok(Err(refusal)) => {
            pending.failed(&format!("{}: {refusal}", code::REFUSED));
            cx.fail(code::REFUSED, refusal);
            Err(Faulted)
        }
        Err(Faulted) => {
            pending.failed(&"cancelled");
            Err(Faulted)
        }
    }
}
