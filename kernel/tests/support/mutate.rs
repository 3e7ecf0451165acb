//! Changes programs as mistakes and accidents do: by tokens, brackets and lines, with pieces of other programs.
//!
//! The same seed gives the same change. Never: looks at what a program means.

use ag_lang::syntax::lexer::{SourceKind, lex};
use ag_lang::syntax::token::TokenKind;
use ag_runtime::rng::Rng;

/// Pieces that mutations put in: of the programs themselves, and what they never say.
pub struct Pool {
    names: Vec<String>,
    groups: Vec<String>,
    lines: Vec<String>,
}

const VALUES: &[&str] = &[
    "0",
    "-1",
    "9223372036854775807",
    "0.0",
    "1e308",
    "\"\"",
    "\"\\u{0}\"",
    "$0",
    "$0.000001",
    "9000000000s",
    "0s",
    "[]",
    "{}",
    "()",
    "None",
    "true",
    "_",
    "self",
];
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "??", "..", "..=", "in", "is",
    "as", ".", ",", ":", ":=", "=", "+=", "=>", "->", "==>", "?", "|", ";", "@",
];
const WORDS: &[&str] = &[
    "if",
    "else",
    "match",
    "for",
    "while",
    "loop",
    "return",
    "break",
    "continue",
    "let",
    "var",
    "try",
    "await",
    "require",
    "assert",
    "function",
    "struct",
    "enum",
    "agent",
    "behavior",
    "state",
    "type",
    "tool",
    "lane",
    "policy",
    "test",
    "orchestration",
    "iso",
    "ref",
    "val",
    "tag",
    "forall",
    "exists",
    "result",
    "old",
    "uses",
    "requires",
    "ensures",
    "invariant",
    "decreases",
    "ensures forall x in [1] => ",
    "import \"x.ag\" as x",
    "@spawn",
    "@task {",
    "@checkpoint a",
    "@with_time_limit(0s) {",
    "@llm_call(\"x\")",
    "@parallel([1], x => x)",
    "ref self",
];

/// A token, or the blanks and comments between two.
struct Piece<'a> {
    kind: Option<TokenKind>,
    text: &'a str,
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut end = 0;
    for token in lex(text, SourceKind::Cell).tokens {
        let range = token.span.range();
        if range.start > end {
            found.push(Piece { kind: None, text: &text[end..range.start] });
        }
        if range.end > range.start {
            let kind = (!token.kind.is_trivia()).then_some(token.kind);
            found.push(Piece { kind, text: &text[range.clone()] });
            end = range.end;
        }
    }
    found.push(Piece { kind: None, text: &text[end..] });
    found
}

