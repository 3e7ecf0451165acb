//! From an item's declaration to its [`Definition`]: signatures and layouts with their types resolved.
//!
//! Reads no bodies, so editing one leaves all of this equal. Mistakes in written types are reported where the
//! item itself is checked, not here.

use std::sync::Arc;

use crate::db::{CellInput, Db, SessionInput};
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::syntax::ast::TypeRefId;
use crate::syntax::item::{
    Agent, Behavior, BehaviorKind, Enum, Field, Function, GenericParam, ItemKind, ItemTree,
    MemberKind, Param as AstParam, Port, Struct, Tool, Variant,
};
use crate::types::capability::{passing, passing_of_self};
use crate::types::def::{
    AgentDef, AliasDef, BehaviorDef, Definition, EnumDef, GlobalDef, MemberDef, Param, Passing,
    Signature, StructDef, ToolDef, VariantDef,
};
use crate::types::fingerprint::type_fingerprint;
use crate::types::resolve::{TypeScope, generic_bounds, generic_names};
use crate::types::step::global_type;
use crate::types::ty::{AdtRef, Name, Ty};

/// What a name means, with its types. `cell`: see [`resolve`].
#[salsa::tracked(cycle_result = no_definition)]
pub fn definition<'db>(
    db: &'db dyn Db,
    name: ScopedName<'db>,
    cell: Option<CellInput>,
) -> Option<Definition> {
    match resolve(db, name, cell)? {
        Site::Item(item) => Some(item_definition(db, item).clone()),
        Site::Global(cell) => {
            let (ty, mutable) = global_type(db, cell, name);
            Some(Definition::Global(GlobalDef { ty, mutable }))
        }
        Site::Result => {
            let results = SessionInput::get(db).results(db);
            let result = results.iter().rev().find(|result| result.name == *name.name(db))?;
            Some(Definition::Global(GlobalDef { ty: result.ty.clone(), mutable: false }))
        }
    }
}

fn no_definition<'db>(
    _db: &'db dyn Db,
    _id: salsa::Id,
    _name: ScopedName<'db>,
    _cell: Option<CellInput>,
) -> Option<Definition> {
    Some(Definition::Global(GlobalDef { ty: Ty::Error, mutable: true }))
}

/// The interface of an item.
#[salsa::tracked]
pub fn item_definition<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Definition {
    db.ran("declare", &|| item.name(db).to_string());
    let tree = item.tree(db);
    let declare = Declare { db, item, tree };
    match &tree.kind {
        ItemKind::Function(function) => {
            let mut signature = declare.signature(function, &[], None);
            signature.doc = signature.doc.or_else(|| tree.doc.clone());
            Definition::Function(Arc::new(signature))
        }
        ItemKind::Struct(def) => Definition::Struct(Arc::new(declare.structure(def))),
        ItemKind::Enum(def) => Definition::Enum(Arc::new(declare.enumeration(def))),
        ItemKind::Alias(def) => {
            let generics = generic_names(&def.generics);
            let ty = declare.ty(def.ty, &generics);
            let (name, doc) = (item.name(db), tree.doc.clone());
            Definition::Alias(Arc::new(AliasDef { name, generics, ty, doc }))
        }
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => {
            Definition::Agent(Arc::new(declare.agent(def)))
        }
        ItemKind::Tool(def) => Definition::Tool(Arc::new(declare.tool(def))),
        ItemKind::Lane(_) => Definition::Lane,
        ItemKind::Policy(_) => Definition::Unsupported("a policy"),
        ItemKind::Import(_) => Definition::Unsupported("an import"),
        ItemKind::Test(_) => Definition::Unsupported("a test"),
        ItemKind::Theorem(_) => Definition::Theorem,
        ItemKind::Error => Definition::Unsupported("an item"),
    }
}

struct Declare<'a, 'db> {
    db: &'db dyn Db,
    item: ItemKey<'db>,
    tree: &'a ItemTree,
}

