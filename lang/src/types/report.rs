//! Diagnostics that several parts of the checker give, worded once.

use crate::diag::{Diagnostic, Edit, Fix, codes};
use crate::source::Span;
use crate::syntax::habits::block_below;
use crate::types::ty::{MOST_PARTS, Ty};

/// One clear sentence for what parses but cannot be used yet.
pub fn unsupported(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(codes::E0903, span, format!("{what} cannot be used yet")).note(
        "The syntax is right; this version of ag does not run it. Nothing of the cell was run.",
    )
}

/// E0313 for a type that doubled once too often.
pub fn too_large(span: Span) -> Diagnostic {
    let message = format!("this has a type of more than {MOST_PARTS} parts");
    Diagnostic::new(codes::E0313, span, message)
        .note("a struct or a list in place of tuples within tuples keeps a type small")
}

pub fn type_arguments(name: &str, wanted: usize, given: usize, span: Span) -> Diagnostic {
    let message = match wanted {
        0 => format!("`{name}` takes no type arguments"),
        1 => format!("`{name}` takes one type argument, not {given}"),
        _ => format!("`{name}` takes {wanted} type arguments, not {given}"),
    };
    let diagnostic = Diagnostic::new(codes::E0310, span, message);
    let whole = if given == 0 { whole_type(name) } else { None };
    whole.into_iter().fold(diagnostic, |diagnostic, whole| {
        diagnostic.note(format!("such as `{whole}`; a `let` also does without a type"))
    })
}

/// An example of a type that was written without its arguments.
fn whole_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "List" => "List<Int>",
        "Set" => "Set<Int>",
        "Map" => "Map<Text, Int>",
        "Option" => "Int?",
        "Result" => "Result<Int, Text>",
        "Future" => "Future<Int>",
        _ => return None,
    })
}

/// A field of an agent that is asked for from outside.
pub fn foreign_state(agent: &str, field: &str, span: Span) -> Diagnostic {
    let message = format!("`{field}` is state of `{agent}`, which only it sees");
    Diagnostic::new(codes::E0206, span, message)
        .note("ask the agent: a behavior that gives it, and `await` where it is asked for")
}

/// Futures are used like their values: `await` before each of them.
pub fn awaited(mut diagnostic: Diagnostic, places: &[Span]) -> Diagnostic {
    let edit = |span: &Span| Edit { span: *span, text: "await ".to_owned() };
    let fix = Fix { title: "wait for it".to_owned(), edits: places.iter().map(edit).collect() };
    diagnostic.fixes.push(fix);
    diagnostic.note("an agent's answer is a `Future` until `await` gives its value")
}

/// A name that is missing in a function of a struct that has no `self`, and is a field there.
pub fn without_self(diagnostic: &mut Diagnostic, fields: &[&str]) {
    let Some(name) = missing_name(diagnostic).filter(|name| fields.contains(&name.as_str())) else {
        return;
    };
    diagnostic.fixes.clear();
    diagnostic.notes =
        vec![format!("a method takes its value first: write `(self)`, then `self.{name}`")];
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
    let mistakes = parsed.iter().filter(|d| d.is_error()).map(|d| d.primary.span);
    let mistakes: Vec<_> = mistakes.map(|at| (at, below(text, at.start))).collect();
    let open_text = parsed.iter().find(|d| d.code == codes::E0002).map(|d| d.primary.span.start);
    let same_line = |a: u32, b: u32| {
        let between = text.get(a.min(b) as usize..a.max(b) as usize);
        between.is_some_and(|between| !between.contains('\n'))
    };
    diagnostics.retain(|diagnostic| {
        let span = diagnostic.primary.span;
        if open_text.is_some_and(|from| span.end > from) {
            return parsed.contains(diagnostic);
        }
        let is_echo = |(at, below): &(Span, std::ops::Range<u32>)| {
            if below.contains(&span.start) {
                return true;
            }
            let inside = span.start <= at.start && at.start <= span.end;
            same_line(span.start, at.start) || (diagnostic.code == codes::E0304 && inside)
        };
        parsed.contains(diagnostic) || !mistakes.iter().any(is_echo)
    });
}

/// The lines that are indented below a line that ends in `:`, as in Python.
fn below(text: &str, at: u32) -> std::ops::Range<u32> {
    let (before, after) = text.split_at_checked(at as usize).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |found| found + 1);
    let end = at as usize + after.find('\n').unwrap_or(after.len());
    let (line, rest) = (text.get(start..end).unwrap_or(""), text.get(end..).unwrap_or(""));
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    offset(end)..offset(end + block_below(line, rest))
}