impl Pool {
    pub fn new<'a>(programs: impl Iterator<Item = &'a str>) -> Pool {
        let mut pool = Pool { names: Vec::new(), groups: Vec::new(), lines: Vec::new() };
        for program in programs {
            let pieces = pieces(program);
            for (at, piece) in pieces.iter().enumerate() {
                if piece.kind == Some(TokenKind::Name) {
                    pool.names.push(piece.text.to_owned());
                }
                if let Some(end) = group(&pieces, at).filter(|end| end - at < 60) {
                    pool.groups.push(joined(&pieces[at..=end]));
                }
            }
            pool.lines
                .extend(program.lines().filter(|it| !it.trim().is_empty()).map(str::to_owned));
        }
        for list in [&mut pool.names, &mut pool.groups, &mut pool.lines] {
            list.sort();
            list.dedup();
        }
        pool
    }

    /// The program after one change.
    pub fn mutate(&self, text: &str, rng: &mut Rng) -> String {
        match rng.below(10) {
            0 => lines(text, rng, &self.lines),
            1 if rng.below(4) == 0 => cut(text, rng),
            _ => self.mutate_tokens(text, rng),
        }
    }

    fn mutate_tokens(&self, text: &str, rng: &mut Rng) -> String {
        let pieces = pieces(text);
        let tokens: Vec<usize> =
            (0..pieces.len()).filter(|at| pieces[*at].kind.is_some()).collect();
        if tokens.is_empty() {
            return pick(&self.lines, rng).to_owned();
        }
        let nth = rng.below(tokens.len() as u64) as usize;
        let at = tokens[nth];
        let (before, after) = (joined(&pieces[..at]), joined(&pieces[at + 1..]));
        let own = pieces[at].text;
        let closing = group(&pieces, at);
        match rng.below(9) {
            0 => before + &after,
            1 => format!("{before}{own} {own}{after}"),
            2 => {
                let Some(next) = tokens.get(nth + 1) else { return before };
                let between = joined(&pieces[at + 1..*next]);
                let rest = joined(&pieces[next + 1..]);
                format!("{before}{}{between}{own}{rest}", pieces[*next].text)
            }
            3 if closing.is_some() => {
                let rest = joined(&pieces[closing.unwrap_or(at) + 1..]);
                match rng.below(2) {
                    0 => before + &rest,
                    _ => format!("{before}{}{rest}", pick(&self.groups, rng)),
                }
            }
            4 => format!("{before}{} {own}{after}", anything(rng)),
            5 => {
                let end = closing.unwrap_or(at);
                let inner = joined(&pieces[at..=end]);
                let rest = joined(&pieces[end + 1..]);
                let (open, close) = match rng.below(5) {
                    0 => ("(", ")"),
                    1 => ("[", "]"),
                    2 => ("try { ", " }"),
                    3 => ("@task { ", " }"),
                    _ => ("(await ", ")"),
                };
                format!("{before}{open}{inner}{close}{rest}")
            }
            _ => format!("{before}{}{after}", self.instead(&pieces[at], rng)),
        }
    }

    /// Something of the same kind.
    fn instead<'a>(&'a self, piece: &Piece<'_>, rng: &mut Rng) -> &'a str {
        use TokenKind::{Money, Name, Number, Text, TripleText};
        match piece.kind {
            Some(Name) if rng.below(5) > 0 => pick(&self.names, rng),
            Some(Name | Number | Money | Text | TripleText) => match rng.below(2) {
                0 => pick(&self.groups, rng),
                _ => VALUES[rng.below(VALUES.len() as u64) as usize],
            },
            _ => OPERATORS[rng.below(OPERATORS.len() as u64) as usize],
        }
    }
}

fn anything(rng: &mut Rng) -> &'static str {
    let lists = [VALUES, OPERATORS, WORDS, WORDS];
    let list = lists[rng.below(4) as usize];
    list[rng.below(list.len() as u64) as usize]
}

fn pick<'a>(list: &'a [String], rng: &mut Rng) -> &'a str {
    let at = rng.below(list.len() as u64) as usize;
    list.get(at).map_or("", String::as_str)
}

fn joined(pieces: &[Piece<'_>]) -> String {
    pieces.iter().map(|piece| piece.text).collect()
}

/// Where the bracket that opens at `at` is closed.
fn group(pieces: &[Piece<'_>], at: usize) -> Option<usize> {
    use TokenKind::{LBrace, LBracket, LParen, RBrace, RBracket, RParen};
    if !matches!(pieces[at].kind, Some(LParen | LBracket | LBrace)) {
        return None;
    }
    let mut depth = 0;
    for (index, piece) in pieces.iter().enumerate().skip(at) {
        match piece.kind {
            Some(LParen | LBracket | LBrace) => depth += 1,
            Some(RParen | RBracket | RBrace) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// A line is left out, repeated, moved, or comes from elsewhere.
fn lines(text: &str, rng: &mut Rng, others: &[String]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let at = rng.below(lines.len() as u64) as usize;
    match rng.below(4) {
        _ if lines.is_empty() => lines.push(pick(others, rng)),
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at]),
        2 => {
            let line = lines.remove(at);
            lines.insert(rng.below(lines.len() as u64 + 1) as usize, line);
        }
        _ => lines.insert(at, pick(others, rng)),
    }
    lines.join("\n")
}

/// The text ends early, as while typing.
fn cut(text: &str, rng: &mut Rng) -> String {
    let kept = rng.below(text.chars().count() as u64 + 1) as usize;
    text.chars().take(kept).collect()
}
