//! What stands at a cursor: the place a completion or a hover is asked for.
//!
//! It says what kind of name is due and from which expression; which names exist is for those who know names and types.

use crate::source::Span;
use crate::syntax::ast::{Body, ExprId, ExprKind, Name, PatKind, TypeKind};
use crate::syntax::item::Cell;
use crate::syntax::lexer::{self, SourceKind, Value};
use crate::syntax::parse::parse;
use crate::syntax::token::{Token, TokenKind as T};

/// A node of a cell: in the arena of an item, or of the cell's own statements (`item` is `None`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExprAt {
    pub item: Option<usize>,
    pub expr: ExprId,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Context {
    /// After `.` on an expression.
    Member(ExprAt),
    /// After `Name.` where no expression is: a variant in a pattern, a part of an effect.
    Qualified(Name),
    /// After `@`.
    Intrinsic,
    /// The name of a session command.
    Command,
    /// An argument of the command.
    CommandArgument(Name),
    /// Where a type is due.
    Type,
    /// A field name in a struct literal.
    StructField(ExprAt),
    /// The start of an argument: an expression or the name of a parameter of the call.
    Argument(ExprAt),
    /// The start of a statement, item or member: keywords too.
    Start,
    /// Anywhere else an expression may stand.
    Expression,
    /// In text, a comment or a number: nothing to complete.
    Nothing,
}

/// The context at a byte offset, and the part of a word before it that is to be replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    pub context: Context,
    pub prefix: Span,
}

/// Look at `offset` in a cell.
pub fn cursor(source: &str, offset: u32) -> Cursor {
    let lexed = lexer::lex(source, SourceKind::Cell);
    let touching =
        lexed.tokens.iter().find(|token| token.span.start < offset && offset <= token.span.end);
    let prefix = match touching {
        Some(token) if token.kind == T::Name || token.kind.is_keyword() => {
            Span::new(token.span.start, offset)
        }
        Some(token) if token.kind == T::HoleName => Span::new(token.span.start + 1, offset),
        _ => Span::at(offset),
    };
    if let Some(token) = touching
        && let Some(context) = inside(token, offset, lexed.values.get(token.value as usize))
    {
        let prefix =
            if context == Context::Command { command_prefix(token, offset) } else { prefix };
        return Cursor { context, prefix };
    }
    let before = lexed.tokens.iter().rev().find(|token| {
        token.span.end <= prefix.start && !token.kind.is_trivia() && !token.span.is_empty()
    });
    let context = match before {
        Some(token) if token.kind == T::At => Context::Intrinsic,
        before => in_tree(source, before, prefix, offset),
    };
    Cursor { context, prefix }
}

/// Contexts that the touched token decides alone.
fn inside(token: &Token, offset: u32, value: Option<&Value>) -> Option<Context> {
    match token.kind {
        T::Comment | T::DocComment | T::BlockComment => Some(Context::Nothing),
        T::Text | T::TemplateText if offset < token.span.end => Some(Context::Nothing),
        T::TemplateText | T::TemplateStart | T::Number | T::Money => Some(Context::Nothing),
        T::HoleName => Some(Context::Expression),
        T::Command => match value {
            Some(Value::Command(command)) if offset > command.name.span.end => {
                Some(Context::CommandArgument(command.name.name.clone()))
            }
            _ => Some(Context::Command),
        },
        _ => None,
    }
}

fn command_prefix(token: &Token, offset: u32) -> Span {
    Span::new((token.span.start + 1).min(offset), offset)
}

fn in_tree(source: &str, before: Option<&Token>, prefix: Span, offset: u32) -> Context {
    let cell = parse(source, SourceKind::Cell).cell;
    let kind = before.map_or(T::Newline, |token| token.kind);
    let dot = before.map_or(0, |token| token.span.end);
    if kind == T::Dot {
        return member(source, &cell, dot);
    }
    let types = |body: &Body, base: u32| {
        body.types.iter().any(|ty| match &ty.kind {
            TypeKind::Named { name, .. } => {
                name.span.shifted(base).touches(offset) && !prefix.is_empty()
            }
            TypeKind::Error => ty.span.shifted(base).start == dot && before.is_some(),
            _ => false,
        })
    };
    if bodies(&cell).any(|(_, base, body)| types(body, base)) {
        return Context::Type;
    }
    let line_start = source.get(..prefix.start as usize).is_none_or(|text| {
        text.trim_end_matches([' ', '\t']).is_empty()
            || text.trim_end_matches([' ', '\t']).ends_with('\n')
    });
    let separated = line_start || matches!(kind, T::Comma | T::Semi | T::LParen | T::LBrace);
    if separated && let Some(context) = element(source, &cell, offset) {
        return context;
    }
    match kind {
        T::Newline | T::LBrace | T::RBrace | T::Semi | T::Command => Context::Start,
        _ if line_start => Context::Start,
        _ => Context::Expression,
    }
}

