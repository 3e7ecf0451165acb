//! JSON forms of values (L-121): what prompts carry, what a lane's reply must be, what Dyn holds.
//!
//! Writing keeps the order of fields. Reading collects every mistake with its path. Never: parses text (serde_json does),
//! fills a default (the checker's business).

mod parse;
mod read;
mod write;

use crate::value::dynamic::DynBuf;
use crate::value::shape::ShapeId;
use crate::value::show;
use serde_json::Value;
use std::fmt;

/// Sets a field of an object; anything else is left as it is.
pub fn put(json: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = json {
        fields.insert(key.to_owned(), value);
    }
}

/// A mistake and where in the document it is: `$.trades[0].price`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathError {
    pub path: String,
    pub message: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The key of an object that says which variant of an enum it is.
pub const KIND: &str = "kind";

/// How deep documents may be. Reading recurses, and a coroutine's stack is small.
const MAX_DEPTH: usize = 64;

/// Asked for each element of a long conversion: true stops it. What was made until then is released.
pub type Poll<'a> = &'a mut dyn FnMut() -> bool;

/// Why a conversion that can be stopped has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfinished {
    Stopped,
    Wrong(PathError),
}

impl From<PathError> for Unfinished {
    fn from(error: PathError) -> Self {
        Self::Wrong(error)
    }
}

/// The JSON form of a value.
pub fn to_json(word: u64, of: ShapeId) -> Result<Value, PathError> {
    write::value(word, of, &mut || false).map_err(|unfinished| match unfinished {
        Unfinished::Wrong(error) => error,
        Unfinished::Stopped => error(&[], "stopped"),
    })
}

/// Compact JSON text.
pub fn to_json_text(word: u64, of: ShapeId) -> Result<String, PathError> {
    to_json(word, of).map(|value| value.to_string())
}

/// As `to_json_text`, of values that may be large.
pub fn to_json_text_polled(word: u64, of: ShapeId, poll: Poll<'_>) -> Result<String, Unfinished> {
    let value = write::value(word, of, poll)?;
    write::text(&value, poll).ok_or(Unfinished::Stopped)
}

/// A Dyn of a JSON text that may be large, or what serde_json says of it. `None` if it was stopped.
pub fn dyn_from_text_polled(
    text: &str,
    poll: Poll<'_>,
) -> Option<Result<DynBuf, serde_json::Error>> {
    match parse::value(text, poll)? {
        Ok(value) => read::dynamic(&value, poll).map(Ok),
        Err(error) => Some(Err(error)),
    }
}

/// The value a JSON document stands for, or everything that is wrong with it.
pub fn from_json(value: &Value, of: ShapeId) -> Result<u64, Vec<PathError>> {
    read::value(value, of)
}

/// A Dyn of a JSON document.
#[must_use]
pub fn dyn_from_json(value: &Value) -> u64 {
    // Nothing stops it, so there is a Dyn.
    read::dynamic(value, &mut || false).map_or(0, DynBuf::into_word)
}

/// Where the reader or writer stands.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

fn error(path: &[Step<'_>], message: impl Into<String>) -> PathError {
    let mut text = String::from("$");
    for step in path {
        match step {
            Step::Key(key) if key.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                text.push('.');
                text.push_str(key);
            }
            Step::Key(key) => {
                text.push('[');
                show::quote(key, &mut text);
                text.push(']');
            }
            Step::Index(at) => text.push_str(&format!("[{at}]")),
        }
    }
    PathError { path: text, message: message.into() }
}

/// `5s`, `1.5h`, `-20ms`: a decimal number and a unit of the language.
#[must_use]
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let unit_ns: i128 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        "w" => 604_800_000_000_000,
        _ => return None,
    };
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 15 || whole.len() > 19 {
        return None;
    }
    let digits: String = [whole, fraction].concat();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scaled = digits.parse::<i128>().ok()?.checked_mul(unit_ns)?;
    let ns = scaled / 10i128.pow(fraction.len() as u32);
    i64::try_from(if negative { -ns } else { ns }).ok()
}
