//! Assignments: places, compound operators, and `xs.push(1)` as a statement (L-50, section 18).

use crate::diag::{Diagnostic, codes};
use crate::hir::{
    self, ExprKind, Pattern, PatternKind, Place, PlaceRoot, PlaceStep, Stmt, StmtKind,
};
use crate::source::Span;
use crate::syntax::ast::{self, AssignOp, ExprId, Ident};
use crate::types::def::Passing;
use crate::types::infer::args::is_simple;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::{Expect, Infer, Owner, expr};
use crate::types::ty::{Name, Ty};

/// Members that give the changed copy and, as a statement on a place, change it.
pub const CHANGING: &[&str] = &["push", "pop", "insert", "remove", "set"];

impl Infer<'_, '_> {
    pub fn assignment(
        &mut self,
        target: ExprId,
        op: AssignOp,
        value: ExprId,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        self.refused_in_clause("an assignment", span);
        let Some(mut place) = self.place(target, value) else {
            self.infer(value);
            return;
        };
        let value = match binary_of(op) {
            None => {
                let ty = place.ty.clone();
                self.check(value, &ty)
            }
            Some(op) => {
                self.fix_indices(&mut place, out);
                let current = self.read(&place, self.span(target));
                let hint = match self.shallow(&place.ty) {
                    Ty::Float => Expect::Is(Ty::Float),
                    _ => Expect::Nothing,
                };
                let right = self.expr(value, &hint);
                let result = self.operate(op, current, right, span);
                let ty = place.ty.clone();
                self.coerce(result, &ty)
            }
        };
        out.push(Stmt { kind: StmtKind::Assign { place, value }, span });
    }

    /// Where an assignment goes; reports why it cannot.
    pub fn place(&mut self, id: ExprId, value: ExprId) -> Option<Place> {
        let body = self.body;
        let span = body[id].span;
        match &body[id].kind {
            ast::ExprKind::Name(name) => self.root(&name.text(), span, Some(value)),
            ast::ExprKind::Field { base, name } => {
                if self.own_field_of_self(*base, name, span) {
                    return None;
                }
                let mut place = self.place(*base, value)?;
                let container = self.shallow(&place.ty);
                self.alone(&container, name);
                let (index, ty) = self.field_place(&container, name)?;
                place.path.push(PlaceStep::Field { container, index });
                place.ty = ty;
                Some(place)
            }
            ast::ExprKind::TupleField { base, index } => {
                let mut place = self.place(*base, value)?;
                let container = self.shallow(&place.ty);
                let Ty::Tuple(items) = &container else { return None };
                place.ty = items.get(*index as usize)?.clone();
                place.path.push(PlaceStep::Field { container, index: *index });
                Some(place)
            }
            ast::ExprKind::Index { base, index } => {
                let mut place = self.place(*base, value)?;
                let container = self.shallow(&place.ty);
                let (key, ty) = match &container {
                    Ty::List(element) => (Ty::Int, (**element).clone()),
                    Ty::Vector => (Ty::Int, Ty::Float),
                    Ty::Map(key, value) => ((**key).clone(), (**value).clone()),
                    Ty::Error => return None,
                    other => {
                        let ty = self.table.resolve(other);
                        let message = format!("elements of `{ty}` cannot be assigned");
                        self.report(Diagnostic::new(codes::E0205, span, message));
                        return None;
                    }
                };
                let index = self.check(*index, &key);
                place.path.push(PlaceStep::Index { container, index });
                place.ty = ty;
                Some(place)
            }
            ast::ExprKind::Error => None,
            _ => {
                let message = "this is not a place that can be assigned";
                self.report(Diagnostic::new(codes::E0205, span, message));
                None
            }
        }
    }

    fn field_place(&mut self, container: &Ty, name: &Ident) -> Option<(u32, Ty)> {
        let probe = expr(ExprKind::Unit, container.clone(), name.span);
        let before = self.diagnostics.len();
        let found = self.field_of(probe, name, name.span, &Expect::Nothing);
        match found.kind {
            ExprKind::Field { index, .. } => Some((index, found.ty)),
            _ => {
                if self.diagnostics.len() == before && found.ty != Ty::Error {
                    let message = format!("`{}` is not a field and cannot be assigned", name.name);
                    self.report(Diagnostic::new(codes::E0205, name.span, message));
                }
                None
            }
        }
    }