/// Every arena of a cell with its base.
fn bodies(cell: &Cell) -> impl Iterator<Item = (Option<usize>, u32, &Body)> {
    let items = cell.items.iter().enumerate();
    let items = items.map(|(at, item)| (Some(at), item.span.start, &item.tree.body));
    std::iter::once((None, 0, &cell.body.body)).chain(items)
}

/// The expression, or the name, before the dot that ends at `dot`.
fn member(source: &str, cell: &Cell, dot: u32) -> Context {
    for (item, base, body) in bodies(cell) {
        let found = body.exprs.iter().find_map(|expr| match &expr.kind {
            ExprKind::Field { base: inner, name } => {
                let inner_end = body[*inner].span.shifted(base).end;
                (inner_end < dot && dot <= name.span.shifted(base).start).then_some(*inner)
            }
            _ => None,
        });
        if let Some(expr) = found {
            return Context::Member(ExprAt { item, expr });
        }
        let in_pattern = body.pats.iter().any(|pat| {
            matches!(pat.kind, PatKind::Variant { .. }) && pat.span.shifted(base).touches(dot)
        });
        if in_pattern {
            break;
        }
    }
    let before = source.get(..dot.saturating_sub(1) as usize).unwrap_or("").trim_end();
    let is_part = |c: char| !unicode_ident::is_xid_continue(c);
    let word = before.rsplit(is_part).next().unwrap_or("");
    Context::Qualified(Name::new(word))
}

/// The innermost struct literal or call whose list the offset is in.
fn element(source: &str, cell: &Cell, offset: u32) -> Option<Context> {
    let mut best: Option<(u32, Context)> = None;
    let tokens = lexer::lex(source, SourceKind::Cell).tokens;
    for (item, base, body) in bodies(cell) {
        for (index, expr) in body.exprs.iter().enumerate() {
            let span = still_open(source, &tokens, expr.span.shifted(base));
            let id = ExprAt { item, expr: ExprId(u32::try_from(index).unwrap_or(u32::MAX)) };
            let (from, context) = match &expr.kind {
                ExprKind::Struct { path, .. } => (path.name.span, Context::StructField(id)),
                ExprKind::Call { callee, .. } => (body[*callee].span, Context::Argument(id)),
                ExprKind::Intrinsic(found) if found.block.is_none() => {
                    (found.name.span, Context::Argument(id))
                }
                // A block between the list and the cursor: statements, not elements.
                ExprKind::Block(_)
                | ExprKind::Match { .. }
                | ExprKind::Record(_)
                | ExprKind::Map(_) => (expr.span, Context::Start),
                ExprKind::List(_) | ExprKind::Tuple(_) => (expr.span, Context::Expression),
                _ => continue,
            };
            let begin = match context {
                Context::Start | Context::Expression => from.shifted(base).start,
                _ => from.shifted(base).end,
            };
            let within = begin < offset && offset <= span.end;
            let closed = offset == span.end
                && !matches!(context, Context::StructField(_) | Context::Argument(_));
            if within && !closed && best.as_ref().is_none_or(|(start, _)| *start <= begin) {
                best = Some((begin, context));
            }
        }
    }
    best.map(|(_, context)| context)
}

