//! `iso` (L-80, L-81): where a value must be the only reference, and what may not be used after it was passed on.
//!
//! Follows a finished body in the order it runs. An `iso` parameter takes a fresh value or the last use of a variable (E0503);
//! a variable declared `iso` is used until it is passed on (E0501). Also notes which values that are sent are moved and
//! which are shared, for `:caps`. Never: changes the body; copies are the writer's (`.copy`), and cost nothing until a change.

use ag_runtime::builtin::{self, BuiltinId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Diagnostic, codes};
use crate::hir::{
    self, Capture, Conversion, Expr, ExprKind, Function, LocalId, Pattern, PatternKind, PlaceRoot,
    Stmt, StmtKind,
};
use crate::source::Span;
use crate::types::def::Passing;
use crate::types::infer::place::CHANGING;
use crate::types::infer::sendable::crosses;
use crate::types::ty::Name;

/// A value that goes to another coroutine.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sent {
    pub span: Span,
    /// The variable, if it is one.
    pub name: Option<Name>,
    /// Nobody here has it any more: it goes without a mark. Otherwise what is held here becomes counted atomically.
    pub moved: bool,
}

/// Mistakes, and what is sent.
pub fn check(function: &mut Function) -> (Vec<Diagnostic>, Vec<Sent>) {
    let mut found = Found::default();
    body(function, FxHashSet::default(), &mut found);
    let mut sent = found.sent;
    sent.sort_by_key(|sent| (sent.span.start, sent.span.end));
    sent.dedup_by_key(|sent| sent.span);
    (found.diagnostics, sent)
}

#[derive(Default)]
struct Found {
    diagnostics: Vec<Diagnostic>,
    told: FxHashSet<Span>,
    sent: Vec<Sent>,
}

fn body(function: &mut Function, captured: FxHashSet<LocalId>, found: &mut Found) {
    let locals = function.locals.clone();
    let state = State { reachable: true, ..State::default() };
    let mut walk = Walk { locals: &locals, captured, state, loops: Vec::new(), found };
    walk.visit(&mut function.body, Use::Take);
}

/// What a place does with the value in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Looks at it.
    Read,
    /// Has it from now on.
    Take,
    /// Sends it.
    Cross,
    /// Is to be the only one who has it.
    Move,
}

/// Variables that were passed on: where.
#[derive(Clone, Default)]
struct State {
    reachable: bool,
    gone: FxHashMap<LocalId, Span>,
    /// Sent, and perhaps not used any more: places in `Found::sent`.
    sent: FxHashMap<LocalId, Vec<usize>>,
}

impl State {
    fn join(&mut self, other: State) {
        if !other.reachable {
            return;
        }
        if !self.reachable {
            *self = other;
            return;
        }
        self.gone.extend(other.gone);
        for (local, places) in other.sent {
            self.sent.entry(local).or_default().extend(places);
        }
    }
}

struct Walk<'a> {
    locals: &'a [hir::Local],
    /// What a lambda has of the code around it: it may run again.
    captured: FxHashSet<LocalId>,
    state: State,
    /// For each loop around: what held where it is left, and where it goes on.
    loops: Vec<(State, State)>,
    found: &'a mut Found,
}

