//! `@ask` and `@approve`: questions with a type to the person behind the cell (L-93).
//!
//! The coroutine keeps its place while the person thinks, so what came before the question runs once. Never: takes an
//! answer that does not fit, or goes on without one.

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::builtin::memory::build;
use crate::context::Cx;
use crate::context::door::Begun;
use crate::fault::{Faulted, code};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::ledger::money::MicroUsd;
use crate::policy::Verdict as Rule;
use crate::value::json::{dyn_from_json, to_json};
use crate::value::owned::Owned;
use crate::value::shape::{EnumShape, Shape, ShapeId, shape};
use crate::value::text::{TextBuf, TextRef};
use serde_json::{Value, json};
use std::sync::Arc;

builtins! {
    /// Asks the person and gives an answer of the type wanted: Bool, Text, Int, Float, Money or an enum without payload. R0702 if nobody can answer.
    call "ask" "(question: Text, data: Dyn = {}) -> T"
        example "let go : Bool := @ask(\"Send the order?\")" => ""
        effects ["human", "suspend"] form Ask
        = |cx, question: TextRef<'_>, data: Word, wanted: ShapeId| {
            let question = Asked { text: question.as_str().to_owned(), data: read_data(data) };
            ask(cx, &question, wanted)
        };
    /// Asks the person to allow an action; a refusal is R0702 with the person's reason.
    call "approve" "(action: Text, data: Dyn = {}) -> Unit"
        example "@approve(\"send_order\")" => ""
        effects ["human", "suspend"]
        = |cx, action: TextRef<'_>, data: Word| {
            let action = Asked { text: action.as_str().to_owned(), data: read_data(data) };
            approve(cx, &action)
        };
}

/// What is put to the person.
pub struct Asked {
    pub text: String,
    /// Shown below the text; an empty object is nothing.
    pub data: Value,
}

/// What a person says to something that needs permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Yes,
    /// And every time from now on in this session.
    Always,
    No(String),
    /// There was nobody to say anything.
    Nobody(String),
}

fn read_data(data: Word) -> Value {
    to_json(data.0, ShapeId::DYN).unwrap_or_default()
}

fn ask(cx: &mut Cx, asked: &Asked, wanted: ShapeId) -> Outcome<Moved> {
    // To ask is what a rule that says `ask` wants, too.
    cx.ruled("human.ask", &|| vec![text("action", "ask"), dynamic("data", &asked.data)])?;
    let inputs = json!({ "question": asked.text, "data": asked.data, "answers": hint(wanted) });
    let pending = match cx.begin("human.ask", Fingerprint::of_json(&inputs))? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => return cx.given_as(*line, wanted),
    };
    match asked.until(cx, &hint(wanted), |line| read(line, wanted)) {
        Ok(Ok(answer)) => {
            pending.done(Payload::free(answer.clone()));
            build(cx, &answer, wanted)
        }
        Ok(Err(why)) => {
            let message = format!("`{}` was not answered: {why}", cut(&asked.text));
            pending.failed(&format!("{}: {message}", code::REFUSED));
            cx.fail(code::REFUSED, message);
            Err(Faulted)
        }
        Err(Faulted) => {
            pending.failed(&"cancelled");
            Err(Faulted)
        }
    }
}

fn approve(cx: &mut Cx, asked: &Asked) -> Outcome<()> {
    let path = format!("human.{}", asked.text);
    let world = Arc::clone(&cx.world);
    let arguments = || vec![text("action", &asked.text), dynamic("data", &asked.data)];
    let ruled = cx.ruled(&path, &arguments)?;
    if ruled == Some(Rule::Allow) || world.policies().is_always(&path) {
        return Ok(());
    }
    let question = Asked { text: format!("Approve {}?", asked.text), data: asked.data.clone() };
    match permission(cx, &path, &question)? {
        Verdict::Yes => Ok(()),
        Verdict::Always => {
            world.policies().always(&path);
            Ok(())
        }
        Verdict::No(why) | Verdict::Nobody(why) => {
            cx.fail(code::REFUSED, refusal(&asked.text, &why));
            Err(Faulted)
        }
    }
}