impl Declare<'_, '_> {
    fn ty(&self, id: TypeRefId, generics: &[Name]) -> Ty {
        let scope = TypeScope {
            db: self.db,
            prelude: self.item.prelude(self.db),
            is_file: self.item.is_of_file(self.db),
            cell: None,
            generics,
            body: &self.tree.body,
        };
        scope.ty(id, &mut Vec::new())
    }

    fn name(&self) -> Name {
        self.item.name(self.db)
    }

    fn fingerprint(&self) -> u64 {
        let prelude = self.item.prelude(self.db);
        if prelude {
            return 0;
        }
        type_fingerprint(self.db, ScopedName::new(self.db, self.name(), prelude))
    }

    /// `outer`: the type parameters of the struct or enum around it.
    fn signature(
        &self,
        function: &Function,
        outer: &[GenericParam],
        owner: Option<&Name>,
    ) -> Signature {
        let name = function.name.name.text();
        let both: Vec<GenericParam> = outer.iter().chain(&function.generics).cloned().collect();
        let generics = &generic_names(&both);
        Signature {
            generics: generics.clone(),
            bounds: generic_bounds(&both),
            key: owner.map_or(name.clone(), |owner| Arc::from(format!("{owner}.{name}"))),
            params: function.params.iter().map(|param| self.param(param, generics)).collect(),
            result: function.ret.map(|ret| self.ty(ret, generics)),
            receiver: function.receiver.is_some(),
            own: passing_of_self(function),
            doc: function.doc.clone(),
        }
    }

    fn signatures(&self, functions: &[Function], generics: &[GenericParam]) -> Vec<Signature> {
        let owner = self.name();
        functions.iter().map(|f| self.signature(f, generics, Some(&owner))).collect()
    }

    fn param(&self, param: &AstParam, generics: &[Name]) -> Param {
        let (passing, ty) = passing(&self.tree.body, param.ty);
        Param {
            name: param.name.name.text(),
            ty: self.ty(ty, generics),
            passing,
            has_default: param.default.is_some(),
            doc: param.doc.clone(),
        }
    }

    /// A parameter of an agent or tool: it is kept, so it is never a place of somebody else's.
    fn held(&self, param: &AstParam) -> Param {
        Param { passing: Passing::Val, ..self.param(param, &[]) }
    }

    fn field(&self, field: &Field, generics: &[Name]) -> Param {
        Param {
            name: field.name.name.text(),
            ty: self.ty(field.ty, generics),
            passing: Passing::Val,
            has_default: field.default.is_some(),
            doc: field.doc.clone(),
        }
    }

    fn port(&self, port: &Port) -> Param {
        Param {
            name: port.name.name.text(),
            ty: self.ty(port.ty, &[]),
            passing: Passing::Val,
            has_default: port.default.is_some(),
            doc: port.doc.clone(),
        }
    }

    fn structure(&self, def: &Struct) -> StructDef {
        let generics = generic_names(&def.generics);
        StructDef {
            name: self.name(),
            fingerprint: self.fingerprint(),
            fields: def.fields.iter().map(|field| self.field(field, &generics)).collect(),
            methods: self.signatures(&def.methods, &def.generics),
            has_invariant: !def.invariants.is_empty(),
            bounds: generic_bounds(&def.generics),
            doc: self.tree.doc.clone(),
            generics,
        }
    }

    fn enumeration(&self, def: &Enum) -> EnumDef {
        let generics = generic_names(&def.generics);
        EnumDef {
            name: self.name(),
            fingerprint: self.fingerprint(),
            variants: def.variants.iter().map(|v| self.variant(v, &generics)).collect(),
            methods: self.signatures(&def.methods, &def.generics),
            bounds: generic_bounds(&def.generics),
            doc: self.tree.doc.clone(),
            generics,
        }
    }

    fn variant(&self, variant: &Variant, generics: &[Name]) -> VariantDef {
        let fields = variant.fields.as_deref().unwrap_or_default();
        let named = fields.iter().enumerate().map(|(at, field)| Param {
            name: match &field.name {
                Some(name) => name.name.text(),
                None if fields.len() == 1 => Arc::from("value"),
                None => Arc::from(format!("_{at}")),
            },
            ty: self.ty(field.ty, generics),
            passing: Passing::Val,
            has_default: false,
            doc: None,
        });
        VariantDef {
            name: variant.name.name.text(),
            snake: Arc::from(snake_case(variant.name.name.as_str())),
            fields: named.collect(),
        }
    }