/// A list without its closing bracket goes on over the blanks behind it.
fn still_open(source: &str, tokens: &[Token], span: Span) -> Span {
    let from = tokens.partition_point(|token| token.span.start < span.start);
    let within = tokens.iter().skip(from).take_while(|token| token.span.end <= span.end);
    let depth: i32 = within.map(|token| depth(token.kind)).sum();
    if depth <= 0 && span.text(source).ends_with([')', ']', '}']) {
        return span;
    }
    let rest = source.get(span.end as usize..).unwrap_or("");
    let blanks = rest.len() - rest.trim_start().len();
    Span::new(span.start, span.end + u32::try_from(blanks).unwrap_or(0))
}

fn depth(kind: T) -> i32 {
    match kind {
        T::LParen | T::LBracket | T::LBrace => 1,
        T::RParen | T::RBracket | T::RBrace => -1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, cursor};
    use crate::syntax::ast::{ExprKind, Name};
    use crate::syntax::lexer::SourceKind;
    use crate::syntax::parse::parse;

    /// The context at `|` and the prefix.
    fn at(marked: &str) -> (Context, String) {
        let offset = u32::try_from(marked.find('|').unwrap()).unwrap();
        let source = marked.replacen('|', "", 1);
        let cursor = cursor(&source, offset);
        (cursor.context, cursor.prefix.text(&source).to_owned())
    }

    fn member_base(marked: &str) -> ExprKind {
        let source = marked.replacen('|', "", 1);
        match at(marked).0 {
            Context::Member(found) => {
                let cell = parse(&source, SourceKind::Cell).cell;
                let body = found.item.map_or(&cell.body.body, |item| &cell.items[item].tree.body);
                body[found.expr].kind.clone()
            }
            other => panic!("{marked}: {other:?}"),
        }
    }

    #[test]
    fn members() {
        let name = |text: &str| ExprKind::Name(Name::new(text));
        assert_eq!(member_base("abc.|"), name("abc"));
        assert_eq!(member_base("abc.le|n"), name("abc"));
        assert_eq!(member_base("abc.|\nlet x := 1"), name("abc"));
        assert_eq!(member_base("function f() {\n  abc.|\n}"), name("abc"));
        assert_eq!(member_base("f(abc.|, 2)"), name("abc"));
        assert_eq!(member_base("\"a ${abc.|}\""), name("abc"));
        assert!(matches!(member_base("f(1).|"), ExprKind::Call { .. }));
        assert_eq!(at("match x { Decision.| }").0, Context::Qualified(Name::new("Decision")));
    }

    #[test]
    fn other_places() {
        assert_eq!(at("@sp|"), (Context::Intrinsic, "sp".into()));
        assert_eq!(at("let x := @|"), (Context::Intrinsic, String::new()));
        assert_eq!(at(":co|"), (Context::Command, "co".into()));
        assert_eq!(at(":lane ec|").0, Context::CommandArgument(Name::new("lane")));
        assert_eq!(at("function f(x : In|) { }"), (Context::Type, "In".into()));
        assert_eq!(at("function f(x : |) { }").0, Context::Type);
        assert_eq!(at("let x : |").0, Context::Type);
        assert_eq!(at("x as |").0, Context::Type);
        assert_eq!(at("// a|b").0, Context::Nothing);
        assert_eq!(at("\"a|b\"").0, Context::Nothing);
        assert_eq!(at("\"a $na|\""), (Context::Expression, "na".into()));
        assert_eq!(at("le|"), (Context::Start, "le".into()));
        assert_eq!(at("let x := 1\n|").0, Context::Start);
        assert_eq!(at("let x := fo|"), (Context::Expression, "fo".into()));
        assert_eq!(at("function f() {\n  |\n}").0, Context::Start);
    }

    #[test]
    fn lists() {
        assert!(matches!(at("Point { |").0, Context::StructField(_)));
        assert!(matches!(at("Point { a: 1, b| }").0, Context::StructField(_)));
        assert!(matches!(at("foo(|").0, Context::Argument(_)));
        assert!(matches!(at("foo(1, na|)").0, Context::Argument(_)));
        assert!(matches!(at("foo(bar(1), |").0, Context::Argument(_)));
        assert!(matches!(at("@spawn(A, |)").0, Context::Argument(_)));
        assert_eq!(at("foo(1, x + |)").0, Context::Expression);
        assert_eq!(at("foo([1, |])").0, Context::Expression);
        assert_eq!(at("foo(x => {\n  |\n})").0, Context::Start);
    }
}
