//! Diagnostics that several parts of the checker give, worded once.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::types::ty::Ty;

/// One clear sentence for what parses but cannot be used yet.
pub fn unsupported(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(codes::E0903, span, format!("{what} cannot be used yet")).note(
        "The syntax is right; this version of ag does not run it. Nothing of the cell was run.",
    )
}

pub fn type_arguments(name: &str, wanted: usize, given: usize, span: Span) -> Diagnostic {
    let message = match wanted {
        0 => format!("`{name}` takes no type arguments"),
        1 => format!("`{name}` takes one type argument, not {given}"),
        _ => format!("`{name}` takes {wanted} type arguments, not {given}"),
    };
    Diagnostic::new(codes::E0310, span, message)
}

/// Adds the nearest names: as a fix if there is one, as a note if there are several.
pub fn did_you_mean(diagnostic: Diagnostic, span: Span, found: &[&str]) -> Diagnostic {
    match found {
        [] => diagnostic,
        [one] => diagnostic.fix(format!("did you mean `{one}`?"), span, *one),
        [first, ..] => {
            let list: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
            diagnostic
                .fix(format!("did you mean `{first}`?"), span, *first)
                .note(format!("Near: {}", list.join(", ")))
        }
    }
}

pub fn mismatch(expected: &Ty, found: &Ty, span: Span) -> Diagnostic {
    Diagnostic::new(codes::E0301, span, format!("expected `{expected}`, found `{found}`"))
        .saying(format!("this is `{found}`"))
}

/// Drops what the checker says about a line that did not parse: it is about what the parser made of the mistake. So is an
/// unknown type of an expression with a mistake in it. The cell stays wrong by the parser's own report.
pub fn without_echoes(diagnostics: &mut Vec<Diagnostic>, text: &str, parsed: &[Diagnostic]) {
    let mistakes: Vec<Span> =
        parsed.iter().filter(|d| d.is_error()).map(|d| d.primary.span).collect();
    let same_line = |a: u32, b: u32| {
        let between = text.get(a.min(b) as usize..a.max(b) as usize);
        between.is_some_and(|between| !between.contains('\n'))
    };
    diagnostics.retain(|diagnostic| {
        let span = diagnostic.primary.span;
        let is_echo = |at: &Span| {
            let inside = span.start <= at.start && at.start <= span.end;
            same_line(span.start, at.start) || (diagnostic.code == codes::E0304 && inside)
        };
        parsed.contains(diagnostic) || !mistakes.iter().any(is_echo)
    });
}

/// How a word of other languages is written here, where it stands for a value: the text to put there, if that is all.
pub fn foreign_value(name: &str) -> Option<(Option<&'static str>, &'static str)> {
    Some(match name {
        "null" | "nil" | "undefined" | "none" => (Some("None"), "no value is `None`"),
        "True" | "TRUE" => (Some("true"), "write `true`"),
        "False" | "FALSE" => (Some("false"), "write `false`"),
        "len" => (None, "the length of `xs` is `xs.len`"),
        _ => return None,
    })
}

/// The name that a diagnostic says is missing.
pub fn missing_name(diagnostic: &Diagnostic) -> Option<String> {
    let is_missing = matches!(diagnostic.code, codes::E0201 | codes::E0208);
    let quoted = || diagnostic.message.split('`').nth(1).map(str::to_owned);
    if is_missing { quoted() } else { None }
}
