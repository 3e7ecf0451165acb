//! The configuration sections of an agent (L-79): typed records with defaults, unknown keys are E0701.

use std::sync::Arc;

use crate::hir::{self, ExprKind};
use crate::source::Span;
use crate::syntax::ast::FieldInit;
use crate::syntax::item::Config;
use crate::types::declare::adt_definition;
use crate::types::def::{Definition, Param};
use crate::types::infer::args::DefaultSlot;
use crate::types::infer::{Infer, error, expr};
use crate::types::ty::{Name, Ty};

/// The struct of the prelude that says what a section may hold.
pub const SECTIONS: &[(&str, &str)] = &[("cost_policy", "CostPolicy"), ("memory", "MemoryConfig")];

impl Infer<'_, '_> {
    /// One section, as a value of its struct.
    pub fn section(&mut self, section: &str, config: &Config) -> Option<(Name, hir::Expr)> {
        let (_, ty) = SECTIONS.iter().find(|(name, _)| *name == section)?;
        self.in_config = true;
        let value = self.config_record(&config.entries, &Ty::prelude(ty, Vec::new()), config.span);
        self.in_config = false;
        Some((Arc::from(section), value))
    }

    /// A record where a struct is wanted: omitted keys take the defaults.
    pub fn config_record(&mut self, entries: &[FieldInit], wanted: &Ty, span: Span) -> hir::Expr {
        let Ty::Adt(adt) = self.shallow(wanted) else { return error(span) };
        let Some(Definition::Struct(def)) = adt_definition(self.db, &adt) else {
            return error(span);
        };
        let fields: Vec<Param> = def.fields.clone();
        let given = self.named_values(section_name(&def.name), &fields, entries);
        let slot = |at: usize| DefaultSlot::of(&def.name, def.fingerprint == 0, None, at);
        self.complete(&def.name, &fields, given, slot, wanted.clone(), span)
    }

    /// The sections as one record, its fields sorted by name.
    pub fn sections(&mut self, mut sections: Vec<(Name, hir::Expr)>, span: Span) -> hir::Expr {
        sections.sort_by(|a, b| a.0.cmp(&b.0));
        let ty = Ty::Record(sections.iter().map(|(n, v)| (n.clone(), v.ty.clone())).collect());
        let evaluation = (0..sections.len()).map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        let evaluation = evaluation.collect();
        let fields = sections.into_iter().map(|(_, value)| value).collect();
        expr(ExprKind::Record { fields, evaluation }, ty, span)
    }
}

/// What messages call the struct: the section it is for.
fn section_name(name: &str) -> &str {
    SECTIONS.iter().find(|(_, ty)| *ty == name).map_or(name, |(section, _)| section)
}