/// How a word of other languages is written here, where it stands for a value: the text to put there, if that is all.
pub fn foreign_value(name: &str) -> Option<(Option<&'static str>, &'static str)> {
    Some(match name {
        "null" | "nil" | "undefined" | "none" => (Some("None"), "no value is `None`"),
        "True" | "TRUE" => (Some("true"), "write `true`"),
        "False" | "FALSE" => (Some("false"), "write `false`"),
        "sorted" => (None, "`xs.sort` gives the sorted list, `xs.sort_by(x => key)` by a key"),
        "reversed" => (None, "`xs.reverse` gives the list from its end"),
        "assert_eq" | "assertEq" | "assertEqual" | "assert_equal" => {
            (None, "`assert a == b` says both sides if it fails")
        }
        "len" => (None, "the length of `xs` is `xs.len`"),
        "str" | "String" | "repr" | "format" => {
            (None, "`show(x)` and \"${x}\" give the Text of any value")
        }
        "int" | "Number" | "parseInt" => (None, "`text.to_int` gives an `Int?`, `x.round` an Int"),
        "float" | "parseFloat" => (None, "`text.to_float` gives a `Float?`, `n.to_float` a Float"),
        "console" | "println" | "printf" | "puts" | "echo" => (None, "`print(x)` prints"),
        "Math" | "math" => (None, "functions stand alone: `sqrt(x)`, `max(a, b)`, `floor(x)`"),
        "pass" => (None, "nothing needs no word: an empty block is `{ }`"),
        "this" => {
            (None, "in an agent its fields have their own names, in a method the value is `self`")
        }
        "Promise" | "asyncio" => (None, "an agent's answer is a `Future`: `await agent.ask(x)`"),
        "Exception" | "Error" => {
            (None, "there are no exceptions: return an `Err`, or use `require`")
        }
        "dict" | "HashMap" => (None, "a map is `{ \"key\": value }`"),
        "list" | "Vec" | "Array" => {
            (None, "a list is `[1, 2]`; the empty one `let xs : List<Int> := []`")
        }
        "open" => (None, "`read_text(path)` reads a file whole"),
        "isinstance" | "typeof" | "type" => {
            (None, "`:type x` shows a type; `x is Pattern` tests a value")
        }
        _ => return None,
    })
}

/// The type that other languages call so.
pub fn foreign_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "int" | "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize"
        | "integer" | "Integer" | "long" => "Int",
        "float" | "f32" | "f64" | "double" | "Double" | "number" | "Number" => "Float",
        "str" | "string" | "char" | "&str" => "Text",
        "boolean" | "Boolean" => "Bool",
        "list" | "Array" | "Vec" | "array" => "List",
        "dict" | "HashMap" | "Dict" | "Object" | "object" => "Map",
        "void" | "None" | "NoneType" => "Unit",
        "any" | "Any" => "Dyn",
        "Optional" | "Maybe" => "Option",
        "Promise" => "Future",
        _ => return None,
    })
}

/// The member that other languages call so; it helps only where the type has ours.
pub fn foreign_member(name: &str) -> Option<&'static str> {
    Some(match name {
        "append" | "add" | "push_back" => "push",
        "length" | "size" | "__len__" => "len",
        "strip" => "trim",
        "toUpperCase" | "to_uppercase" | "toUpper" => "upper",
        "toLowerCase" | "to_lowercase" | "toLower" => "lower",
        "includes" | "has" | "contains_key" | "has_key" => "contains",
        "forEach" | "for_each" => "each",
        "reduce" => "fold",
        "indexOf" | "index" => "index_of",
        "substring" | "substr" => "slice",
        "startswith" | "startsWith" => "starts_with",
        "endswith" | "endsWith" => "ends_with",
        "unwrap" | "expect" => "value",
        "unwrap_or" | "getOrElse" | "or_else" => "or",
        "items" => "entries",
        "sorted" => "sort",
        "every" => "all",
        "some" => "any",
        "is_none_or_empty" | "isEmpty" | "empty" => "is_empty",
        _ => return None,
    })
}

/// The name that a diagnostic says is missing.
pub fn missing_name(diagnostic: &Diagnostic) -> Option<String> {
    let is_missing = matches!(diagnostic.code, codes::E0201 | codes::E0208);
    let quoted = || diagnostic.message.split('`').nth(1).map(str::to_owned);
    if is_missing { quoted() } else { None }
}