    fn agent(&self, def: &Agent) -> AgentDef {
        let owner = self.name();
        let mut behaviors = Vec::new();
        let mut functions = Vec::new();
        for (at, member) in def.members.iter().enumerate() {
            let member_at = u32::try_from(at).unwrap_or(u32::MAX);
            match &member.kind {
                MemberKind::Behavior(behavior) => {
                    behaviors.push(self.behavior(behavior, &owner, member_at));
                }
                MemberKind::Function(function) => functions.push(MemberDef {
                    name: function.name.name.text(),
                    signature: self.signature(function, &[], Some(&owner)),
                    member: member_at,
                }),
                _ => {}
            }
        }
        AgentDef {
            params: def.params.iter().map(|param| self.held(param)).collect(),
            skills: def.skills().map(|port| self.port(port)).collect(),
            tools: def.tools().map(|port| self.port(port)).collect(),
            state: def.state_fields().map(|field| self.field(field, &[])).collect(),
            fixed: Vec::new(),
            is_orchestration: matches!(self.tree.kind, ItemKind::Orchestration(_)),
            behaviors,
            functions,
            has_invariant: def.invariants().next().is_some(),
            doc: self.tree.doc.clone(),
            name: owner,
        }
    }

    fn behavior(&self, behavior: &Behavior, owner: &Name, member: u32) -> BehaviorDef {
        let function = &behavior.function;
        let mut signature = self.signature(function, &[], Some(owner));
        if behavior.kind == BehaviorKind::Alert {
            signature.result = Some(Ty::Unit);
        }
        BehaviorDef { name: function.name.name.text(), signature, member, kind: behavior.kind }
    }

    /// A method without a body says what it gives, or gives nothing.
    fn tool_method(&self, method: &Function) -> Signature {
        let signature = self.signature(method, &[], Some(&self.name()));
        let result = match (&signature.result, &method.body) {
            (None, None) => Some(Ty::Unit),
            (written, _) => written.clone(),
        };
        Signature { result, ..signature }
    }

    fn tool(&self, def: &Tool) -> ToolDef {
        let params = def.params.iter().map(|param| self.held(param));
        let fields = def.fields.iter().map(|field| self.field(field, &[]));
        let without_body = def.methods.iter().filter(|method| method.body.is_none());
        ToolDef {
            name: self.name(),
            fields: params.chain(fields).collect(),
            provides: def.provides.as_ref().map(|base| base.name.text()),
            methods: def.methods.iter().map(|method| self.tool_method(method)).collect(),
            required: without_body.map(|method| method.name.name.text()).collect(),
            doc: self.tree.doc.clone(),
        }
    }
}

/// `NoTrade` -> `no_trade`, `FIFO` -> `fifo`, `HnswRs` -> `hnsw_rs`.
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let starts_word = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
            || (before.is_some_and(|b| b.is_uppercase())
                && after.is_some_and(|a| a.is_lowercase()));
        if c.is_uppercase() && starts_word && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// The definition that a nominal type refers to; `None` if it was redefined since.
pub fn adt_definition<'db>(db: &'db dyn Db, adt: &AdtRef) -> Option<&'db Definition> {
    let name = ScopedName::new(db, adt.name.clone(), adt.fingerprint == 0);
    let found = definition(db, name, None).as_ref()?;
    let fingerprint = match found {
        Definition::Struct(def) => def.fingerprint,
        Definition::Enum(def) => def.fingerprint,
        _ => return None,
    };
    (fingerprint == adt.fingerprint).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn snake_case_of_variants() {
        for (name, snake) in [
            ("NoTrade", "no_trade"),
            ("FIFO", "fifo"),
            ("HnswRs", "hnsw_rs"),
            ("Up", "up"),
            ("HTTPError", "http_error"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