    /// The variable at the root. `declares`: the value, for the fix of an undeclared name.
    fn root(&mut self, name: &Name, span: Span, declares: Option<ExprId>) -> Option<Place> {
        if let Some(id) = self.local(name) {
            if !self.is_mutable(id) {
                self.not_assignable(name, span);
                return None;
            }
            if self.is_outside_task(id) {
                self.outside_task(&format!("`{name}` of the code around it"), span);
                return None;
            }
            if self.is_captured(id) {
                // A lambda has the variable itself; a nested function has the value it had (L-54).
                if self.frame().kind == FrameKind::Function {
                    let message = format!(
                        "a nested function cannot assign `{name}` of the function around it"
                    );
                    self.report(Diagnostic::new(codes::E0502, span, message).note(
                        "give the new value back, or use a lambda: it has the variable itself",
                    ));
                    return None;
                }
                if self.passing(id) == Passing::Ref {
                    let message =
                        format!("a lambda cannot capture `{name}`, a `ref`, to assign it");
                    self.report(Diagnostic::new(codes::E0502, span, message).note(
                        "it is the caller's, and only passed down: assign a `var` here, and `ref` after it",
                    ));
                    return None;
                }
                self.share(id);
            }
            let ty = self.local_ty(id);
            return Some(Place { root: PlaceRoot::Local(id), path: Vec::new(), ty });
        }
        if let Owner::Agent(agent) = self.owner.clone()
            && let Some((at, field)) = agent.field(name)
        {
            if (at as usize) < agent.state_start() {
                let message = format!("`{name}` is not state and cannot be assigned");
                self.report(Diagnostic::new(codes::E0205, span, message));
                return None;
            }
            if self.is_in_task() {
                self.outside_task(&format!("`{name}`, the state of its agent"), span);
                return None;
            }
            if agent.fixed.contains(name) {
                self.not_assignable(name, span);
                return None;
            }
            let root = PlaceRoot::AgentField(at);
            return Some(Place { root, path: Vec::new(), ty: field.ty.clone() });
        }
        if matches!(&self.owner, Owner::Tool(tool) if tool.fields.iter().any(|f| f.name == *name)) {
            let message = format!("`{name}` is a field of the tool and cannot be assigned");
            let note = "what a tool holds is set when it is made; what changes belongs in an agent";
            self.report(Diagnostic::new(codes::E0205, span, message).note(note));
            return None;
        }
        self.global_root(name, span, declares)
    }

    fn global_root(&mut self, name: &Name, span: Span, declares: Option<ExprId>) -> Option<Place> {
        let found = match self.declared(name) {
            Some(global) => Some((global.ty, global.mutable)),
            None => match self.definition(name) {
                Some(crate::types::def::Definition::Global(global)) => {
                    Some((global.ty.clone(), global.mutable))
                }
                Some(other) => {
                    let message = format!("`{name}` is {} and cannot be assigned", other.kind());
                    self.report(Diagnostic::new(codes::E0205, span, message));
                    return None;
                }
                None => None,
            },
        };
        let Some((ty, mutable)) = found else {
            self.no_such_place(name, span, declares);
            return None;
        };
        if matches!(self.owner, Owner::Agent(_)) {
            let message = format!("an agent cannot assign the global `{name}`");
            self.report(
                Diagnostic::new(codes::E0506, span, message)
                    .note("keep it in the agent's `state`, or send it as a message"),
            );
            return None;
        }
        if self.is_in_task() {
            let message = format!("a task cannot assign the global `{name}`");
            self.report(
                Diagnostic::new(codes::E0506, span, message)
                    .note("give the value as the task's result and assign what `await` gives"),
            );
            return None;
        }
        if !mutable {
            self.not_assignable(name, span);
            return None;
        }
        self.facts.assigns.insert(name.clone());
        self.facts.assigned_at.push((name.clone(), span));
        self.effect("global", span);
        Some(Place { root: PlaceRoot::Global(name.clone()), path: Vec::new(), ty })
    }

