//! The names a cell defines, as people read them: kind, signature, documentation, members.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::db::Db;
use crate::db::workspace::{CellId, Workspace};
use crate::ide::uses::uses;
use crate::names::cell::{ItemKey, cell_items, is_named, parse_cell};
use crate::names::scope::ScopedName;
use crate::syntax::item::ItemKind;
use crate::types::check::inferred_result;
use crate::types::declare::item_definition;
use crate::types::def::{Definition, Param, Signature};
use crate::types::ty::{Name, Ty};

/// A definition, or a member of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    pub name: Name,
    /// `function`, `struct`, `agent`, `behavior`, `field`, ...: words of the language.
    pub kind: &'static str,
    /// `(symbol: Text) -> MarketAnalysis`; for a field its type.
    pub signature: String,
    pub doc: String,
    pub members: Vec<Symbol>,
    /// Of its text without its place: the same text is the same definition.
    pub fingerprint: u64,
    /// The names of the session it uses, and those it will when somebody defines them.
    pub uses: Vec<Name>,
}

/// The named items of a cell, in source order.
pub fn symbols(workspace: &Workspace, cell: CellId) -> Vec<Symbol> {
    let db = workspace.database();
    let Some(input) = workspace.input(cell) else { return Vec::new() };
    let named = cell_items(db, input).iter().filter(|item| is_named(item.tree(db)));
    named.map(|item| symbol(db, *item)).collect()
}

/// The text of the definition in force of a name, with its documentation and attributes.
pub fn source(workspace: &Workspace, name: &str) -> Option<String> {
    let db = workspace.database();
    workspace.live().iter().rev().find_map(|id| {
        let input = workspace.input(*id)?;
        let items = &parse_cell(db, input).cell.items;
        let item = items
            .iter()
            .rev()
            .find(|item| is_named(&item.tree) && &*item.tree.name.name.text() == name)?;
        let text = input.text(db);
        let begins = documented_from(text.get(..item.span.start as usize)?);
        text.get(begins..item.span.end as usize).map(str::to_owned)
    })
}

/// The text of every definition and test in force, in the order written; tests have no name.
pub fn sources(workspace: &Workspace) -> Vec<(Option<Name>, String)> {
    let db = workspace.database();
    let mut found: Vec<(Option<Name>, Name, String)> = Vec::new();
    for input in workspace.live().iter().filter_map(|id| workspace.input(*id)) {
        let text = input.text(db);
        for item in &parse_cell(db, input).cell.items {
            let (name, title) = match &item.tree.kind {
                ItemKind::Test(test) => (None, test.title.text()),
                _ if is_named(&item.tree) => {
                    let name = item.tree.name.name.text();
                    (Some(name.clone()), name)
                }
                _ => continue,
            };
            let before = text.get(..item.span.start as usize).unwrap_or_default();
            let own = text.get(documented_from(before)..item.span.end as usize).unwrap_or_default();
            // The newest of its name counts.
            found.retain(|(other, known, _)| (other.is_some(), known) != (name.is_some(), &title));
            found.push((name, title, own.to_owned()));
        }
    }
    found.into_iter().map(|(name, _, text)| (name, text)).collect()
}

/// Where the `///` lines directly above a definition begin.
fn documented_from(before: &str) -> usize {
    let mut begins = before.len();
    for line in before.split_inclusive('\n').rev() {
        if !line.trim_start().starts_with("///") {
            break;
        }
        begins -= line.len();
    }
    begins
}

fn symbol<'db>(db: &'db dyn Db, item: ItemKey<'db>) -> Symbol {
    let definition = item_definition(db, item);
    let mut hasher = FxHasher::default();
    item.tree(db).hash(&mut hasher);
    let uses = uses(db, item);
    let name = item.name(db);
    let about = Symbol { fingerprint: hasher.finish(), uses, ..plain(name.clone(), "", "") };
    match definition {
        Definition::Function(signature) => {
            let result = || inferred_result(db, ScopedName::new(db, name, false), None);
            Symbol {
                kind: "function",
                signature: written(signature, result),
                doc: text(&signature.doc),
                ..about
            }
        }
        Definition::Struct(def) => {
            let members = def.fields.iter().map(field).chain(methods(&def.methods, "method"));
            let members = members.collect();
            Symbol {
                kind: "struct",
                signature: fields(&def.fields),
                doc: text(&def.doc),
                members,
                ..about
            }
        }
        Definition::Enum(def) => {
            let variants = def.variants.iter().map(|variant| {
                let payload =
                    if variant.fields.is_empty() { String::new() } else { params(&variant.fields) };
                plain(variant.name.clone(), "variant", &payload)
            });
            let members = variants.chain(methods(&def.methods, "method")).collect();
            let names: Vec<&str> = def.variants.iter().map(|variant| &*variant.name).collect();
            Symbol {
                kind: "enum",
                signature: names.join(" | "),
                doc: text(&def.doc),
                members,
                ..about
            }
        }
        Definition::Alias(def) => Symbol {
            kind: "type",
            signature: format!("= {}", def.ty),
            doc: text(&def.doc),
            ..about
        },
        Definition::Agent(def) => {
            let behaviors = def.behaviors.iter().map(|behavior| Symbol {
                kind: "behavior",
                ..function(behavior.name.clone(), &behavior.signature)
            });
            let signature = if def.params.is_empty() { String::new() } else { params(&def.params) };
            let members = behaviors.collect();
            Symbol { kind: def.word(), signature, doc: text(&def.doc), members, ..about }
        }
        Definition::Tool(def) => {
            let members = methods(&def.methods, "method").collect();
            Symbol {
                kind: "tool",
                signature: fields(&def.fields),
                doc: text(&def.doc),
                members,
                ..about
            }
        }
        Definition::Global(def) => Symbol { kind: "let", signature: def.ty.to_string(), ..about },
        Definition::Lane => Symbol { kind: "lane", ..about },
        Definition::Theorem => Symbol { kind: "theorem", ..about },
        Definition::Unsupported(what) => Symbol { kind: what, ..about },
    }
}

