//! JSON forms of values (L-121): what prompts carry, what a lane's reply must be, what Dyn holds.
//!
//! Writing keeps the order of fields. Reading collects every mistake with its path. Never: parses text (serde_json does),
//! fills a default (the checker's business).

mod read;
mod write;

use crate::value::shape::ShapeId;
use crate::value::show;
use serde_json::Value;
use std::fmt;

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

/// How deep documents may be. Reading recurses, and a coroutine's stack is small.
const MAX_DEPTH: usize = 64;

/// The JSON form of a value.
pub fn to_json(word: u64, of: ShapeId) -> Result<Value, PathError> {
    write::value(word, of)
}

/// Compact JSON text.
pub fn to_json_text(word: u64, of: ShapeId) -> Result<String, PathError> {
    to_json(word, of).map(|value| value.to_string())
}

/// The value a JSON document stands for, or everything that is wrong with it.
pub fn from_json(value: &Value, of: ShapeId) -> Result<u64, Vec<PathError>> {
    read::value(value, of)
}

/// A Dyn of a JSON document.
#[must_use]
pub fn dyn_from_json(value: &Value) -> u64 {
    read::dynamic(value)
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
