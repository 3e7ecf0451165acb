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

    /// Front ends set `$..$` in HTML as mathematics; two amounts of money in a line are not. The padding puts it under the
    /// text of the cell and of plain results.
    pub fn html(self, html: String) -> Bundle {
        let style = "padding-left:6px;";
        self.trusted_html(format!(
            "<div class=\"mathjax_ignore tex2jax_ignore\" style=\"{style}\">{html}</div>"
        ))
    }

    /// What the program made itself, mathematics and all.
    pub fn trusted_html(self, html: String) -> Bundle {
        self.form("text/html", html.into())
    }

    /// Markdown in which `$` is a dollar sign.
    pub fn markdown(self, markdown: &str) -> Bundle {
        self.form("text/markdown", escape_dollars(markdown).into())
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

    /// What the picture shows, for those who do not see it; nbconvert's templates that describe pictures take it from here.
    pub fn alt(mut self, text: String) -> Bundle {
        if let Some(Value::Object(picture)) = self.metadata.get_mut("image/png") {
            picture.insert("alt".to_owned(), text.into());
        }
        self
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

/// A backslash before each `$` outside of code, where Markdown would show the backslash.
fn escape_dollars(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut in_fence = false;
    for line in markdown.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
            out.push_str(line);
            continue;
        }
        let mut in_code = in_fence;
        for c in line.chars() {
            in_code ^= c == '`' && !in_fence;
            if c == '$' && !in_code {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape_dollars;

    #[test]
    fn money_in_markdown_is_no_mathematics() {
        let text = "from $1 to $2, `$3`\n```\n$4 ` $5\n```\n$6";
        assert_eq!(escape_dollars(text), "from \\$1 to \\$2, `$3`\n```\n$4 ` $5\n```\n\\$6");
    }
}