fn plain(name: Name, kind: &'static str, signature: &str) -> Symbol {
    Symbol {
        name,
        kind,
        signature: signature.to_owned(),
        doc: String::new(),
        members: Vec::new(),
        fingerprint: 0,
        uses: Vec::new(),
    }
}

fn field(param: &Param) -> Symbol {
    Symbol { doc: text(&param.doc), ..plain(param.name.clone(), "field", &param.ty.to_string()) }
}

fn methods<'s>(all: &'s [Signature], kind: &'static str) -> impl Iterator<Item = Symbol> + 's {
    all.iter().map(move |signature| {
        let name = signature.key.rsplit('.').next().unwrap_or(&signature.key);
        Symbol { kind, ..function(Arc::from(name), signature) }
    })
}

fn function(name: Name, signature: &Signature) -> Symbol {
    let written = written(signature, || Ty::Unit);
    Symbol { doc: text(&signature.doc), ..plain(name, "function", &written) }
}

/// `(a: Int, b: Text = ..) -> Bool`.
fn written(signature: &Signature, inferred: impl FnOnce() -> Ty) -> String {
    let result = signature.result.clone().unwrap_or_else(inferred);
    format!("{} -> {result}", params(&signature.params))
}

fn params(params: &[Param]) -> String {
    let shown = params.iter().map(|param| {
        let default = if param.has_default { " = .." } else { "" };
        format!("{}: {}{default}", param.name, param.ty)
    });
    format!("({})", shown.collect::<Vec<_>>().join(", "))
}

fn fields(fields: &[Param]) -> String {
    let shown = fields.iter().map(|field| format!("{}: {}", field.name, field.ty));
    format!("{{ {} }}", shown.collect::<Vec<_>>().join(", "))
}

fn text(doc: &Option<Arc<str>>) -> String {
    doc.as_deref().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{source, symbols};
    use crate::db::workspace::Workspace;

    #[test]
    fn a_cell_tells_what_it_defines() {
        let mut workspace = Workspace::new();
        let cell = workspace.add_cell(
            "/// A point.\nstruct P { x : Int }\nenum E { A, B(n : Int) }\nfunction f(p : P, n : Int = 1) { return p.x + n }\n",
        );
        let found = symbols(&workspace, cell);
        let shown: Vec<String> = found
            .iter()
            .map(|s| format!("{} {} {} {}", s.kind, s.name, s.signature, s.doc))
            .collect();
        assert_eq!(
            shown,
            [
                "struct P { x: Int } A point.",
                "enum E A | B ",
                "function f (p: P, n: Int = ..) -> Int "
            ]
        );
        assert_eq!(found[1].members[1].signature, "(n: Int)");
        let uses: Vec<&str> = found[2].uses.iter().map(|name| &**name).collect();
        assert_eq!(uses, ["Int", "P"], "neither its parameter nor a field");
    }

    #[test]
    fn the_text_of_a_definition_is_the_newest_with_its_documentation() {
        let mut workspace = Workspace::new();
        workspace.add_cell("function f() { return 1 }");
        let text = "let x := 1\n/// Two.\n/// Really.\nfunction f() {\n  return 2\n}\nf()";
        workspace.add_cell(text);
        let wanted = "/// Two.\n/// Really.\nfunction f() {\n  return 2\n}";
        assert_eq!(source(&workspace, "f").as_deref(), Some(wanted));
        assert_eq!(source(&workspace, "x"), None, "a value is no definition");
        workspace.add_cell("@reads_only\nfunction g() { return 3 }");
        assert!(source(&workspace, "g").unwrap().ends_with("function g() { return 3 }"));
    }
}
