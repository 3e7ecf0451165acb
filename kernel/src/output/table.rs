//! A value and a table as plain data.
//!
//! Texts are as `show` gives them; nothing here is escaped, cut or padded: that is the renderer's work.

use serde::{Deserialize, Serialize};

use crate::output::media::MediaView;

/// A value of the language, told in the forms a renderer may choose from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ValueView {
    /// As `show` writes it (a Text result: its literal).
    pub text: String,
    /// The same facts as data; absent for values without a JSON form (functions, references).
    pub json: Option<serde_json::Value>,
    /// Set when the value reads better as a table: a list of records, a map.
    pub table: Option<TableView>,
    /// Set when the value is content to be looked at: it is shown as that, and `text` is how it reads inside a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaView>,
    pub type_name: String,
    /// Remarks shown beside it: why it is stale, that echo made it up.
    pub notes: Vec<String>,
}

/// A table cut to what is worth sending: `rows` may be fewer than `total_rows`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TableView {
    pub title: Option<String>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<TableCell>>,
    pub total_rows: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub align: Align,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    #[default]
    Left,
    /// Numbers, money, durations: their digits line up.
    Right,
}

/// One field. A nested value is folded: its summary stands in the table, the whole of it a click away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TableCell {
    Text(String),
    Folded { summary: String, full: String },
}

impl Column {
    pub fn left(name: impl Into<String>) -> Column {
        Column { name: name.into(), align: Align::Left }
    }

    pub fn right(name: impl Into<String>) -> Column {
        Column { name: name.into(), align: Align::Right }
    }
}

impl TableCell {
    /// What stands in the table.
    pub fn summary(&self) -> &str {
        match self {
            TableCell::Text(text) => text,
            TableCell::Folded { summary, .. } => summary,
        }
    }
}

impl From<String> for TableCell {
    fn from(text: String) -> TableCell {
        TableCell::Text(text)
    }
}

impl From<&str> for TableCell {
    fn from(text: &str) -> TableCell {
        TableCell::Text(text.to_owned())
    }
}

impl TableView {
    pub fn new(columns: Vec<Column>) -> TableView {
        TableView { columns, ..TableView::default() }
    }

    pub fn titled(mut self, title: impl Into<String>) -> TableView {
        self.title = Some(title.into());
        self
    }

    pub fn push(&mut self, row: Vec<TableCell>) {
        self.rows.push(row);
        self.total_rows += 1;
    }

    /// Rows that exist but are not in `rows`.
    pub fn hidden_rows(&self) -> usize {
        self.total_rows.saturating_sub(self.rows.len())
    }
}
