//! Faults the program raises, and the value a caught one becomes.
//!
//! Never: leaves a frame (`interp::fault` does).

use crate::hir::{Clause, ClauseKind};
use crate::ir::core::Raise;
use crate::types::ty::Name;
use ag_runtime::context::Cx;
use ag_runtime::fault::{Fault, Faulted, Site, code};
use ag_runtime::value::json;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::value::show;
use serde_json::{Map, Value};

pub fn raise(cx: &mut Cx, raise: &Raise, args: &[u64]) -> Faulted {
    let fault = match raise {
        Raise::Failed { assertion, why, shown } => failed(*assertion, *why, shown, args),
        Raise::Contract { clause, shown } => broken(clause, shown, args),
        Raise::DiscardedErr(of) => {
            let shown = show::quoted(first(args), *of);
            Fault::new(
                code::DISCARDED_ERR,
                format!("a result was not used, and it is Err({shown})"),
            )
        }
        Raise::QuestionAtTop(of) => {
            let shown = show::quoted(first(args), *of);
            Fault::new(code::QUESTION_AT_TOP, format!("`?` ends the cell with {shown}"))
        }
    };
    cx.raise(Box::new(fault));
    Faulted
}

fn first(args: &[u64]) -> u64 {
    args.first().copied().unwrap_or(0)
}

/// Values up to this many bytes are part of the message.
const VALUES_BYTES: usize = 100;

fn failed(assertion: bool, why: bool, shown: &[(Name, ShapeId)], args: &[u64]) -> Fault {
    let mut message =
        String::from(if assertion { "assertion failed" } else { "requirement failed" });
    let mut args = args.iter();
    if why {
        let reason = args.next().copied().unwrap_or(0);
        message.push_str(": ");
        message.push_str(&show::show(reason, ShapeId::TEXT));
    }
    let values = tell(&mut message, shown, args);
    let code = if assertion { code::ASSERT } else { code::REQUIRE };
    Fault::new(code, message).with_data(Value::Object(values))
}

/// The values of the variables by name. Long ones are told beside the message; `data` has them all.
fn tell<'a>(
    message: &mut String,
    shown: &[(Name, ShapeId)],
    args: impl IntoIterator<Item = &'a u64>,
) -> Map<String, Value> {
    let mut values = Map::new();
    let mut parts = Vec::new();
    for ((name, of), value) in shown.iter().zip(args) {
        let text = show::quoted(*value, *of);
        parts.push(format!("{name} = {text}"));
        values.insert(name.to_string(), Value::String(text));
    }
    let is_short = parts.iter().map(String::len).sum::<usize>() <= VALUES_BYTES;
    if is_short && !parts.is_empty() {
        message.push_str(" where ");
        message.push_str(&parts.join(", "));
    }
    values
}

/// Which clause of whose contract, as written, with the values that break it.
fn broken(clause: &Clause, shown: &[(Name, ShapeId)], args: &[u64]) -> Fault {
    let Clause { kind, of, source } = clause;
    let mut message = match kind {
        ClauseKind::Decreases => {
            format!("`decreases {source}` of `{of}` is negative or does not get smaller")
        }
        _ => format!("`{} {source}` of `{of}` does not hold", kind.word()),
    };
    let values = tell(&mut message, shown, args);
    Fault::new(code::CONTRACT, message).with_data(serde_json::json!({
        "clause": kind.word(),
        "of": &**of,
        "source": &**source,
        "values": values,
    }))
}

/// The Fault that was caught as a value of the prelude's struct.
pub fn take_fault(cx: &mut Cx, of: ShapeId) -> u64 {
    let fault = cx.take_fault();
    let mut whole = Map::new();
    whole.insert("code".to_owned(), Value::String(fault.code.to_owned()));
    whole.insert("message".to_owned(), Value::String(fault.message.clone()));
    whole.insert("at".to_owned(), site(fault.at.as_ref()));
    let frames = fault.chain.iter().map(|frame| {
        serde_json::json!({ "name": frame.function.as_ref(), "at": site(Some(&frame.site)) })
    });
    whole.insert("chain".to_owned(), frames.collect());
    whole.insert("data".to_owned(), fault.data.clone());
    json::from_json(&Value::Object(whole), of).unwrap_or(0)
}

fn site(at: Option<&Site>) -> Value {
    at.map_or(
        Value::Null,
        |at| serde_json::json!({ "cell": at.origin.cell, "start": at.start, "end": at.end }),
    )
}
