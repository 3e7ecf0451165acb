//! Generated code (`@eval`), checked: what it may declare and do.
//!
//! Functions and plain types, and effects that the caller allows. Never: lets it name an agent, a tool, a policy or a lane,
//! give a session command, or put a rule of its own on a type of the session.

use std::sync::Arc;

use crate::db::workspace::{Changes, Linked, Workspace};
use crate::diag::codes::Code;
use crate::diag::{Diagnostic, codes};
use crate::hir;
use crate::names::cell::{cell_globals, cell_items, parse_cell};
use crate::names::mention::mentions;
use crate::source::LineIndex;
use crate::syntax::item::{ItemKind, ItemTree};
use crate::types::check::check_item;
use crate::types::effects::{covers, effects_of};
use crate::types::generated::infer_generated;
use crate::types::ty::Name;

/// Why the code is not run.
pub struct Refused {
    pub code: Code,
    pub message: String,
}

impl Workspace {
    /// The functions of a text that has these values and may have these effects.
    pub fn generated(
        &mut self,
        text: &str,
        with: &[Name],
        allow: &[Arc<str>],
    ) -> Result<hir::Definitions, Refused> {
        let id = self.add_cell(text);
        let Some(cell) = self.input(id) else { return Ok(hir::Definitions::default()) };
        let parsed = parse_cell(&self.db, cell);
        first(text, &parsed.diagnostics)?;
        if !parsed.cell.commands.is_empty() {
            return refuse(codes::E0108, "generated code gives no session commands".to_owned());
        }
        let globals: Vec<&Name> = cell_globals(&self.db, cell).iter().map(|g| &g.name).collect();
        let mut out = hir::Definitions::default();
        let (mut needed, mut linked) = (Vec::new(), Vec::new());
        for item in cell_items(&self.db, cell) {
            allowed(item.tree(&self.db))?;
            if let Some(name) = mentions(&self.db, *item)
                .iter()
                .find(|name| globals.contains(name) || with.contains(name))
            {
                let item = item.name(&self.db);
                let message = format!("`{item}` uses `{name}`: give it as a parameter");
                return refuse(codes::E0201, message);
            }
            let checked = check_item(&self.db, *item);
            first(text, &checked.diagnostics)?;
            linked.push((item.name(&self.db), checked.clone()));
            out.functions.extend(checked.functions.iter().cloned());
            needed.extend(checked.instances.iter().cloned());
        }
        let main = infer_generated(&self.db, cell, with);
        first(text, &main.diagnostics)?;
        for effect in effects_of(&self.db, &main.facts, false).into_keys() {
            let is_free = matches!(&*effect, "suspend" | "global");
            if !is_free && !allow.iter().any(|one| covers(one, &effect)) {
                let message = format!(
                    "generated code has the effect `{effect}`, which `allow` does not name"
                );
                return refuse(codes::E0504, message);
            }
        }
        needed.extend(main.instances.iter().cloned());
        out.functions.extend(main.function);
        for (name, checked) in linked {
            self.linked.insert(name, Linked { cell: id, item: 0, checked });
        }
        self.instantiate(needed, Some(id), &mut Changes::default(), &mut out);
        Ok(out)
    }
}

fn allowed(tree: &ItemTree) -> Result<(), Refused> {
    let what = match &tree.kind {
        ItemKind::Function(_) | ItemKind::Enum(_) | ItemKind::Alias(_) => return Ok(()),
        ItemKind::Struct(def) if def.invariants.is_empty() => return Ok(()),
        ItemKind::Struct(_) => "an invariant",
        ItemKind::Agent(_) => "an agent",
        ItemKind::Orchestration(_) => "an orchestration",
        ItemKind::Tool(_) => "a tool",
        ItemKind::Lane(_) => "a lane",
        ItemKind::Policy(_) => "a policy",
        ItemKind::Import(_) => "an import",
        ItemKind::Test(_) => "a test",
        ItemKind::Theorem(_) => "a theorem",
        ItemKind::Error => "this",
    };
    refuse(codes::E0504, format!("generated code declares functions and types, not {what}"))
}

/// The first mistake, with its line.
fn first(text: &str, diagnostics: &[Diagnostic]) -> Result<(), Refused> {
    let Some(mistake) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) else {
        return Ok(());
    };
    let line = LineIndex::new(text).line_column(mistake.primary.span.start, text).line + 1;
    refuse(mistake.code, format!("line {line} of generated code: {}", mistake.message))
}

fn refuse<T>(code: Code, message: String) -> Result<T, Refused> {
    Err(Refused { code, message })
}
