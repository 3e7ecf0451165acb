//! Habits of other languages: a line that does not parse and looks like Python, Rust or JavaScript gets one report that
//! says how it is written here.
//!
//! Runs over the reports of a text with mistakes and never over right ones, so a row may be broad. A row is a pattern of
//! tokens and what is to be said; nothing here parses.

use crate::diag::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::token::{Token, TokenKind as T};

/// What somebody meant, and how it is written here.
struct Habit {
    /// Tokens, by blanks: `^` the start of the line, `$` its end, `_` any token, `*` any number of them, `NAME` a name, `VALUE`
    /// what begins an operand, `STAR` a `*`, `a|b` one of these texts; else the token's own text.
    pattern: &'static str,
    /// Only if the first report of the line contains this.
    when: &'static str,
    message: &'static str,
    note: &'static str,
    mend: Mend,
}

/// The change that would do, if there is one.
enum Mend {
    No,
    /// None, but this token outside of brackets is the mistake, and not the whole line.
    Point(&'static str),
    /// Replace the matched tokens, from one place of them to another, by a text.
    Replace(usize, usize, &'static str),
    /// Parentheses around what follows the first token.
    Call,
    /// Parentheses around the second to the fourth.
    Pair,
}

use Mend::{Call, No, Pair, Point, Replace};

const fn habit(
    pattern: &'static str,
    message: &'static str,
    note: &'static str,
    mend: Mend,
) -> Habit {
    Habit { pattern, when: "", message, note, mend }
}

const BLOCK: &str = "a block stands in braces: `if x > 0 { print(x) }`";
const LOOP: &str =
    "a loop goes over a range or a list, its block stands in braces: `for i in 0..3 { print(i) }`";
const LAMBDA: &str = "a lambda is `x => x + 1`; with several parameters `(a, b) => a + b`";
const METHODS: &str =
    "methods stand in the braces of the `struct` or `enum`: `function len(self) -> Int { ... }`";

/// The first that matches speaks.
#[rustfmt::skip] // One row a habit.
const TABLE: &[Habit] = &[
    habit("^ print|println|echo|puts VALUE *", "`print` is a function", "write `print(x)`", Call),
    habit("format ! (", "there are no macros", "a text takes values in: `\"x is $x\"`, `\"${a + b}\"`", No),
    habit("vec ! [", "there are no macros", "a list is `[1, 2]`; the empty one `let xs : List<Int> := []`", Replace(0, 1, "")),
    habit("panic|todo|unimplemented|unreachable ! (", "there are no macros", "return an `Err`, or `require ok else return 0`; what must hold is said by `assert`", No),
    habit("assert|assert_eq|assert_ne|debug_assert ! (", "there are no macros", "`assert a == b` says both sides if it fails", No),
    habit("println|print|eprintln ! (", "there are no macros", "`print(x)` prints; a text takes values in: `\"x is $x\"`", Replace(0, 1, "print")),
    habit("^ def|fn|func|fun NAME (", "functions are declared with `function`", "`function twice(n : Int) -> Int { return n * 2 }`", Replace(0, 0, "function")),
    habit("^ pub|export|public|private *", "there is no word for visibility", "everything at the top level is visible", No),
    habit("^ async *", "there is no `async`", "every function may wait for an agent's answer with `await`", Replace(0, 0, "")),
    habit("^ import NAME", "a file is imported by its name in quotes", "builtins are there already; a file of your own: `import \"risk.ag\" as risk`", No),
    habit("^ from NAME import", "there is nothing to import", "builtins are there already; a file of your own: `import \"risk.ag\" as risk`", No),
    habit("^ use NAME", "there is nothing to import", "builtins are there already; a file of your own: `import \"risk.ag\" as risk`", No),
    habit("^ let mut NAME", "variables that change are declared with `var`", "`let` binds once, `var` may be assigned again", Replace(0, 1, "var")),
    habit("^ const NAME", "constants are declared with `let`", "`let` binds once, `var` may be assigned again", Replace(0, 0, "let")),
    habit("^ int|float|double|string|str|bool|auto|long NAME", "the type stands after the name, if at all", "`let x : Int := 1`, or `let x := 1`", No),
    habit("^ let|var NAME , NAME *", "several names are bound as a tuple", "`let (a, b) := (1, 2)`", No),
    Habit { pattern: "^ NAME : NAME =|:= *", when: "end of the statement", message: "a name with a type is declared by `let` or `var`", note: "`let x : Int := 3`, or without the type `x := 3`", mend: No },
    habit("^ var|let NAME $", "a variable needs a value", "`var x := 0`; what may be missing is `var x : Int? := None`", No),
    habit("^ tool NAME ( * -> *", "a tool holds methods", "`tool T { function f(x : Text) -> Text { return x } }`; a value of it is made by `T()`", No),
    habit("^ for ( *", "a loop goes over a range or a list", "`for i in 0..3 { print(i) }`", No),
    habit("^ for NAME of", "a loop goes over a range or a list with `in`", "`for x in xs { print(x) }`", Replace(2, 2, "in")),
    habit("^ class NAME", "there are no classes", "data is declared with `struct`, acting things with `agent`", No),
    habit("^ impl NAME", "methods are not declared apart", METHODS, No),
    habit("^ switch *", "`switch` is `match`", "`match x { 1 => print(\"one\"), _ => print(\"many\") }`", No),
    habit("^ unless *", "there is no `unless`", "write `if !x { ... }`", No),
    habit("^ with NAME", "there is no `with`", "`read_text(path)` reads a file whole; scopes such as `@with_lease` close by themselves", No),
    habit("^ del|delete NAME", "names are not deleted", "a name can be declared again, and `:reset` forgets all", No),
    habit("^ yield *", "there are no generators", "build a list with `map` and `filter`, or send messages between agents", No),
    habit("elif|elsif|elseif", "the second condition stands after `else if`", "`if a { .. } else if b { .. } else { .. }`", Replace(0, 0, "else if")),
    habit("except|catch|finally", "a Fault is caught as a value", "`match try { risky() } { Ok(v) => print(v), Err(fault) => print(fault.code) }`", No),
    habit("^ for NAME in * : $", "a block begins with `{`, not with `:`", LOOP, Point(":")),
    Habit { pattern: "^ for NAME in * : *", when: "`{` and a block, found `:`", message: "a block begins with `{`, not with `:`", note: LOOP, mend: Point(":") },
    habit("^ if|for|while|else|def|class|try|with|match|behavior|agent|function * : $", "a block begins with `{`, not with `:`", BLOCK, Point(":")),
    habit("^ if|for|while : *", "a block begins with `{`, not with `:`", BLOCK, Point(":")),
    Habit { pattern: "^ if|for|while * : *", when: "`{` and a block, found `:`", message: "a block begins with `{`, not with `:`", note: BLOCK, mend: Point(":") },
    habit("^ for NAME in range ( *", "a loop goes over a range or a list", "`for i in 0..3 { print(i) }`", No),
    habit("lambda *", "there is no `lambda`", LAMBDA, No),
    habit("f|r|b|F TEXT", "a text takes values in by itself", "write `\"hello $name\"`, or `\"${a + b}\"` for an expression", No),
    habit("[ * for NAME in * ]", "there are no comprehensions", "`xs.map(x => x * x)`, `xs.filter(x => x > 0)`", No),
    Habit { pattern: "[ * : * ]", when: "found `:`", message: "a part of a list or text is taken with `slice`", note: "`xs.slice(0, 2)`: from the first place up to, not including, the second", mend: No },
    habit("^ let|var NAME := VALUE if * else *", "the condition stands first", "`let x := if ok { 1 } else { 2 }`", No),
    Habit { pattern: "VALUE if * else *", when: "`if`", message: "the condition stands first", note: "`if ok { 1 } else { 2 }` is a value", mend: No },
    Habit { pattern: "(|, NAME = VALUE", when: "closing bracket, found `=`", message: "a named argument is written `name: value`", note: "`@llm_call(prompt: \"hi\")`", mend: Replace(2, 2, ":") },
    habit("^ ! NAME *", "there is no shell behind `!`, which means not", "`list_files(\".\")` and `read_text(path)` look at files", No),
    habit("^ for NAME , NAME in *", "a pair is taken apart in parentheses", "`for (key, value) in m { print(key) }`; `xs.enumerate` gives `(index, value)`", Pair),
    habit("? * :", "there is no `a ? b : c`", "write `if a { b } else { c }`", No),
    habit("+ +", "there is no `++`", "write `x += 1`", Replace(0, 1, " += 1")),
    habit("- - $", "there is no `--`", "write `x -= 1`", Replace(0, 1, " -= 1")),
    habit("STAR STAR", "there is no `**`", "write `pow(a, b)`", No),
    habit("== =", "values are compared with `==`", "there is only one equality, by value", Replace(0, 1, "==")),
    habit("!= =", "values are compared with `!=`", "there is only one equality, by value", Replace(0, 1, "!=")),
    habit("and", "`and` is written `&&`", "`||` is or, `!` is not", Replace(0, 0, "&&")),
    habit("or", "`or` is written `||`", "`&&` is and, `!` is not", Replace(0, 0, "||")),
    habit("not VALUE", "`not` is written `!`", "`&&` is and, `||` is or", Replace(0, 0, "!")),
    habit("| NAME |", "a lambda has no bars", LAMBDA, No),
    Habit { pattern: "|", when: "found `|`", message: "there is no `|` between values", note: "`||` is or for Bool, `bit_or(a, b)` for the bits of an Int", mend: No },
    Habit { pattern: "&", when: "`&` begins no token", message: "there is no `&`", note: "`&&` is and for Bool, `bit_and(a, b)` for the bits of an Int; nothing is borrowed", mend: No },
    habit("^ function * ) => NAME {", "the type of the result stands after `->`", "`function f(x : Int) -> Int { return x }`", No),
    Habit { pattern: ". NAME", when: "an expression, found `.`", message: "a variant is written by its name", note: "`Buy(3)` where the type is known, else `Decision.Buy(3)`", mend: No },
    Habit { pattern: "return", when: "an expression, found `return`", message: "`return` is a statement and has no value", note: "`let Some(x) := found else { return 0 }`, or `require ok else return 0`", mend: No },
    Habit { pattern: "->", when: "`->`", message: "lambdas and arms are written with `=>`", note: "`x => x + 1`, `match x { 1 => \"one\", _ => \"many\" }`", mend: Replace(0, 0, "=>") },
    Habit { pattern: "^ function|behavior *", when: "expected `:` and a type", message: "a parameter has a type", note: "`function f(x : Int) { return x }`: the type of the result is found", mend: No },
];

/// Longer lines are no habit, and patterns take time with the length.
const TOKENS: usize = 40;

/// Gives each line that has a habit in it one report instead of its own.
pub fn mend(source: &str, tokens: &[Token], diagnostics: &mut Vec<Diagnostic>) {
    let mut done: Vec<Line> = Vec::new();
    let mut out: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics.drain(..) {
        let at = diagnostic.primary.span.start;
        match done.iter().find(|line| line.covers(at)) {
            Some(line) if line.has_habit => continue,
            Some(_) => {
                out.push(diagnostic);
                continue;
            }
            None if !diagnostic.is_error() => {
                out.push(diagnostic);
                continue;
            }
            None => {}
        }
        let mut line = Line::around(source, at);
        let from = tokens.partition_point(|token| token.span.start < line.span.start);
        let rest = tokens.get(from..).unwrap_or(&[]).iter();
        let own = rest.take_while(|token| token.span.start < line.span.end);
        let code: Vec<&Token> =
            own.filter(|token| is_code(token, source)).take(TOKENS + 1).collect();
        let found = if code.len() > TOKENS { None } else { find(&code, source, &diagnostic) };
        match found.or_else(|| swallowed(line.span.text(source), &diagnostic)) {
            Some(report) => {
                // Reports before it on the same line have the same cause.
                out.retain(|other| !line.covers(other.primary.span.start));
                out.push(report);
                line.has_habit = true;
            }
            None => out.push(diagnostic),
        }
        done.push(line);
    }
    *diagnostics = out;
}

fn is_code(token: &Token, source: &str) -> bool {
    !matches!(token.kind, T::Comment | T::BlockComment | T::Sep | T::Newline)
        && !token.span.text(source).trim().is_empty()
}

/// A line of the text, with the lines under it that are indented below a `:`.
struct Line {
    span: Span,
    end: u32,
    has_habit: bool,
}

impl Line {
    fn around(source: &str, at: u32) -> Line {
        let bytes = source.as_bytes();
        let at = (at as usize).min(bytes.len());
        let before = bytes.get(..at).unwrap_or(&[]);
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
        let rest = source.get(start..).unwrap_or("");
        let len = rest.find('\n').unwrap_or(rest.len());
        let line = rest.get(..len).unwrap_or("");
        let below = block_below(line, rest.get(len..).unwrap_or(""));
        let span = Span::new(offset(start), offset(start + len));
        Line { span, end: offset(start + len + below), has_habit: false }
    }

    fn covers(&self, at: u32) -> bool {
        (self.span.start..=self.end).contains(&at)
    }
}

/// How many bytes of what follows a line belong to it as in Python: it ends in `:`, they are indented more.
pub fn block_below(line: &str, rest: &str) -> usize {
    let code = line.split("//").next().and_then(|code| code.split('#').next()).unwrap_or("");
    if !code.trim_end().ends_with(':') {
        return 0;
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut len = 0;
    for next in rest.split_inclusive('\n') {
        let is_blank = next.trim().is_empty();
        if !is_blank && indent(next) <= indent(line) {
            break;
        }
        len += next.len();
    }
    len
}

fn find(line: &[&Token], source: &str, first: &Diagnostic) -> Option<Diagnostic> {
    let habit = |habit: &'static Habit| {
        let applies = first.message.contains(habit.when);
        let found = applies.then(|| matched(habit.pattern, line, source)).flatten()?;
        Some((habit, found))
    };
    let (habit, (from, to)) = TABLE.iter().find_map(habit)?;
    let span = |from: usize, to: usize| {
        let (from, to) = (line.get(from)?.span, line.get(to)?.span);
        Some(Span::new(from.start, to.end))
    };
    let whole = span(from, to)?;
    let at = match habit.mend {
        Point(text) => outside(line.get(from..=to)?, text, source).unwrap_or(whole),
        _ => whole,
    };
    let report = Diagnostic::new(first.code, at, habit.message).note(habit.note);
    Some(match habit.mend {
        No | Point(_) => report,
        Replace(first, last, text) => {
            let title = if text.is_empty() {
                "leave it out".to_owned()
            } else {
                format!("write `{}`", text.trim())
            };
            report.fix(title, span(from + first, from + last)?, text)
        }
        Pair => {
            let pair = span(from + 1, from + 3)?;
            report.fix("put it in parentheses", pair, format!("({})", pair.text(source)))
        }
        Call => {
            let argument = span(from + 1, to)?;
            let text = argument.text(source);
            report.fix(format!("write `print({text})`"), whole, format!("print({text})"))
        }
    })
}

/// The first token of that text that stands in no brackets.
fn outside(tokens: &[&Token], wanted: &str, source: &str) -> Option<Span> {
    let mut depth = 0_u32;
    for token in tokens {
        match token.span.text(source) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            text if depth == 0 && text == wanted => return Some(token.span),
            _ => {}
        }
    }
    None
}

/// `print(7 // 2)`: what was meant as a division is a comment, and with it the bracket is gone.
fn swallowed(line: &str, first: &Diagnostic) -> Option<Diagnostic> {
    let (code, comment) = line.split_once("//")?;
    let is_operand = |c: char| c.is_alphanumeric() || matches!(c, ')' | ']' | '_');
    let is_division = code.trim_end().ends_with(is_operand) && comment.contains([')', ']']);
    if first.code != codes::E0102 || !is_division {
        return None;
    }
    let note = "`//` begins a comment; `a / b` of two Ints gives an Int, rounded toward zero";
    Some(first.clone().note(note))
}

/// The first and last token of the line that the pattern is about.
fn matched(pattern: &str, line: &[&Token], source: &str) -> Option<(usize, usize)> {
    let words: Vec<&str> = pattern.split(' ').collect();
    let (words, starts) = match words.split_first() {
        Some((&"^", rest)) => (rest, 0..1),
        _ => (words.as_slice(), 0..line.len()),
    };
    starts.into_iter().find_map(|start| {
        let end = fits(words, line, start, source)?;
        Some((start, end.checked_sub(1).filter(|last| *last >= start)?))
    })
}

/// Behind the last token that the words take, if they fit from here on.
fn fits(words: &[&str], line: &[&Token], at: usize, source: &str) -> Option<usize> {
    let Some((word, rest)) = words.split_first() else { return Some(at) };
    match *word {
        "*" => (at..=line.len()).rev().find_map(|next| fits(rest, line, next, source)),
        "$" => (at == line.len()).then_some(at),
        word => {
            let token = line.get(at)?;
            is(word, token, source).then(|| fits(rest, line, at + 1, source)).flatten()
        }
    }
}

fn is(word: &str, token: &Token, source: &str) -> bool {
    let text = token.span.text(source);
    match word {
        "_" => true,
        "NAME" => token.kind == T::Name,
        "TEXT" => text.starts_with('"'),
        "VALUE" => {
            matches!(token.kind, T::Name | T::Number | T::Money | T::True | T::False)
                || text.starts_with(['"', '['])
        }
        "STAR" => text == "*",
        "|" | "||" => text == word,
        word => word.split('|').any(|one| one == text),
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
