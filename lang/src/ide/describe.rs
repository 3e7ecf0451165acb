//! A definition in one line, with its documentation.

use crate::db::Db;
use crate::names::scope::ScopedName;
use crate::types::check::{FnPath, all_effects, infer_function, inferred_result};
use crate::types::declare::definition;
use crate::types::def::{Definition, Param, Signature};
use crate::types::effects::is_hidden;
use crate::types::ty::{Name, Ty};

/// What is known of a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Description {
    pub name: String,
    /// `function`, `struct`, `agent`, ...: a word of the language, or `builtin`, `intrinsic`, `value`.
    pub kind: &'static str,
    /// `function analyze(symbol : Text) -> Float`
    pub signature: String,
    /// The effects that are shown (L-90).
    pub effects: Vec<String>,
    pub doc: String,
    /// A program and what it gives.
    pub example: Option<(String, String)>,
}

impl Description {
    /// Whether the session gave the name its meaning: a definition or a global, not a local or a builtin.
    pub fn is_definition(&self) -> bool {
        match self.kind {
            "value" => self.signature.starts_with("let ") || self.signature.starts_with("var "),
            "builtin" | "intrinsic" | "member" => false,
            _ => true,
        }
    }
}

/// The meaning of a name in the session.
pub fn describe(db: &dyn Db, name: &Name) -> Option<Description> {
    let scoped = ScopedName::new(db, name.clone(), false);
    let found = definition(db, scoped, None).as_ref()?;
    let about = Description { name: name.to_string(), ..Description::default() };
    let text = |doc: &Option<std::sync::Arc<str>>| doc.as_deref().unwrap_or("").to_owned();
    Some(match found {
        Definition::Function(signature) => {
            let result = signature.result.clone();
            let result = result.unwrap_or_else(|| inferred_result(db, scoped, None));
            Description {
                kind: "function",
                signature: format!("function {}", function(name, signature, &result)),
                effects: effects(db, name),
                doc: text(&signature.doc),
                ..about
            }
        }
        Definition::Struct(def) => Description {
            kind: "struct",
            signature: format!(
                "struct {name}{} {{ {} }}",
                generics(&def.generics, &def.bounds),
                list(&def.fields)
            ),
            doc: text(&def.doc),
            ..about
        },
        Definition::Enum(def) => {
            let variants: Vec<String> =
                def.variants.iter().map(|v| variant(&v.name, &v.fields)).collect();
            Description {
                kind: "enum",
                signature: format!(
                    "enum {name}{} {{ {} }}",
                    generics(&def.generics, &def.bounds),
                    variants.join(", ")
                ),
                doc: text(&def.doc),
                ..about
            }
        }
        Definition::Alias(def) => Description {
            kind: "type",
            signature: format!("type {name}{} = {}", generics(&def.generics, &[]), def.ty),
            doc: text(&def.doc),
            ..about
        },
        Definition::Agent(def) => Description {
            kind: def.word(),
            signature: format!("{} {}", def.word(), variant(name, &def.params)),
            doc: text(&def.doc),
            ..about
        },
        Definition::Tool(def) => Description {
            kind: "tool",
            signature: format!("tool {}", variant(name, &def.fields)),
            doc: text(&def.doc),
            ..about
        },
        Definition::Global(global) => Description {
            kind: "value",
            signature: format!(
                "{} {name} : {}",
                if global.mutable { "var" } else { "let" },
                global.ty
            ),
            ..about
        },
        Definition::Lane => {
            Description { kind: "lane", signature: format!("lane {name}"), ..about }
        }
        Definition::Theorem => {
            Description { kind: "theorem", signature: format!("theorem {name}"), ..about }
        }
        Definition::Unsupported(_) => return None,
    })
}

/// `<T : Ord>(List<T>) -> T?`: the type of a generic function, which as a value would need its type arguments.
pub fn generic_type(db: &dyn Db, name: &str) -> Option<String> {
    let scoped = ScopedName::new(db, std::sync::Arc::from(name), false);
    let Definition::Function(signature) = definition(db, scoped, None).as_ref()? else {
        return None;
    };
    if signature.generics.is_empty() {
        return None;
    }
    let result = signature.result.clone();
    let result = result.unwrap_or_else(|| inferred_result(db, scoped, None));
    let params = signature.params.iter().map(|param| param.ty.clone()).collect();
    let generics = generics(&signature.generics, &signature.bounds);
    Some(format!("{generics}{}", Ty::function(params, result)))
}

/// The effects of a function of the session, sorted, without the hidden ones.
pub fn effects(db: &dyn Db, name: &Name) -> Vec<String> {
    use crate::names::scope::{Site, resolve};
    let scoped = ScopedName::new(db, name.clone(), false);
    let Some(Site::Item(item)) = resolve(db, scoped, None) else { return Vec::new() };
    let checked = infer_function(db, item, FnPath::Item);
    let all = all_effects(db, checked, item.prelude(db));
    all.iter().filter(|effect| !is_hidden(effect)).map(ToString::to_string).collect()
}

/// `f(a : Int, b : Text = ...) -> Int`
pub fn function(name: &str, signature: &Signature, result: &Ty) -> String {
    let generics = generics(&signature.generics, &signature.bounds);
    format!("{name}{generics}({}) -> {result}", list(&signature.params))
}

/// `<T : Ord, U>`
fn generics(names: &[Name], bounds: &[(Name, Name)]) -> String {
    let one = |name: &Name| {
        let own = bounds.iter().filter(|(of, _)| of == name).map(|(_, bound)| &**bound);
        match own.collect::<Vec<_>>().as_slice() {
            [] => name.to_string(),
            own => format!("{name} : {}", own.join(" + ")),
        }
    };
    match names {
        [] => String::new(),
        _ => format!("<{}>", names.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

fn variant(name: &str, fields: &[Param]) -> String {
    if fields.is_empty() { name.to_owned() } else { format!("{name}({})", list(fields)) }
}

fn list(params: &[Param]) -> String {
    let one = |param: &Param| {
        let default = if param.has_default { " = ..." } else { "" };
        format!("{} : {}{}{default}", param.name, param.passing.word(), param.ty)
    };
    params.iter().map(one).collect::<Vec<_>>().join(", ")
}
