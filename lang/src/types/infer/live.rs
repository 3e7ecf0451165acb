//! `live:` of `@replay`: effects by their names, as `uses` and policies write them (`live: tool.Broker`, `live: [llm, net]`).
//!
//! Never: looks a name up: these are no values.

use ag_runtime::builtin::BuiltinId;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, ExprKind};
use crate::syntax::ast::{self, Arg, ExprId};
use crate::types::infer::{Infer, expr};
use crate::types::ty::Ty;

/// What passes the door of effects, by the first word of its path.
const EFFECTS: &[&str] = &["llm", "tool", "memory", "clock", "random", "net", "fs", "env", "human"];

impl Infer<'_, '_> {
    /// The arguments of a block without those that name effects, and what those name.
    pub fn without_effects(
        &mut self,
        id: BuiltinId,
        args: &[Arg],
    ) -> (Vec<Arg>, Option<hir::Expr>) {
        let is_live = |arg: &Arg| arg.name.as_ref().is_some_and(|name| name.name == "live");
        let is_replay = id.get().is_some_and(|row| row.name == "replay");
        let found = args.iter().position(is_live).filter(|_| is_replay);
        let mut rest = args.to_vec();
        // A second one is reported as any argument that is given twice.
        let Some(live) = found.map(|at| rest.remove(at)) else { return (rest, None) };
        let named = match &self.body[live.value].kind {
            ast::ExprKind::List(items) => items.clone(),
            _ => vec![live.value],
        };
        let paths: Vec<String> = named.iter().filter_map(|at| self.effect_name(*at)).collect();
        let text = expr(ExprKind::Text(paths.join(",").into()), Ty::Text, live.span);
        (rest, Some(text))
    }

    fn effect_name(&mut self, at: ExprId) -> Option<String> {
        let path = self.effect_path(at);
        let known = |path: &String| {
            let first = path.split('.').next().unwrap_or_default();
            EFFECTS.contains(&first)
        };
        let found = path.filter(known);
        if found.is_none() {
            let message = "`live` names effects";
            let note = format!(
                "write `live: llm` or `live: [llm, net]`; there are {}",
                EFFECTS.join(", ")
            );
            let span = self.body[at].span;
            self.report(Diagnostic::new(codes::E0301, span, message).note(note));
        }
        found
    }

    /// `tool.Broker.execute`, written as names or as a text.
    fn effect_path(&self, at: ExprId) -> Option<String> {
        match &self.body[at].kind {
            ast::ExprKind::Name(name) => Some(name.as_str().to_owned()),
            ast::ExprKind::Field { base, name } => {
                Some(format!("{}.{}", self.effect_path(*base)?, name.name.as_str()))
            }
            _ => None,
        }
    }
}
