//! Orchestrations (L-77): agents whose own statements run once, and whose state those statements declare.
//!
//! What is declared is typed by inferring the statements, so the interface of an orchestration (`item_definition`) is known
//! without them and only its own bodies ask for them. Never: lets a body of it be inferred for its own statements; that is
//! a cycle, which is reported.

use std::sync::Arc;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir::{self, ExprKind, PatternKind, Stmt, StmtKind};
use crate::names::cell::{ItemKey, bound_names};
use crate::source::Span;
use crate::syntax::ast::{Body, Ident, StmtKind as AstStmt};
use crate::syntax::item::{Agent, ItemKind, ItemTree};
use crate::types::check::{FnPath, infer_function};
use crate::types::declare::item_definition;
use crate::types::def::{AgentDef, Definition, Param, Passing};
use crate::types::infer::agent::returned;
use crate::types::infer::contract::block;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::{Infer, Owner, expr};
use crate::types::ty::{Name, Ty};

/// A name that a statement of an orchestration declares.
struct Declared {
    name: Name,
    mutable: bool,
    span: Span,
}

fn declared(body: &Body, agent: &Agent) -> Vec<Declared> {
    let mut found = Vec::new();
    for id in agent.stmts() {
        match &body[id].kind {
            AstStmt::Let { mutable, pattern, .. } => {
                let mut names = Vec::new();
                bound_names(body, *pattern, &mut names);
                let one = |(name, span)| Declared { name, mutable: *mutable, span };
                found.extend(names.into_iter().map(one));
            }
            AstStmt::Declare { name, .. } => {
                let (name, span) = (name.name.text(), name.span);
                found.push(Declared { name, mutable: true, span });
            }
            _ => {}
        }
    }
    found
}

/// The definition as the bodies of an agent see it: with the state that its own statements declare.
#[salsa::tracked(cycle_result = without_statements)]
pub fn with_state<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Definition {
    let definition = item_definition(db, item);
    let tree = item.tree(db);
    let (Definition::Agent(def), ItemKind::Orchestration(agent)) = (definition, &tree.kind) else {
        return definition.clone();
    };
    let types = match &infer_function(db, item, FnPath::Init).result {
        Ty::Tuple(types) => types.clone(),
        _ => Vec::new(),
    };
    let mut full = AgentDef::clone(def);
    let mut types = types.into_iter().skip(full.state.len());
    for one in declared(&tree.body, agent) {
        let ty = types.next().unwrap_or(Ty::Error);
        if !one.mutable {
            full.fixed.push(one.name.clone());
        }
        full.state.push(Param {
            name: one.name,
            ty,
            passing: Passing::Val,
            has_default: false,
            doc: None,
        });
    }
    Definition::Agent(Arc::new(full))
}

fn without_statements<'db>(db: &'db dyn Db, _id: salsa::Id, item: ItemKey<'db>) -> Definition {
    item_definition(db, item).clone()
}

/// Statements that declare a name which a member has.
pub fn twice(tree: &ItemTree, members: &[&Ident], out: &mut Vec<Diagnostic>) {
    let ItemKind::Orchestration(agent) = &tree.kind else { return };
    for one in declared(&tree.body, agent) {
        if let Some(first) = members.iter().find(|member| member.name == *one.name) {
            let message = format!("`{}` is declared twice", one.name);
            let diagnostic = Diagnostic::new(codes::E0204, one.span, message);
            out.push(diagnostic.label(first.span, "and here"));
        }
    }
}

impl Infer<'_, '_> {
    /// The own statements: take parameters and ports, give the tuple of the state.
    pub fn own_statements(&mut self, def: &AgentDef, agent: &Agent) -> hir::Expr {
        let span = Span::default();
        let key: Name = Arc::from(format!("{}.{{init}}", def.name));
        let result = self.fresh(span);
        // `self` is known; state and private functions are not there before the statements have run.
        self.owner = Owner::Agent(Arc::new(AgentDef {
            name: def.name.clone(),
            is_orchestration: true,
            ..AgentDef::default()
        }));
        self.open(FrameKind::Start, key, result.clone());
        let taken: Vec<Param> = def.fields().take(def.state_start()).cloned().collect();
        for field in &taken {
            self.declare(&field.name, field.ty.clone(), false, span);
        }
        self.frame().params = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let mut stmts = self.section_state(def, agent);
        for id in agent.stmts() {
            self.statement(id, &mut stmts);
        }
        stmts.extend(self.state_clauses(def, agent));
        let names: Vec<Name> = def.state.iter().map(|field| field.name.clone()).collect();
        let own = declared(self.body, agent).into_iter().map(|one| one.name);
        let values: Vec<hir::Expr> = names
            .into_iter()
            .chain(own)
            .filter_map(|name| {
                let id = self.local(&name)?;
                let ty = self.local_ty(id);
                Some(expr(ExprKind::Local(id), ty, span))
            })
            .collect();
        let value = match values.is_empty() {
            true => expr(ExprKind::Unit, Ty::Unit, span),
            false => {
                let ty = Ty::Tuple(values.iter().map(|value| value.ty.clone()).collect());
                expr(ExprKind::Tuple(values), ty, span)
            }
        };
        let _ = self.table.unify(&result, &value.ty);
        stmts.push(crate::types::infer::stmt::expr_stmt(returned(value, span)));
        block(stmts, None, Ty::Never, span)
    }

    /// The fields of `state { }`, as variables that the statements may change.
    fn section_state(&mut self, def: &AgentDef, agent: &Agent) -> Vec<Stmt> {
        let mut stmts = Vec::new();
        for (field, typed) in agent.state_fields().zip(&def.state) {
            let span = field.span;
            let value = match field.default {
                Some(value) => self.check(value, &typed.ty),
                None => self.no_initial_value(typed, span),
            };
            let local = self.declare(&typed.name, typed.ty.clone(), true, field.name.span);
            let kind = PatternKind::Bind(local);
            let pattern = hir::Pattern { kind, ty: typed.ty.clone(), span };
            stmts.push(Stmt { kind: StmtKind::Let { pattern, value }, span });
        }
        stmts
    }
}
