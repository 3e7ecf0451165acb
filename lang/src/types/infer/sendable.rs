//! Where a reference may be (L-80, L-81): a lambda that uses variables of the code around it, or its agent, is only passed
//! down. It is bound by `let`, called, and given to what calls it and does not keep it; everything else is refused.
//!
//! What is not said to be such a place is none, so a construct that is forgotten here refuses too much, never too little.
//! Looks at finished bodies, when it is known which variables are shared. What the called functions do with a parameter is
//! another body's business: `types::escape` asks for it later, by what is written down in [`Refs`] here.
//! Never: changes the body, but for marking lambdas that must stay.

use ag_runtime::builtin::{self, BuiltinId};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::{
    self, Callee, Conversion, Expr, ExprKind, Function, Instance, LocalId, PatternKind, PlaceRoot,
    Stmt, StmtKind,
};
use crate::source::Span;
use crate::types::builtins::builtin_signature;
use crate::types::handles;
use crate::types::infer::bounded::is_made_here;
use crate::types::ty::{Name, Ty};

/// Rows whose arguments run on, or are handed to, another coroutine.
const CROSSING: &[&str] = &["task", "parallel", "race", "sweep"];
const CROSSING_MEMBERS: &[(&str, &str)] = &[("Channel", "send"), ("Channel", "try_send")];

/// What a body does with references, as far as that depends on other bodies, or others depend on it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Refs {
    /// Parameters of a function type (or of a type parameter) that do not stay in the call.
    pub kept: BTreeSet<u32>,
    /// References that are given to functions of the program.
    pub passed: Vec<Passed>,
    /// Functions written here that run in another coroutine.
    pub crossing: Vec<Span>,
    /// Of `kept`, those that go to another coroutine.
    pub sent: BTreeSet<u32>,
    /// Types that go to another coroutine and depend on the type parameters of this body.
    pub sends: Vec<Ty>,
    /// Generic functions used here with a type that holds what stays where it was made.
    pub handed: Vec<(Instance, Span)>,
}

/// A reference given to a function of the program.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Passed {
    pub what: What,
    /// The key of the function.
    pub to: Name,
    pub parameter: u32,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A lambda that uses a variable of the code around it.
    Variable,
    /// A lambda that uses its agent.
    Agent,
    /// A lambda that uses a `Thread` or a `Lease`: it may be kept, but not go elsewhere.
    Handle,
    /// A parameter, which may be one of these.
    Parameter(u32),
}

/// One diagnostic for each reference that would leave its place, and what there is to ask of other bodies.
pub fn check(db: &dyn Db, function: &mut Function, agent: Option<&str>) -> (Vec<Diagnostic>, Refs) {
    let mut walk =
        Walk { db, agent, bound: FxHashMap::default(), found: Vec::new(), refs: Refs::default() };
    for at in 0..function.params {
        let local = function.locals.get(at as usize);
        if local.is_some_and(|local| matches!(local.ty, Ty::Function(_) | Ty::Param(_))) {
            walk.bound.insert(LocalId(at), BTreeSet::from([What::Parameter(at)]));
        }
    }
    walk.visit(&mut function.body, &Place::Kept(Kept::Returned));
    (walk.found, walk.refs)
}

/// What a value may be, besides an ordinary one.
type Ties = BTreeSet<What>;

/// What becomes of a value where it stands.
#[derive(Clone, Debug)]
enum Place {
    /// Called, bound or thrown away: it stays in the running call.
    Down,
    /// An argument of a function of the program.
    To(Name, u32),
    Kept(Kept),
}

#[derive(Clone, Copy, Debug)]
enum Kept {
    Stored,
    Returned,
    Crossing,
    Unknown,
}

struct Walk<'a> {
    db: &'a dyn Db,
    /// The agent whose private functions are bound to it.
    agent: Option<&'a str>,
    /// Locals of the function at hand that hold a reference.
    bound: FxHashMap<LocalId, Ties>,
    found: Vec<Diagnostic>,
    refs: Refs,
}