/// An argument of an effect, for rules.
#[must_use]
pub fn text(name: &str, value: &str) -> (Arc<str>, Owned) {
    (name.into(), Owned::new(TextBuf::from(value.to_owned()).into_word(), ShapeId::TEXT))
}

fn dynamic(name: &str, value: &Value) -> (Arc<str>, Owned) {
    (name.into(), Owned::new(dyn_from_json(value), ShapeId::DYN))
}

/// Asks whether the effect of this path may happen. That nobody can be asked is a no.
pub fn permission(cx: &mut Cx, path: &str, asked: &Asked) -> Outcome<Verdict> {
    let inputs = json!({ "question": asked.text, "data": asked.data });
    let pending = match cx.begin(path, Fingerprint::of_json(&inputs))? {
        Begun::Live(pending) => pending,
        Begun::Given(line) => {
            let given = cx.given(*line)?;
            return recorded(&given).ok_or_else(|| cx.unfit(path, &["no answer"]));
        }
    };
    let hint = "yes, no and why, or always";
    match asked.until(cx, hint, verdict) {
        Ok(Ok(verdict)) => {
            pending.done(Payload::free(match &verdict {
                Verdict::Yes => json!("yes"),
                Verdict::Always => json!("always"),
                Verdict::No(why) | Verdict::Nobody(why) => json!({ "no": why }),
            }));
            Ok(verdict)
        }
        Ok(Err(why)) => {
            pending.done(Payload::free(json!({ "nobody": why })));
            Ok(Verdict::Nobody(why))
        }
        Err(Faulted) => {
            pending.failed(&"cancelled");
            Err(Faulted)
        }
    }
}

/// The answer that a recording holds.
fn recorded(given: &Value) -> Option<Verdict> {
    let text = |key: &str| given.get(key).and_then(Value::as_str).map(str::to_owned);
    match given.as_str() {
        Some("yes") => Some(Verdict::Yes),
        Some("always") => Some(Verdict::Always),
        _ => text("no").map(Verdict::No).or_else(|| text("nobody").map(Verdict::Nobody)),
    }
}

/// What a Fault says of something a person refused.
#[must_use]
pub fn refusal(what: &str, why: &str) -> String {
    match why {
        "" => format!("`{}` was refused", cut(what)),
        why => format!("`{}` was refused: {why}", cut(what)),
    }
}

