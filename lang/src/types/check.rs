//! The queries over bodies: one function, one default, one item; and what an item reports.
//!
//! Keyed by the content of the item: the same item in another cell, or moved, is not inferred again.
//!
//! Long because the queries refer to each other, in cycles too, and share what they are keyed by.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::hir;
use crate::names::cell::ItemKey;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::source::Span;
use crate::syntax::ast::{ExprId, TypeRefId};
use crate::syntax::item::{Agent, Function, ItemKind, ItemTree, MemberKind};
use crate::syntax::rename::file_of;
use crate::types::assemble::assemble;
use crate::types::attribute;
use crate::types::capability::{passing, passing_of_self};
use crate::types::contracted::{Contracted, contracted};
use crate::types::declare::{definition, item_definition};
use crate::types::def::Definition;
use crate::types::deprecated;
use crate::types::effects::{effects_of, exceeded, impure, suspending, unbounded};
use crate::types::escape::escaping;
use crate::types::generic::{growing, is_generic, parameters};
use crate::types::handles;
use crate::types::infer::checkpoint::held;
use crate::types::infer::finish::Checked;
use crate::types::infer::frame::FrameKind;
use crate::types::infer::probe::Probe;
use crate::types::infer::{Infer, Owner};
use crate::types::lane_item;
use crate::types::report;
use crate::types::resolve::{generic_bounds, generic_names};
use crate::types::restrict;
use crate::types::rule;
use crate::types::snapshot;
use crate::types::speculative;
use crate::types::speculative::is_speculative;
use crate::types::start;
use crate::types::summary::type_definition;
use crate::types::test_item::infer_test;
use crate::types::tool;
use crate::types::ty::{Name, Ty};
use crate::types::unify::Fallback;
use ag_runtime::lane::declared::LaneSpec;

/// Which function of an item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FnPath {
    Item,
    /// A method of a struct, enum or tool, or a member of an agent, by its place.
    Member(u32),
    /// The initial state of an agent.
    Init,
    /// The configuration of an agent.
    Config,
    /// The invariants of a struct or of an agent's state.
    Invariant,
    /// The condition of a rule, by its place among those of the item.
    Rule(u32),
}

/// How the function of invariants is told from members where those are counted.
pub const INVARIANT: u32 = u32::MAX;

impl FnPath {
    /// The place of a member, or of the item itself.
    pub fn of(member: Option<u32>) -> FnPath {
        match member {
            None => FnPath::Item,
            Some(INVARIANT) => FnPath::Invariant,
            Some(at) => FnPath::Member(at),
        }
    }
}

