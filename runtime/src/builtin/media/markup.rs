//! Whether the text of a drawing is markup: elements that are closed, and nothing outside of them.
//!
//! A drawing is XML, which viewers refuse as a whole when it is broken. A fragment (`<g>..</g>`, to be inserted into another
//! drawing) is as good as a document, and so is nothing. Never: looks at what the elements mean, or recurses.

/// Why it is no markup; the text says where.
pub fn check(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        outside(before, &open)?;
        rest = match special(tag)? {
            Some(rest) => rest,
            None => element(tag, &mut open)?,
        };
    }
    outside(rest, &open)?;
    open.last().map_or(Ok(()), |name| Err(format!("`<{name}>` is not closed")))
}

/// Text belongs into an element.
fn outside(text: &str, open: &[&str]) -> Result<(), String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    match text.is_empty() || !open.is_empty() {
        true => Ok(()),
        false => Err(format!("`{}` stands outside of any element", start_of(text))),
    }
}

/// What is behind a comment, a declaration, an instruction or a section of data.
fn special(tag: &str) -> Result<Option<&str>, String> {
    const KINDS: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
    for (begin, end) in KINDS {
        if let Some(inner) = tag.strip_prefix(begin) {
            let behind = inner.split_once(end).map(|(_, behind)| Some(behind));
            return behind.ok_or_else(|| format!("`{begin}` has no `{end}`"));
        }
    }
    let Some(inner) = tag.strip_prefix("<!") else { return Ok(None) };
    // A document type may have declarations in brackets.
    let end = match (inner.find('>'), inner.find('[')) {
        (Some(end), Some(bracket)) if bracket < end => {
            inner.find("]").and_then(|close| Some(close + inner.get(close..)?.find('>')?))
        }
        (end, _) => end,
    };
    let behind = end.and_then(|end| inner.get(end + 1..)).map(Some);
    behind.ok_or_else(|| "`<!` has no `>`".to_owned())
}

/// Reads one tag, and gives what is behind it.
fn element<'t>(tag: &'t str, open: &mut Vec<&'t str>) -> Result<&'t str, String> {
    let inner = tag.get(1..).unwrap_or_default();
    let (is_end, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let length = inner.find(|c: char| c.is_whitespace() || "/><=\"'".contains(c));
    let (name, attributes) = inner.split_at(length.unwrap_or(inner.len()));
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':') {
        return Err(format!("`{}` begins no element; a `<` in a text is `&lt;`", start_of(tag)));
    }
    let unended = || format!("`{}` does not end", start_of(tag));
    if is_end {
        let behind = attributes.trim_start().strip_prefix('>').ok_or_else(unended)?;
        return match open.pop() {
            Some(last) if last == name => Ok(behind),
            Some(last) => Err(format!("`</{name}>` stands where `</{last}>` is due")),
            None => Err(format!("`</{name}>` closes nothing")),
        };
    }
    let behind = read_attributes(attributes).ok_or_else(unended)??;
    match behind.strip_prefix('/') {
        Some(behind) => behind.strip_prefix('>').ok_or_else(unended),
        None => {
            open.push(name);
            behind.strip_prefix('>').ok_or_else(unended)
        }
    }
}

/// What is behind the attributes: `>` or `/`; none if the text ends before.
fn read_attributes(mut rest: &str) -> Option<Result<&str, String>> {
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        if rest.starts_with(['>', '/']) {
            return Some(Ok(rest));
        }
        let shown = start_of(rest);
        let no_value = || format!("the attribute `{shown}` has no value in quotes");
        let Some(length) = rest.find(|c: char| c.is_whitespace() || "/><=\"'".contains(c)) else {
            return Some(Err(no_value()));
        };
        let (name, behind) = rest.split_at(length);
        let value = behind.trim_start().strip_prefix('=').map(str::trim_start);
        let quote = value.and_then(|value| value.chars().next()).filter(|c| "\"'".contains(*c));
        let (Some(value), Some(quote), false) = (value, quote, name.is_empty()) else {
            return Some(Err(no_value()));
        };
        rest = value.get(1..)?.split_once(quote)?.1;
    }
}

/// Enough of a text to find it by.
fn start_of(text: &str) -> String {
    const SHOWN: usize = 24;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use proptest::prelude::proptest;

    #[test]
    fn documents_fragments_and_nothing_are_markup() {
        for text in [
            "",
            " \n",
            "<svg/>",
            "<svg width=\"3\" height='4'><g><text>a &amp; b</text></g></svg>",
            "<text>a > b</text>",
            "<g/>\n<g></g >",
            "\u{feff}<?xml version=\"1.0\"?>\n<!DOCTYPE svg [<!ENTITY a \"b\">]>\n<!-- <g> --><svg></svg>\n",
            "<!DOCTYPE svg PUBLIC \"x\" \"y\"><svg xlink:href = \"a>b\" />",
            "<style><![CDATA[ a < b ]]></style>",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, why) in [
            ("nonsense", "`nonsense` stands outside of any element"),
            ("<svg></svg> and more", "`and more` stands outside of any element"),
            ("<svg><g></svg>", "`</svg>` stands where `</g>` is due"),
            ("<svg>", "`<svg>` is not closed"),
            ("</g>", "`</g>` closes nothing"),
            ("<svg", "`<svg` does not end"),
            ("<svg / >", "`<svg / >` does not end"),
            ("<svg width=\"3></svg>", "`<svg width=\"3></svg>` does not end"),
            ("<svg width=3/>", "the attribute `width=3/>` has no value in quotes"),
            ("<svg wide></svg>", "the attribute `wide></svg>` has no value in quotes"),
            ("<text>1 < 2</text>", "`< 2</text>` begins no element; a `<` in a text is `&lt;`"),
            ("<!-- a", "`<!--` has no `-->`"),
            ("<!DOCTYPE svg [", "`<!` has no `>`"),
        ] {
            assert_eq!(check(text).unwrap_err(), why, "{text}");
        }
    }

    proptest! {
        /// Whatever it is, it is looked at to its end, and what is said names a part of it.
        #[test]
        fn every_text_is_answered(text in "[<>/a\"'= é!?\\[\\]-]{0,40}") {
            let within = format!("<svg>{text}</svg>");
            if check(&text).is_ok() {
                assert_eq!(check(&within), Ok(()), "{within}");
            }
        }
    }
}
