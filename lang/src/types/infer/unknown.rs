//! What is said of a name behind a dot that is no member there.

use std::sync::Arc;

use ag_runtime::builtin;

use crate::diag::{Diagnostic, codes, nearest};
use crate::hir;
use crate::syntax::ast::Ident;
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::hints;
use crate::types::infer::Infer;
use crate::types::infer::member::{receiver_name, short};
use crate::types::report;
use crate::types::tool;
use crate::types::ty::{Name, Ty};

impl Infer<'_, '_> {
    pub fn no_member(&mut self, value: &hir::Expr, ty: &Ty, name: &Ident) {
        match ty {
            Ty::Error | Ty::Never => {}
            Ty::AgentRef(agent) if self.is_state(agent, name) => {
                self.report(report::foreign_state(agent, name.name.as_str(), name.span));
            }
            Ty::Var(_) => {
                let message = format!(
                    "the type of this is not known yet, so `.{}` cannot be looked up",
                    name.name
                );
                self.report(
                    Diagnostic::new(codes::E0304, value.span, message)
                        .note("annotate it: `let x : T := ...`, `(x : T) => ...`"),
                );
            }
            _ => {
                let known = self.members(ty);
                let known: Vec<&str> = known.iter().map(|name| &**name).collect();
                let ty = self.table.resolve(ty);
                self.unknown_member(&format!("`{ty}`"), name, &known);
            }
        }
    }

    fn is_state(&self, agent: &Name, name: &Ident) -> bool {
        matches!(self.definition(agent), Some(Definition::Agent(def)) if def.field(&name.name.text()).is_some())
    }

    pub fn unknown_member(&mut self, what: &str, name: &Ident, known: &[&str]) {
        if known.contains(&name.name.as_str()) {
            let message = format!("`{}` of {what} can only be called", name.name);
            let note = format!("a function as a value: `x => it.{}(x)`", name.name);
            return self.report(Diagnostic::new(codes::E0206, name.span, message).note(note));
        }
        let message = format!("{what} has no member `{}`", name.name);
        let diagnostic = Diagnostic::new(codes::E0206, name.span, message);
        let diagnostic = match known {
            [] => diagnostic,
            some if some.len() <= 8 => diagnostic.note(format!("it has: {}", some.join(", "))),
            _ => diagnostic,
        };
        let meant = report::foreign_member(name.name.as_str()).filter(|ours| known.contains(ours));
        if let Some(ours) = meant {
            return self.report(diagnostic.fix(format!("write `{ours}`"), name.span, ours));
        }
        if let Some(note) = hints::foreign_member(name.name.as_str()) {
            return self.report(Diagnostic { notes: vec![note.to_owned()], ..diagnostic });
        }
        let found = nearest(name.name.as_str(), known.iter().copied());
        self.report(report::did_you_mean(diagnostic, name.span, &found));
    }

    /// The names that may stand behind a dot of this type.
    pub fn members(&self, ty: &Ty) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        match ty {
            Ty::Adt(adt) => match adt_definition(self.db, adt) {
                Some(Definition::Struct(def)) => {
                    names.extend(def.fields.iter().map(|field| field.name.clone()));
                    names.extend(def.methods.iter().map(|m| Arc::from(short(&m.key))));
                }
                Some(Definition::Enum(def)) => {
                    names.extend(def.methods.iter().map(|m| Arc::from(short(&m.key))));
                }
                _ => {}
            },
            Ty::Record(fields) => names.extend(fields.iter().map(|(name, _)| name.clone())),
            Ty::Tool(tool) => {
                names.extend(tool::methods(self.db, tool));
            }
            Ty::AgentRef(agent) => {
                if let Some(Definition::Agent(def)) = self.definition(agent) {
                    names.extend(def.behaviors.iter().map(|b| b.name.clone()));
                }
            }
            _ => {}
        }
        if let Some(receiver) = receiver_name(ty) {
            names.extend(builtin::members(receiver).map(|row| Arc::from(row.name)));
        }
        names
    }
}