    /// Tells why nothing of this name can be assigned.
    fn no_such_place(&mut self, name: &Name, span: Span, declares: Option<ExprId>) {
        if &**name == "self" {
            let message = "`self` cannot be assigned";
            let note = match self.owner {
                Owner::Agent(_) => "an agent's state has names of its own: `count += 1`",
                _ => "values do not change: give back a new one, `Point { x: 1, ..self }`",
            };
            self.report(Diagnostic::new(codes::E0205, span, message).note(note));
            return;
        }
        if &**name == "this" {
            self.undefined_name(name, span);
            return;
        }
        if self.first_time_missing(name) {
            let message = format!("`{name}` is not declared");
            let diagnostic =
                Diagnostic::new(codes::E0202, span, message).note("`:=` declares, `=` assigns");
            let fix = declares.map(|value| {
                let end = self.span(value).start;
                (Span::new(span.end, end.max(span.end)), " := ".to_owned())
            });
            self.report(match fix {
                Some((at, text)) => {
                    diagnostic.fix(format!("declare it: `{name} := ...`"), at, text)
                }
                None => diagnostic,
            });
        }
    }

    fn not_assignable(&mut self, name: &Name, span: Span) {
        if &**name == "self" {
            let message = "`self` is a value and cannot be changed";
            let note = "a method gives back a changed copy: `function inc(self) -> P { return P { x: self.x + 1, ..self } }`, and `p = p.inc()` keeps it; with `ref self` it changes the variable it is called on";
            return self.report(Diagnostic::new(codes::E0205, span, message).note(note));
        }
        let message = format!("`{name}` is bound once and cannot be assigned");
        self.report(
            Diagnostic::new(codes::E0205, span, message)
                .note(format!("declare it with `var {name} := ...` to assign it later")),
        );
    }

    /// The value at a place.
    pub fn read(&mut self, place: &Place, span: Span) -> hir::Expr {
        let mut ty = self.root_ty(place);
        let kind = match &place.root {
            PlaceRoot::Local(id) => ExprKind::Local(*id),
            PlaceRoot::Global(name) => ExprKind::Global(name.clone()),
            PlaceRoot::AgentField(at) => ExprKind::AgentField(*at),
        };
        let mut value = expr(kind, ty.clone(), span);
        for (at, step) in place.path.iter().enumerate() {
            ty = match place.path.get(at + 1) {
                Some(PlaceStep::Field { container, .. } | PlaceStep::Index { container, .. }) => {
                    container.clone()
                }
                None => place.ty.clone(),
            };
            value = match step {
                PlaceStep::Field { index, .. } => {
                    let kind = ExprKind::Field { base: Box::new(value), index: *index };
                    expr(kind, ty.clone(), span)
                }
                PlaceStep::Index { index, .. } => {
                    self.operator_call("[]", vec![value, index.clone()], span)
                }
            };
        }
        value
    }

    fn root_ty(&self, place: &Place) -> Ty {
        match place.path.first() {
            Some(PlaceStep::Field { container, .. } | PlaceStep::Index { container, .. }) => {
                container.clone()
            }
            None => place.ty.clone(),
        }
    }

    /// Indices that cost something are computed once, before the place is read and written.
    pub fn fix_indices(&mut self, place: &mut Place, out: &mut Vec<Stmt>) {
        self.fix_unless(place, is_simple, out);
    }

    /// The same where the call itself may change a variable that is an index: the place stays the one it was (L-42).
    pub fn fix_lent_indices(&mut self, place: &mut Place, out: &mut Vec<Stmt>) {
        self.fix_unless(place, is_literal, out);
    }

