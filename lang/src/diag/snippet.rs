//! A diagnostic laid out as styled lines: heading, source with marks, notes, fixes.
//!
//! Laid out once; [`paint`] turns the same lines into plain text, ANSI or HTML. It decides no colours and knows no
//! terminal. Long source lines are cut around the mark, so one line of a megabyte costs a line of a screen.

pub mod paint;

use crate::diag::codes::Severity;
use crate::diag::{Diagnostic, Label};
use crate::source::{LineIndex, SourceId, Span};

/// What a fragment is; the painters give it a look.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Style {
    /// `error[E0101]` and the marks under its place.
    Error,
    Warning,
    /// The message.
    Strong,
    /// Line numbers, bars, arrows.
    Gutter,
    /// Source text.
    Source,
    /// Marks and text of other labels.
    Secondary,
    Note,
    Fix,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fragment {
    pub text: String,
    pub style: Style,
}

pub type Line = Vec<Fragment>;

/// A diagnostic as lines of fragments.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Layout {
    pub lines: Vec<Line>,
}

/// A source as shown: what it is called (`cell 3`, `risk.ag`) and its text.
#[derive(Clone, Copy, Debug)]
pub struct SourceText<'a> {
    pub title: &'a str,
    pub text: &'a str,
}

/// Columns of source shown before it is cut.
const WIDTH: usize = 100;
/// Columns kept to the left of a mark in a cut line.
const LEAD: usize = 40;

/// Lay out one diagnostic. `lookup` finds the texts of labels; `None` asks for the diagnostic's own source.
pub fn lay_out<'a>(
    diagnostic: &Diagnostic,
    lookup: &dyn Fn(Option<SourceId>) -> Option<SourceText<'a>>,
) -> Layout {
    let style = match diagnostic.severity {
        Severity::Error => Style::Error,
        Severity::Warning => Style::Warning,
    };
    let mut layout = Layout::default();
    let heading = format!("{}[{}]", diagnostic.severity.word(), diagnostic.code);
    layout.push([(heading, style), (format!(": {}", diagnostic.message), Style::Strong)]);
    for group in group_by_source(diagnostic) {
        if let Some(source) = group.first().and_then(|(label, _)| lookup(label.source)) {
            layout.source(source, &group, style);
        }
    }
    for note in &diagnostic.notes {
        layout.remark("note", note, Style::Note);
    }
    for fix in &diagnostic.fixes {
        layout.remark("fix", &fix.title, Style::Fix);
    }
    layout
}

/// Labels of one source together, the primary one's source first; within a source by line, the primary first on its line.
fn group_by_source(diagnostic: &Diagnostic) -> Vec<Vec<(&Label, bool)>> {
    let mut groups = vec![vec![(&diagnostic.primary, true)]];
    for label in &diagnostic.labels {
        let same = |group: &&mut Vec<(&Label, bool)>| {
            group.first().is_some_and(|(first, _)| first.source == label.source)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push((label, false)),
            None => groups.push(vec![(label, false)]),
        }
    }
    groups
}

impl Layout {
    fn push<const N: usize>(&mut self, fragments: [(String, Style); N]) {
        let line = fragments.into_iter().filter(|(text, _)| !text.is_empty());
        self.lines.push(line.map(|(text, style)| Fragment { text, style }).collect());
    }

    fn remark(&mut self, word: &str, text: &str, style: Style) {
        for (at, line) in text.lines().enumerate() {
            let head = if at == 0 { format!("{word}: ") } else { " ".repeat(word.len() + 2) };
            let bar = if at == 0 { "  = " } else { "    " };
            let body = (line.to_owned(), Style::Source);
            self.push([(bar.to_owned(), Style::Gutter), (head, style), body]);
        }
    }

    /// One source: where, then its marked lines.
    fn source(&mut self, source: SourceText<'_>, labels: &[(&Label, bool)], style: Style) {
        let index = LineIndex::new(source.text);
        let line_of = |label: &Label| index.line_of(clip(label.span, source.text).start);
        let Some((first, _)) = labels.first() else { return };
        let at = index.line_column(clip(first.span, source.text).start, source.text);
        let mut sorted: Vec<&(&Label, bool)> = labels.iter().collect();
        sorted.sort_by_key(|(label, _)| line_of(label));
        let last = sorted.last().map_or(0, |(label, _)| line_of(label));
        let digits = (last + 1).to_string().len();
        let place = format!("{}:{}:{}", source.title, at.line + 1, at.column + 1);
        self.push([(format!("{}--> {place}", " ".repeat(digits)), Style::Gutter)]);
        let mut shown = None;
        for (label, primary) in sorted {
            let line = line_of(label);
            let span = index.line_span(line, source.text);
            let view = View::new(span.text(source.text), columns_of(label.span, span));
            if shown != Some(line) {
                if shown.is_some_and(|shown| shown + 1 < line) {
                    self.push([(format!("{} ...", " ".repeat(digits)), Style::Gutter)]);
                }
                let number = format!("{:>digits$} | ", line + 1);
                self.push([(number, Style::Gutter), (view.text.clone(), Style::Source)]);
                shown = Some(line);
            }
            let mark = if *primary { style } else { Style::Secondary };
            let under = if *primary { "^" } else { "-" };
            let gap = format!("{} | ", " ".repeat(digits));
            let marks = format!("{}{}", " ".repeat(view.before), under.repeat(view.marked));
            let text =
                if label.text.is_empty() { String::new() } else { format!(" {}", label.text) };
            self.push([(gap, Style::Gutter), (marks + &text, mark)]);
        }
    }
}

