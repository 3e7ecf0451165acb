//! Faults: what goes wrong while a program runs (LANGUAGE.md section 17), as plain data.
//!
//! Never: unwinds, knows source text. Places are offsets relative to an item; `lang` turns them into lines.

use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The item of the cell a piece of code came from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Origin {
    pub cell: u32,
    pub item: u32,
}

/// A place in source: byte offsets relative to the item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Site {
    pub origin: Origin,
    pub start: u32,
    pub end: u32,
}

/// One caller in a Fault's chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub function: Arc<str>,
    pub site: Site,
}

/// A run-time fault. `at` and `chain` are filled by the interpreter while it leaves frames.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    pub code: &'static str,
    pub message: String,
    pub data: Value,
    pub at: Option<Site>,
    pub chain: Vec<Frame>,
}

/// Says that a call ended with a Fault, which waits in the context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Faulted;

impl Fault {
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: Value::Null, at: None, chain: Vec::new() }
    }

    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

/// The codes of run-time faults. Each has a page; `lang` lists them with the diagnostics.
pub mod code {
    pub const OVERFLOW: &str = "R0101";
    pub const DIVISION_BY_ZERO: &str = "R0102";
    pub const INVALID_CONVERSION: &str = "R0103";
    pub const INDEX: &str = "R0104";
    pub const KEY: &str = "R0105";
    pub const EMPTY_OPTION: &str = "R0106";
    pub const QUESTION_AT_TOP: &str = "R0107";
    pub const CAST: &str = "R0108";
    pub const STEP_LIMIT: &str = "R0109";
    pub const STACK_DEPTH: &str = "R0110";
    pub const COLUMN: &str = "R0111";
    pub const FILE: &str = "R0112";
    pub const MEMORY_LIMIT: &str = "R0113";
    pub const REQUIRE: &str = "R0401";
    pub const ASSERT: &str = "R0402";
    pub const CONTRACT: &str = "R0403";
    pub const DISCARDED_ERR: &str = "R0404";
    pub const MONEY: &str = "R0601";
    pub const TIME: &str = "R0602";
    pub const TOKENS: &str = "R0603";
    pub const NO_LANE: &str = "R0604";
    pub const REPAIR: &str = "R0605";
    pub const LANE_UNAVAILABLE: &str = "R0606";
    pub const TOOL_STEPS: &str = "R0607";
    pub const TOOL_FAILED: &str = "R0608";
    pub const DENIED: &str = "R0701";
    pub const REFUSED: &str = "R0702";
    pub const AGENT_LIMIT: &str = "R0703";
    pub const AGENT_STOPPED: &str = "R0704";
    pub const CHANNEL_CLOSED: &str = "R0705";
    pub const LEASE_HELD: &str = "R0706";
    pub const LEASE_EXPIRED: &str = "R0707";
    pub const QUORUM: &str = "R0708";
    pub const THRESHOLD: &str = "R0709";
    pub const DEADLOCK: &str = "R0710";
    pub const PEER_REFUSED: &str = "R0711";
    pub const STAYS: &str = "R0712";
    pub const GLOBAL_ASSIGNED: &str = "R0713";
    pub const REPLAY: &str = "R0801";
    pub const BROKEN_DEFINITION: &str = "R0901";
    pub const INTERNAL: &str = "R0999";
    pub const DISK_FULL: &str = "R1001";
    pub const STORE_CORRUPT: &str = "R1002";
    pub const STORE_NEWER: &str = "R1003";
    pub const STORE_LOCKED: &str = "R1004";
    pub const MODEL: &str = "R1005";
    pub const HOME: &str = "R1006";

    const ALL: &[&str] = &[
        OVERFLOW,
        DIVISION_BY_ZERO,
        INVALID_CONVERSION,
        INDEX,
        KEY,
        EMPTY_OPTION,
        QUESTION_AT_TOP,
        CAST,
        STEP_LIMIT,
        STACK_DEPTH,
        COLUMN,
        FILE,
        MEMORY_LIMIT,
        REQUIRE,
        ASSERT,
        CONTRACT,
        DISCARDED_ERR,
        MONEY,
        TIME,
        TOKENS,
        NO_LANE,
        REPAIR,
        LANE_UNAVAILABLE,
        TOOL_STEPS,
        TOOL_FAILED,
        DENIED,
        REFUSED,
        AGENT_LIMIT,
        AGENT_STOPPED,
        CHANNEL_CLOSED,
        LEASE_HELD,
        LEASE_EXPIRED,
        QUORUM,
        THRESHOLD,
        DEADLOCK,
        PEER_REFUSED,
        GLOBAL_ASSIGNED,
        REPLAY,
        BROKEN_DEFINITION,
        INTERNAL,
        DISK_FULL,
        STORE_CORRUPT,
        STORE_NEWER,
        STORE_LOCKED,
        MODEL,
        HOME,
    ];

    /// The code of this name, for Faults that come from a file.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static str> {
        ALL.iter().find(|code| **code == name).copied()
    }
}
