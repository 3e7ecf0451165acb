//! Expressions by precedence (L-35), from `=>` down to postfix; the operands are in `primary`.

use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{BinaryOp, ExprId, ExprKind, LambdaParam, Literal, TypeKind, UnaryOp};
use crate::syntax::lexer::Value;
use crate::syntax::parse::Parser;
use crate::syntax::token::TokenKind as T;

/// Binding strengths of L-35; a higher one binds tighter.
const IMPLIES: u8 = 1;
const COALESCE: u8 = 2;
const OR: u8 = 3;
const AND: u8 = 4;
const COMPARE: u8 = 5;
pub(super) const RANGE: u8 = 6;
const SUM: u8 = 7;
const PRODUCT: u8 = 8;

/// What stands between two operands.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOp),
    Is,
    Range { inclusive: bool },
}

fn infix(kind: T) -> Option<(u8, Infix)> {
    let binary = |strength, op| Some((strength, Infix::Binary(op)));
    match kind {
        T::Implies => binary(IMPLIES, BinaryOp::Implies),
        T::Iff => binary(IMPLIES, BinaryOp::Iff),
        T::Coalesce => binary(COALESCE, BinaryOp::Coalesce),
        T::OrOr => binary(OR, BinaryOp::Or),
        T::AndAnd => binary(AND, BinaryOp::And),
        T::EqEq => binary(COMPARE, BinaryOp::Eq),
        T::BangEq => binary(COMPARE, BinaryOp::Ne),
        T::Lt => binary(COMPARE, BinaryOp::Lt),
        T::Le => binary(COMPARE, BinaryOp::Le),
        T::Gt => binary(COMPARE, BinaryOp::Gt),
        T::Ge => binary(COMPARE, BinaryOp::Ge),
        T::In => binary(COMPARE, BinaryOp::In),
        T::Is => Some((COMPARE, Infix::Is)),
        T::DotDot => Some((RANGE, Infix::Range { inclusive: false })),
        T::DotDotEq => Some((RANGE, Infix::Range { inclusive: true })),
        T::Plus => binary(SUM, BinaryOp::Add),
        T::Minus => binary(SUM, BinaryOp::Sub),
        T::Star => binary(PRODUCT, BinaryOp::Mul),
        T::Slash => binary(PRODUCT, BinaryOp::Div),
        T::Percent => binary(PRODUCT, BinaryOp::Rem),
        _ => None,
    }
}

