//! Diagnostics in one neutral form: what is wrong, where, and what would mend it.
//!
//! Plain data; [`snippet`] lays it out, and terminal, notebook and editor all show that. Nothing here prints.

pub mod codes;
pub mod color;
pub mod snippet;

use std::fmt;

use crate::diag::codes::{Code, Severity};
use crate::source::{SourceId, Span};

/// A mistake found by checking. Spans are relative to the source it is attached to (see [`Diagnostic::shifted`]).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub primary: Label,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// Sentences shown after the source.
    pub notes: Vec<String>,
    pub fixes: Vec<Fix>,
}

/// A marked piece of source with what is to be said about it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    /// `None`: the source of the diagnostic itself.
    pub source: Option<SourceId>,
    pub span: Span,
    /// May be empty: only marked.
    pub text: String,
}

/// A change that would mend the mistake.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fix {
    pub title: String,
    pub edits: Vec<Edit>,
}

/// Replace `span` by `text`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

impl Diagnostic {
    /// A diagnostic of the code's own severity without label text.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: Label { source: None, span, text: String::new() },
            labels: Vec::new(),
            notes: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Text under the primary span.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary.text = text.into();
        self
    }

    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { source: None, span, text: text.into() });
        self
    }

    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// A fix that replaces one span.
    #[must_use]
    pub fn fix(
        mut self,
        title: impl Into<String>,
        span: Span,
        text: impl Into<String>,
    ) -> Diagnostic {
        let edits = vec![Edit { span, text: text.into() }];
        self.fixes.push(Fix { title: title.into(), edits });
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same diagnostic seen from outside: item-relative spans become cell-relative when the item starts at `base`.
    /// Labels in other sources keep theirs.
    #[must_use]
    pub fn shifted(mut self, base: u32) -> Diagnostic {
        let labels = std::iter::once(&mut self.primary).chain(&mut self.labels);
        for label in labels.filter(|label| label.source.is_none()) {
            label.span = label.span.shifted(base);
        }
        for edit in self.fixes.iter_mut().flat_map(|fix| &mut fix.edits) {
            edit.span = edit.span.shifted(base);
        }
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity.word(), self.code, self.message)
    }
}

/// The page of a code: what `ag explain E0101` and `:help E0101` show.
pub fn explain(code: &str) -> Option<&'static str> {
    codes::find(code).map(Code::page)
}

/// Characters of a name that is compared with others.
const LONGEST_NAME: usize = 200;

/// The names of `known` most like `name`, best first, at most three: for "did you mean".
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let length = name.chars().count();
    // Nobody names anything so long, and comparing takes time with the square of the length.
    if length > LONGEST_NAME {
        return Vec::new();
    }
    let limit = (length / 3).max(1);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|other| {
            let prefix = name.len() >= 3 && other.starts_with(name);
            if !prefix && other.chars().count().abs_diff(length) > limit {
                return None;
            }
            let distance = if prefix { 1 } else { edit_distance(name, other) };
            (distance <= limit).then_some((distance, other))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(3).map(|(_, other)| other).collect()
}

/// Optimal string alignment distance: insertions, deletions, changes and swaps of neighbours cost one each.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let change = get(&last, j) + usize::from(x != y);
            let mut best = change.min(get(&last, j + 1) + 1).min(get(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(get(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, codes, edit_distance, nearest};
    use crate::source::Span;

    #[test]
    fn distances() {
        assert_eq!(edit_distance("spwan", "spawn"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("recal", "recall"), 1);
        assert_eq!(nearest("spwan", ["spawn", "signal", "span"]), ["span", "spawn"]);
    }

    #[test]
    fn shifting_moves_labels_and_fixes() {
        let span = Span::new(1, 2);
        let moved = Diagnostic::new(codes::E0101, span, "m")
            .label(span, "l")
            .fix("f", span, "x")
            .shifted(5);
        assert_eq!(moved.primary.span, Span::new(6, 7));
        assert_eq!(moved.labels[0].span, Span::new(6, 7));
        assert_eq!(moved.fixes[0].edits[0].span, Span::new(6, 7));
    }
}
