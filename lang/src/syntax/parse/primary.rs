//! Operands: literals, names, parentheses, lists, arguments, `if`, `match`, quantifiers. Braces, texts and `@` forms are beside.

use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{
    Arg, Arm, ArmBody, BinaryOp, Binder, BinderDomain, Cond, ExprId, ExprKind, Quantifier,
};
use crate::syntax::parse::expr::RANGE;
use crate::syntax::parse::{Parser, closes};
use crate::syntax::token::TokenKind as T;
use crate::syntax::words;

impl<'a> Parser<'a> {
    pub(super) fn primary(&mut self) -> ExprId {
        let start = self.start();
        let kind = match self.peek() {
            T::Number | T::Money | T::Text | T::True | T::False => {
                self.take_literal().map_or(ExprKind::Error, ExprKind::Literal)
            }
            T::TemplateStart => self.template(),
            T::Name => self.name_expr(),
            T::LParen => return self.paren(),
            T::LBracket => ExprKind::List(self.exprs()),
            T::LBrace => self.braces(),
            T::If => self.if_expr(),
            T::Match => self.match_expr(),
            T::Try => {
                self.bump();
                ExprKind::Try(self.block_expr())
            }
            T::At => self.intrinsic(),
            _ => return self.no_operand(),
        };
        self.add_expr(kind, self.since(start))
    }

    fn no_operand(&mut self) -> ExprId {
        let word = self.peek().is_keyword() && !self.at_line_start();
        let fits =
            matches!(self.peek(), T::As | T::Enum | T::Function | T::Import | T::Struct | T::Await);
        let doubled = self.hint().is_some() && self.at(T::Plus);
        self.expected("an expression");
        if doubled || (word && fits) {
            self.bump();
        }
        self.error_expr()
    }

    fn name_expr(&mut self) -> ExprKind {
        if let Some(quantifier) = self.quantifier_ahead() {
            return self.quantified(quantifier);
        }
        if let Some(path) = self.struct_path() {
            return self.struct_literal(path);
        }
        let name = self.nth_text(0);
        self.bump();
        ExprKind::Name(self.intern(name))
    }

    fn quantifier_ahead(&self) -> Option<Quantifier> {
        let bound = self.nth(1) == T::Name && matches!(self.nth(2), T::Colon | T::In);
        match self.nth_text(0) {
            word if !bound || !words::QUANTIFIER.contains(&word) => None,
            "forall" => Some(Quantifier::Forall),
            _ => Some(Quantifier::Exists),
        }
    }