/// The function at a place of an item.
pub fn function_at(tree: &ItemTree, path: FnPath) -> Option<&Function> {
    match (&tree.kind, path) {
        (ItemKind::Function(function), FnPath::Item) => Some(function),
        (ItemKind::Struct(def), FnPath::Member(at)) => def.methods.get(at as usize),
        (ItemKind::Enum(def), FnPath::Member(at)) => def.methods.get(at as usize),
        (ItemKind::Tool(def), FnPath::Member(at)) => def.methods.get(at as usize),
        (ItemKind::Agent(def) | ItemKind::Orchestration(def), FnPath::Member(at)) => {
            match &def.members.get(at as usize)?.kind {
                MemberKind::Behavior(behavior) => Some(&behavior.function),
                MemberKind::Function(function) => Some(function),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Every function of an item.
pub fn function_paths(tree: &ItemTree) -> Vec<FnPath> {
    let members = |n: usize| (0..n).filter_map(|at| u32::try_from(at).ok()).map(FnPath::Member);
    match &tree.kind {
        ItemKind::Function(_) | ItemKind::Test(_) | ItemKind::Theorem(_) => vec![FnPath::Item],
        ItemKind::Struct(def) => {
            let invariant = (!def.invariants.is_empty()).then_some(FnPath::Invariant);
            members(def.methods.len()).chain(invariant).collect()
        }
        ItemKind::Enum(def) => members(def.methods.len()).collect(),
        ItemKind::Tool(def) => members(def.methods.len()).collect(),
        ItemKind::Policy(_) => conditions(tree).collect(),
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => {
            let mut paths = vec![FnPath::Init];
            if def.invariants().next().is_some() {
                paths.push(FnPath::Invariant);
            }
            if has_config(def) {
                paths.push(FnPath::Config);
            }
            paths.extend(members(def.members.len()).filter(|at| function_at(tree, *at).is_some()));
            paths.extend(conditions(tree));
            paths
        }
        _ => Vec::new(),
    }
}

/// The rules that have a condition.
fn conditions(tree: &ItemTree) -> impl Iterator<Item = FnPath> {
    let rules = (0..).zip(rule::rules_of(tree));
    let with: Vec<u32> =
        rules.filter(|(_, rule)| rule.condition.is_some()).map(|(at, _)| at).collect();
    with.into_iter().map(FnPath::Rule)
}

/// Where the member of that name stands.
pub fn function_path(tree: &ItemTree, name: &str) -> Option<FnPath> {
    function_paths(tree)
        .into_iter()
        .find(|path| function_at(tree, *path).is_some_and(|f| f.name.name == *name))
}

fn has_config(agent: &Agent) -> bool {
    agent
        .members
        .iter()
        .any(|member| matches!(member.kind, MemberKind::Memory(_) | MemberKind::CostPolicy(_)))
}

/// The typed tree of one function.
#[salsa::tracked(cycle_result = needs_annotation)]
pub fn infer_function<'db>(db: &'db dyn Db, item: ItemKey<'db>, path: FnPath) -> Checked {
    db.ran("infer", &|| label(db, item, path));
    with_stack(|| run(db, item, path, None))
}

/// Inferring a body may infer those it calls, and so on: such chains are as long as the program.
pub fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    const LEFT: usize = 512 << 10;
    const MORE: usize = 4 << 20;
    stacker::maybe_grow(LEFT, MORE, work)
}

/// Infers a function as [`infer_function`] does, with an eye on one place; not remembered.
pub fn probe_function<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    path: FnPath,
    probe: &Rc<RefCell<Probe>>,
) {
    run(db, item, path, Some(Rc::clone(probe)));
}

fn run<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    path: FnPath,
    probe: Option<Rc<RefCell<Probe>>>,
) -> Checked {
    let tree = item.tree(db);
    let mut infer = Infer::new(db, item.prelude(db), &tree.body);
    infer.file = file_of(&item.name(db)).map(Name::from);
    infer.probe = probe;
    let definition = match path {
        FnPath::Init | FnPath::Config => item_definition(db, item),
        _ => start::with_state(db, item),
    };
    match (path, definition, &tree.kind) {
        (FnPath::Init, Definition::Agent(def), ItemKind::Orchestration(agent)) => {
            let body = infer.own_statements(def, agent);
            infer.finish(body, Span::default())
        }
        (FnPath::Init, Definition::Agent(def), ItemKind::Agent(agent)) => {
            let body = infer.agent_init(def, agent);
            infer.finish(body, Span::default())
        }
        (
            FnPath::Config,
            Definition::Agent(def),
            ItemKind::Agent(agent) | ItemKind::Orchestration(agent),
        ) => {
            let body = infer.agent_config(&def.name, agent);
            infer.finish(body, Span::default())
        }
        (FnPath::Rule(at), ..) => rule::infer_rule(infer, item, at),
        (FnPath::Item, _, ItemKind::Test(test)) => infer_test(infer, tree, test),
        (FnPath::Item, _, ItemKind::Theorem(theorem)) => {
            infer.generics = generic_names(&theorem.generics);
            infer.bounds = generic_bounds(&theorem.generics);
            let body = infer.theorem(&tree.name, theorem);
            infer.finish(body, tree.name.span)
        }
        (FnPath::Invariant, Definition::Struct(def), ItemKind::Struct(tree)) => {
            infer.generics = generic_names(&tree.generics);
            infer.bounds = generic_bounds(&tree.generics);
            let body = infer.struct_invariants(def, &tree.invariants);
            infer.finish(body, Span::default())
        }
        (
            FnPath::Invariant,
            Definition::Agent(def),
            ItemKind::Agent(agent) | ItemKind::Orchestration(agent),
        ) => {
            let body = infer.state_invariants(def, agent);
            infer.finish(body, Span::default())
        }
        _ => match function_at(tree, path) {
            Some(function) => {
                let generics = parameters(tree, path).into_iter().cloned().collect::<Vec<_>>();
                infer.generics = generic_names(&generics);
                infer.bounds = generic_bounds(&generics);
                infer_body(infer, item, definition, function)
            }
            None => Checked::failed(Vec::new()),
        },
    }
}

