//! The capabilities of a definition, function by function, for `:caps` (section 8): those written and those inferred, and what
//! becomes of the values it sends.

use crate::db::Db;
use crate::names::scope::{ScopedName, Site, resolve};
use crate::types::capability::is_identity;
use crate::types::check::{FnPath, function_at, function_paths, infer_function};
use crate::types::declare::item_definition;
use crate::types::def::{Definition, Param, Passing, Signature};
use crate::types::escape::keeps;
use crate::types::infer::moves::Sent;
use crate::types::ty::{Name, Ty};

/// One function of a definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionCaps {
    /// `grow(xs : ref List<Int>, by : val Int)`
    pub signature: String,
    /// What it sends, and whether that is moved; otherwise it is shared. `None` is no variable.
    pub sent: Vec<(Option<String>, bool)>,
}

/// The functions of a definition of the session: `f`, `Agent`, `Agent.behavior`, `Struct.method`.
pub fn capabilities(db: &dyn Db, name: &str) -> Option<Vec<FunctionCaps>> {
    let (owner, member) = match name.split_once('.') {
        Some((owner, member)) => (owner, Some(member)),
        None => (name, None),
    };
    let scoped = ScopedName::new(db, Name::from(owner), false);
    let Site::Item(item) = resolve(db, scoped, None)? else { return None };
    let definition = item_definition(db, item);
    let mut found = Vec::new();
    for at in function_paths(item.tree(db)) {
        let Some(function) = function_at(item.tree(db), at) else { continue };
        let Some(signature) = signature_at(definition, at) else { continue };
        if member.is_some_and(|member| function.name.name != *member) {
            continue;
        }
        let sent = infer_function(db, item, at).facts.sent.iter();
        let one = |sent: &Sent| (sent.name.as_ref().map(|name| name.to_string()), sent.moved);
        found.push(FunctionCaps {
            signature: written(db, signature),
            sent: sent.map(one).collect(),
        });
    }
    (!found.is_empty()).then_some(found)
}

fn signature_at(definition: &Definition, at: FnPath) -> Option<&Signature> {
    match (definition, at) {
        (Definition::Function(signature), FnPath::Item) => Some(signature),
        (Definition::Struct(def), FnPath::Member(at)) => def.methods.get(at as usize),
        (Definition::Enum(def), FnPath::Member(at)) => def.methods.get(at as usize),
        (Definition::Tool(def), FnPath::Member(at)) => def.methods.get(at as usize),
        (Definition::Agent(def), FnPath::Member(at)) => {
            let behaviors = def.behaviors.iter().map(|b| (b.member, &b.signature));
            let functions = def.functions.iter().map(|f| (f.member, &f.signature));
            behaviors.chain(functions).find(|(member, _)| *member == at).map(|(_, found)| found)
        }
        _ => None,
    }
}

fn written(db: &dyn Db, signature: &Signature) -> String {
    let me = signature.receiver.then(|| match signature.own {
        Passing::Ref => "ref self".to_owned(),
        Passing::Iso => "iso self".to_owned(),
        Passing::Val => "val self".to_owned(),
    });
    let first = u32::from(signature.receiver);
    let params = (first..).zip(&signature.params).map(|(at, param)| {
        format!("{} : {} {}", param.name, capability(db, signature, at, param), param.ty)
    });
    let all: Vec<String> = me.into_iter().chain(params).collect();
    format!("{}({})", signature.key, all.join(", "))
}

/// A function that is only called and passed down may be one that assigns what is around it.
fn capability(db: &dyn Db, signature: &Signature, at: u32, param: &Param) -> &'static str {
    match (param.passing, &param.ty) {
        (Passing::Iso, _) => "iso",
        (Passing::Ref, _) => "ref",
        (Passing::Val, Ty::Function(_)) if !keeps(db, &signature.key, at, false) => "ref",
        (Passing::Val, ty) if is_identity(ty) && !matches!(ty, Ty::Param(_)) => "tag",
        (Passing::Val, _) => "val",
    }
}
