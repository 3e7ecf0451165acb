//! Statements and blocks.

use crate::diag::{Diagnostic, codes};
use crate::syntax::ast::{
    ArmBody, AssignOp, Block, Diverge, ExprId, ExprKind, IntrinsicKind, LoopSpec, StmtId, StmtKind,
};
use crate::syntax::brackets::only_starts_statement;
use crate::syntax::intrinsics;
use crate::syntax::parse::Parser;
use crate::syntax::parse::signature::{Front, SignatureKind};
use crate::syntax::token::TokenKind as T;

fn assign_op(kind: T) -> Option<AssignOp> {
    match kind {
        T::Eq => Some(AssignOp::Set),
        T::PlusEq => Some(AssignOp::Add),
        T::MinusEq => Some(AssignOp::Sub),
        T::StarEq => Some(AssignOp::Mul),
        T::SlashEq => Some(AssignOp::Div),
        T::PercentEq => Some(AssignOp::Rem),
        _ => None,
    }
}

impl Parser<'_> {
    /// `block = "{" List(stmt) "}"`, its `{` perhaps on the next line.
    pub(super) fn block(&mut self) -> Block {
        if !self.at_block() {
            self.expected("`{` and a block");
            return Block { stmts: Vec::new(), span: self.missing() };
        }
        self.eat(T::Sep);
        self.deeper(Self::block_here, |parser| Block { stmts: Vec::new(), span: parser.missing() })
    }

    fn block_here(&mut self) -> Block {
        let start = self.start();
        let scope = self.enter();
        let mut stmts = Vec::new();
        self.no_separator("a statement");
        loop {
            while self.peek().separates() {
                self.bump();
            }
            if self.at(T::End) {
                break;
            }
            let before = self.pos;
            stmts.push(self.inner_stmt());
            self.after_stmt(before);
        }
        self.leave(scope);
        Block { stmts, span: self.since(start) }
    }

    /// After a statement that began at `before`: a separator, or a report and the way to go on.
    pub(super) fn after_stmt(&mut self, before: usize) {
        if self.peek().separates() || self.at(T::End) {
            return;
        }
        // A command ends a statement of the cell; where nothing was read it stands inside a block.
        if self.at(T::Command) && self.pos != before {
            return;
        }
        if self.pos == before {
            self.expected("a statement");
            self.bump_over();
            return self.skip_to_separator();
        }
        if self.at_line_start() {
            return;
        }
        if self.starts_operand() && self.reported != self.pos && self.hint().is_none() {
            let message = format!("expected a new line or `;` before {}", self.found());
            let at = crate::source::Span::at(self.previous_end());
            return self.report(Diagnostic::new(codes::E0107, self.here(), message).fix(
                "insert `;`",
                at,
                ";",
            ));
        }
        self.expected("the end of the statement");
        self.skip_to_separator();
    }

    /// A statement where items cannot stand.
    fn inner_stmt(&mut self) -> StmtId {
        if !self.at_item() || self.at(T::Function) {
            return self.stmt();
        }
        let attrs = self.skip_attrs(0);
        let is_function = self.nth(attrs) == T::Function;
        if is_function || self.nth(attrs) == T::End {
            return self.attributed_in_block();
        }
        let word = self.nth_text(attrs);
        let message = format!("`{word}` can only be declared at the top level");
        self.report(Diagnostic::new(codes::E0119, self.here(), message));
        let start = self.start();
        let outer = std::mem::replace(&mut self.reported, usize::MAX);
        self.item();
        self.reported = outer;
        self.add_stmt(StmtKind::Error, self.since(start))
    }

    /// Attributes inside a block: nothing there takes them.
    fn attributed_in_block(&mut self) -> StmtId {
        let mut attrs = Vec::new();
        while self.at(T::At) && self.nth(1) == T::Name {
            let span = self.here();
            match intrinsics::lookup(self.nth_text(1)) {
                Some(row) => self.misplaced(row, span),
                None => self.unknown_intrinsic(self.nth_text(1), span),
            }
            attrs.push(self.attr());
        }
        if self.at(T::Function) {
            return self.nested_function(Front { doc: None, attrs });
        }
        self.add_stmt(StmtKind::Error, self.missing())
    }

    fn nested_function(&mut self, front: Front) -> StmtId {
        let start = self.start();
        self.bump();
        let function = self.function(front, start, SignatureKind::Function);
        self.add_stmt(StmtKind::Function(Box::new(function)), self.since(start))
    }

    pub(super) fn stmt(&mut self) -> StmtId {
        let start = self.start();
        let kind = match self.peek() {
            T::Let | T::Var => self.let_stmt(),
            T::Require => self.require_stmt(),
            T::Assert => self.assert_stmt(),
            T::Return => self.return_stmt(),
            T::Break => self.word(StmtKind::Break),
            T::Continue => self.word(StmtKind::Continue),
            T::For => self.for_stmt(),
            T::While => self.while_stmt(),
            T::Loop => {
                self.bump();
                StmtKind::Loop(self.block())
            }
            T::Function => {
                let doc = self.doc();
                return self.nested_function(Front { doc, attrs: Vec::new() });
            }
            T::At => self.at_stmt(),
            T::Name if self.nth(1) == T::ColonEq => {
                let name = self.take_ident();
                self.bump();
                StmtKind::Declare { name, value: self.expr() }
            }
            _ => self.expr_stmt(),
        };
        self.add_stmt(kind, self.since(start))
    }

    fn word(&mut self, kind: StmtKind) -> StmtKind {
        self.bump();
        kind
    }

    /// `("let" | "var") pattern (":" type)? (":=" | "=") expr ("else" diverge)?`
    fn let_stmt(&mut self) -> StmtKind {
        let mutable = self.at(T::Var);
        self.bump();
        let pattern = self.pattern();
        let ty = self.eat(T::Colon).then(|| self.ty());
        let value = if self.eat(T::ColonEq) || self.eat(T::Eq) {
            self.expr()
        } else {
            self.expected("`:=` and a value");
            self.error_expr()
        };
        let otherwise = self.eat(T::Else).then(|| self.diverge());
        StmtKind::Let { mutable, pattern, ty, value, otherwise }
    }

    fn require_stmt(&mut self) -> StmtKind {
        self.bump();
        let cond = self.expr();
        let otherwise = self.eat(T::Else).then(|| self.diverge());
        self.no_message();
        StmtKind::Require { cond, otherwise }
    }

    /// `require c, "why"`: the text is a statement of its own that does nothing.
    fn no_message(&mut self) {
        let text = self.nth(1);
        if !self.at(T::Comma) || !matches!(text, T::Text | T::TemplateStart) || self.muted {
            return;
        }
        let here = self.here();
        let message =
            "`require` takes no text; what stands behind the comma is a statement of its own";
        self.diagnostics.push(Diagnostic::new(codes::W0402, here, message).note(
            "`assert c, \"why\"` says why; `require c else { return Err(\"why\") }` gives it back",
        ));
    }

    fn assert_stmt(&mut self) -> StmtKind {
        self.bump();
        let cond = self.expr();
        // A comma also separates, so one that nothing follows belongs to the list.
        let next = self.nth(1);
        let more = !next.separates() && next != T::End && !only_starts_statement(next);
        let message = (self.at(T::Comma) && more).then(|| {
            self.bump();
            self.expr()
        });
        StmtKind::Assert { cond, message }
    }

    fn return_stmt(&mut self) -> StmtKind {
        self.bump();
        StmtKind::Return(self.operand_of_return())
    }

    fn operand_of_return(&mut self) -> Option<ExprId> {
        (!self.at_end_of_statement()).then(|| self.expr())
    }

    /// `diverge = "return" expr? | "break" | "continue" | block`
    fn diverge(&mut self) -> Diverge {
        match self.peek() {
            T::Return => {
                self.bump();
                Diverge::Return(self.operand_of_return())
            }
            T::Break => {
                self.bump();
                Diverge::Break
            }
            T::Continue => {
                self.bump();
                Diverge::Continue
            }
            T::LBrace => Diverge::Block(self.block()),
            _ => {
                self.expected("`return`, `break`, `continue` or a block");
                if !self.at_end_of_statement() && !self.at_line_start() {
                    self.expr();
                }
                Diverge::Block(Block { stmts: Vec::new(), span: self.missing() })
            }
        }
    }

    fn for_stmt(&mut self) -> StmtKind {
        self.bump();
        let pattern = self.pattern();
        if !self.expect(T::In) && (self.at_word("of") || self.at(T::Colon) || self.at(T::Eq)) {
            self.bump();
        }
        let iterable = self.head();
        let specs = self.loop_specs();
        StmtKind::For { pattern, iterable, specs, body: self.block() }
    }

    fn while_stmt(&mut self) -> StmtKind {
        self.bump();
        let cond = self.cond();
        let specs = self.loop_specs();
        StmtKind::While { cond, specs, body: self.block() }
    }

    /// `loop_spec = SEP? ("invariant" head | "decreases" head)`
    fn loop_specs(&mut self) -> Vec<LoopSpec> {
        let mut specs = Vec::new();
        loop {
            let n = usize::from(self.at(T::Sep));
            let spec = match (self.nth(n), self.nth_text(n)) {
                (T::Name, "invariant") => LoopSpec::Invariant,
                (T::Name, "decreases") => LoopSpec::Decreases,
                _ => return specs,
            };
            (0..=n).for_each(|_| self.bump());
            specs.push(spec(self.contract_head()));
        }
    }

    /// `@hint(..)`, `@label name`, or an expression.
    fn at_stmt(&mut self) -> StmtKind {
        match intrinsics::lookup(self.nth_text(1)).map(|row| row.kind) {
            Some(IntrinsicKind::Hint) => {
                self.bump();
                let name = self.take_ident();
                let args = if self.at(T::LParen) { self.args() } else { Vec::new() };
                StmtKind::Hint { name, args }
            }
            Some(IntrinsicKind::Label) => {
                self.bump();
                let name = self.take_ident();
                StmtKind::Label { name, label: self.ident("the name of a checkpoint") }
            }
            _ => self.expr_stmt(),
        }
    }

    /// An expression, or an assignment to a place.
    fn expr_stmt(&mut self) -> StmtKind {
        let parenthesised = self.at(T::LParen);
        let start = self.start();
        let place = self.expr();
        let Some(op) = assign_op(self.peek()) else { return StmtKind::Expr(place) };
        if parenthesised || !self.is_place(place) {
            let span = self.since(start).shifted(self.base);
            let message = "this cannot be assigned";
            let note = "a place is a name, a field of a place, or an element of a place";
            self.report(Diagnostic::new(codes::E0111, span, message).note(note));
        }
        self.bump();
        StmtKind::Assign { place, op, value: self.expr() }
    }

    fn is_place(&self, expr: ExprId) -> bool {
        match &self.body[expr].kind {
            ExprKind::Name(_) | ExprKind::Error => true,
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => self.is_place(*base),
            _ => false,
        }
    }

    /// `stmt_expr`: an expression, `return`, `break`, `continue` or an assignment.
    pub(super) fn arm_body(&mut self) -> ArmBody {
        let start = self.start();
        let kind = match self.peek() {
            T::Return => self.return_stmt(),
            T::Break => self.word(StmtKind::Break),
            T::Continue => self.word(StmtKind::Continue),
            _ => match self.expr_stmt() {
                StmtKind::Expr(expr) => return ArmBody::Expr(expr),
                assignment => assignment,
            },
        };
        ArmBody::Stmt(self.add_stmt(kind, self.since(start)))
    }
}