impl Walk<'_> {
    /// Looks at a value in its place; gives what it may be.
    fn visit(&mut self, value: &mut Expr, place: &Place) -> Ties {
        let span = value.span;
        if matches!(place, Place::Kept(Kept::Crossing)) {
            self.handles(value);
            if is_made_here(value) {
                self.refs.crossing.push(span);
            }
        }
        match &mut value.kind {
            ExprKind::Local(local) | ExprKind::Cell(local) => {
                let ties = self.bound.get(local).cloned().unwrap_or_default();
                self.put(&ties, place, span);
                ties
            }
            ExprKind::Lambda { .. } => {
                let ties = self.lambda(value);
                self.put(&ties, place, span);
                ties
            }
            ExprKind::Instance(instance) => {
                self.handed(instance, span);
                Ties::default()
            }
            ExprKind::Block { stmts, value } => {
                stmts.iter_mut().for_each(|stmt| self.statement(stmt));
                value.as_mut().map(|value| self.visit(value, place)).unwrap_or_default()
            }
            ExprKind::If { cond, then, otherwise } => {
                self.visit(cond, &STORED);
                let mut ties = self.visit(then, place);
                ties.extend(otherwise.iter_mut().flat_map(|inner| self.visit(inner, place)));
                ties
            }
            ExprKind::Match { scrutinee, arms } => {
                self.visit(scrutinee, &STORED);
                let mut ties = Ties::default();
                for arm in arms {
                    arm.guard.iter_mut().for_each(|guard| drop(self.visit(guard, &STORED)));
                    ties.extend(self.visit(&mut arm.body, place));
                }
                ties
            }
            ExprKind::Coalesce { value, default } => {
                self.visit(value, &STORED);
                self.visit(default, place)
            }
            ExprKind::Scope { args, body, .. } => {
                self.all(args, &STORED);
                self.visit(body, place)
            }
            ExprKind::Ensuring { body, checks, .. } => {
                let ties = self.visit(body, place);
                self.all(checks, &STORED);
                ties
            }
            // What is put together here goes where the whole goes.
            ExprKind::List(_)
            | ExprKind::Set(_)
            | ExprKind::Map(_)
            | ExprKind::Tuple(_)
            | ExprKind::Record { .. }
            | ExprKind::Variant { .. }
                if matches!(place, Place::Kept(_)) =>
            {
                // Told of the whole already.
                let is_told = handles::staying(self.db, &value.ty).is_some();
                let place = if is_told { &STORED } else { place };
                hir::visit::children(value, &mut |inner| drop(self.visit(inner, place)));
                Ties::default()
            }
            _ => {
                self.parts(value);
                Ties::default()
            }
        }
    }

    /// What a value that goes elsewhere takes along of handles that stay: in it, or captured, or as what it gives back.
    fn handles(&mut self, value: &Expr) {
        let taken: Vec<&Ty> = match &value.kind {
            ExprKind::Block { .. } | ExprKind::If { .. } | ExprKind::Match { .. } => Vec::new(),
            ExprKind::Lambda { function, captures } => {
                captured(function, captures).chain([&function.result]).collect()
            }
            _ => vec![&value.ty],
        };
        let of = |ty: &&Ty| handles::crossing(self.db, ty, value.span);
        let found = taken.iter().find_map(of);
        self.refs.sends.extend(taken.into_iter().filter(|ty| ty.is_generic()).cloned());
        if let Some(found) = found.filter(|found| !self.found.contains(found)) {
            self.found.push(found);
        }
    }

    fn handed(&mut self, instance: &Instance, span: Span) {
        if instance.args.iter().any(|arg| handles::staying(self.db, arg).is_some()) {
            self.refs.handed.push((instance.clone(), span));
        }
    }

    /// The forms whose own value is never a reference.
    fn parts(&mut self, value: &mut Expr) {
        match &mut value.kind {
            ExprKind::Return(Some(inner)) => drop(self.visit(inner, &Place::Kept(Kept::Returned))),
            ExprKind::Convert(Conversion::Discard, inner) => drop(self.visit(inner, &Place::Down)),
            ExprKind::Call { callee: Callee::Value(callee), args } => {
                self.visit(callee, &Place::Down);
                self.all(args, &Place::Kept(Kept::Unknown));
            }
            ExprKind::Call { callee: Callee::Function(key), args } => {
                let key = key.clone();
                self.given(&key, args);
            }
            ExprKind::Call { callee: Callee::Instance(instance), args } => {
                self.handed(instance, value.span);
                let key = instance.key.clone();
                self.given(&key, args);
            }
            ExprKind::Builtin { id, args, .. } => {
                let id = *id;
                self.builtin(id, args);
            }
            ExprKind::LlmCall { options, .. } => {
                for (name, option) in options {
                    self.option(name, option);
                }
            }
            ExprKind::Request { target, args, .. } | ExprKind::Signal { target, args, .. } => {
                self.visit(target, &STORED);
                self.all(args, &Place::Kept(Kept::Crossing));
            }
            ExprKind::Spawn { fields, supervise, .. } => {
                self.all(fields, &Place::Kept(Kept::Crossing));
                self.visit(supervise, &STORED);
            }
            ExprKind::Coordinate { args, .. } => self.all(args, &Place::Kept(Kept::Crossing)),
            _ => hir::visit::children(value, &mut |inner| drop(self.visit(inner, &STORED))),
        }
    }

    fn all(&mut self, values: &mut [Expr], place: &Place) {
        values.iter_mut().for_each(|value| drop(self.visit(value, place)));
    }

    fn given(&mut self, key: &Name, args: &mut [Expr]) {
        for (at, arg) in (0..).zip(args) {
            self.visit(arg, &Place::To(key.clone(), at));
        }
    }

    /// Builtins call the functions they are given, and keep none of them; a row that does is in the lists above.
    fn builtin(&mut self, id: BuiltinId, args: &mut [Expr]) {
        if crosses(id) {
            return self.all(args, &Place::Kept(Kept::Crossing));
        }
        let signature = builtin_signature(self.db, id.0);
        for (at, arg) in args.iter_mut().enumerate() {
            let is_called =
                signature.params.get(at).is_some_and(|param| matches!(param.ty, Ty::Function(_)));
            self.visit(arg, if is_called { &Place::Down } else { &STORED });
        }
    }

    /// A model's tools and the reader of its reply are called by who asks it, while it waits.
    fn option(&mut self, name: &str, option: &mut Expr) {
        match &mut option.kind {
            ExprKind::Tuple(parts) if name == TOOLS => self.all(parts, &Place::Down),
            _ if name == STREAM => drop(self.visit(option, &Place::Down)),
            _ => drop(self.visit(option, &STORED)),
        }
    }

    fn statement(&mut self, stmt: &mut Stmt) {
        match &mut stmt.kind {
            StmtKind::Let { pattern, value } => {
                let place = match pattern.kind {
                    PatternKind::Bind(_) | PatternKind::Wildcard => Place::Down,
                    _ => STORED,
                };
                let ties = self.visit(value, &place);
                if let PatternKind::Bind(local) = pattern.kind
                    && !ties.is_empty()
                {
                    self.bound.insert(local, ties);
                }
            }
            StmtKind::Assign { place, value } => {
                for step in &mut place.path {
                    if let hir::PlaceStep::Index { index, .. } = step {
                        self.visit(index, &STORED);
                    }
                }
                self.visit(value, &STORED);
            }
            StmtKind::Expr(value) => drop(self.visit(value, &Place::Down)),
        }
    }

    /// Why a lambda must stay, if it must: by what it captures, or by the agent it uses. Looks at its body, too.
    fn lambda(&mut self, value: &mut Expr) -> Ties {
        let ExprKind::Lambda { function, captures } = &mut value.kind else { return Ties::new() };
        let mut ties = Ties::new();
        let mut inside = FxHashMap::default();
        for capture in captures.iter() {
            let shared = function.locals.get(capture.inner.0 as usize).is_some_and(|l| l.boxed);
            ties.extend(shared.then_some(What::Variable));
            if let Some(bound) = self.bound.get(&capture.outer) {
                ties.extend(bound);
                inside.insert(capture.inner, bound.clone());
            }
        }
        if uses_agent(&mut function.body, self.agent) {
            ties.insert(What::Agent);
        }
        if captured(function, captures).any(|ty| handles::staying(self.db, ty).is_some()) {
            ties.insert(What::Handle);
        }
        let outer = std::mem::replace(&mut self.bound, inside);
        self.visit(&mut function.body, &Place::Kept(Kept::Returned));
        self.bound = outer;
        function.tied = ties.iter().any(|what| matches!(what, What::Variable | What::Agent));
        ties
    }

    fn put(&mut self, ties: &Ties, place: &Place, span: Span) {
        for what in ties {
            match (place, what) {
                (Place::Down, _) => {}
                (Place::To(to, parameter), _) => self.refs.passed.push(Passed {
                    what: *what,
                    to: to.clone(),
                    parameter: *parameter,
                    span,
                }),
                (Place::Kept(kept), What::Parameter(at)) => {
                    self.refs.kept.insert(*at);
                    if matches!(kept, Kept::Crossing) {
                        self.refs.sent.insert(*at);
                    }
                }
                (Place::Kept(Kept::Stored | Kept::Returned | Kept::Unknown), What::Handle) => {}
                // What a lambda takes along is told where it is written.
                (Place::Kept(_), What::Handle)
                    if self.found.iter().any(|found| found.primary.span == span) => {}
                (Place::Kept(kept), _) => {
                    self.found.push(refused(*what, *kept, span));
                    return;
                }
            }
        }
    }
}

