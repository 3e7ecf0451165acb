//! Names of files (L-64): what a file declares is called `risk::f` everywhere but in its own text, so two files may both have
//! an `f` of their own.
//!
//! Runs over the tree after parsing, in arenas without recursion. A name that is bound in the same item or statement means
//! what is bound there. Never: changes a span, or a name that is written behind a dot, before a colon, or as a field.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::source::Span;
use crate::syntax::ast::{
    Body, ExprKind, Ident, ListPat, Name, PatId, PatKind, Path, StmtKind, TypeKind,
};
use crate::syntax::item::{Cell, EffectPath, Function, Item, ItemKind, ItemTree, MemberKind, Rule};

/// Between a file's name and a name in it. No name that is written has it.
pub const SEPARATOR: &str = "::";

/// What names mean in a text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Renames {
    /// What a bare name stands for.
    pub names: BTreeMap<Arc<str>, Arc<str>>,
    /// What stands before a dot: a file's name, and what the file has.
    pub files: BTreeMap<Arc<str>, (Arc<str>, Declared)>,
}

/// The names that a file has.
pub type Declared = Arc<BTreeSet<Arc<str>>>;

/// `f` of the file `risk`.
pub fn qualified(file: &str, name: &str) -> Arc<str> {
    Arc::from(format!("{file}{SEPARATOR}{name}"))
}

/// The name as it is written in its file.
pub fn short(name: &str) -> &str {
    name.rsplit(SEPARATOR).next().unwrap_or(name)
}

/// The file that has the name, if one does.
pub fn file_of(name: &str) -> Option<&str> {
    name.rsplit_once(SEPARATOR).map(|(file, _)| file)
}

/// The names that a text declares at its top, but for those of tests and imports; lanes and policies belong to the session.
pub fn declared(cell: &Cell) -> BTreeSet<Arc<str>> {
    let items = cell.items.iter().filter(|item| {
        !matches!(
            item.tree.kind,
            ItemKind::Lane(_)
                | ItemKind::Policy(_)
                | ItemKind::Import(_)
                | ItemKind::Test(_)
                | ItemKind::Error
        )
    });
    let mut names: BTreeSet<Arc<str>> = items.map(|item| item.tree.name.name.text()).collect();
    let body = &cell.body.body;
    for id in cell.body.stmts() {
        match &body[id].kind {
            StmtKind::Let { pattern, .. } => {
                each_bind(body, *pattern, &mut |id| {
                    if let PatKind::Bind(name) = &body[id].kind {
                        names.insert(name.text());
                    }
                });
            }
            StmtKind::Declare { name, .. } => {
                names.insert(name.name.text());
            }
            _ => {}
        }
    }
    names.remove("");
    names
}

fn each_bind(body: &Body, pattern: PatId, see: &mut dyn FnMut(PatId)) {
    match &body[pattern].kind {
        PatKind::Bind(_) => see(pattern),
        PatKind::Variant { args: Some(parts), .. } | PatKind::Tuple(parts) | PatKind::Or(parts) => {
            parts.iter().for_each(|part| each_bind(body, *part, see));
        }
        PatKind::Record { fields, .. } => {
            fields.iter().for_each(|field| each_bind(body, field.pattern, see));
        }
        PatKind::List(parts) => parts.iter().for_each(|part| match part {
            ListPat::Element(id) => each_bind(body, *id, see),
            ListPat::Rest(_) => {}
        }),
        _ => {}
    }
}

/// A name behind a file's name that the file does not have.
pub struct Missing {
    /// In the text.
    pub span: Span,
    pub file: Arc<str>,
    pub name: Arc<str>,
}

/// Gives the names of a text their meaning. `is_file`: what it declares at its top is renamed, too.
pub fn rename(cell: &mut Cell, renames: &Renames, is_file: bool) -> Vec<Missing> {
    let mut missing = Vec::new();
    for Item { span, tree } in &mut cell.items {
        let start = span.start;
        let before = missing.len();
        item(Arc::make_mut(tree), renames, is_file, &mut missing);
        for one in missing.iter_mut().skip(before) {
            one.span = one.span.shifted(start);
        }
    }
    statements(cell, renames, is_file, &mut missing);
    missing
}

