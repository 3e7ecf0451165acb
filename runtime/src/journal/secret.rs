//! What a recording must not hold in clear: values of the environment, and headers that carry keys.
//!
//! A value of `env` is replaced by its name; a replay takes the value the variable has then. Values of variables whose names
//! say that they are secret are replaced in every other payload too. Never: changes a fingerprint, which is taken of inputs
//! in which the values of such headers do not stand.

use crate::journal::effect::Payload;
use crate::journal::line::{Failure, Line};
use serde_json::{Value, json};
use std::env;

/// Parts of the names of variables whose values are searched for in other payloads.
const SECRET_NAMES: &[&str] = &["KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "AUTH"];

/// Headers whose values are not written, in requests as in replies.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "x-auth-token",
];

/// Shorter values would be found everywhere.
const LEAST: usize = 6;

/// The key of an `env` payload that stands for the value.
const VARIABLE: &str = "variable";

/// Whether the value of a header is a secret.
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str())
}

/// The payload of `env`: the name stays beside the value, so that the value can be left out.
#[must_use]
pub fn variable(name: &str, value: Option<&str>) -> Value {
    json!({ VARIABLE: name, "value": value })
}

/// The value of such a payload.
#[must_use]
pub fn value_of(payload: &Value) -> Option<&str> {
    payload.get("value").and_then(Value::as_str)
}

/// The secrets a recording has met.
#[derive(Default)]
pub struct Secrets {
    /// Name and value.
    known: Vec<(String, String)>,
}

impl Secrets {
    pub fn learn(&mut self, line: &Line) {
        let Ok(payload) = &line.end else { return };
        let Some((name, Some(value))) = parts(&line.path, &payload.value) else { return };
        let upper = name.to_uppercase();
        let is_secret = SECRET_NAMES.iter().any(|part| upper.contains(part));
        if is_secret && value.len() >= LEAST && !self.known.iter().any(|(_, known)| known == value)
        {
            self.known.push((name.to_owned(), value.to_owned()));
            // A longer one may hold a shorter one.
            self.known.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        }
    }

    /// The line as it may be written.
    #[must_use]
    pub fn hide(&self, line: &Line) -> Line {
        let end = match &line.end {
            Ok(payload) => {
                Ok(Payload { value: self.hidden(line, &payload.value), cost: payload.cost })
            }
            Err(Failure::Fault { code, message, data }) => Err(Failure::Fault {
                code: code.clone(),
                message: self.masked(message),
                data: texts(data, &|text| self.masked(text)),
            }),
            Err(Failure::Cancelled) => Err(Failure::Cancelled),
        };
        Line { end, ..line.clone() }
    }

    fn hidden(&self, line: &Line, value: &Value) -> Value {
        if let Some((name, value)) = parts(&line.path, value) {
            return json!({ VARIABLE: name, "is_set": value.is_some() });
        }
        let mut hidden = texts(value, &|text| self.masked(text));
        if let Some(headers) = hidden.get_mut("headers").and_then(Value::as_object_mut) {
            let secret = headers.iter_mut().filter(|(name, _)| is_secret_header(name));
            secret.for_each(|(_, value)| *value = json!("[hidden]"));
        }
        hidden
    }

    fn masked(&self, text: &str) -> String {
        let mask =
            |text: String, (name, value): &(String, String)| text.replace(value, &place(name));
        self.known.iter().fold(text.to_owned(), mask)
    }

    /// A line that was read, with the values that this machine has for what was left out.
    #[must_use]
    pub fn reveal(line: Line) -> Line {
        let Ok(payload) = &line.end else { return line };
        let value = match payload.value.get(VARIABLE).and_then(Value::as_str) {
            Some(name) if &*line.path == "env" => {
                let is_set = payload.value.get("is_set") == Some(&json!(true));
                let now = env::var(name).unwrap_or_else(|_| place(name));
                variable(name, is_set.then_some(&now))
            }
            _ => texts(&payload.value, &unmasked),
        };
        Line { end: Ok(Payload { value, cost: payload.cost }), ..line }
    }
}

/// Name and value of an `env` payload.
fn parts<'a>(path: &str, payload: &'a Value) -> Option<(&'a str, Option<&'a str>)> {
    let name = payload.get(VARIABLE)?.as_str()?;
    (path == "env").then(|| (name, value_of(payload)))
}

const OPEN: &str = "[env:";

fn place(name: &str) -> String {
    format!("{OPEN}{name}]")
}

/// Puts the values of variables back where their names stand; those that are not set here stay names.
fn unmasked(text: &str) -> String {
    let mut parts = text.split(OPEN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let found = part.split_once(']');
        match found.and_then(|(name, rest)| Some((env::var(name).ok()?, rest))) {
            Some((value, rest)) if found.is_some_and(|(name, _)| !name.contains(['=', '\0'])) => {
                out.push_str(&value);
                out.push_str(rest);
            }
            _ => {
                out.push_str(OPEN);
                out.push_str(part);
            }
        }
    }
    out
}

/// The same JSON with every text changed.
fn texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| texts(item, change)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), texts(value, change)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Secrets, value_of, variable};
    use crate::journal::effect::Payload;
    use crate::journal::fingerprint::Fingerprint;
    use crate::journal::line::Line;
    use serde_json::{Value, json};

    fn line(path: &str, value: Value) -> Line {
        Line {
            sequence: 0,
            strand: 0,
            path: path.into(),
            fingerprint: Fingerprint::of_text(""),
            end: Ok(Payload::free(value)),
            took_ns: 0,
        }
    }

    #[test]
    fn no_value_of_the_environment_is_written_and_secret_ones_nowhere() {
        let mut secrets = Secrets::default();
        let key = line("env", variable("DESK_API_KEY", Some("s3cr3t-value")));
        let home = line("env", variable("DESK_FOLDER", Some("/srv/desk")));
        let reply = json!({
            "headers": { "Set-Cookie": "id=1", "age": "1" },
            "body": "you sent s3cr3t-value to /srv/desk",
        });
        let reply = line("net", reply);
        [&key, &home, &reply].into_iter().for_each(|line| secrets.learn(line));
        let text: String =
            [&key, &home, &reply].into_iter().map(|line| secrets.hide(line).to_text()).collect();
        assert!(!text.contains("s3cr3t-value") && !text.contains("id=1"), "{text}");
        assert!(text.contains("you sent [env:DESK_API_KEY] to /srv/desk"), "{text}");
        assert_eq!(text.matches("/srv/desk").count(), 1);
    }

    #[test]
    fn a_replay_takes_the_values_of_its_own_machine() {
        // Set for every process.
        let path = std::env::var("PATH").unwrap();
        let secrets = Secrets::default();
        let given = |line: Line| match Secrets::reveal(secrets.hide(&line)).end {
            Ok(payload) => payload.value,
            Err(failure) => panic!("{failure:?}"),
        };
        assert_eq!(value_of(&given(line("env", variable("PATH", Some("x"))))), Some(&*path));
        assert_eq!(value_of(&given(line("env", variable("PATH", None)))), None);
        let gone = given(line("env", variable("NO_SUCH_NAME_HERE", Some("x"))));
        assert_eq!(value_of(&gone), Some("[env:NO_SUCH_NAME_HERE]"));
        let text = "a [env:PATH] b [env:NO_SUCH_NAME_HERE] c [env:";
        let shown = given(line("llm", json!(text)));
        assert_eq!(shown, json!(format!("a {path} b [env:NO_SUCH_NAME_HERE] c [env:")));
    }
}
