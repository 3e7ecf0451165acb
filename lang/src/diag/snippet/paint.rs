//! The three looks of a laid-out diagnostic: plain text, ANSI, HTML with inline styles.
//!
//! HTML colours are mid-tones that read on light and on dark ground, because an untrusted notebook drops style sheets.

use crate::diag::color::{BOLD, GREEN, GREY, ORANGE, RED, TEAL, paint};
use crate::diag::snippet::{Layout, Style};

impl Layout {
    pub fn to_plain(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            line.iter().for_each(|fragment| out.push_str(&fragment.text));
            out.push('\n');
        }
        out
    }

    pub fn to_ansi(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            for fragment in line {
                match ansi(fragment.style).as_str() {
                    "" => out.push_str(&fragment.text),
                    code => out.push_str(&paint(code, &fragment.text)),
                }
            }
            out.push('\n');
        }
        out
    }

    /// One `<pre>` element.
    pub fn to_html(&self) -> String {
        let mut out = String::from("<pre style=\"margin:0;line-height:1.35;white-space:pre\">");
        for line in &self.lines {
            for fragment in line {
                let text = escape(&fragment.text);
                match css(fragment.style) {
                    "" => out.push_str(&text),
                    css => out.push_str(&format!("<span style=\"{css}\">{text}</span>")),
                }
            }
            out.push('\n');
        }
        out.push_str("</pre>");
        out
    }
}

fn ansi(style: Style) -> String {
    match style {
        Style::Error => format!("{BOLD};{RED}"),
        Style::Warning => format!("{BOLD};{ORANGE}"),
        Style::Strong => BOLD.to_owned(),
        Style::Gutter => GREY.to_owned(),
        Style::Source => String::new(),
        Style::Secondary => TEAL.to_owned(),
        Style::Note => format!("{BOLD};{TEAL}"),
        Style::Fix => format!("{BOLD};{GREEN}"),
    }
}

fn css(style: Style) -> &'static str {
    match style {
        Style::Error => "color:#d0454c;font-weight:bold",
        Style::Warning => "color:#b07d1a;font-weight:bold",
        Style::Strong => "font-weight:bold",
        Style::Gutter => "color:#8a8f98",
        Style::Source => "",
        Style::Secondary => "color:#2f8fa3",
        Style::Note => "color:#2f8fa3;font-weight:bold",
        Style::Fix => "color:#3f9142;font-weight:bold",
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::diag::snippet::{SourceText, lay_out};
    use crate::diag::{Diagnostic, codes};
    use crate::source::Span;

    #[test]
    fn html_is_escaped_and_self_contained() {
        let diagnostic = Diagnostic::new(codes::E0101, Span::new(0, 3), "found `<b>`");
        let layout = lay_out(&diagnostic, &|_| Some(SourceText { title: "t", text: "<b>" }));
        let html = layout.to_html();
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"));
        assert!(!html.contains("<style") && !html.contains("class="));
    }

    #[test]
    fn ansi_without_its_codes_is_the_plain_text() {
        let diagnostic = Diagnostic::new(codes::W0107, Span::new(0, 1), "m").note("n");
        let layout = lay_out(&diagnostic, &|_| Some(SourceText { title: "t", text: "-x" }));
        let painted = layout.to_ansi();
        let mut pieces = painted.split("\x1b[");
        let mut bare = pieces.next().unwrap().to_owned();
        pieces.for_each(|piece| bare.push_str(piece.split_once('m').unwrap().1));
        assert_eq!(bare, layout.to_plain());
    }
}
