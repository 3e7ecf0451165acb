//! Invariants of structs and of the state of agents (L-140): one function each, called wherever a value comes to be.
//!
//! Never: checks a field that was assigned alone; such an assignment is refused (E0606).

use std::sync::Arc;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Callee, ClauseKind, ExprKind, Instance, LocalId, Stmt};
use crate::source::Span;
use crate::syntax::ast::{ExprId, Ident};
use crate::syntax::item::Agent;
use crate::types::check::{INVARIANT, generic};
use crate::types::declare::adt_definition;
use crate::types::def::{AgentDef, Definition, StructDef};
use crate::types::infer::contract::{bind, block};
use crate::types::infer::frame::FrameKind;
use crate::types::infer::stmt::expr_stmt;
use crate::types::infer::{Infer, expr};
use crate::types::ty::{AdtRef, Name, Ty};

/// The function that checks the invariants of a struct or of a state.
pub fn key_of(owner: &str) -> Name {
    Arc::from(format!("{owner}.{{invariant}}"))
}

/// Whether a function is such a check, also an instance of a generic one; its lambdas are not.
pub fn is_check(key: &str) -> bool {
    let after = key.split_once(".{invariant}").map(|(_, after)| after);
    after.is_some_and(|after| after.is_empty() || (after.starts_with('<') && after.ends_with('>')))
}

impl Infer<'_, '_> {
    /// The function of a struct's invariants: takes the value; its fields are in scope by name.
    pub fn struct_invariants(&mut self, def: &StructDef, invariants: &[ExprId]) -> hir::Expr {
        let span = Span::default();
        let ty = generic(&def.name, def.fingerprint, &def.generics);
        self.open(FrameKind::Function, key_of(&def.name), Ty::Unit);
        let own = self.declare(&Name::from("self"), ty.clone(), false, span);
        self.frame().params = 1;
        let fields: Vec<LocalId> = def
            .fields
            .iter()
            .map(|field| self.declare(&field.name, field.ty.clone(), false, span))
            .collect();
        let checks: Vec<hir::Expr> = invariants
            .iter()
            .filter_map(|id| self.clause(ClauseKind::Invariant, &def.name, *id))
            .collect();
        let mut stmts = Vec::new();
        for (at, (field, local)) in def.fields.iter().zip(fields).enumerate() {
            if checks.iter().any(|check| mentions(&mut check.clone(), local)) {
                let base = Box::new(expr(ExprKind::Local(own), ty.clone(), span));
                let index = u32::try_from(at).unwrap_or(u32::MAX);
                let kind = ExprKind::Field { base, index };
                stmts.push(bind(local, expr(kind, field.ty.clone(), span), span));
            }
        }
        stmts.extend(checks.into_iter().map(expr_stmt));
        block(stmts, None, Ty::Unit, span)
    }

    /// The function of a state's invariants: reads the running instance.
    pub fn state_invariants(&mut self, def: &Arc<AgentDef>, agent: &Agent) -> hir::Expr {
        self.owner = crate::types::infer::Owner::Agent(Arc::clone(def));
        self.open(FrameKind::Function, key_of(&def.name), Ty::Unit);
        let stmts = self.state_clauses(def, agent);
        block(stmts, None, Ty::Unit, Span::default())
    }

    pub fn state_clauses(&mut self, def: &AgentDef, agent: &Agent) -> Vec<Stmt> {
        let clause = |id| self.clause(ClauseKind::Invariant, &def.name, id);
        agent.invariants().filter_map(clause).map(expr_stmt).collect()
    }

    /// The first values of a state, after the check that they keep its invariants.
    pub fn initial_state(
        &mut self,
        def: &AgentDef,
        agent: &Agent,
        values: Vec<hir::Expr>,
        ty: Ty,
        span: Span,
    ) -> hir::Expr {
        if !def.has_invariant {
            return expr(ExprKind::Tuple(values), ty, span);
        }
        let mut stmts = Vec::new();
        let mut reads = Vec::new();
        for (field, value) in def.state.iter().zip(values) {
            let local = self.declare(&field.name, field.ty.clone(), false, span);
            stmts.push(bind(local, value, span));
            reads.push(expr(ExprKind::Local(local), field.ty.clone(), span));
        }
        stmts.extend(self.state_clauses(def, agent));
        let tuple = expr(ExprKind::Tuple(reads), ty.clone(), span);
        block(stmts, Some(tuple), ty, span)
    }

    /// What a message is followed by: the check of the state it leaves.
    pub fn state_check(&mut self, definition: &Definition, function: &Ident) -> Vec<hir::Expr> {
        let Definition::Agent(def) = definition else { return Vec::new() };
        let name = function.name.text();
        let is_behavior = def.behaviors.iter().any(|behavior| behavior.name == name);
        if !def.has_invariant || !is_behavior {
            return Vec::new();
        }
        let callee = Callee::Function(key_of(&def.name));
        let kind = ExprKind::Call { callee, args: Vec::new() };
        vec![expr(kind, Ty::Unit, function.span)]
    }

