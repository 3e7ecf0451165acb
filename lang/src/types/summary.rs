//! Types as the session lists them: a line each.

use std::sync::Arc;

use crate::hir;
use crate::types::check::generic;
use crate::types::def::Definition;
use crate::types::ty::Ty;

/// What an item defines, if that is a type.
pub fn type_definition(definition: &Definition) -> Option<hir::TypeDefinition> {
    let (name, ty, summary) = match definition {
        Definition::Struct(def) => {
            let fields: Vec<String> =
                def.fields.iter().map(|f| format!("{} : {}", f.name, f.ty)).collect();
            let ty = generic(&def.name, def.fingerprint, &def.generics);
            (&def.name, ty, format!("struct {} {{ {} }}", def.name, fields.join(", ")))
        }
        Definition::Enum(def) => {
            let variants: Vec<&str> = def.variants.iter().map(|v| &*v.name).collect();
            let ty = generic(&def.name, def.fingerprint, &def.generics);
            (&def.name, ty, format!("enum {} {{ {} }}", def.name, variants.join(", ")))
        }
        Definition::Alias(def) => {
            (&def.name, def.ty.clone(), format!("type {} = {}", def.name, def.ty))
        }
        Definition::Tool(def) => {
            let methods: Vec<&str> =
                def.methods.iter().map(|m| crate::types::infer::member::short(&m.key)).collect();
            let ty = Ty::Tool(def.name.clone());
            (&def.name, ty, format!("tool {} {{ {} }}", def.name, methods.join(", ")))
        }
        _ => return None,
    };
    Some(hir::TypeDefinition { name: name.clone(), ty, summary: Arc::from(summary) })
}
