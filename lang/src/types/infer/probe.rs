//! What an editor wants to know of one place in a body: the type there, what is expected, which locals are visible.

use std::collections::BTreeMap;

use crate::hir;
use crate::source::Span;
use crate::syntax::ast::ExprId;
use crate::types::infer::args::{self, Formal};
use crate::types::infer::{Expect, Infer, Owner};
use crate::types::ty::{Name, Ty};
use crate::types::unify::Table;

/// A question, and what inference found.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// The expression asked about.
    pub expr: Option<ExprId>,
    /// The place asked about, in the spans of the body.
    pub offset: u32,
    /// The call asked about, by its place.
    pub call: Option<Span>,
    /// What that call may be given.
    pub params: Vec<Parameter>,
    /// Type of `expr`.
    pub ty: Option<Ty>,
    /// The smallest expression around `offset`.
    pub around: Option<(Span, Ty)>,
    /// What is wanted there.
    pub expected: Option<Ty>,
    /// Locals, and fields of the agent or tool.
    pub visible: BTreeMap<Name, Ty>,
}

/// A parameter of a call.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: Name,
    pub ty: Ty,
    pub has_default: bool,
}

impl Probe {
    pub fn at(offset: u32, expr: Option<ExprId>) -> Probe {
        Probe { expr, offset, ..Probe::default() }
    }

    /// Replaces what is known of types by now.
    pub fn resolve(&mut self, table: &Table) {
        let types = self.ty.iter_mut().chain(self.around.iter_mut().map(|(_, ty)| ty));
        let params = self.params.iter_mut().map(|param| &mut param.ty);
        let types = types.chain(params);
        for ty in types.chain(self.expected.iter_mut()).chain(self.visible.values_mut()) {
            *ty = table.resolve(ty);
        }
    }
}

impl Infer<'_, '_> {
    /// Called for each expression when somebody asks; children come before parents.
    pub fn probed(&mut self, id: ExprId, value: &hir::Expr, expect: &Expect) {
        let Some(probe) = self.probe.clone() else { return };
        let mut probe = probe.borrow_mut();
        if probe.expr == Some(id) {
            probe.ty = Some(value.ty.clone());
        }
        // An empty name has no width: its place is where it would stand.
        let span = self.span(id);
        let smaller = probe.around.as_ref().is_none_or(|(known, _)| span.len() < known.len());
        if !span.touches(probe.offset) || !smaller {
            return;
        }
        probe.around = Some((span, value.ty.clone()));
        probe.expected = match expect {
            Expect::Is(ty) => Some(ty.clone()),
            _ => None,
        };
        probe.visible = self.visible();
    }

    /// Called for each call that has parameters when somebody asks.
    pub fn probed_call(&mut self, formals: &[Formal], span: Span) {
        let Some(probe) = &self.probe else { return };
        let mut probe = probe.borrow_mut();
        if probe.call != Some(span) {
            return;
        }
        let param = |formal: &Formal| Parameter {
            name: formal.name.clone(),
            ty: formal.ty.clone(),
            has_default: !matches!(formal.default, args::Default::Required),
        };
        probe.params = formals.iter().map(param).collect();
    }

    fn visible(&self) -> BTreeMap<Name, Ty> {
        let mut found = BTreeMap::new();
        match &self.owner {
            Owner::Nobody => {}
            Owner::Agent(agent) => {
                found.extend(agent.fields().map(|field| (field.name.clone(), field.ty.clone())));
            }
            Owner::Tool(tool) => {
                found.extend(tool.fields.iter().map(|f| (f.name.clone(), f.ty.clone())));
            }
        }
        let declared = self.declared_names().into_iter().filter_map(|name| self.declared(&name));
        found.extend(declared.map(|global| (global.name, global.ty)));
        for frame in &self.frames {
            for (name, id) in frame.scopes.iter().flatten() {
                let ty = frame.local(*id).map_or(Ty::Error, |local| local.ty.clone());
                found.insert(name.clone(), ty);
            }
        }
        found
    }
}