    fn fix_unless(
        &mut self,
        place: &mut Place,
        stays: fn(&hir::Expr) -> bool,
        out: &mut Vec<Stmt>,
    ) {
        for step in &mut place.path {
            let PlaceStep::Index { index, .. } = step else { continue };
            if stays(index) {
                continue;
            }
            let (ty, span) = (index.ty.clone(), index.span);
            let local = self.temporary(ty.clone(), span);
            let read = expr(ExprKind::Local(local), ty.clone(), span);
            let value = std::mem::replace(index, read);
            let pattern = Pattern { kind: PatternKind::Bind(local), ty, span };
            out.push(Stmt { kind: StmtKind::Let { pattern, value }, span });
        }
    }

    /// Whether a whole statement is `place.push(..)` and the like on a builtin collection: the place.
    pub fn statement_form(&self, id: ExprId) -> Option<ExprId> {
        let ast::ExprKind::Call { callee, .. } = &self.body[id].kind else { return None };
        let ast::ExprKind::Field { base, name } = &self.body[*callee].kind else { return None };
        (CHANGING.contains(&name.name.as_str()) && self.is_place(*base)).then_some(*base)
    }

    pub fn is_place(&self, id: ExprId) -> bool {
        match &self.body[id].kind {
            ast::ExprKind::Name(name) => {
                let name = name.text();
                self.is_own_name(&name)
                    || self.is_declared(&name)
                    || matches!(
                        self.definition(&name),
                        Some(crate::types::def::Definition::Global(_))
                    )
            }
            ast::ExprKind::Field { base, .. }
            | ast::ExprKind::TupleField { base, .. }
            | ast::ExprKind::Index { base, .. } => self.is_place(*base),
            _ => false,
        }
    }

    /// `xs.push(1)` as a statement: `xs = xs.push(1)`.
    pub fn changing_call(&mut self, target: ExprId, call: ExprId, span: Span, out: &mut Vec<Stmt>) {
        let body = self.body;
        let ast::ExprKind::Call { callee, args } = &body[call].kind else { return };
        let ast::ExprKind::Field { name, .. } = &body[*callee].kind else { return };
        let probe = self.diagnostics.len();
        let value = self.infer(target);
        let ty = self.shallow(&value.ty);
        let changes = matches!(ty, Ty::List(_) | Ty::Set(_) | Ty::Map(..) | Ty::Vector);
        let id = self.overload(&ty, name.name.as_str(), args).filter(|_| changes);
        let Some(id) = id else {
            // Not a collection after all: an ordinary call.
            self.diagnostics.truncate(probe);
            let value = self.expected(call, &Expect::Discard);
            out.push(crate::types::infer::stmt::expr_stmt(value));
            return;
        };
        self.diagnostics.truncate(probe);
        let Some(mut place) = self.place(target, call) else {
            self.says_it_assigns(probe, target, name);
            return;
        };
        self.fix_indices(&mut place, out);
        let current = self.read(&place, self.span(target));
        let changed = self.call_builtin(id, Some(current), args, span, &Expect::Nothing);
        let ty = place.ty.clone();
        let value = self.coerce(changed, &ty);
        out.push(Stmt { kind: StmtKind::Assign { place, value }, span });
    }

    /// Adds to what was refused since `from` that a call as a statement is an assignment.
    fn says_it_assigns(&mut self, from: usize, target: ExprId, name: &Ident) {
        let ast::ExprKind::Name(target) = &self.body[target].kind else { return };
        let name = &name.name;
        let note = format!(
            "as a statement `{target}.{name}(..)` is short for `{target} = {target}.{name}(..)`; elsewhere it gives a changed copy: `let changed := {target}.{name}(..)`"
        );
        for refused in self.diagnostics.iter_mut().skip(from) {
            if refused.code == codes::E0205 {
                refused.notes.push(note.clone());
            }
        }
    }
}

fn is_literal(value: &hir::Expr) -> bool {
    matches!(value.kind, ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Text(_))
}

fn binary_of(op: AssignOp) -> Option<ast::BinaryOp> {
    Some(match op {
        AssignOp::Set => return None,
        AssignOp::Add => ast::BinaryOp::Add,
        AssignOp::Sub => ast::BinaryOp::Sub,
        AssignOp::Mul => ast::BinaryOp::Mul,
        AssignOp::Div => ast::BinaryOp::Div,
        AssignOp::Rem => ast::BinaryOp::Rem,
    })
}
