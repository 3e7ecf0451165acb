//! One line of the money journal: what it says, as text and back.
//!
//! A line is `crc32 of the JSON, 8 hex digits`, a space, the JSON, a newline. The checksum stands first, so a line
//! cut anywhere does not match it. Never: files, locks, sums; this module turns records into bytes and back.

use crate::ledger::money::MicroUsd;
use crate::ledger::quota::Window;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The journal's format. A higher number in a file means it was written by a newer `ag`.
pub const VERSION: u64 = 1;

/// Who calls what: the facts every report is grouped by.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CallFacts {
    pub lane: Arc<str>,
    pub model: Arc<str>,
    /// The agent that makes the call; empty outside of agents.
    pub agent: Arc<str>,
    pub cell: u32,
    /// True for echo and simulated lanes: their rows are marked wherever they are shown.
    pub made_up: bool,
    /// True if an earlier reply stood in for a call.
    pub cached: bool,
}

/// What a call turned out to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Settlement {
    pub charged: MicroUsd,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub latency_ns: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The first line of a journal.
    Format { version: u64 },
    /// A process begins to use the journal; its run is named by this line's number.
    Open { pid: u32 },
    /// `amount` is held in every limit in force; `quotas` names the agents whose quotas hold it too.
    Reserve { run: u64, amount: MicroUsd, call: CallFacts, quotas: Vec<Arc<str>> },
    /// The call is about to leave: from here on it may be billed.
    Dispatch { reservation: u64 },
    /// The call is over and paid. `uncertain`: charged in full because nobody knows what it cost.
    Settle { reservation: u64, settlement: Settlement, uncertain: bool },
    /// The call never left.
    Release { reservation: u64 },
    /// A limit that only warns was passed.
    Alert { limit: Arc<str>, text: Arc<str>, estimate: MicroUsd },
    /// A person raised a limit; `quota` names the agent and the window if it is a quota, which outlives the process.
    Grant { limit: Arc<str>, amount: MicroUsd, by: Arc<str>, quota: Option<(Arc<str>, Window)> },
}

/// A record with its number (the line it stands on, from 0) and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub number: u64,
    pub at_ns: u64,
    pub record: Record,
}

/// Why a line is no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// Cut, or changed after it was written.
    Damaged,
    /// Whole, but of a kind this version does not know.
    Newer,
}

impl Entry {
    /// The line, newline included.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut fields = Map::new();
        fields.insert("n".to_owned(), json!(self.number));
        fields.insert("at_ns".to_owned(), json!(self.at_ns));
        write_record(&self.record, &mut fields);
        let body = Value::Object(fields).to_string();
        let crc = crc32fast::hash(body.as_bytes());
        format!("{crc:08x} {body}\n")
    }

    /// Reads a line without its newline.
    pub fn from_line(line: &[u8]) -> Result<Self, LineError> {
        let (crc, rest) = line.split_at_checked(8).ok_or(LineError::Damaged)?;
        let body = rest.strip_prefix(b" ").ok_or(LineError::Damaged)?;
        let crc = std::str::from_utf8(crc).ok().and_then(|t| u32::from_str_radix(t, 16).ok());
        if crc != Some(crc32fast::hash(body)) {
            return Err(LineError::Damaged);
        }
        // The checksum holds, so this is what somebody wrote: not understanding it means a newer writer.
        let fields: Map<String, Value> =
            serde_json::from_slice(body).map_err(|_| LineError::Newer)?;
        read_entry(&fields).ok_or(LineError::Newer)
    }
}

fn write_record(record: &Record, out: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    match record {
        Record::Format { version } => {
            put("op", json!("format"));
            put("version", json!(version));
        }
        Record::Open { pid } => {
            put("op", json!("open"));
            put("pid", json!(pid));
        }
        Record::Reserve { run, amount, call, quotas } => {
            put("op", json!("reserve"));
            put("run", json!(run));
            put("micro_usd", json!(amount.micros()));
            put("lane", json!(&*call.lane));
            put("model", json!(&*call.model));
            put("agent", json!(&*call.agent));
            put("cell", json!(call.cell));
            put("made_up", json!(call.made_up));
            if call.cached {
                put("cached", json!(true));
            }
            put("quotas", Value::Array(quotas.iter().map(|q| json!(&**q)).collect()));
        }
        Record::Dispatch { reservation } => {
            put("op", json!("dispatch"));
            put("of", json!(reservation));
        }
        Record::Settle { reservation, settlement, uncertain } => {
            put("op", json!("settle"));
            put("of", json!(reservation));
            put("micro_usd", json!(settlement.charged.micros()));
            put("tokens_in", json!(settlement.tokens_in));
            put("tokens_out", json!(settlement.tokens_out));
            put("latency_ns", json!(settlement.latency_ns));
            put("uncertain", json!(uncertain));
        }
        Record::Release { reservation } => {
            put("op", json!("release"));
            put("of", json!(reservation));
        }
        Record::Alert { limit, text, estimate } => {
            put("op", json!("alert"));
            put("limit", json!(&**limit));
            put("text", json!(&**text));
            put("micro_usd", json!(estimate.micros()));
        }
        Record::Grant { limit, amount, by, quota } => {
            put("op", json!("grant"));
            put("limit", json!(&**limit));
            put("micro_usd", json!(amount.micros()));
            put("by", json!(&**by));
            if let Some((agent, window)) = quota {
                put("agent", json!(&**agent));
                put("window", json!(window.to_string()));
            }
        }
    }
}

