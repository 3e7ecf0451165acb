//! The words of a piece of HTML, laid out as a terminal can: blocks on lines of their own, cells of a row beside each other.
//!
//! It knows the tags that make lines and drops all others. Any text is accepted; what is no markup stays.

/// Elements that begin and end a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "thead",
    "tr",
    "ul",
];

/// Elements whose content is not for reading.
const SILENT: &[&str] = &["head", "script", "style", "template", "title"];

pub fn of_html(html: &str) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tagged) = rest.split_at(at);
        page.text(before);
        let Some((tag, after)) = tag(tagged) else {
            page.text("<");
            rest = tagged.get(1..).unwrap_or_default();
            continue;
        };
        rest = after;
        if !tag.is_end && SILENT.contains(&tag.name.as_str()) {
            rest = skip(after, &tag.name);
            continue;
        }
        page.tag(&tag);
    }
    page.text(rest);
    page.done()
}

struct Tag {
    name: String,
    is_end: bool,
    alt: Option<String>,
}

/// The tag or comment a text begins with, and what follows it.
fn tag(text: &str) -> Option<(Tag, &str)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        let (_, after) = comment.split_once("-->").unwrap_or((comment, ""));
        return Some((Tag { name: String::new(), is_end: false, alt: None }, after));
    }
    let inner = text.strip_prefix('<')?;
    let is_end = inner.starts_with('/');
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
        return None;
    }
    let mut quote = None;
    let end = inner.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        None
    })?;
    let (body, after) = (inner.get(..end)?, inner.get(end + 1..)?);
    let name: String = body.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    let name = name.to_ascii_lowercase();
    let alt = if name == "img" { attribute(body, "alt=") } else { None };
    Some((Tag { name, is_end, alt }, after))
}

fn attribute(body: &str, name: &str) -> Option<String> {
    let (_, value) = body.split_once(name)?;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, _) = value.get(1..)?.split_once(quote)?;
    Some(unescape(value))
}

/// What follows the end of an element.
fn skip<'a>(text: &'a str, name: &str) -> &'a str {
    // Lower-casing ASCII keeps every position.
    let end = text.to_ascii_lowercase().find(&format!("</{name}"));
    let rest = end.and_then(|at| text.get(at..)).unwrap_or_default();
    rest.split_once('>').map_or("", |(_, after)| after)
}

/// Lines under construction.
#[derive(Default)]
struct Page {
    out: String,
    line: String,
    is_preformatted: bool,
    /// A blank is due before the next word.
    is_blank_due: bool,
    is_first_cell: bool,
}

impl Page {
    fn text(&mut self, text: &str) {
        for c in unescape(text).chars() {
            match c {
                '\n' if self.is_preformatted => self.end_line(),
                c if self.is_preformatted => self.line.push(c),
                // No-break spaces are for keeping.
                c if c.is_ascii_whitespace() => self.is_blank_due = !self.line.is_empty(),
                c => {
                    if std::mem::take(&mut self.is_blank_due) {
                        self.line.push(' ');
                    }
                    self.line.push(c);
                }
            }
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        if BLOCKS.contains(&name) {
            self.new_line();
        }
        match (name, tag.is_end) {
            ("br", _) => self.end_line(),
            ("hr", false) => self.line.push_str("----"),
            ("li", false) => self.line.push_str("- "),
            ("pre", is_end) => self.is_preformatted = !is_end,
            ("tr", false) => self.is_first_cell = true,
            ("td" | "th", false) => {
                if !std::mem::take(&mut self.is_first_cell) {
                    self.line.push_str("  ");
                }
                self.is_blank_due = false;
            }
            ("img", _) => {
                let alt = tag.alt.as_deref().filter(|alt| !alt.is_empty()).unwrap_or("a picture");
                self.text(&format!("[{alt}]"));
            }
            _ => {}
        }
    }

    fn new_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line();
        }
        self.line.clear();
        self.is_blank_due = false;
    }

    fn end_line(&mut self) {
        self.out.push_str(self.line.trim_end());
        self.out.push('\n');
        self.line.clear();
        self.is_blank_due = false;
    }

    fn done(mut self) -> String {
        self.new_line();
        self.out.trim_end().to_owned()
    }
}

/// The entities that people write and that `escape` makes; others stay as they are.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        let found = entity.get(1..).and_then(|name| name.split_once(';'));
        match found.and_then(|(name, after)| Some((character(name)?, after))) {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = entity.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    let known = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "mdash" => '—',
        "ndash" => '–',
        "hellip" => '…',
        "times" => '×',
        "rarr" => '→',
        "larr" => '←',
        "bull" => '•',
        "middot" => '·',
        "euro" => '€',
        "copy" => '©',
        "deg" => '°',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some(known)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::of_html;

    #[test]
    fn blocks_are_lines_and_cells_stand_beside_each_other() {
        let table = "<table><tr><th>a</th> <th>b</th></tr>\n<tr><td>1</td><td>2</td></tr></table>";
        assert_eq!(of_html(table), "a  b\n1  2");
        assert_eq!(
            of_html("<h1>T</h1><p>one\n  two<br>three</p><ul><li>x<li>y</ul>"),
            "T\none two\nthree\n- x\n- y"
        );
        assert_eq!(of_html("<pre>a\n  b</pre>c"), "a\n  b\nc");
    }

    #[test]
    fn entities_once_and_no_more() {
        assert_eq!(
            of_html("1 &lt; 2 &amp;lt; &#65;&#x42; &nope; a & b"),
            "1 < 2 &lt; AB &nope; a & b"
        );
    }

    #[test]
    fn what_is_not_for_reading_is_dropped() {
        assert_eq!(of_html("<style>p { a > b }</style>x<SCRIPT>1 < 2</SCRIPT><!-- no -->y"), "xy");
        assert_eq!(of_html("<a title=\"a>b\">t</a><img alt='a chart' src='x'>"), "t[a chart]");
        assert_eq!(of_html("1 < 2 and 3 > 2 <"), "1 < 2 and 3 > 2 <");
    }

    proptest! {
        #[test]
        fn any_text_is_accepted(text in "[<>/!&;a-c \"'#=pré-]{0,40}") {
            let _ = of_html(&text);
        }
    }
}
