//! Inference of one body: bidirectional checking with local unification (L-36), giving the typed tree.
//!
//! One [`Infer`] sees one function, behavior, default or statement. It never looks into other bodies; what other
//! names mean comes from `declare::definition`. A mistake is reported once: it gives `Ty::Error`, which agrees
//! with everything.

pub mod agent;
pub mod args;
pub mod blind;
pub mod bounded;
pub mod call;
pub mod channel;
pub mod checkpoint;
pub mod collection;
pub mod config;
pub mod contract;
pub mod control;
pub mod convert;
pub mod expr;
pub mod finish;
pub mod frame;
pub mod intrinsic;
pub mod invariant;
pub mod lambda;
pub mod lend;
mod live;
pub mod member;
pub mod message;
pub mod moves;
mod must;
pub mod name;
pub mod operator;
pub mod pattern;
pub mod place;
pub mod probe;
pub mod quantifier;
pub mod reduce;
pub mod sendable;
pub mod shards;
pub mod skill;
pub mod spawn;
pub mod stmt;
pub mod task;
pub mod theorem;
pub mod told;
pub mod tools;
pub mod unknown;
pub mod unused;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::db::{CellInput, Db};
use crate::diag::Diagnostic;
use crate::hir;
use crate::names::scope::ScopedName;
use crate::source::Span;
use crate::syntax::ast::{Body, ExprId, TypeRefId};
use crate::syntax::rename::file_of;
use crate::types::declare::definition;
use crate::types::def::{AgentDef, Definition, ToolDef};
use crate::types::infer::blind::Blind;
use crate::types::infer::bounded::Given;
use crate::types::infer::contract::{ClauseFacts, Measure, Reading};
use crate::types::infer::frame::{Frame, FrameKind};
use crate::types::infer::moves::Sent;
use crate::types::infer::probe::Probe;
use crate::types::infer::sendable::Refs;
use crate::types::resolve::TypeScope;
use crate::types::ty::{Name, Ty};
use crate::types::unify::{Fallback, Table};
use ag_runtime::builtin::{self, Form, SpecialForm};

/// What is wanted of an expression.
#[derive(Clone, PartialEq, Debug)]
pub enum Expect {
    /// Any type.
    Nothing,
    /// This type; a hint for shorthands and lambdas, enforced by `check`.
    Is(Ty),
    /// The value is thrown away.
    Discard,
}

/// What a bare name can mean beside locals and globals.
#[derive(Clone, PartialEq, Debug)]
pub enum Owner {
    Nobody,
    /// Fields by name, `self` is the own reference.
    Agent(Arc<AgentDef>),
    /// Fields by name through the tool value, the first parameter.
    Tool(Arc<ToolDef>),
}

/// What a body does besides computing: for effects, stale marks and broken definitions.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Facts {
    pub effects: Vec<(Name, Span)>,
    pub calls: Vec<Called>,
    /// Behaviors that it sends to; what they do is the agent's.
    pub asked: Vec<Called>,
    /// Global names used directly.
    pub reads: BTreeSet<Name>,
    /// Globals assigned.
    pub assigns: BTreeSet<Name>,
    /// Where.
    pub assigned_at: Vec<(Name, Span)>,
    /// Its contract. What clauses do is here and not above: they must do nothing.
    pub clauses: Vec<ClauseFacts>,
    /// Functions that were given where a bound on effects holds.
    pub given: Vec<Given>,
    pub refs: Refs,
    /// What it sends.
    pub sent: Vec<Sent>,
    /// Functions that are called without being known.
    pub blind: Vec<Blind>,
    /// Each `@rollback`.
    pub rollbacks: Vec<Span>,
    /// Hints in the body, as written: `@simd(avx512)`.
    pub hints: Vec<Name>,
}

/// A function of the program that is called or used as a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Called {
    pub name: Name,
    pub member: Option<Name>,
    pub span: Span,
}

/// A check that needs all types of the body.
#[derive(Clone, Debug)]
pub enum Pending {
    Bound {
        ty: Ty,
        bound: Name,
        span: Span,
        /// The type parameter and what declares it, if the program does.
        of: Option<(Name, Name)>,
    },
    /// A key of a Map or an element of a Set.
    Key { ty: Ty, span: Span },
    /// Becomes `Dyn`, or the reply of a model.
    Json { ty: Ty, span: Span },
    /// Compared by `==`.
    Equal { ty: Ty, span: Span },
    /// What a person is asked for.
    Answer { ty: Ty, span: Span },
    /// What a model is asked for, and the words it is asked with.
    Told { ty: Ty, words: FxHashSet<String>, span: Span },
}

pub struct Infer<'a, 'db> {
    pub db: &'db dyn Db,
    pub prelude: bool,
    /// The file it stands in: bare names mean nothing of the session there.
    pub file: Option<Name>,
    /// Set for the statements of a cell: see `names::scope::resolve`.
    pub cell: Option<CellInput>,
    /// Which statement of the cell; what the earlier ones declare can be seen.
    pub step: u32,
    pub body: &'a Body,
    pub generics: Vec<Name>,
    /// What is written of them: `(T, Ord)`.
    pub bounds: Vec<(Name, Name)>,
    pub owner: Owner,
    pub table: Table,
    pub frames: Vec<Frame>,
    pub diagnostics: Vec<Diagnostic>,
    pub facts: Facts,
    pub pending: Vec<Pending>,
    /// Record literals may stand for structs (L-79).
    pub in_config: bool,
    /// Inside the pattern of `is`.
    pub in_is: bool,
    /// Set when an editor asks about a place.
    pub probe: Option<Rc<RefCell<Probe>>>,
    /// The clause of a contract around the current place.
    pub reading: Option<Reading>,
    /// What `old` refers to, to be kept when the function begins.
    pub olds: Vec<(hir::LocalId, hir::Expr)>,
    /// `decreases` of the function.
    pub measure: Option<Measure>,
    missing: FxHashSet<Name>,
    lambdas: u32,
}