struct Pass<'a> {
    renames: &'a Renames,
    /// Where names are bound that hide the file's.
    bound: &'a dyn Fn(&str, Span) -> bool,
}

impl Pass<'_> {
    fn name(&self, name: &mut Name, at: Span) {
        if let Some(full) = self.renames.names.get(name.as_str())
            && !(self.bound)(name.as_str(), at)
        {
            *name = Name::new(full);
        }
    }

    fn ident(&self, ident: &mut Ident) {
        let span = ident.span;
        self.name(&mut ident.name, span);
    }

    fn path(&self, path: &mut Path) {
        match &mut path.qualifier {
            Some(owner) => self.ident(owner),
            None => self.ident(&mut path.name),
        }
    }

    /// `tool.Broker.execute`, `tool.risk.Broker.execute`.
    fn effect(&self, effect: &mut EffectPath) {
        if effect.segments.first().is_none_or(|first| first.name != "tool") {
            return;
        }
        let Some(second) = effect.segments.get(1) else { return };
        let file = self.renames.files.get(second.name.as_str());
        if let (Some((file, _)), Some(third)) = (file, effect.segments.get(2)) {
            let name = Name::new(&qualified(file, third.name.as_str()));
            let whole = Ident { name, span: second.span.to(third.span) };
            effect.segments.splice(1..3, [whole]);
        } else if let Some(second) = effect.segments.get_mut(1) {
            self.ident(second);
        }
    }

    fn body(&self, body: &mut Body, missing: &mut Vec<Missing>) {
        let behind_file = self.behind_files(body, missing);
        for (at, name) in behind_file {
            if let Some(expr) = body.exprs.get_mut(at) {
                expr.kind = ExprKind::Name(name);
            }
        }
        for expr in &mut body.exprs {
            let span = expr.span;
            match &mut expr.kind {
                ExprKind::Name(name) => self.name(name, span),
                ExprKind::Struct { path, .. } => self.path(path),
                _ => {}
            }
        }
        for pat in &mut body.pats {
            match &mut pat.kind {
                PatKind::Variant { path, .. } => self.path(path),
                PatKind::Record { name: Some(name), .. } => self.ident(name),
                _ => {}
            }
        }
        for ty in &mut body.types {
            match &mut ty.kind {
                TypeKind::Named { file: Some(_), .. } => self.of_file(&mut ty.kind, missing),
                TypeKind::Named { file: None, name, .. } => self.ident(name),
                TypeKind::Bounded { effects, .. } => {
                    effects.iter_mut().for_each(|effect| self.effect(effect));
                }
                _ => {}
            }
        }
    }

    /// `risk.Deal`: no name of a value hides a file's where a type is written.
    fn of_file(&self, kind: &mut TypeKind, missing: &mut Vec<Missing>) {
        let TypeKind::Named { file, name, .. } = kind else { return };
        let known = file.as_ref().and_then(|file| self.renames.files.get(file.name.as_str()));
        let (Some(written), Some((id, has))) = (file.as_ref(), known) else { return };
        if name.name.is_missing() {
            *kind = TypeKind::Error;
        } else if has.contains(name.name.as_str()) {
            name.name = Name::new(&qualified(id, name.name.as_str()));
            name.span = written.span.to(name.span);
            *file = None;
        } else {
            let (file, name, span) = (written.name.text(), name.name.text(), name.span);
            missing.push(Missing { span, file, name });
            *kind = TypeKind::Error;
        }
    }

    /// `risk.f`: which expressions these are, and what they mean.
    fn behind_files(&self, body: &Body, missing: &mut Vec<Missing>) -> Vec<(usize, Name)> {
        let mut found = Vec::new();
        for (at, expr) in body.exprs.iter().enumerate() {
            let ExprKind::Field { base, name } = &expr.kind else { continue };
            let ExprKind::Name(file) = &body[*base].kind else { continue };
            let Some((id, has)) = self.renames.files.get(file.as_str()) else { continue };
            if (self.bound)(file.as_str(), body[*base].span) || name.name.is_missing() {
                continue;
            }
            match has.contains(name.name.as_str()) {
                true => found.push((at, Name::new(&qualified(id, name.name.as_str())))),
                false => missing.push(Missing {
                    span: name.span,
                    file: file.text(),
                    name: name.name.text(),
                }),
            }
        }
        found
    }

    fn function(&self, function: &mut Function) {
        for effect in function.uses.iter_mut().flatten() {
            self.effect(effect);
        }
    }

    fn rules(&self, rules: &mut [Rule]) {
        rules.iter_mut().for_each(|rule| self.effect(&mut rule.effect));
    }
}

