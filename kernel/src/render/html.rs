//! HTML that survives an untrusted notebook: inline styles, no `<style>`, no `<svg>`, no script.
//!
//! Such a view drops every declaration with `var()`, so each themed colour is written twice: a mid-tone that reads on
//! white and on black, then the theme's own. Everything that came from a program or a model goes through [`escape`].

/// Text that is not the main thing: labels, units, remarks.
pub const MUTED: &str = "color:#7d8590;color:var(--jp-ui-font-color2,#7d8590);";
/// Lab's own warning colour is for grounds, not for letters: on white it hardly reads.
pub const AMBER: &str = "#a86b00";
pub const WARN: &str = "color:#a86b00;";
pub const ERROR: &str = "color:#d0454c;color:var(--jp-error-color1,#d0454c);";
/// A line between parts.
pub const RULE: &str = "#9aa0a6";
pub const CODE: &str = "font-family:monospace;font-size:90%;";

/// Text made harmless for element content and double-quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in HTML at all; a parser would replace it.
            '\0' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// `<tag style="..">inner</tag>`; `inner` is HTML already.
pub fn element(tag: &str, style: &str, inner: &str) -> String {
    if style.is_empty() {
        format!("<{tag}>{inner}</{tag}>")
    } else {
        format!("<{tag} style=\"{style}\">{inner}</{tag}>")
    }
}

/// The same with plain text inside.
pub fn text(tag: &str, style: &str, inner: &str) -> String {
    element(tag, style, &escape(inner))
}

/// A frame around one thing that belongs together, with a coloured edge.
pub fn card(edge: &str, inner: &str) -> String {
    let style = format!(
        "border:1px solid {RULE};border-left:4px solid {edge};border-radius:4px;padding:8px 12px;\
         margin:4px 0;max-width:60em;"
    );
    element("div", &style, inner)
}

/// A horizontal bar of coloured parts, each a share of the whole width; what is missing to 1.0 stays empty.
pub fn bar(parts: &[(f64, &str)], height_px: u32) -> String {
    let mut inner = String::new();
    for (share, color) in parts.iter().filter(|(share, _)| *share > 0.0) {
        let style = format!(
            "display:inline-block;vertical-align:top;height:{height_px}px;width:{:.2}%;background-color:{color};",
            share * 100.0
        );
        inner.push_str(&element("span", &style, ""));
    }
    // A tint of grey that is visible on both grounds.
    let style = format!(
        "height:{height_px}px;background-color:rgba(128,128,128,0.22);overflow:hidden;white-space:nowrap;\
         line-height:0;font-size:0px;border-radius:2px;"
    );
    element("div", &style, &inner)
}

/// Something long behind a summary; `inner` is HTML already.
pub fn folded(summary: &str, inner: &str) -> String {
    let head = text("summary", "cursor:pointer;", summary);
    element("details", "", &format!("{head}{inner}"))
}

/// A small label such as `made-up answers (echo)`.
pub fn badge(color: &str, label: &str) -> String {
    let style = format!(
        "display:inline-block;border:1px solid {color};color:{color};border-radius:3px;padding:0px 5px;font-size:85%;"
    );
    text("span", &style, label)
}

#[cfg(test)]
mod tests {
    use super::{bar, escape};

    #[test]
    fn markup_in_data_stays_data() {
        assert_eq!(escape("<b>\"x\" & 'y'\0"), "&lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;\u{fffd}");
    }

    #[test]
    fn empty_parts_of_a_bar_are_left_out() {
        assert_eq!(bar(&[(0.0, "#111111"), (0.5, "#222222")], 8).matches("<span").count(), 1);
    }
}