/// A span that lies within the text, whatever it was.
fn clip(span: Span, text: &str) -> Span {
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    Span::new(span.start.min(end), span.end.min(end))
}

/// The bytes of `line` that `span` covers, relative to the line; a span of several lines is marked to the end of its first.
fn columns_of(span: Span, line: Span) -> Span {
    let start = span.start.clamp(line.start, line.end) - line.start;
    let end = span.end.clamp(line.start, line.end) - line.start;
    Span::new(start, end.max(start))
}

/// The part of a source line that is shown, in display columns.
struct View {
    text: String,
    before: usize,
    marked: usize,
}

impl View {
    fn new(line: &str, mark: Span) -> View {
        let before = line.get(..mark.start as usize).unwrap_or("");
        let marked = mark.text(line);
        let (mut left, mut cut) = (0, "");
        if columns(line) > WIDTH && columns(before) > LEAD {
            let keep = before.char_indices().rev().nth(LEAD).map_or(0, |(at, _)| at);
            (left, cut) = (keep, "...");
        }
        let mut text = String::from(cut);
        for char in line.get(left..).unwrap_or("").chars() {
            if columns(&text) >= WIDTH {
                text.push_str("...");
                break;
            }
            push_shown(&mut text, char);
        }
        let before = columns(before.get(left..).unwrap_or("")) + cut.len();
        let room = WIDTH.saturating_sub(before).max(1);
        View { text, before, marked: columns(marked).clamp(1, room) }
    }
}

/// Tabs become spaces and control characters their picture, so that marks stand where they should.
fn push_shown(text: &mut String, char: char) {
    match char {
        '\t' => text.push_str("    "),
        '\u{0}'..='\u{1f}' => text.push(char::from_u32(0x2400 + char as u32).unwrap_or('?')),
        _ => text.push(char),
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

/// Display columns of one character: East Asian wide blocks and emoji take two, combining marks none.
fn char_columns(char: char) -> usize {
    match char {
        '\t' => 4,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 2,
        '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{SourceText, lay_out};
    use crate::diag::{Diagnostic, codes};
    use crate::source::Span;

    fn plain(diagnostic: &Diagnostic, text: &str) -> String {
        lay_out(diagnostic, &|_| Some(SourceText { title: "cell 3", text })).to_plain()
    }

    #[test]
    fn marks_stand_under_their_places() {
        let text = "let a := 1\nlet x := foo(1 }\nlast";
        let diagnostic = Diagnostic::new(codes::E0102, Span::new(26, 27), "expected `)`")
            .saying("expected `)`")
            .label(Span::new(23, 24), "opened here")
            .note("first\nsecond")
            .fix("insert `)`", Span::at(26), ")");
        let expected = "\
error[E0102]: expected `)`
 --> cell 3:2:16
2 | let x := foo(1 }
  |                ^ expected `)`
  |             - opened here
  = note: first
          second
  = fix: insert `)`
";
        assert_eq!(plain(&diagnostic, text), expected);
    }

    #[test]
    fn long_lines_are_cut_and_wide_characters_counted() {
        let text = format!("{}x{}", "(".repeat(5000), ")".repeat(5000));
        let shown = plain(&Diagnostic::new(codes::E0109, Span::new(5000, 5001), "deep"), &text);
        assert!(shown.lines().all(|line| line.len() < 120), "{shown}");
        let wide = plain(&Diagnostic::new(codes::E0001, Span::new(6, 7), "m"), "漢字x");
        assert!(wide.ends_with("1 | 漢字x\n  |     ^\n"), "{wide}");
    }

    #[test]
    fn spans_outside_the_text_are_harmless() {
        let shown = plain(&Diagnostic::new(codes::E0101, Span::new(90, 99), "m"), "ab");
        assert!(shown.contains("cell 3:1:3"), "{shown}");
        assert!(plain(&Diagnostic::new(codes::E0101, Span::at(0), "m"), "").contains("cell 3:1:1"));
    }
}
