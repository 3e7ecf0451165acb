//! Mistakes found by checking and by running, as plain data.
//!
//! Beside the facts stands `ag_lang`'s layout of the source with its marks, made while the text the person wrote was at
//! hand: an old output stays readable after its cell was edited, and every place shows a mistake the same way.

use ag_lang::diag::codes::Severity;
use ag_lang::diag::snippet::{Layout, SourceText, lay_out};
use ag_lang::diag::{Diagnostic, Label, codes};
use ag_lang::source::{LineIndex, SourceId, Span};
use serde::{Deserialize, Serialize};

/// Finds the text and the title of a source; `None` asks for the diagnostic's own.
pub type Sources<'s, 'a> = &'s dyn Fn(Option<SourceId>) -> Option<SourceText<'a>>;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DiagnosticView {
    pub code: String,
    pub is_error: bool,
    pub message: String,
    /// The first is the primary one.
    pub places: Vec<Place>,
    pub notes: Vec<String>,
    /// What would mend it, as sentences (`write :=`).
    pub fixes: Vec<String>,
    #[serde(skip)]
    pub layout: Layout,
}

/// A marked piece of source. Line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// `cell 3`, `risk.ag`.
    pub origin: String,
    pub line: u32,
    pub column: u32,
    /// The source line.
    pub source: String,
    /// What is said about it; may be empty.
    pub text: String,
}

/// A Fault with what a person needs to see why it happened.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FaultView {
    pub code: String,
    pub message: String,
    pub at: Option<Place>,
    /// Name and shown value of what the faulting expression used.
    pub values: Vec<NamedValue>,
    /// Where the two sides of a comparison differ, if they are long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub difference: Vec<String>,
    /// Innermost first.
    pub chain: Vec<FrameView>,
    pub data: serde_json::Value,
    /// What can be done about it.
    pub help: Option<String>,
    /// Heading and source; empty when the place is unknown.
    #[serde(skip)]
    pub layout: Layout,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedValue {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameView {
    /// How often it stands here in a row: recursion.
    pub times: u32,
    /// `analyze_market`, `TradingAgent.trade_decision`, `cell 3`.
    pub function: String,
    pub at: Option<Place>,
}

impl DiagnosticView {
    pub fn new(diagnostic: &Diagnostic, sources: Sources<'_, '_>) -> DiagnosticView {
        let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.labels);
        DiagnosticView {
            code: diagnostic.code.as_str().to_owned(),
            is_error: diagnostic.severity == Severity::Error,
            message: diagnostic.message.clone(),
            places: labels.filter_map(|label| Place::of(label, sources)).collect(),
            notes: diagnostic.notes.clone(),
            fixes: diagnostic.fixes.iter().map(|fix| fix.title.clone()).collect(),
            layout: lay_out(diagnostic, sources),
        }
    }
}

impl Place {
    pub fn new(source: SourceText<'_>, span: Span) -> Place {
        let index = LineIndex::new(source.text);
        let length = u32::try_from(source.text.len()).unwrap_or(u32::MAX);
        let start = span.start.min(length);
        let at = index.line_column(start, source.text);
        Place {
            origin: source.title.to_owned(),
            line: at.line + 1,
            column: at.column + 1,
            source: index.line_span(at.line, source.text).text(source.text).to_owned(),
            text: String::new(),
        }
    }

    fn of(label: &Label, sources: Sources<'_, '_>) -> Option<Place> {
        let place = Place::new(sources(label.source)?, label.span);
        Some(Place { text: label.text.clone(), ..place })
    }

    /// `cell 3:2:16`, as diagnostics write it.
    pub fn title(&self) -> String {
        format!("{}:{}:{}", self.origin, self.line, self.column)
    }
}

impl FaultView {
    /// A Fault laid out like a diagnostic of the same code. The caller adds values, chain and data.
    pub fn at(code: &str, message: &str, place: Option<(SourceText<'_>, Span)>) -> FaultView {
        let known = codes::find(code);
        let layout = match (known, place) {
            (Some(code), Some((source, span))) => {
                lay_out(&Diagnostic::new(code, span, message), &|_| Some(source))
            }
            _ => Layout::default(),
        };
        FaultView {
            code: code.to_owned(),
            message: message.to_owned(),
            at: place.map(|(source, span)| Place::new(source, span)),
            help: known.map(|code| code.title().to_owned()).filter(|title| !title.is_empty()),
            layout,
            ..FaultView::default()
        }
    }
}