const STORED: Place = Place::Kept(Kept::Stored);
/// The options of a model's call that hold functions: what it may ask for, and who reads along.
const TOOLS: &str = "tools";
const STREAM: &str = "stream";

/// A reference in a place where it would outlive what it refers to, or be somewhere else.
fn refused(what: What, kept: Kept, span: Span) -> Diagnostic {
    let uses = said(what);
    let cannot = match kept {
        Kept::Stored => "be stored",
        Kept::Returned => "be returned",
        Kept::Crossing => "go elsewhere",
        Kept::Unknown => "be given to a function value",
    };
    let note = match (what, kept) {
        (What::Handle, _) => handles::NOTE,
        (What::Agent, Kept::Crossing) => {
            "ask the agent: `await self.behavior(x)`, or make it a function outside the agent"
        }
        (_, Kept::Crossing) => {
            "a task, a message and a channel take values: give the result back instead"
        }
        (_, Kept::Unknown) => {
            "what a function value does with it is not known: give it to a `function` with a name"
        }
        (What::Agent, _) => "it is only passed down: bound by `let`, called, and given to calls",
        _ => {
            "it is only passed down: bound by `let`, called, and given to calls; without assigning, a lambda has values and goes anywhere"
        }
    };
    Diagnostic::new(codes::E0502, span, format!("{uses} and cannot {cannot}")).note(note)
}