impl Parser<'_> {
    /// `expr = lambda | implies`
    pub(super) fn expr(&mut self) -> ExprId {
        self.deeper(Self::expr_here, Self::error_expr)
    }

    /// `head = expr`, without a struct literal at its top level (L-31).
    pub(super) fn head(&mut self) -> ExprId {
        let outer = std::mem::replace(&mut self.in_head, true);
        let head = self.expr();
        self.in_head = outer;
        head
    }

    /// A guard: `if a => b` is the guard `a`, not a lambda.
    pub(super) fn guard(&mut self) -> ExprId {
        self.binary(IMPLIES)
    }

    fn expr_here(&mut self) -> ExprId {
        self.warn_of_minus();
        if self.at_lambda() { self.lambda() } else { self.binary(IMPLIES) }
    }

    /// W0107: a line that begins with `-` after an expression.
    fn warn_of_minus(&mut self) {
        let before =
            |n| self.pos.checked_sub(n).and_then(|at| self.tokens.get(at)).map(|token| token.kind);
        let ends_expression = |kind| {
            let bracket = matches!(kind, T::RParen | T::RBracket | T::RBrace | T::Question);
            let literal = matches!(kind, T::Number | T::Money | T::Text | T::True | T::False);
            bracket || literal || matches!(kind, T::Name | T::TemplateEnd)
        };
        if self.at(T::Minus) && before(1) == Some(T::Sep) && before(2).is_some_and(ends_expression)
        {
            let message = "this line begins with `-` and is an expression of its own";
            let note = "to go on with the line before, end that line with the `-`";
            let here = self.here();
            self.diagnostics.push(Diagnostic::new(codes::W0107, here, message).note(note));
        }
    }

    /// `NAME =>`, or `( .. ) =>`
    fn at_lambda(&self) -> bool {
        if self.at(T::LParen) {
            let region = self.regions.get(self.pos);
            let after = (region.end as usize + 1).saturating_sub(self.pos);
            return region.closed && self.nth(after) == T::FatArrow;
        }
        self.at(T::Name) && self.nth(1) == T::FatArrow
    }

    fn lambda(&mut self) -> ExprId {
        let start = self.start();
        let mut params = Vec::new();
        if self.at(T::Name) {
            params.push(LambdaParam { name: self.take_ident(), ty: None });
        } else {
            let scope = self.enter();
            self.list("a parameter", |parser| {
                let name = parser.ident("the name of a parameter");
                let ty = parser.eat(T::Colon).then(|| parser.ty());
                params.push(LambdaParam { name, ty });
            });
            self.leave(scope);
        }
        self.bump();
        let body = if self.at(T::LBrace) && !self.record_ahead() {
            self.block_expr()
        } else {
            self.expr()
        };
        self.add_expr(ExprKind::Lambda { params, body }, self.since(start))
    }

    /// Operators of at least this strength around operands.
    pub(super) fn binary(&mut self, least: u8) -> ExprId {
        let start = self.start();
        let mut left = self.unary();
        let mut last = u8::MAX;
        while let Some((strength, op)) = infix(self.peek()) {
            // Only behind the pattern of `is` can something tighter follow; it does not belong to the whole.
            if strength < least || strength > last {
                break;
            }
            if strength == last && matches!(strength, COMPARE | RANGE) {
                self.chained(strength, op);
            }
            last = strength;
            left = self.operator(start, left, strength, op);
        }
        left
    }

    fn operator(&mut self, start: u32, left: ExprId, strength: u8, op: Infix) -> ExprId {
        let at = self.here();
        let doubled = self.peek();
        self.bump();
        if matches!(doubled, T::Plus | T::Star) && self.at(doubled) {
            // `++` or `**` of another language: one report, then on with the operand if there is one.
            self.expected("an expression");
            self.bump();
            if self.at_end_of_statement() || !self.starts_operand() {
                return self.add_expr(ExprKind::Error, self.since(start));
            }
        }
        let kind = match op {
            Infix::Is => ExprKind::Is { expr: left, pattern: self.pattern() },
            Infix::Range { inclusive } => {
                ExprKind::Range { start: left, end: self.binary(strength + 1), inclusive }
            }
            Infix::Binary(op) => {
                // `??` and the implications are right associative: their right side may be of the same strength.
                let right = if strength <= COALESCE {
                    self.deeper(|parser| parser.binary(strength), Self::error_expr)
                } else {
                    self.binary(strength + 1)
                };
                if strength == IMPLIES && !self.in_contract {
                    let message = "implications only stand in contracts";
                    self.diagnostics.push(Diagnostic::new(codes::E0604, at, message));
                }
                ExprKind::Binary { op, left, right }
            }
        };
        self.add_expr(kind, self.since(start))
    }

    /// A second comparison or range at the same level.
    fn chained(&mut self, strength: u8, op: Infix) {
        if strength == RANGE {
            return self.expected("the end of the range");
        }
        let here = self.here();
        let mut diagnostic = Diagnostic::new(codes::E0110, here, "comparisons cannot be chained")
            .note("write `a < b && b < c`, or put one comparison in parentheses");
        if matches!(op, Infix::Binary(BinaryOp::Gt)) {
            diagnostic = diagnostic.note(
                "if type arguments are meant: they are not written in expressions, annotate instead: `let xs : List<Int> := []`",
            );
        }
        self.report(diagnostic);
    }

    /// `unary = ("-" | "!" | "try") unary | cast`
    fn unary(&mut self) -> ExprId {
        let start = self.start();
        let op = match self.peek() {
            T::Minus => UnaryOp::Neg,
            T::Bang => UnaryOp::Not,
            T::Try if !self.try_block_ahead() => {
                self.bump();
                let expr = self.deeper(Self::unary, Self::error_expr);
                return self.add_expr(ExprKind::Try(expr), self.since(start));
            }
            _ => return self.cast(),
        };
        self.bump();
        if op == UnaryOp::Neg && matches!(self.value(), Some(Value::MinInt)) {
            self.bump();
            let least = Literal::Int { value: i64::MIN, decimal: true };
            return self.add_expr(ExprKind::Literal(least), self.since(start));
        }
        let expr = self.deeper(Self::unary, Self::error_expr);
        self.add_expr(ExprKind::Unary { op, expr }, self.since(start))
    }

    fn try_block_ahead(&self) -> bool {
        self.nth(1) == T::LBrace && !self.record_ahead_at(1)
    }

    /// `cast = awaited ("as" "?"? type)*`
    fn cast(&mut self) -> ExprId {
        let start = self.start();
        let mut expr = self.awaited();
        while self.eat(T::As) {
            let optional = self.eat(T::Question);
            let ty = self.ty();
            expr = self.add_expr(ExprKind::Cast { expr, ty, optional }, self.since(start));
        }
        expr
    }

    /// `awaited = "await" awaited | postfix`
    fn awaited(&mut self) -> ExprId {
        let start = self.start();
        if !self.eat(T::Await) {
            return self.postfix();
        }
        let expr = self.deeper(Self::awaited, Self::error_expr);
        self.add_expr(ExprKind::Await(expr), self.since(start))
    }

    fn postfix(&mut self) -> ExprId {
        let start = self.start();
        let mut expr = self.primary();
        loop {
            let kind = match self.peek() {
                T::Dot => self.selection(expr),
                T::LParen => ExprKind::Call { callee: expr, args: self.args() },
                T::LBracket => self.index(expr),
                T::Question => {
                    self.bump();
                    ExprKind::Question(expr)
                }
                _ => return expr,
            };
            expr = self.add_expr(kind, self.since(start));
        }
    }

    /// `.name` or `.0`
    fn selection(&mut self, base: ExprId) -> ExprKind {
        self.bump();
        match (self.peek(), self.value()) {
            (T::Number, Some(Value::Literal(Literal::Int { value, .. }))) => {
                let index = u32::try_from(*value).unwrap_or(u32::MAX);
                self.bump();
                ExprKind::TupleField { base, index }
            }
            (T::Match, _) if self.nth(1) == T::LParen => {
                let here = self.here();
                let message =
                    "`match` is a reserved word; a text is tried against a pattern by `matches`";
                self.report(Diagnostic::new(codes::E0104, here, message).fix(
                    "write `matches`",
                    here,
                    "matches",
                ));
                ExprKind::Field { base, name: self.take_ident() }
            }
            _ => ExprKind::Field { base, name: self.ident("the name of a field or method") },
        }
    }

    fn index(&mut self, base: ExprId) -> ExprKind {
        let scope = self.enter();
        let index = self.expr();
        self.leave(scope);
        ExprKind::Index { base, index }
    }

    /// A type that is missing.
    pub(super) fn error_type(&mut self) -> crate::syntax::ast::TypeRefId {
        let span = self.missing();
        self.add_type(TypeKind::Error, span)
    }
}