fn label<'db>(db: &'db dyn Db, item: ItemKey<'db>, path: FnPath) -> String {
    let name = item.name(db);
    match (path, function_at(item.tree(db), path)) {
        (FnPath::Init, _) => format!("{name}.{{init}}"),
        (FnPath::Config, _) => format!("{name}.{{config}}"),
        (FnPath::Invariant, _) => format!("{name}.{{invariant}}"),
        (FnPath::Rule(at), _) => format!("{name}.{{rule {at}}}"),
        (FnPath::Member(_), Some(function)) => format!("{name}.{}", function.name.name),
        _ => name.to_string(),
    }
}

/// A function whose result is inferred from itself.
fn needs_annotation<'db>(
    db: &'db dyn Db,
    _id: salsa::Id,
    item: ItemKey<'db>,
    path: FnPath,
) -> Checked {
    let tree = item.tree(db);
    let name = function_at(tree, path).map_or(&tree.name, |function| &function.name);
    if function_at(tree, path).is_some_and(|function| function.ret.is_some()) {
        let message = format!("`{}` needs a value that is computed by calling it", name.name);
        let note = "where files import each other, move the value into a third file";
        let diagnostic = Diagnostic::new(codes::E0207, name.span, message).note(note);
        return Checked::failed(vec![diagnostic]);
    }
    let message = format!("`{}` uses its own result, so its type must be written", name.name);
    Checked::failed(vec![
        Diagnostic::new(codes::E0303, name.span, message)
            .note("write it after the parameters: `function f(n : Int) -> Int { ... }`"),
    ])
}

fn infer_body<'db>(
    mut infer: Infer<'_, 'db>,
    item: ItemKey<'db>,
    definition: &Definition,
    function: &Function,
) -> Checked {
    let owner: Option<Name> = match infer.body_owner(definition, function) {
        BodyOwner::Function => None,
        BodyOwner::Member => Some(item.name(infer.db)),
    };
    let name = function.name.name.text();
    let key: Name = match &owner {
        Some(owner) => Arc::from(format!("{owner}.{name}")),
        None => name,
    };
    let is_alert = item.tree(infer.db).kind.as_agent().is_some_and(|agent| {
        agent.behaviors().any(|behavior| {
            behavior.kind == crate::syntax::item::BehaviorKind::Alert
                && behavior.function.name == function.name
        })
    });
    let result = match function.ret {
        Some(ret) => infer.written_type(ret),
        None if is_alert => Ty::Unit,
        None if function.body.is_none() => Ty::Unit,
        None => infer.table.fresh(function.name.span, Fallback::Report),
    };
    let untold = (function.ret.is_none() && !is_alert).then(|| result.clone());
    infer.open(FrameKind::Function, key.clone(), result);
    if attribute::is_simd(function) {
        infer.frame().simd.push(0);
    }
    infer.open_parameters(item, definition, function);
    let before = infer.contract_before(function, &key);
    infer.proofs(function);
    let body = match (&function.body, definition) {
        (Some(block), _) => infer.function_body(block, function.name.span),
        (None, Definition::Tool(_)) => infer.required_body(function, &key),
        (None, _) => return Checked::failed(infer.diagnostics),
    };
    if let (Definition::Tool(_), Some(result)) = (definition, untold) {
        infer.tool_result(&result, function);
    }
    let after = infer.state_check(definition, &function.name);
    let body = infer.contract_around(function, &key, before, body, after);
    let body = if is_speculative(function) { held(body, function.span) } else { body };
    infer.finish(body, function.span)
}

