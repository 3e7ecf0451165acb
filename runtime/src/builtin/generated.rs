//! `@eval` (section 11): code that a program was given, run in a session of its own.
//!
//! The language checks and runs it; what is here hands it over and makes a Result of what comes back. Never: gives it more
//! than the values and effects that the call names; it runs as part of whoever calls, under the same limits and policies.

use crate::builtin::declare::{Moved, Word, builtins};
use crate::context::Cx;
use crate::fault::{Fault, Faulted, code};
use crate::value::dynamic::DynRef;
use crate::value::json::{from_json, to_json};
use crate::value::list::ListRef;
use crate::value::owned::Owned;
use crate::value::record;
use crate::value::shape::{self, ShapeId};
use crate::value::text::TextRef;
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What is to be run.
#[derive(Debug)]
pub struct Generated {
    pub source: String,
    /// Names and values, each a Dyn.
    pub with: Vec<(Arc<str>, Owned)>,
    pub allow: Vec<Arc<str>>,
}

/// Checks and runs it: gives a Dyn, or what is wrong with it. Faulted: it must end here, the Fault is in the context.
pub type Run =
    dyn Fn(&mut Cx, Generated) -> Result<Result<Owned, Box<Fault>>, Faulted> + Send + Sync;

/// Who runs generated code: the language, which stands above this crate and says so once.
#[derive(Default)]
pub struct Evaluator(OnceLock<Box<Run>>);

impl Evaluator {
    fn run(&self) -> Option<&Run> {
        self.0.get().map(|run| &**run)
    }

    /// Only the first counts.
    pub fn set(&self, run: Box<Run>) {
        let _ = self.0.set(run);
    }
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Evaluator")
    }
}

builtins! {
    /// Checks and runs generated code in a session of its own: it sees the prelude and the values in `with`, and has no effects but those in `allow`.
    call "eval" "(source: Text, with: Dyn = {}, allow: List<Text> = []) -> Result<Dyn, Fault>"
        example "@eval(\"1 + 1\")" => "Ok(2)"
        effects ["suspend"] form Eval
        = |cx, source: TextRef<'_>, with: Word, allow: Word| {
            eval(cx, source.as_str().to_owned(), with.0, allow.0)
        };
}

fn eval(cx: &mut Cx, source: String, with: u64, allow: u64) -> Result<Moved, Faulted> {
    // SAFETY: the signature says that the first is a Dyn and the second a list of texts.
    let (with, allow) = unsafe { (DynRef::from_word(with), ListRef::from_word(allow)) };
    // SAFETY: its elements are Texts.
    let text = |word: &u64| Arc::from(unsafe { TextRef::from_word(*word) }.as_str());
    let allow = allow.items().iter().map(text).collect();
    let outcome = match values(with) {
        Err(fault) => Err(fault),
        Ok(with) => {
            let world = Arc::clone(&cx.world);
            let Some(run) = world.evaluator().run() else {
                cx.fail(code::INTERNAL, "nothing here runs generated code");
                return Err(Faulted);
            };
            run(cx, Generated { source, with, allow })?
        }
    };
    let of = ShapeId::result(ShapeId::DYN, crate::value::prelude::fault());
    Ok(Moved(match outcome {
        Ok(value) => record::variant(of, shape::OK, &[value.into_word()]),
        Err(fault) => record::variant(of, shape::ERR, &[as_value(&fault)]),
    }))
}

/// The keys of the record or map as names.
fn values(with: DynRef<'_>) -> Result<Vec<(Arc<str>, Owned)>, Box<Fault>> {
    let refused = |why: &str| Box::new(Fault::new(code::CAST, format!("`with` of @eval {why}")));
    let json = to_json(with.value(), with.inner()).map_err(|_| refused("has no JSON form"))?;
    let Value::Object(fields) = json else {
        return Err(refused("is a record: `with: { n: 1 }`"));
    };
    fields
        .into_iter()
        .map(|(name, value)| {
            value_of(&name, &value).ok_or_else(|| refused("has a value without JSON form"))
        })
        .collect()
}

fn value_of(name: &str, value: &Value) -> Option<(Arc<str>, Owned)> {
    let word = from_json(value, ShapeId::DYN).ok()?;
    Some((Arc::from(name), Owned::new(word, ShapeId::DYN)))
}

/// A Fault as a value; generated code has no place in the program.
fn as_value(fault: &Fault) -> u64 {
    let mut whole = Map::new();
    whole.insert("code".to_owned(), json!(fault.code));
    whole.insert("message".to_owned(), json!(fault.message));
    whole.insert("at".to_owned(), Value::Null);
    whole.insert("chain".to_owned(), json!([]));
    whole.insert("data".to_owned(), fault.data.clone());
    from_json(&Value::Object(whole), crate::value::prelude::fault()).unwrap_or(0)
}
