//! One line of a recording: an effect as JSON, and back.
//!
//! The first line names the format. A last line that was cut off is left out when a recording is read, so the beginning of a
//! recording is one. Never: files, or what an effect means.

use crate::fault::{Fault, code};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::ledger::money::MicroUsd;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The format of recordings. A higher number in a file means that it was written by a newer `ag`.
pub const VERSION: u64 = 2;

/// What an effect says that was given up.
const CANCELLED: &str = "cancelled";

/// How an effect ended, where that was no payload.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A Fault, which a replay raises again.
    Fault { code: String, message: String, data: Value },
    /// Whoever waited for it was cancelled first.
    Cancelled,
}

impl Failure {
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        let (message, data) = (fault.message.clone(), fault.data.clone());
        Self::Fault { code: fault.code.to_owned(), message, data }
    }

    /// Of a Fault that is known as text only.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        if text == CANCELLED {
            return Self::Cancelled;
        }
        let named = text.split_once(": ").filter(|(code, _)| code::named(code).is_some());
        let (code, message) = named.unwrap_or((code::TOOL_FAILED, text));
        Self::Fault { code: code.to_owned(), message: message.to_owned(), data: Value::Null }
    }

    /// The Fault to raise again; none for what was cancelled.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Fault { code, message, data } => {
                // A code of a newer version, or one that somebody wrote into the file.
                let code = code::named(code).unwrap_or(code::REPLAY);
                Some(Fault::new(code, message.as_str()).with_data(data.clone()))
            }
            Self::Cancelled => None,
        }
    }
}

/// That a message was handled directly after another one of the same mailbox; both as strands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    pub message: u64,
    pub after: u64,
}

impl Order {
    fn to_text(self) -> String {
        let strand = |strand: u64| format!("{strand:016x}");
        format!("{}\n", json!({ "message": strand(self.message), "after": strand(self.after) }))
    }

    fn of_json(json: &Value) -> Option<Self> {
        let strand = |key: &str| u64::from_str_radix(json.get(key)?.as_str()?, 16).ok();
        Some(Self { message: strand("message")?, after: strand("after")? })
    }
}

/// All that a recording says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Recorded {
    pub lines: Vec<Line>,
    pub orders: Vec<Order>,
}

/// One effect of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// In the order in which effects ended.
    pub sequence: u64,
    /// Which coroutine of the program it belongs to (see `track`).
    pub strand: u64,
    pub path: Arc<str>,
    pub fingerprint: Fingerprint,
    pub end: Result<Payload, Failure>,
    /// How long it took, on the clock of the recording.
    pub took_ns: u64,
}

impl Line {
    /// The line with its newline.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut json = Map::new();
        let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
        put("sequence", json!(self.sequence));
        put("path", json!(&*self.path));
        put("fingerprint", json!(self.fingerprint.to_string()));
        put("strand", json!(format!("{:016x}", self.strand)));
        put("took_ns", json!(self.took_ns));
        match &self.end {
            Ok(payload) => {
                put("payload", payload.value.clone());
                put("cost_micro_usd", json!(payload.cost.micros()))
            }
            Err(Failure::Fault { code, message, data }) => {
                put("fault", json!({ "code": code, "message": message, "data": data }))
            }
            Err(Failure::Cancelled) => put("cancelled", json!(true)),
        };
        let json = Value::Object(json);
        format!("{json}\n")
    }

    /// None if this is no line of a recording.
    #[must_use]
    pub fn of_json(json: &Value) -> Option<Self> {
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        let end = if let Some(value) = json.get("payload") {
            let cost = json.get("cost_micro_usd").and_then(Value::as_i64).unwrap_or(0);
            Ok(Payload { value: value.clone(), cost: MicroUsd(cost) })
        } else if let Some(fault) = json.get("fault") {
            let part = |key: &str| fault.get(key).and_then(Value::as_str).map(str::to_owned);
            Err(Failure::Fault {
                code: part("code")?,
                message: part("message")?,
                data: fault.get("data").cloned().unwrap_or_default(),
            })
        } else if json.get("cancelled") == Some(&Value::Bool(true)) {
            Err(Failure::Cancelled)
        } else {
            return None;
        };
        Some(Self {
            sequence: json.get("sequence")?.as_u64()?,
            strand: u64::from_str_radix(text("strand")?, 16).ok()?,
            path: text("path")?.into(),
            fingerprint: Fingerprint::parse(text("fingerprint")?)?,
            end,
            took_ns: json.get("took_ns").and_then(Value::as_u64).unwrap_or(0),
        })
    }

    /// As a Fault shows it.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("`{}` ({})", self.path, short(self.fingerprint))
    }
}