impl Infer<'_, '_> {
    /// A tool's results are written (L-36): they are what models and providing tools go by.
    fn tool_result(&mut self, result: &Ty, function: &Function) {
        let result = self.table.resolve(result);
        if matches!(result, Ty::Unit | Ty::Never | Ty::Error | Ty::Var(_)) {
            return;
        }
        let message = format!("a tool's function says what it gives: `-> {result}`");
        self.report(Diagnostic::new(codes::E0303, function.name.span, message));
    }
}

enum BodyOwner {
    Function,
    Member,
}

impl Infer<'_, '_> {
    fn body_owner(&mut self, definition: &Definition, _function: &Function) -> BodyOwner {
        match definition {
            Definition::Agent(agent) => {
                self.owner = Owner::Agent(agent.clone());
                BodyOwner::Member
            }
            Definition::Tool(tool) => {
                self.owner = Owner::Tool(tool.clone());
                BodyOwner::Member
            }
            Definition::Struct(_) | Definition::Enum(_) => BodyOwner::Member,
            _ => BodyOwner::Function,
        }
    }

    /// `self` where there is one, then the parameters.
    fn open_parameters(&mut self, item: ItemKey<'_>, definition: &Definition, function: &Function) {
        let own: Name = Arc::from("self");
        let span = function.receiver.as_ref().map_or(function.name.span, |r| r.span);
        let me = match definition {
            Definition::Tool(tool) => Some(Ty::Tool(tool.name.clone())),
            Definition::Struct(def) if function.receiver.is_some() => {
                Some(generic(&def.name, def.fingerprint, &def.generics))
            }
            Definition::Enum(def) if function.receiver.is_some() => {
                Some(generic(&def.name, def.fingerprint, &def.generics))
            }
            _ => None,
        };
        let mut count = u32::from(me.is_some());
        if let Some(ty) = me {
            self.declare_parameter(&own, ty, passing_of_self(function), span);
        }
        for param in &function.params {
            let (passing, ty) = passing(self.body, param.ty);
            self.may_be_lent(item, function, passing, param.span);
            let ty = self.written_type(ty);
            self.declare_parameter(&param.name.name.text(), ty, passing, param.name.span);
            count += 1;
        }
        self.frame().params = count;
    }
}

/// What a function gives when that is not written. By name, so that callers depend on the type only.
#[salsa::tracked(returns(clone), cycle_result = unknown_result)]
pub fn inferred_result<'db>(db: &'db dyn Db, name: ScopedName<'db>, member: Option<u32>) -> Ty {
    let Some(Site::Item(item)) = resolve(db, name, None) else { return Ty::Error };
    let path = member.map_or(FnPath::Item, FnPath::Member);
    infer_function(db, item, path).result.clone()
}

fn unknown_result<'db>(
    _db: &'db dyn Db,
    _id: salsa::Id,
    _name: ScopedName<'db>,
    _member: Option<u32>,
) -> Ty {
    Ty::Error
}

/// The default of a parameter, field or port, as a function without parameters.
#[salsa::tracked(cycle_result = no_default)]
pub fn default_of<'db>(
    db: &'db dyn Db,
    name: ScopedName<'db>,
    member: Option<u32>,
    index: u32,
) -> Option<hir::Function> {
    let Site::Item(item) = resolve(db, name, None)? else { return None };
    infer_default(db, item, member, index).function.clone()
}

