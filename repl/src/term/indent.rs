//! What Enter, Tab and a closing bracket mean at a place of a text of several lines. Pure: text in, decision out.

use ag_kernel::session::inspect::Inspector;
use ag_kernel::session::request::Completeness;

/// What the language indents by.
pub const INDENT: usize = 2;

/// What Enter does.
#[derive(Debug, PartialEq, Eq)]
pub enum Enter {
    Submit,
    /// Goes on, on a line that begins with these blanks.
    Continue(String),
}

/// Enter at that place. A whole text runs wherever the cursor is, because a recalled text is mostly changed in one place
/// and run again; only behind an opening bracket somebody wants to write into the block.
pub fn enter(inspector: &Inspector, text: &str, at: usize) -> Enter {
    let opens_a_block = text.get(..at).is_some_and(|before| before.ends_with(['{', '(', '[']))
        && text.get(at..).is_some_and(|after| after.starts_with('\n'));
    if opens_a_block || wants_more(inspector, text) {
        Enter::Continue(indent_after(inspector, text, at))
    } else {
        Enter::Submit
    }
}

/// Whether a text is not whole; documentation belongs to what comes next. Two empty lines at its end submit whatever there is: the way out for somebody who does
/// not see what is missing.
pub fn wants_more(inspector: &Inspector, text: &str) -> bool {
    let last = text.trim_end().rsplit('\n').next().unwrap_or_default();
    let is_incomplete = last.trim_start().starts_with("///")
        || matches!(inspector.is_complete(text), Completeness::Incomplete { .. });
    is_incomplete && !ends_in_two_empty_lines(text)
}

fn ends_in_two_empty_lines(text: &str) -> bool {
    let mut lines = text.rsplit('\n').map(|line| line.trim().is_empty());
    (lines.next(), lines.next()) == (Some(true), Some(true)) && lines.next().is_some()
}

/// The blanks a new line below that place begins with.
pub fn indent_after(inspector: &Inspector, text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let after = text.get(at..).unwrap_or_default();
    let indent = match inspector.is_complete(before) {
        Completeness::Incomplete { indent } => indent,
        _ => {
            let line = before.rsplit('\n').next().unwrap_or_default();
            line.chars().take_while(|c| *c == ' ').collect()
        }
    };
    match after.starts_with(['}', ')', ']']) {
        true => outer(&indent).to_owned(),
        false => indent,
    }
}

/// One level further out.
pub fn outer(indent: &str) -> &str {
    let levels = indent.len().div_ceil(INDENT).saturating_sub(1);
    indent.get(..levels * INDENT).unwrap_or_default()
}

/// The line up to the cursor, if it is nothing but indentation below another line.
pub fn indentation(text: &str, at: usize) -> Option<&str> {
    let (above, line) = text.get(..at)?.rsplit_once('\n')?;
    let is_blank = line.chars().all(|c| c == ' ');
    (is_blank && !above.trim_end().is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use ag_kernel::session::Session;
    use ag_kernel::session::inspect::Inspector;
    use ag_kernel::session::options::{HomeChoice, SessionOptions};

    use super::{Enter, enter, indentation, outer, wants_more};

    fn inspector() -> Inspector {
        let options = SessionOptions { home: HomeChoice::Ephemeral, ..SessionOptions::default() };
        Session::open(options).unwrap().inspector()
    }

    /// Enter at `|`.
    fn at(marked: &str) -> Enter {
        let place = marked.find('|').unwrap();
        enter(&inspector(), &marked.replacen('|', "", 1), place)
    }

    fn goes_on(indent: &str) -> Enter {
        Enter::Continue(indent.to_owned())
    }

    #[test]
    fn a_whole_text_runs_from_anywhere() {
        assert_eq!(at("1 + 1|"), Enter::Submit);
        assert_eq!(at("1 |+ 1"), Enter::Submit);
        assert_eq!(at("function f() {\n  return 1|2\n}"), Enter::Submit);
        assert_eq!(at("function f() {\n  return 1\n}|"), Enter::Submit);
    }

    #[test]
    fn an_unfinished_text_goes_on_where_the_cursor_is() {
        assert_eq!(at("function f() {|"), goes_on("  "));
        assert_eq!(at("function f() {\n  if a {|"), goes_on("    "));
        assert_eq!(at("function f() {\n  let a := 1|\n  if a {"), goes_on("  "));
        assert_eq!(at("f(1,|"), goes_on("  "));
    }

    #[test]
    fn behind_an_opening_bracket_a_line_is_added() {
        assert_eq!(at("function f() {|\n  return 1\n}"), goes_on("  "));
        assert_eq!(at("f(|\n  1\n)"), goes_on("  "));
    }

    #[test]
    fn one_empty_line_stays_and_two_give_up() {
        assert!(wants_more(&inspector(), "f(1,\n"));
        assert!(wants_more(&inspector(), "f() {\n  \n  g("));
        assert!(!wants_more(&inspector(), "f(1,\n  \n  "));
        assert_eq!(at("f(1,\n  \n  |"), Enter::Submit);
    }

    #[test]
    fn documentation_waits_for_what_it_documents() {
        assert_eq!(at("/// Doubles.|"), goes_on(""));
        assert_eq!(at("function f() {\n  /// What.|"), goes_on("  "));
        assert_eq!(at("// A remark.|"), Enter::Submit);
    }

    #[test]
    fn a_level_is_two_blanks() {
        assert_eq!(
            [outer("     "), outer("    "), outer("   "), outer("  ")],
            ["    ", "  ", "  ", ""]
        );
        assert_eq!((outer(" "), outer("")), ("", ""));
    }

    #[test]
    fn indentation_is_blank_and_below_something() {
        assert_eq!(indentation("{\n    x", 4), Some("  "));
        assert_eq!(indentation("{\n", 2), Some(""));
        assert_eq!(indentation("  ", 2), None);
        assert_eq!(indentation("{\n  x", 5), None);
    }
}
