//! Markdown for a terminal: light, and the same words with colours and without.
//!
//! Headings and fences keep their shape, emphasis becomes an ink, links keep their target. What it does not know stays
//! as written.

use super::Style;
use super::text::{Ink, lines_of};

pub fn to_text(markdown: &str, style: &Style) -> String {
    let mut out = String::new();
    let mut in_fence = false;
    for line in lines_of(markdown).lines() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
            continue;
        }
        if in_fence {
            out.push_str("    ");
            out.push_str(&style.ink(Ink::Accent, line));
        } else {
            out.push_str(&block(line, style));
        }
        out.push('\n');
    }
    out
}

fn block(line: &str, style: &Style) -> String {
    let body = line.trim_start();
    let indent = line.len() - body.len();
    let indent = " ".repeat(indent);
    let level = body.len() - body.trim_start_matches('#').len();
    if (1..=6).contains(&level) && body.get(level..).is_some_and(|rest| rest.starts_with(' ')) {
        return style.ink(Ink::Strong, &inline(body, &Style { color: false, ..*style }));
    }
    if let Some(item) = ["- ", "* ", "+ "].iter().find_map(|mark| body.strip_prefix(mark)) {
        return format!("{indent}• {}", inline(item, style));
    }
    if let Some(quoted) = body.strip_prefix('>') {
        return format!("{indent}│ {}", inline(quoted.trim_start(), style));
    }
    indent + &inline(body, style)
}

/// Emphasis, code, links, and backslashes before punctuation.
fn inline(text: &str, style: &Style) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = text.get(..text.len() - rest.len()).unwrap_or_default();
        if let Some((shown, after)) = span(rest, before, style) {
            out.push_str(&shown);
            rest = after;
            continue;
        }
        let escaped = rest
            .strip_prefix('\\')
            .filter(|next| next.starts_with(|c: char| c.is_ascii_punctuation()));
        let plain = escaped.unwrap_or(rest);
        let c = plain.chars().next().unwrap_or(first);
        out.push(c);
        rest = plain.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

/// Something between marks at the start of a text, and what follows it.
fn span<'a>(text: &'a str, before: &str, style: &Style) -> Option<(String, &'a str)> {
    if let Some(code) = text.strip_prefix('`') {
        let (code, after) = code.split_once('`')?;
        return Some((style.ink(Ink::Accent, code), after));
    }
    if let Some(label) = text.strip_prefix('[') {
        let (label, target) = label.split_once("](")?;
        let (target, after) = target.split_once(')')?;
        return Some((format!("{} ({target})", inline(label, style)), after));
    }
    let plain = Style { color: false, ..*style };
    for mark in ["**", "__", "*", "_"] {
        let Some(inner) = text.strip_prefix(mark) else { continue };
        let is_word = |c: char| c.is_alphanumeric();
        if inner.starts_with(char::is_whitespace)
            || (mark.starts_with('_') && before.ends_with(is_word))
        {
            return None;
        }
        let (inner, after) = closed(inner, mark)?;
        let ink = if mark.len() == 2 { Ink::Strong } else { Ink::Muted };
        return Some((style.ink(ink, &inline(inner, &plain)), after));
    }
    None
}

/// Up to the closing mark, which stands behind a word and not behind a backslash.
fn closed<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let end = text.match_indices(mark).find(|(at, _)| {
        let inner = text.get(..*at).unwrap_or_default();
        !inner.is_empty() && !inner.ends_with(char::is_whitespace) && !inner.ends_with('\\')
    });
    let (at, _) = end?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::to_text;
    use crate::render::Style;

    fn plain(markdown: &str) -> String {
        to_text(markdown, &Style::PLAIN)
    }

    #[test]
    fn marks_become_inks_or_nothing() {
        assert_eq!(plain("# T\na **b** *c* `d` [e](f)\n- x"), "# T\na b c d e (f)\n• x\n");
        let coloured = to_text("a **b**", &Style { width: 80, color: true });
        assert_eq!(coloured, "a \x1b[1mb\x1b[0m\n");
    }

    #[test]
    fn what_is_no_mark_stays() {
        assert_eq!(
            plain("2 * 3 * 4 snake_case_name [x] a**"),
            "2 * 3 * 4 snake_case_name [x] a**\n"
        );
        assert_eq!(plain("\\*not\\* \\_this\\_ c:\\dir"), "*not* _this_ c:\\dir\n");
        assert_eq!(plain("```\n**x**\n```"), "    **x**\n");
    }

    #[test]
    fn escape_sequences_never_reach_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb"), "a␛[2Jb\n");
    }

    proptest! {
        #[test]
        fn colours_change_no_word(text in "[*_`\\[\\]()# a-c\\\\\n>é-]{0,60}") {
            let coloured = to_text(&text, &Style { width: 80, color: true });
            let mut bare = String::new();
            for (at, part) in coloured.split('\x1b').enumerate() {
                bare.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
            }
            assert_eq!(bare, plain(&text));
        }
    }
}