fn no_default<'db>(
    _db: &'db dyn Db,
    _id: salsa::Id,
    _name: ScopedName<'db>,
    _member: Option<u32>,
    _index: u32,
) -> Option<hir::Function> {
    None
}

/// Name, type and expression of what may have a default, by the places that `DefaultSlot` counts.
fn default_places(tree: &ItemTree, member: Option<u32>) -> Vec<(Name, TypeRefId, Option<ExprId>)> {
    if let Some(at) = member {
        let function = function_at(tree, FnPath::Member(at));
        let params = function.map(|f| f.params.as_slice()).unwrap_or_default();
        return params.iter().map(|p| (p.name.name.text(), p.ty, p.default)).collect();
    }
    match &tree.kind {
        ItemKind::Function(def) => {
            def.params.iter().map(|p| (p.name.name.text(), p.ty, p.default)).collect()
        }
        ItemKind::Struct(def) => {
            def.fields.iter().map(|f| (f.name.name.text(), f.ty, f.default)).collect()
        }
        ItemKind::Tool(def) => {
            let params = def.params.iter().map(|p| (p.name.name.text(), p.ty, p.default));
            let fields = def.fields.iter().map(|f| (f.name.name.text(), f.ty, f.default));
            params.chain(fields).collect()
        }
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => {
            let params = def.params.iter().map(|p| (p.name.name.text(), p.ty, p.default));
            let ports = def.skills().chain(def.tools());
            params.chain(ports.map(|p| (p.name.name.text(), p.ty, p.default))).collect()
        }
        _ => Vec::new(),
    }
}

#[salsa::tracked(cycle_result = default_of_itself)]
pub fn infer_default<'db>(
    db: &'db dyn Db,
    item: ItemKey<'db>,
    member: Option<u32>,
    index: u32,
) -> Checked {
    let tree = item.tree(db);
    let places = default_places(tree, member);
    let Some((name, ty, Some(value))) = places.get(index as usize) else {
        return Checked::failed(Vec::new());
    };
    let mut infer = Infer::new(db, item.prelude(db), &tree.body);
    infer.file = file_of(&item.name(db)).map(Name::from);
    let path = member.map_or(FnPath::Item, FnPath::Member);
    let generics = parameters(tree, path).into_iter().cloned().collect::<Vec<_>>();
    infer.generics = generic_names(&generics);
    infer.bounds = generic_bounds(&generics);
    let ty = infer.written_type(*ty);
    // The type is the declaration's to report.
    infer.diagnostics.clear();
    let owner = match member.and_then(|at| function_at(tree, FnPath::Member(at))) {
        Some(function) => format!("{}.{}", item.name(db), function.name.name),
        None => item.name(db).to_string(),
    };
    let key: Name = Arc::from(format!("{owner}.{{default {name}}}"));
    infer.open(FrameKind::Lambda, key, ty.clone());
    let skill = tree.kind.as_agent().filter(|_| member.is_none() && infer.is_model(*value));
    let skill = skill.and_then(|agent| agent.skills().find(|port| port.default == Some(*value)));
    let span = tree.body[*value].span;
    let body = match skill {
        Some(port) => infer.skill_by_model(name, port.doc.as_deref(), &ty, span),
        None => infer.check(*value, &ty),
    };
    infer.finish(body, span)
}

fn default_of_itself<'db>(
    _db: &'db dyn Db,
    _id: salsa::Id,
    _item: ItemKey<'db>,
    _member: Option<u32>,
    _index: u32,
) -> Checked {
    Checked::failed(Vec::new())
}

