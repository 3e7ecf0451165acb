//! MIME bundles. Keys are sorted, so that equal outputs are equal files.

use serde_json::{Map, Value, json};

use super::MimeBundle;

/// A bundle under construction. It has exactly one rich form besides `text/plain` and the facts: a front end shows only
/// the richest, so a second one would be hidden or hide the first.
pub struct Bundle {
    forms: Vec<(String, Value)>,
    metadata: Map<String, Value>,
}

impl Bundle {
    pub fn new(plain: impl Into<String>) -> Bundle {
        let plain = plain.into().trim_end().to_owned();
        Bundle { forms: vec![("text/plain".to_owned(), plain.into())], metadata: Map::new() }
    }

    pub fn html(self, html: String) -> Bundle {
        self.form("text/html", html.into())
    }

    pub fn form(mut self, mime: &str, data: Value) -> Bundle {
        self.forms.push((mime.to_owned(), data));
        self
    }

    /// PNG bytes with the size at which they are shown (they have more pixels than that).
    pub fn png(mut self, bytes: &[u8], width: u32, height: u32) -> Bundle {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        let size = json!({ "height": height, "width": width });
        self.metadata.insert("image/png".to_owned(), size);
        self.form("image/png", text.into())
    }

    /// The same facts as data, for tests and people's scripts.
    pub fn facts(self, kind: &str, facts: Value) -> Bundle {
        self.form(&format!("application/vnd.ag.{kind}+json"), facts)
    }

    pub fn done(mut self) -> MimeBundle {
        self.forms.sort_by(|a, b| a.0.cmp(&b.0));
        MimeBundle { data: self.forms.into_iter().collect(), metadata: self.metadata }
    }
}