impl<'a, 'db> Infer<'a, 'db> {
    pub fn new(db: &'db dyn Db, prelude: bool, body: &'a Body) -> Infer<'a, 'db> {
        Infer {
            db,
            prelude,
            file: None,
            cell: None,
            step: 0,
            body,
            generics: Vec::new(),
            bounds: Vec::new(),
            owner: Owner::Nobody,
            table: Table::default(),
            frames: Vec::new(),
            diagnostics: Vec::new(),
            facts: Facts::default(),
            pending: Vec::new(),
            in_config: false,
            in_is: false,
            probe: None,
            reading: None,
            olds: Vec::new(),
            measure: None,
            missing: FxHashSet::default(),
            lambdas: 0,
        }
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub fn span(&self, id: ExprId) -> Span {
        self.body[id].span
    }

    pub fn fresh(&mut self, span: Span) -> Ty {
        self.table.fresh(span, Fallback::Report)
    }

    pub fn shallow(&self, ty: &Ty) -> Ty {
        self.table.shallow(ty)
    }

    pub fn written_type(&mut self, id: TypeRefId) -> Ty {
        let generics = std::mem::take(&mut self.generics);
        let scope = TypeScope {
            db: self.db,
            prelude: self.prelude,
            is_file: self.file.is_some(),
            cell: self.cell,
            generics: &generics,
            body: self.body,
        };
        let ty = scope.ty(id, &mut self.diagnostics);
        self.generics = generics;
        ty
    }

    /// What a global name means here, without marking it as used.
    pub fn definition(&self, name: &Name) -> Option<&'db Definition> {
        let prelude = self.prelude || (self.file.is_some() && file_of(name).is_none());
        let scoped = ScopedName::new(self.db, name.clone(), prelude);
        definition(self.db, scoped, self.cell).as_ref()
    }

    /// The value of an expression, whatever its type.
    pub fn infer(&mut self, id: ExprId) -> hir::Expr {
        self.expr(id, &Expect::Nothing)
    }

    /// The expression as a value of `ty`, converted if L-38 allows it; reported if not.
    pub fn check(&mut self, id: ExprId, ty: &Ty) -> hir::Expr {
        let Some(bound) = self.bound_of(ty) else {
            let expr = self.expr(id, &Expect::Is(ty.clone()));
            return self.coerce(expr, ty);
        };
        let (effects, calls) = (self.facts.effects.len(), self.facts.calls.len());
        let expr = self.expr(id, &Expect::Is(ty.clone()));
        self.given(&expr, bound, effects, calls);
        self.coerce(expr, ty)
    }

    /// The expression as asked for.
    pub fn expected(&mut self, id: ExprId, expect: &Expect) -> hir::Expr {
        match expect {
            Expect::Nothing => self.infer(id),
            Expect::Is(ty) => self.check(id, ty),
            Expect::Discard => {
                let expr = self.expr(id, expect);
                self.discard(expr)
            }
        }
    }

    /// Reports a missing name once in this body.
    pub fn first_time_missing(&mut self, name: &Name) -> bool {
        self.missing.insert(name.clone())
    }

    pub fn next_lambda(&mut self) -> u32 {
        self.lambdas += 1;
        self.lambdas
    }

    pub fn uses(&mut self, name: &Name) {
        self.facts.reads.insert(name.clone());
    }

    /// What a row of the table does.
    pub fn row_effects(&mut self, row: &builtin::Builtin, span: Span) {
        row.effects.iter().for_each(|effect| self.effect(effect, span));
        let lasting = match (row.receiver, row.form) {
            (Some("Channel"), _) => "channel",
            (_, Form::Special(SpecialForm::Quorum)) => "request",
            (_, Form::Special(SpecialForm::Stop)) => "stop",
            _ => return,
        };
        self.effect(lasting, span);
    }

    pub fn effect(&mut self, effect: &str, span: Span) {
        self.facts.effects.push((Arc::from(effect), span));
    }

    pub fn calls(&mut self, name: &Name, member: Option<&Name>, span: Span) {
        self.facts.calls.push(Called { name: name.clone(), member: member.cloned(), span });
    }

    pub fn asks(&mut self, agent: &Name, behavior: &Name, span: Span) {
        let (name, member) = (agent.clone(), Some(behavior.clone()));
        self.facts.asked.push(Called { name, member, span });
    }

    /// Opens the frame of a function body.
    pub fn open(&mut self, kind: FrameKind, key: Name, result: Ty) {
        self.frames.push(Frame::new(kind, key, result));
    }
}

/// A node of the typed tree.
pub fn expr(kind: hir::ExprKind, ty: Ty, span: Span) -> hir::Expr {
    hir::Expr { kind, ty, span }
}

/// Stands where a mistake was reported; never reaches the lowering.
pub fn error(span: Span) -> hir::Expr {
    expr(hir::ExprKind::Unit, Ty::Error, span)
}