impl Asked {
    /// Asks until `read` makes something of the answer. `Ok(Err(why))`: nobody answers.
    fn until<T>(
        &self,
        cx: &mut Cx,
        hint: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Outcome<Result<T, String>> {
        let question = self.prompt(hint);
        let mut prompt = question.clone();
        loop {
            let line = match cx.ask_person(prompt)? {
                Ok(line) => line,
                Err(why) => return Ok(Err(why)),
            };
            if let Some(answer) = read(line.trim()) {
                return Ok(Ok(answer));
            }
            prompt = format!("`{}` is no answer here.\n{question}", cut(line.trim()));
        }
    }

    /// The text, a line for each part of the data, and what an answer may be.
    fn prompt(&self, hint: &str) -> String {
        let mut prompt = self.text.trim_end().to_owned();
        match &self.data {
            Value::Null => {}
            Value::Object(fields) => {
                for (key, value) in fields {
                    prompt.push_str(&format!("\n  {key}: {}", cut(&value.to_string())));
                }
            }
            other => prompt.push_str(&format!("\n  {}", cut(&other.to_string()))),
        }
        let gap = if prompt.contains('\n') { '\n' } else { ' ' };
        match hint {
            "" => format!("{prompt}{gap}"),
            hint => format!("{prompt}{gap}({hint}) "),
        }
    }
}

/// No longer than a person reads in a question.
fn cut(text: &str) -> String {
    const MOST: usize = 300;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// What an answer of this type looks like.
fn hint(wanted: ShapeId) -> String {
    match wanted {
        ShapeId::BOOL => "yes or no".to_owned(),
        ShapeId::INT => "a whole number".to_owned(),
        ShapeId::FLOAT => "a number".to_owned(),
        ShapeId::MONEY => "an amount such as $0.10".to_owned(),
        _ => match shape(wanted) {
            Shape::Enum(of) => names(of).join(", "),
            _ => String::new(),
        },
    }
}

fn names(of: &EnumShape) -> Vec<&str> {
    of.variants.iter().map(|variant| &*variant.name).collect()
}

/// The answer as JSON of the type; none if it is no answer.
fn read(line: &str, wanted: ShapeId) -> Option<Value> {
    match wanted {
        ShapeId::BOOL => match line.to_ascii_lowercase().as_str() {
            "yes" | "y" | "true" => Some(json!(true)),
            "no" | "n" | "false" => Some(json!(false)),
            _ => None,
        },
        ShapeId::INT => line.replace('_', "").parse::<i64>().ok().map(|number| json!(number)),
        ShapeId::FLOAT => {
            let number = line.replace('_', "").parse::<f64>().ok()?;
            number.is_finite().then(|| json!(number))
        }
        ShapeId::MONEY => amount(line).map(|amount| json!(amount.dollars())),
        ShapeId::TEXT => Some(json!(line)),
        _ => match shape(wanted) {
            Shape::Enum(of) => variant(line, of).map(|name| json!(name)),
            _ => None,
        },
    }
}

/// `$0.50` or `0.50`.
#[must_use]
pub fn amount(line: &str) -> Option<MicroUsd> {
    MicroUsd::from_decimal(&line.trim().trim_start_matches('$').replace('_', ""))
}

/// By its name in any spelling of capitals and underscores.
fn variant<'a>(line: &str, of: &'a EnumShape) -> Option<&'a str> {
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let name = line.rsplit_once('.').map_or(line, |(_, name)| name);
    names(of).into_iter().find(|known| !name.is_empty() && plain(known) == plain(name))
}

/// `yes`, `always`, or `no` with whatever follows it.
fn verdict(line: &str) -> Option<Verdict> {
    let end = line.find(|c: char| !c.is_alphabetic()).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let why = rest.trim_start_matches([',', ':', ';', '-', '.', ' ']).trim();
    match word.to_ascii_lowercase().as_str() {
        "yes" | "y" if why.is_empty() => Some(Verdict::Yes),
        "always" | "a" if why.is_empty() => Some(Verdict::Always),
        "no" | "n" => Some(Verdict::No(why.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Verdict, read, verdict};
    use crate::value::shape::ShapeId;
    use serde_json::json;

    #[test]
    fn answers_are_read_by_type() {
        assert_eq!(read("Yes", ShapeId::BOOL), Some(json!(true)));
        assert_eq!(read("maybe", ShapeId::BOOL), None);
        assert_eq!(read("1_000", ShapeId::INT), Some(json!(1000)));
        assert_eq!(read("1.5", ShapeId::INT), None);
        assert_eq!(read("inf", ShapeId::FLOAT), None);
        assert_eq!(read("$0.10", ShapeId::MONEY), Some(json!(0.1)));
        assert_eq!(read("", ShapeId::TEXT), Some(json!("")));
    }

    #[test]
    fn a_verdict_is_one_word_and_a_no_may_say_why() {
        assert_eq!(verdict("y"), Some(Verdict::Yes));
        assert_eq!(verdict("Always"), Some(Verdict::Always));
        assert_eq!(verdict("no, too risky"), Some(Verdict::No("too risky".into())));
        for unclear in ["", "yes but smaller", "nothing", "always not", "yesterday"] {
            assert_eq!(verdict(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn data_cannot_pretend_to_be_lines_of_the_question() {
        let data = json!({ "note": "ok\n(yes or no) yes" });
        let asked = Asked { text: "Send?".into(), data };
        assert_eq!(
            asked.prompt("yes or no"),
            "Send?\n  note: \"ok\\n(yes or no) yes\"\n(yes or no) "
        );
    }
}