impl Walk<'_> {
    fn visit(&mut self, value: &mut Expr, how: Use) {
        let span = value.span;
        match &mut value.kind {
            ExprKind::Local(local) => self.local(*local, span, how),
            ExprKind::Cell(local) => self.local(*local, span, Use::Read),
            ExprKind::Global(_) => self.held(how, span, "a global is everybody's"),
            ExprKind::AgentField(_) => self.held(how, span, "the agent still has it"),
            ExprKind::Field { base, .. } => {
                self.visit(base, Use::Read);
                self.held(how, span, "it is a part of another value");
            }
            ExprKind::Convert(Conversion::Move, inner) => {
                if let (Use::Cross, ExprKind::Local(local)) = (how, &inner.kind) {
                    let name = self.locals.get(local.0 as usize).map(|info| info.name.clone());
                    self.send(inner, name);
                }
                self.visit(inner, Use::Move);
            }
            ExprKind::Convert(Conversion::Keep, _) => {}
            ExprKind::Convert(conversion, inner) => {
                let how = match conversion {
                    Conversion::Copy | Conversion::Discard => Use::Read,
                    _ => how,
                };
                self.visit(inner, how);
            }
            ExprKind::Block { stmts, value } => {
                stmts.iter_mut().for_each(|stmt| self.statement(stmt));
                value.iter_mut().for_each(|value| self.visit(value, how));
            }
            ExprKind::If { cond, then, otherwise } => {
                self.visit(cond, Use::Read);
                let before = self.state.clone();
                self.visit(then, how);
                let after = std::mem::replace(&mut self.state, before);
                otherwise.iter_mut().for_each(|inner| self.visit(inner, how));
                self.state.join(after);
            }
            ExprKind::Match { scrutinee, arms } => {
                self.visit(scrutinee, Use::Read);
                let before = self.state.clone();
                let mut after = State::default();
                for arm in arms {
                    self.state = before.clone();
                    self.bound(&mut arm.pattern);
                    arm.guard.iter_mut().for_each(|guard| self.visit(guard, Use::Read));
                    self.visit(&mut arm.body, how);
                    after.join(std::mem::take(&mut self.state));
                }
                self.state = after;
            }
            ExprKind::And(a, b)
            | ExprKind::Or(a, b)
            | ExprKind::Coalesce { value: a, default: b } => {
                self.visit(a, Use::Read);
                let before = self.state.clone();
                self.visit(b, how);
                self.state.join(before);
            }
            ExprKind::Lambda { function, captures } => {
                let (function, captures) = (&mut **function, &*captures);
                self.lambda(function, captures, how);
            }
            _ => self.act(value, how),
        }
    }

    fn act(&mut self, value: &mut Expr, how: Use) {
        let span = value.span;
        match &mut value.kind {
            ExprKind::While { cond, body } => self.repeat(|walk| {
                walk.visit(cond, Use::Read);
                let before = walk.state.clone();
                walk.visit(body, Use::Read);
                before
            }),
            ExprKind::Loop { body } => self.repeat(|walk| {
                walk.visit(body, Use::Read);
                State::default()
            }),
            ExprKind::For { pattern, sequence, body } => {
                match sequence {
                    hir::Sequence::Range { low, high, .. } => {
                        self.visit(low, Use::Read);
                        self.visit(high, Use::Read);
                    }
                    hir::Sequence::Value(value) => self.visit(value, Use::Read),
                }
                self.repeat(|walk| {
                    let before = walk.state.clone();
                    walk.bound(pattern);
                    walk.visit(body, Use::Read);
                    before
                });
            }
            ExprKind::Break | ExprKind::Continue => {
                let state = std::mem::take(&mut self.state);
                let leaves = matches!(value.kind, ExprKind::Break);
                if let Some((left, again)) = self.loops.last_mut() {
                    if leaves { left.join(state) } else { again.join(state) }
                }
            }
            ExprKind::Return(inner) => {
                inner.iter_mut().for_each(|inner| self.visit(inner, Use::Take));
                self.state = State::default();
            }
            ExprKind::Scope { args, body, .. } => {
                self.all(args, Use::Read);
                self.visit(body, how);
            }
            ExprKind::Ensuring { body, .. } => self.visit(body, how),
            ExprKind::Builtin { id, args, .. } => {
                let id = *id;
                self.builtin(id, args);
                if is_element(id) {
                    self.held(how, span, "it is a part of another value");
                }
            }
            ExprKind::Request { target, args, .. } | ExprKind::Signal { target, args, .. } => {
                self.visit(target, Use::Read);
                self.all(args, Use::Cross);
            }
            ExprKind::Spawn { fields, .. } => self.all(fields, Use::Cross),
            ExprKind::Coordinate { args, .. } => self.all(args, Use::Cross),
            kind => {
                let how = if keeps(kind) { Use::Take } else { Use::Read };
                hir::visit::children(value, &mut |inner| self.visit(inner, how));
            }
        }
        if matches!(value.ty, crate::types::ty::Ty::Never) {
            self.state = State::default();
        }
    }

    fn all(&mut self, values: &mut [Expr], how: Use) {
        values.iter_mut().for_each(|value| self.given(value, how));
    }

    fn given(&mut self, value: &mut Expr, how: Use) {
        if how == Use::Cross && !is_place(value) {
            self.send(value, None);
        }
        self.visit(value, how);
    }

    fn builtin(&mut self, id: BuiltinId, args: &mut [Expr]) {
        let row = id.get().map_or("", |row| row.name);
        for (at, arg) in args.iter_mut().enumerate() {
            let how = match () {
                () if crosses(id) && !is_handle(arg) => Use::Cross,
                () if at > 0 && CHANGING.contains(&row) => Use::Take,
                () => Use::Read,
            };
            self.given(arg, how);
        }
    }

    /// Twice, so that what one run passes on is missed in the next. `run` gives the state with which the loop ends by itself.
    fn repeat(&mut self, mut run: impl FnMut(&mut Self) -> State) {
        for last in [false, true] {
            self.loops.push((State::default(), State::default()));
            let before = self.state.clone();
            let ends = run(self);
            let (left, again) = self.loops.pop().unwrap_or_default();
            self.state.join(again);
            if last {
                self.state.join(ends);
                self.state.join(left);
            } else {
                // What it ends with is found in the second run.
                self.state.join(before);
            }
        }
    }

    fn statement(&mut self, stmt: &mut Stmt) {
        match &mut stmt.kind {
            StmtKind::Let { pattern, value } => {
                let dropped = matches!(pattern.kind, PatternKind::Wildcard);
                self.visit(value, if dropped { Use::Read } else { Use::Take });
                self.bound(pattern);
            }
            StmtKind::Assign { place, value } => {
                for step in &mut place.path {
                    if let hir::PlaceStep::Index { index, .. } = step {
                        self.visit(index, Use::Read);
                    }
                }
                self.visit(value, Use::Take);
                match place.root {
                    PlaceRoot::Local(local) if place.path.is_empty() => self.renewed(local),
                    PlaceRoot::Local(local) => self.local(local, stmt.span, Use::Read),
                    _ => {}
                }
            }
            StmtKind::Expr(value) => self.visit(value, Use::Read),
        }
    }

    fn bound(&mut self, pattern: &mut Pattern) {
        if let PatternKind::Bind(local) | PatternKind::List { rest: Some(Some(local)), .. } =
            pattern.kind
        {
            self.renewed(local);
        }
        hir::visit::pattern_children(pattern, &mut |inner| self.bound(inner));
    }

    /// Another value is in it.
    fn renewed(&mut self, local: LocalId) {
        self.state.gone.remove(&local);
        self.state.sent.remove(&local);
    }

    /// What a lambda takes along it has; its body may run more than once, unless it is a task's.
    fn lambda(&mut self, function: &mut Function, captures: &[Capture], how: Use) {
        let runs_once = how == Use::Cross;
        for capture in captures {
            let at = function.locals.get(capture.inner.0 as usize);
            let span = function.span;
            if at.is_some_and(|local| local.boxed) {
                self.local(capture.outer, span, Use::Read);
            } else {
                self.local(capture.outer, span, how);
            }
        }
        let inner = captures.iter().filter(|_| !runs_once).map(|capture| capture.inner).collect();
        body(function, inner, self.found);
    }

    fn local(&mut self, local: LocalId, span: Span, how: Use) {
        let Some(info) = self.locals.get(local.0 as usize) else { return };
        if !self.state.reachable {
            return;
        }
        for at in self.state.sent.remove(&local).unwrap_or_default() {
            if let Some(sent) = self.found.sent.get_mut(at) {
                sent.moved = false;
            }
        }
        let is_iso = info.passing == Passing::Iso;
        if let Some(at) = self.state.gone.get(&local).copied() {
            self.used_again(&info.name, is_iso, at, span);
            return;
        }
        let (name, boxed) = (info.name.clone(), info.boxed);
        if how == Use::Move && (boxed || self.captured.contains(&local)) {
            return self.held(how, span, "a lambda uses it, too, or is run again");
        }
        if how == Use::Move || is_iso && how != Use::Read {
            self.state.gone.insert(local, span);
        }
        if how == Use::Cross && !info.ty.is_scalar() {
            self.found.sent.push(Sent { span, name: Some(name), moved: !boxed });
            let at = self.found.sent.len() - 1;
            self.state.sent.entry(local).or_default().push(at);
        }
    }

    fn send(&mut self, value: &Expr, name: Option<Name>) {
        if !value.ty.is_scalar() && self.state.reachable {
            self.found.sent.push(Sent { span: value.span, name, moved: true });
        }
    }

    fn used_again(&mut self, name: &Name, is_iso: bool, passed: Span, span: Span) {
        let place = if is_iso { span } else { passed };
        if !self.found.told.insert(place) {
            return;
        }
        let end = Span::new(passed.end, passed.end);
        let diagnostic = match is_iso {
            true => Diagnostic::new(
                codes::E0501,
                span,
                format!("`{name}` is `iso` and was passed on before"),
            ),
            false => Diagnostic::new(
                codes::E0503,
                passed,
                format!("`{name}` is used again later, so this is not its last use"),
            ),
        };
        let fixed = diagnostic.fix("pass a copy on", end, ".copy");
        self.found.diagnostics.push(fixed);
    }

    /// A value that somebody else has, too.
    fn held(&mut self, how: Use, span: Span, why: &str) {
        if how == Use::Cross {
            self.found.sent.push(Sent { span, name: None, moved: false });
        }
        if how != Use::Move || !self.state.reachable || !self.found.told.insert(span) {
            return;
        }
        let message = format!("this is not the only reference: {why}");
        let end = Span::new(span.end, span.end);
        let diagnostic = Diagnostic::new(codes::E0503, span, message);
        self.found.diagnostics.push(diagnostic.fix("pass a copy on", end, ".copy"));
    }
}

/// What has its parts from then on.
fn keeps(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::List(_)
            | ExprKind::Set(_)
            | ExprKind::Map(_)
            | ExprKind::Tuple(_)
            | ExprKind::Record { .. }
            | ExprKind::Update { .. }
            | ExprKind::Variant { .. }
            | ExprKind::Call { .. }
            | ExprKind::Question(_)
    )
}

/// Told where it is visited.
fn is_place(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Local(_) | ExprKind::Global(_) | ExprKind::AgentField(_) => true,
        ExprKind::Field { .. } => true,
        ExprKind::Builtin { id, .. } => is_element(*id),
        ExprKind::Convert(Conversion::Move, inner) => is_place(inner),
        _ => false,
    }
}

/// The channel itself, not what is sent.
fn is_handle(value: &Expr) -> bool {
    matches!(value.ty, crate::types::ty::Ty::Channel(_))
}

/// `xs[i]`.
fn is_element(id: BuiltinId) -> bool {
    id.get().is_some_and(|row| row.name == "[]" && row.kind != builtin::Kind::Function)
}