    /// `("forall" | "exists") binder ("," binder)* "=>" expr`
    fn quantified(&mut self, quantifier: Quantifier) -> ExprKind {
        if !self.in_contract {
            let message = "quantifiers only stand in contracts";
            let here = self.here();
            self.diagnostics.push(Diagnostic::new(codes::E0604, here, message));
        }
        self.bump();
        let mut binders = Vec::new();
        loop {
            let name = self.ident("the name of a variable");
            let domain = if self.eat(T::Colon) {
                BinderDomain::Type(self.ty())
            } else {
                self.expect(T::In);
                BinderDomain::In(self.binary(RANGE))
            };
            binders.push(Binder { name, domain });
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.expect(T::FatArrow);
        ExprKind::Quantifier { quantifier, binders, body: self.expr() }
    }

    /// `()`, `(a)`, `(a, b)`
    fn paren(&mut self) -> ExprId {
        let start = self.start();
        let elements = self.exprs();
        match elements.as_slice() {
            [single] => *single,
            _ => self.add_expr(ExprKind::Tuple(elements), self.since(start)),
        }
    }

    /// Expressions in the bracket at the position.
    fn exprs(&mut self) -> Vec<ExprId> {
        let scope = self.enter();
        let mut elements = Vec::new();
        self.list("an element", |parser| {
            let element = parser.expr();
            elements.push(element);
        });
        self.leave(scope);
        elements
    }

    /// `if_expr = "if" cond block ("else" (block | if_expr))?`
    fn if_expr(&mut self) -> ExprKind {
        self.bump();
        let cond = self.cond();
        let then = self.block();
        let otherwise = self.eat(T::Else).then(|| {
            if self.at(T::If) {
                self.deeper(Self::primary, Self::error_expr)
            } else {
                self.block_expr()
            }
        });
        ExprKind::If { cond, then, otherwise }
    }

    /// `cond = "let" pattern (":=" | "=") head | head`
    pub(super) fn cond(&mut self) -> Cond {
        if !self.eat(T::Let) {
            let head = self.head();
            return Cond::Expr(self.not_assigned(head));
        }
        let pattern = self.pattern();
        if !self.eat(T::Eq) {
            self.expect(T::ColonEq);
        }
        Cond::Let { pattern, value: self.head() }
    }

    /// `if a = b {`: say that a comparison is `==` and take it as one.
    fn not_assigned(&mut self, left: ExprId) -> ExprId {
        if !self.at(T::Eq) {
            return left;
        }
        let here = self.here();
        let message = "a condition compares with `==`; `=` assigns";
        self.report(Diagnostic::new(codes::E0101, here, message).fix("write `==`", here, "=="));
        let start = self.body[left].span.start + self.base;
        self.bump();
        let right = self.head();
        self.add_expr(ExprKind::Binary { op: BinaryOp::Eq, left, right }, self.since(start))
    }

    fn match_expr(&mut self) -> ExprKind {
        self.bump();
        let scrutinee = self.head();
        let mut arms = Vec::new();
        if !self.at_block() {
            self.expected("`{` and the arms");
            return ExprKind::Match { scrutinee, arms };
        }
        self.eat(T::Sep);
        let scope = self.enter();
        self.list("an arm", |parser| {
            let arm = parser.arm();
            arms.push(arm);
        });
        self.leave(scope);
        ExprKind::Match { scrutinee, arms }
    }

    /// `pattern ("if" expr)? "=>" (block | stmt_expr)`
    fn arm(&mut self) -> Arm {
        let start = self.start();
        let pattern = self.pattern();
        let guard = self.eat(T::If).then(|| self.guard());
        if self.at(T::Arrow) || self.at(T::Colon) {
            self.expected("`=>`");
            self.bump();
        } else if !self.eat(T::FatArrow) {
            self.expected("`=>`");
            let body = ArmBody::Expr(self.error_expr());
            return Arm { pattern, guard, body, span: self.since(start) };
        }
        let body = if self.at(T::LBrace) && !self.record_ahead() {
            ArmBody::Expr(self.block_expr())
        } else {
            self.arm_body()
        };
        Arm { pattern, guard, body, span: self.since(start) }
    }

    /// A block as a value.
    pub(super) fn block_expr(&mut self) -> ExprId {
        let start = self.start();
        let block = self.block();
        let span = self.since(start);
        self.add_expr(ExprKind::Block(block), span)
    }

    /// `args = "(" List(arg) ")"`
    pub(super) fn args(&mut self) -> Vec<Arg> {
        let scope = self.enter();
        let mut args = Vec::new();
        self.list("an argument", |parser| {
            let arg = parser.arg();
            args.push(arg);
        });
        self.leave(scope);
        args
    }

    /// `arg = (NAME ":")? "ref"? expr`
    fn arg(&mut self) -> Arg {
        let start = self.start();
        let named = self.nth(1) == T::Colon && (self.at(T::Name) || self.peek().is_keyword());
        let name = named.then(|| self.ident("the name of a parameter"));
        if named {
            self.expect(T::Colon);
        }
        let by_ref = self.at_word("ref") && self.nth(1) == T::Name;
        if by_ref {
            self.bump();
        }
        let value = self.expr();
        Arg { name, by_ref, value, span: self.since(start) }
    }

    /// Whether nothing of an expression follows `return`.
    pub(super) fn at_end_of_statement(&self) -> bool {
        self.peek().separates() || self.at(T::End) || closes(self.peek())
    }
}