fn item(tree: &mut ItemTree, renames: &Renames, is_file: bool, missing: &mut Vec<Missing>) {
    let bound = bound_names(tree);
    let pass = Pass { renames, bound: &|name, _| bound.contains(name) };
    let is_own = !matches!(
        tree.kind,
        ItemKind::Lane(_) | ItemKind::Policy(_) | ItemKind::Import(_) | ItemKind::Test(_)
    );
    if is_file && is_own {
        let all = Pass { renames, bound: &|_, _| false };
        all.ident(&mut tree.name);
        if let ItemKind::Function(function) = &mut tree.kind {
            all.ident(&mut function.name);
        }
    }
    pass.body(&mut tree.body, missing);
    match &mut tree.kind {
        ItemKind::Function(function) => pass.function(function),
        ItemKind::Struct(def) => def.methods.iter_mut().for_each(|f| pass.function(f)),
        ItemKind::Enum(def) => def.methods.iter_mut().for_each(|f| pass.function(f)),
        ItemKind::Tool(def) => {
            def.provides.iter_mut().for_each(|base| pass.ident(base));
            def.methods.iter_mut().for_each(|f| pass.function(f));
        }
        ItemKind::Policy(rules) => pass.rules(rules),
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => {
            for member in &mut def.members {
                match &mut member.kind {
                    MemberKind::Policy(rules) => pass.rules(rules),
                    MemberKind::Behavior(behavior) => pass.function(&mut behavior.function),
                    MemberKind::Function(function) => pass.function(function),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Every name that an item binds, by its declaration or anywhere inside.
pub fn bound_names(tree: &ItemTree) -> BTreeSet<Arc<str>> {
    let mut bound = bound_in(&tree.body);
    bound_by(tree, &mut bound);
    bound
}

/// Every name that is bound within a part of a body.
pub fn bound_within(body: &Body, part: Span) -> BTreeSet<Arc<str>> {
    let all = binders(body, &|_| false).into_iter();
    all.filter(|(_, at)| part.encloses(*at)).map(|(name, _)| name).collect()
}

/// The names that an item binds by its declaration.
fn bound_by(tree: &ItemTree, out: &mut BTreeSet<Arc<str>>) {
    let mut of = |function: &Function| {
        out.extend(function.params.iter().map(|param| param.name.name.text()));
        out.extend(function.generics.iter().map(|param| param.name.name.text()));
    };
    match &tree.kind {
        ItemKind::Function(function) => of(function),
        ItemKind::Struct(def) => {
            def.methods.iter().for_each(&mut of);
            out.extend(def.generics.iter().map(|param| param.name.name.text()));
            if !def.invariants.is_empty() {
                out.extend(def.fields.iter().map(|field| field.name.name.text()));
            }
        }
        ItemKind::Enum(def) => {
            def.methods.iter().for_each(&mut of);
            out.extend(def.generics.iter().map(|param| param.name.name.text()));
        }
        ItemKind::Alias(def) => {
            out.extend(def.generics.iter().map(|param| param.name.name.text()));
        }
        ItemKind::Tool(def) => {
            def.methods.iter().for_each(&mut of);
            out.extend(def.params.iter().map(|param| param.name.name.text()));
            out.extend(def.fields.iter().map(|field| field.name.name.text()));
        }
        ItemKind::Theorem(def) => {
            out.extend(def.params.iter().map(|param| param.name.name.text()));
            out.extend(def.generics.iter().map(|param| param.name.name.text()));
        }
        ItemKind::Agent(def) | ItemKind::Orchestration(def) => {
            def.behaviors().for_each(|behavior| of(&behavior.function));
            def.functions().for_each(&mut of);
            let functions = def.functions().map(|function| function.name.name.text());
            out.extend(functions);
            out.extend(def.params.iter().map(|param| param.name.name.text()));
            out.extend(def.skills().chain(def.tools()).map(|port| port.name.name.text()));
            out.extend(def.state_fields().map(|field| field.name.name.text()));
        }
        _ => {}
    }
}

/// The names that are bound anywhere in a body.
fn bound_in(body: &Body) -> BTreeSet<Arc<str>> {
    binders(body, &|_| false).into_iter().map(|(name, _)| name).collect()
}

/// The names bound in a body, where they are. `skip`: patterns that do not count.
fn binders(body: &Body, skip: &dyn Fn(PatId) -> bool) -> Vec<(Arc<str>, Span)> {
    let mut out = Vec::new();
    for (at, pat) in (0..).zip(&body.pats) {
        match &pat.kind {
            PatKind::Bind(name) if !skip(PatId(at)) => out.push((name.text(), pat.span)),
            PatKind::List(parts) => {
                for part in parts {
                    if let ListPat::Rest(Some(name)) = part {
                        out.push((name.name.text(), name.span));
                    }
                }
            }
            _ => {}
        }
    }
    for expr in &body.exprs {
        match &expr.kind {
            ExprKind::Lambda { params, .. } => {
                out.extend(params.iter().map(|param| (param.name.name.text(), param.name.span)));
            }
            ExprKind::Quantifier { binders, .. } => {
                out.extend(binders.iter().map(|one| (one.name.name.text(), one.name.span)));
            }
            _ => {}
        }
    }
    for stmt in &body.stmts {
        if let StmtKind::Function(function) = &stmt.kind {
            out.push((function.name.name.text(), function.name.span));
            let params = function.params.iter();
            out.extend(params.map(|param| (param.name.name.text(), param.name.span)));
        }
    }
    out
}

/// The statements of a text, each with what it binds inside; what it declares at the top is the file's.
fn statements(cell: &mut Cell, renames: &Renames, is_file: bool, missing: &mut Vec<Missing>) {
    let top: Vec<_> = cell.body.stmts().collect();
    let body = &mut cell.body.body;
    let spans: Vec<Span> = top.iter().map(|id| body[*id].span).collect();
    let mut declared: BTreeSet<u32> = BTreeSet::new();
    for id in &top {
        if let StmtKind::Let { pattern, .. } = &body[*id].kind {
            each_bind(body, *pattern, &mut |id| {
                declared.insert(id.0);
            });
        }
    }
    let bound = binders(body, &|id| declared.contains(&id.0));
    let hides = |name: &str, at: Span| {
        let around = |one: Span| spans.iter().find(|stmt| stmt.encloses(one)).copied();
        bound.iter().any(|(other, place)| **other == *name && around(*place) == around(at))
    };
    let pass = Pass { renames, bound: &hides };
    pass.body(body, missing);
    if !is_file {
        return;
    }
    let all = Pass { renames, bound: &|_, _| false };
    for at in declared {
        let Some(pat) = body.pats.get_mut(at as usize) else { continue };
        let span = pat.span;
        if let PatKind::Bind(name) = &mut pat.kind {
            all.name(name, span);
        }
    }
    for id in top {
        let Some(stmt) = body.stmts.get_mut(id.0 as usize) else { continue };
        if let StmtKind::Declare { name, .. } = &mut stmt.kind {
            all.ident(name);
        }
    }
}