/// What is wrong with it, as the beginning of a sentence.
pub fn said(what: What) -> &'static str {
    match what {
        What::Agent => "this uses the agent it is written in",
        What::Handle => "this uses a `Thread` or a `Lease`, which stays where it was made,",
        _ => "this uses a variable of the code around it",
    }
}

pub fn crosses(id: BuiltinId) -> bool {
    let named = CROSSING.iter().filter_map(|name| builtin::intrinsic(name));
    let members = CROSSING_MEMBERS.iter().filter_map(|(of, name)| builtin::member(of, name));
    named.chain(members).any(|other| other == id)
}

/// The types of what a lambda takes along.
fn captured<'f>(
    function: &'f Function,
    captures: &'f [hir::Capture],
) -> impl Iterator<Item = &'f Ty> {
    captures.iter().filter_map(|taken| Some(&function.locals.get(taken.inner.0 as usize)?.ty))
}

/// Whether a body uses the running instance: its state, or its private functions, which do.
fn uses_agent(value: &mut Expr, agent: Option<&str>) -> bool {
    let is_private = |key: &str| {
        agent.is_some_and(|agent| key.split_once('.').is_some_and(|(owner, _)| owner == agent))
    };
    let own = match &mut value.kind {
        ExprKind::AgentField(_) | ExprKind::SelfRef => true,
        ExprKind::Call { callee: Callee::Function(key), .. } | ExprKind::Function(key) => {
            is_private(key)
        }
        ExprKind::Call { callee: Callee::Instance(instance), .. }
        | ExprKind::Instance(instance) => is_private(&instance.key),
        ExprKind::Lambda { function, .. } => {
            return uses_agent(&mut function.body, agent);
        }
        ExprKind::Block { stmts, .. } => stmts.iter().any(|stmt| {
            matches!(&stmt.kind, StmtKind::Assign { place, .. }
                if matches!(place.root, PlaceRoot::AgentField(_)))
        }),
        _ => false,
    };
    let mut found = own;
    hir::visit::children(value, &mut |inner| found = found || uses_agent(inner, agent));
    found
}