fn read_entry(fields: &Map<String, Value>) -> Option<Entry> {
    let number = |key: &str| fields.get(key)?.as_u64();
    let text = |key: &str| fields.get(key)?.as_str().map(Arc::from);
    let flag = |key: &str| fields.get(key)?.as_bool();
    let money = || fields.get("micro_usd")?.as_i64().map(MicroUsd);
    let record = match fields.get("op")?.as_str()? {
        "format" => Record::Format { version: number("version")? },
        "open" => Record::Open { pid: u32::try_from(number("pid")?).ok()? },
        "reserve" => Record::Reserve {
            run: number("run")?,
            amount: money()?,
            call: CallFacts {
                lane: text("lane")?,
                model: text("model")?,
                agent: text("agent")?,
                cell: u32::try_from(number("cell")?).ok()?,
                made_up: flag("made_up")?,
                cached: flag("cached").unwrap_or(false),
            },
            quotas: texts(fields.get("quotas")?)?,
        },
        "dispatch" => Record::Dispatch { reservation: number("of")? },
        "settle" => Record::Settle {
            reservation: number("of")?,
            settlement: Settlement {
                charged: money()?,
                tokens_in: number("tokens_in")?,
                tokens_out: number("tokens_out")?,
                latency_ns: number("latency_ns")?,
            },
            uncertain: flag("uncertain")?,
        },
        "release" => Record::Release { reservation: number("of")? },
        "alert" => Record::Alert { limit: text("limit")?, text: text("text")?, estimate: money()? },
        "grant" => Record::Grant {
            limit: text("limit")?,
            amount: money()?,
            by: text("by")?,
            quota: match fields.get("window") {
                None => None,
                Some(window) => Some((text("agent")?, Window::named(window.as_str()?)?)),
            },
        },
        _ => return None,
    };
    Some(Entry { number: number("n")?, at_ns: number("at_ns")?, record })
}

fn texts(value: &Value) -> Option<Vec<Arc<str>>> {
    value.as_array()?.iter().map(|v| v.as_str().map(Arc::from)).collect()
}

#[cfg(test)]
pub mod tests {
    use super::{CallFacts, Entry, LineError, Record, Settlement};
    use crate::ledger::money::MicroUsd;
    use crate::ledger::quota::Window;

    /// One of each kind.
    #[must_use]
    pub fn samples() -> Vec<Entry> {
        let call = CallFacts {
            lane: "echo".into(),
            model: "echo \"quoted\"\n".into(),
            agent: "TradingAgent".into(),
            cell: 3,
            made_up: true,
            cached: true,
        };
        let settlement =
            Settlement { charged: MicroUsd(25), tokens_in: 17, tokens_out: 4, latency_ns: 5 };
        let records = vec![
            Record::Format { version: 1 },
            Record::Open { pid: 7 },
            Record::Reserve { run: 1, amount: MicroUsd(1_041), call, quotas: vec!["A".into()] },
            Record::Dispatch { reservation: 2 },
            Record::Settle { reservation: 2, settlement, uncertain: false },
            Record::Release { reservation: 2 },
            Record::Alert { limit: "l".into(), text: "t".into(), estimate: MicroUsd(-1) },
            Record::Grant { limit: "l".into(), amount: MicroUsd(9), by: "ana".into(), quota: None },
            Record::Grant {
                limit: "l".into(),
                amount: MicroUsd(9),
                by: "ana".into(),
                quota: Some(("A".into(), Window::Day)),
            },
        ];
        (0..).zip(records).map(|(number, record)| Entry { number, at_ns: 5, record }).collect()
    }

    #[test]
    fn every_kind_reads_back() {
        for entry in samples() {
            let line = entry.to_line();
            assert_eq!(line.matches('\n').count(), 1);
            assert_eq!(Entry::from_line(line.trim_end().as_bytes()), Ok(entry));
        }
    }

    #[test]
    fn a_line_cut_anywhere_is_damaged() {
        for entry in samples() {
            let line = entry.to_line();
            let whole = line.trim_end().as_bytes();
            for end in 0..whole.len() {
                assert_eq!(Entry::from_line(&whole[..end]), Err(LineError::Damaged));
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_damage_and_an_unknown_kind_is_newer() {
        let line = samples()[2].to_line();
        let mut bytes = line.trim_end().as_bytes().to_vec();
        for at in 0..bytes.len() {
            bytes[at] ^= 0x10;
            assert!(Entry::from_line(&bytes).is_err(), "byte {at}");
            bytes[at] ^= 0x10;
        }
        let body = r#"{"n":0,"at_ns":1,"op":"teleport"}"#;
        let line = format!("{:08x} {body}", crc32fast::hash(body.as_bytes()));
        assert_eq!(Entry::from_line(line.as_bytes()), Err(LineError::Newer));
    }
}