    /// A new value of a struct, after the check of its invariants.
    pub fn kept(&mut self, value: hir::Expr) -> hir::Expr {
        let Ty::Adt(adt) = self.shallow(&value.ty) else { return value };
        if value.ty == Ty::Error || !self.has_invariant(&adt) {
            return value;
        }
        let (ty, span) = (value.ty.clone(), value.span);
        let local = self.temporary(ty.clone(), span);
        let read = expr(ExprKind::Local(local), ty.clone(), span);
        let kind = ExprKind::Call { callee: invariant_of(&adt), args: vec![read.clone()] };
        let stmts = vec![bind(local, value, span), expr_stmt(expr(kind, Ty::Unit, span))];
        block(stmts, Some(read), ty, span)
    }

    fn has_invariant(&self, adt: &AdtRef) -> bool {
        matches!(adt_definition(self.db, adt), Some(Definition::Struct(def)) if def.has_invariant)
    }

    /// E0606: a field of such a struct is not assigned alone.
    pub fn alone(&mut self, container: &Ty, field: &Ident) {
        let Ty::Adt(adt) = container else { return };
        if !self.has_invariant(adt) {
            return;
        }
        let (name, part) = (&adt.name, &field.name);
        let message = format!("`{name}` has an invariant, so `{part}` is not assigned alone");
        self.report(
            Diagnostic::new(codes::E0606, field.span, message)
                .note(format!("build the value anew: `s = {name} {{ ..s, {part}: ... }}`")),
        );
    }
}

/// The function of a struct's invariants; of a generic one for these types.
fn invariant_of(adt: &AdtRef) -> Callee {
    match adt.args.is_empty() {
        true => Callee::Function(key_of(&adt.name)),
        false => Callee::Instance(Box::new(instance_of(adt))),
    }
}

fn instance_of(adt: &AdtRef) -> Instance {
    Instance {
        key: key_of(&adt.name),
        owner: adt.name.clone(),
        prelude: adt.fingerprint == 0,
        member: Some(INVARIANT),
        default: None,
        args: adt.args.clone(),
    }
}

/// A type that grows for ever is no type of a document; past so many kinds nobody looks further.
const KINDS: usize = 256;

/// The structs with invariants that values of a type are made of.
pub fn structs_within(db: &dyn Db, ty: &Ty) -> Vec<Arc<AdtRef>> {
    let mut seen: Vec<Arc<AdtRef>> = Vec::new();
    let mut found = Vec::new();
    let mut todo = vec![ty.clone()];
    while let Some(next) = todo.pop() {
        next.any(&mut |part| {
            let Ty::Adt(adt) = part else { return false };
            if seen.len() >= KINDS || seen.contains(adt) {
                return false;
            }
            seen.push(Arc::clone(adt));
            let (generics, fields): (&[Name], Vec<&Ty>) = match adt_definition(db, adt) {
                Some(Definition::Struct(def)) => {
                    if def.has_invariant {
                        found.push(Arc::clone(adt));
                    }
                    (&def.generics, def.fields.iter().map(|field| &field.ty).collect())
                }
                Some(Definition::Enum(def)) => {
                    let fields = def.variants.iter().flat_map(|v| &v.fields);
                    (&def.generics, fields.map(|field| &field.ty).collect())
                }
                _ => (&[], Vec::new()),
            };
            todo.extend(fields.into_iter().map(|ty| ty.substitute(generics, &adt.args)));
            false
        });
    }
    found
}

/// The instances that check the generic ones among them.
pub fn checks_within(db: &dyn Db, ty: &Ty, found: &mut Vec<Instance>) {
    let generic =
        |adt: &Arc<AdtRef>| !adt.args.is_empty() && !Ty::Adt(Arc::clone(adt)).is_generic();
    found.extend(
        structs_within(db, ty).iter().filter(|adt| generic(adt)).map(|adt| instance_of(adt)),
    );
}

/// The name of the function that checks a struct.
pub fn check_key(adt: &AdtRef) -> Name {
    match adt.args.is_empty() {
        true => key_of(&adt.name),
        false => instance_of(adt).name(),
    }
}

/// Whether a local is read, also by lambdas.
fn mentions(value: &mut hir::Expr, local: LocalId) -> bool {
    let mut found = match &value.kind {
        ExprKind::Local(id) => *id == local,
        ExprKind::Lambda { captures, .. } => captures.iter().any(|c| c.outer == local),
        _ => false,
    };
    hir::visit::children(value, &mut |inner| found = found || mentions(inner, local));
    found
}