/// Everything an item reports and defines. Spans are relative to the item; `item` numbers are not set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckedItem {
    pub diagnostics: Vec<Diagnostic>,
    pub functions: Vec<hir::Function>,
    /// Bodies with type parameters: only their instances run.
    pub generic: Vec<hir::Function>,
    /// The instances that what is not generic needs.
    pub instances: Vec<hir::Instance>,
    pub agent: Option<hir::Agent>,
    pub ty: Option<hir::TypeDefinition>,
    pub lane: Option<LaneSpec>,
    /// The contracts of its functions, of its values, or of itself if it is a theorem.
    pub contracts: Vec<Contracted>,
    pub policy: Option<hir::Policy>,
    pub gates: Vec<hir::gate::Gate>,
    pub provided: Option<hir::gate::Provided>,
    pub failed: bool,
}

#[salsa::tracked]
pub fn check_item<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> CheckedItem {
    db.ran("check", &|| item.name(db).to_string());
    let tree = item.tree(db);
    let mut out =
        CheckedItem { diagnostics: restrict::unsupported(tree), ..CheckedItem::default() };
    if out.diagnostics.iter().any(Diagnostic::is_error) {
        out.failed = true;
        return out;
    }
    out.diagnostics.extend(restrict::declarations(db, item));
    out.lane = lane_item::spec(tree);
    out.diagnostics.extend(rule::check(db, item));
    out.diagnostics.extend(tool::check(db, item));
    out.diagnostics.extend(deprecated::in_item(db, item));
    let mut agent_parts = Vec::new();
    for path in function_paths(tree) {
        let checked = infer_function(db, item, path);
        out.diagnostics.extend(reported(tree, path, checked));
        out.diagnostics.extend(exceeded(db, item, path, checked));
        out.diagnostics.extend(speculative::check(db, item, path, checked));
        out.diagnostics.extend(attribute::always_inlined(db, item, path, checked));
        out.diagnostics.extend(deprecated::called(db, &checked.facts, item.prelude(db)));
        out.diagnostics.extend(unbounded(db, &checked.facts, item.prelude(db)));
        out.diagnostics.extend(escaping(db, &checked.facts, item.prelude(db)));
        out.diagnostics.extend(snapshot::in_item(db, item, &checked.facts));
        out.diagnostics.extend(answer_stays(db, tree, path, checked));
        out.diagnostics.extend(impure(db, &checked.facts, item.prelude(db)));
        out.diagnostics.extend(suspending(db, item, path, checked));
        if let FnPath::Rule(at) = path {
            let rule = rule::rules_of(tree).into_iter().nth(at as usize);
            let acting = rule.and_then(|rule| rule::acting(db, checked, item.prelude(db), rule));
            out.diagnostics.extend(acting);
        }
        out.contracts.extend(contracted(tree, path, checked));
        let Some(function) = &checked.function else { continue };
        if matches!(tree.kind, ItemKind::Theorem(_)) {
            // It runs nothing; who tries it out takes it from its contract.
            out.instances.extend(checked.instances.iter().cloned());
            continue;
        }
        let mut function = function.clone();
        function.effects = all_effects(db, checked, item.prelude(db));
        if is_generic(tree, path) {
            out.generic.push(function);
            out.diagnostics.extend(growing(db, item, path).clone());
            continue;
        }
        out.instances.extend(checked.instances.iter().cloned());
        match &tree.kind {
            ItemKind::Agent(_) | ItemKind::Orchestration(_) => agent_parts.push((path, function)),
            _ => out.functions.push(function),
        }
    }
    defaults(db, item, &mut out);
    once(&mut out.diagnostics);
    out.failed = out.diagnostics.iter().any(Diagnostic::is_error);
    out.ty = type_definition(item_definition(db, item));
    if !out.failed {
        out.policy = rule::assemble(tree, &item.name(db));
        out.gates = tool::gates(db, item);
        out.provided = tool::provided(db, item);
    }
    if let (Some(_), Definition::Agent(def), false) =
        (tree.kind.as_agent(), start::with_state(db, item), out.failed)
    {
        out.agent = Some(assemble(tree, def, agent_parts, &mut out.functions));
    }
    out
}