/// Enough of a fingerprint to tell two apart.
#[must_use]
pub fn short(fingerprint: Fingerprint) -> String {
    fingerprint.to_string().chars().take(8).collect()
}

/// A whole recording as text: the effects, then the orders.
#[must_use]
pub fn write(recorded: &Recorded) -> String {
    let mut text = format!("{}\n", json!({ "format": "ag recording", "version": VERSION }));
    recorded.lines.iter().for_each(|line| text.push_str(&line.to_text()));
    recorded.orders.iter().for_each(|order| text.push_str(&order.to_text()));
    text
}

/// Reads a recording; the error says what is wrong with the text.
pub fn read(text: &str) -> Result<Recorded, String> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok());
    let version = first.as_ref().and_then(|first| {
        (first.get("format")? == "ag recording").then(|| first.get("version")?.as_u64())?
    });
    match version {
        None => return Err("it is no recording: its first line does not say so".to_owned()),
        Some(version) if version > VERSION => {
            return Err(format!("it was written by a newer ag (format {version})"));
        }
        Some(_) => {}
    }
    let mut found = Recorded::default();
    for (at, line) in lines.enumerate() {
        let json = serde_json::from_str::<Value>(line).ok();
        if let Some(line) = json.as_ref().and_then(Line::of_json) {
            found.lines.push(line);
        } else if let Some(order) = json.as_ref().and_then(Order::of_json) {
            found.orders.push(order);
        } else if line.ends_with('\n') {
            return Err(format!("line {} is no effect", at + 2));
        } else {
            // The writer was stopped here.
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Failure, Line, Order, Recorded, read, write};
    use crate::journal::effect::Payload;
    use crate::journal::fingerprint::Fingerprint;
    use crate::ledger::money::MicroUsd;
    use proptest::prelude::{Just, Strategy, any, prop_oneof};
    use proptest::{collection::vec, prop_assert_eq, proptest};
    use serde_json::{Value, json};

    fn end() -> impl Strategy<Value = Result<Payload, Failure>> {
        let payload = (any::<String>(), any::<i64>()).prop_map(|(text, cost)| {
            Ok(Payload { value: json!([text, null]), cost: MicroUsd(cost) })
        });
        let fault = (any::<String>(), any::<bool>()).prop_map(|(message, data)| {
            Err(Failure::Fault { code: "R0608".into(), message, data: json!(data) })
        });
        prop_oneof![payload, fault, Just(Err(Failure::Cancelled))]
    }

    fn line() -> impl Strategy<Value = Line> {
        (any::<[u64; 3]>(), "[a-z.]{1,20}", any::<[u8; 16]>(), end()).prop_map(
            |([sequence, strand, took_ns], path, print, end)| Line {
                sequence,
                strand,
                path: path.into(),
                fingerprint: Fingerprint(print),
                end,
                took_ns,
            },
        )
    }

    proptest! {
        #[test]
        fn a_recording_is_read_as_it_was_written_also_when_it_was_cut(
            lines in vec(line(), 0..8),
            orders in vec(any::<[u64; 2]>(), 0..4),
            cut in any::<proptest::sample::Index>(),
        ) {
            let orders = orders.into_iter().map(|[message, after]| Order { message, after });
            let recorded = Recorded { lines, orders: orders.collect() };
            let text = write(&recorded);
            prop_assert_eq!(read(&text), Ok(recorded.clone()));
            // Anywhere after the first line.
            let first = text.find('\n').unwrap_or(0) + 1;
            let at = first + cut.index(text.len() - first + 1);
            if let Some(part) = text.get(..at) {
                let whole = part.matches('\n').count() - 1;
                let read = read(part).unwrap();
                // A line without its newline may be whole already.
                prop_assert_eq!(&read.lines[..], &recorded.lines[..read.lines.len()]);
                prop_assert_eq!(&read.orders[..], &recorded.orders[..read.orders.len()]);
                let count = read.lines.len() + read.orders.len();
                assert!(count == whole || count == whole + 1);
            }
        }
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        assert!(read("").unwrap_err().contains("no recording"));
        assert!(read("{\"a\": 1}\n").unwrap_err().contains("no recording"));
        assert!(
            read("{\"format\":\"ag recording\",\"version\":9}\n").unwrap_err().contains("newer")
        );
        let text = write(&Recorded::default()) + "{\"path\": 1}\n";
        assert_eq!(read(&text), Err("line 2 is no effect".to_owned()));
        assert_eq!(Line::of_json(&Value::Null), None);
    }
}
