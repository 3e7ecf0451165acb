//! Mistakes found by checking and by running, as plain data.
//!
//! Positions are lines and columns of the text the person wrote, with that text beside them, so that a renderer needs no
//! source map and an old output stays readable after its cell was edited.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticView {
    pub code: String,
    pub severity: Severity,
    pub message: String,
    /// The first is the primary one.
    pub labels: Vec<LabelView>,
    pub notes: Vec<String>,
    /// What would mend it, as sentences (`write :=`).
    pub fixes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelView {
    pub snippet: SnippetView,
    pub message: String,
}

/// One line of source with the part that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnippetView {
    /// Where the text came from: `cell 3`, `risk.ag`.
    pub origin: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// Characters marked, at least 1.
    pub length: u32,
    pub text: String,
}

/// A Fault with what a person needs to see why it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultView {
    pub code: String,
    pub message: String,
    pub at: Option<SnippetView>,
    /// Name and shown value of what the faulting expression used.
    pub values: Vec<(String, String)>,
    /// Innermost first.
    pub chain: Vec<FrameView>,
    pub data: serde_json::Value,
    /// What can be done about it.
    pub help: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameView {
    /// `analyze_market`, `TradingAgent.trade_decision`, `cell 3`.
    pub function: String,
    pub at: Option<SnippetView>,
}

impl DiagnosticView {
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