/// What was found in a body; in one of a struct without `self`, its fields are no unknown names.
fn reported(tree: &ItemTree, path: FnPath, checked: &Checked) -> Vec<Diagnostic> {
    let mut found = checked.diagnostics.clone();
    if let (ItemKind::Struct(def), Some(function)) = (&tree.kind, function_at(tree, path))
        && function.receiver.is_none()
    {
        let fields: Vec<_> = def.fields.iter().map(|field| field.name.name.text()).collect();
        let fields: Vec<&str> = fields.iter().map(|name| &**name).collect();
        found.iter_mut().for_each(|diagnostic| report::without_self(diagnostic, &fields));
    }
    found
}

/// The effects of a body and of all it calls, sorted.
pub fn all_effects(db: &dyn Db, checked: &Checked, prelude: bool) -> Vec<Name> {
    effects_of(db, &checked.facts, prelude).into_keys().collect()
}

/// A missing name, or a wrong type of a shared declaration, is reported once for an item.
fn once(diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = rustc_hash::FxHashSet::default();
    diagnostics.retain(|diagnostic| match report::missing_name(diagnostic) {
        Some(name) => seen.insert((name, Span::default())),
        None => seen.insert((format!("{diagnostic}"), diagnostic.primary.span)),
    });
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span.start);
}

/// What a behavior gives goes to who asked.
fn answer_stays(
    db: &dyn Db,
    tree: &ItemTree,
    path: FnPath,
    checked: &Checked,
) -> Option<Diagnostic> {
    let function = function_at(tree, path)?;
    let mut behaviors = tree.kind.as_agent()?.behaviors();
    if !behaviors.any(|behavior| behavior.function.name == function.name) {
        return None;
    }
    handles::crossing(db, &checked.result, function.name.span)
}

/// Defaults are checked with their item; those with locals are functions of their own.
fn defaults<'db>(db: &'db dyn Db, item: ItemKey<'db>, out: &mut CheckedItem) {
    let tree = item.tree(db);
    for (member, index) in given_defaults(tree) {
        let checked = infer_default(db, item, member, index);
        out.diagnostics.extend(checked.diagnostics.iter().cloned());
        out.diagnostics.extend(escaping(db, &checked.facts, item.prelude(db)));
        out.instances.extend(checked.instances.iter().cloned());
        let function = checked.function.iter().cloned().map(|mut function| {
            function.effects = all_effects(db, checked, item.prelude(db));
            function
        });
        match is_generic(tree, member.map_or(FnPath::Item, FnPath::Member)) {
            true => out.generic.extend(function),
            false => out.functions.extend(function),
        }
    }
}

/// The defaults that an item and its members give, checked.
pub fn defaults_of<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Vec<&'db Checked> {
    let places = given_defaults(item.tree(db)).into_iter();
    places.map(|(member, index)| infer_default(db, item, member, index)).collect()
}

/// Where they stand: the member and the place that `default_places` counts.
fn given_defaults(tree: &ItemTree) -> Vec<(Option<u32>, u32)> {
    let members = function_paths(tree).into_iter().filter_map(|path| match path {
        FnPath::Member(at) => Some(Some(at)),
        _ => None,
    });
    let mut given = Vec::new();
    for member in std::iter::once(None).chain(members) {
        for (index, (_, _, value)) in (0..).zip(default_places(tree, member)) {
            given.extend(value.map(|_| (member, index)));
        }
    }
    given
}

pub fn generic(name: &Name, fingerprint: u64, generics: &[Name]) -> Ty {
    let args = generics.iter().cloned().map(Ty::Param).collect();
    Ty::Adt(Arc::new(crate::types::ty::AdtRef { name: name.clone(), fingerprint, args }))
}

/// The definition of a name in the session.
pub fn session_definition<'db>(db: &'db dyn Db, name: &str) -> Option<&'db Definition> {
    definition(db, ScopedName::new(db, Arc::from(name), false), None).as_ref()
}
