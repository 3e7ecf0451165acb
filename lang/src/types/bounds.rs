//! The closed set of bounds (L-37): which types are Eq, Ord, Hash, Show, Num, Json. All but Num follow from the parts.

use crate::db::Db;
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::ty::Ty;

/// Whether a type meets a bound; unknown bounds are met, so that a mistake is reported where they are written.
pub fn satisfies(db: &dyn Db, ty: &Ty, bound: &str) -> bool {
    Walk { db, bound, seen: Vec::new() }.holds(ty)
}

struct Walk<'a> {
    db: &'a dyn Db,
    bound: &'a str,
    /// Recursive types are met again on the way down and hold if the rest does.
    seen: Vec<Ty>,
}

impl Walk<'_> {
    fn holds(&mut self, ty: &Ty) -> bool {
        match (self.bound, ty) {
            (_, Ty::Error | Ty::Never | Ty::Var(_) | Ty::Param(_)) => true,
            ("Show", _) => true,
            ("Num", _) => matches!(ty, Ty::Int | Ty::Float | Ty::Money | Ty::Duration),
            ("Ord", Ty::Dyn | Ty::Map(..) | Ty::Set(_) | Ty::Record(_)) => false,
            ("Ord", Ty::AgentRef(_) | Ty::Lane | Ty::Vector | Ty::Bytes) => false,
            ("Hash", Ty::Float | Ty::Vector | Ty::Dyn) => false,
            ("Json", Ty::AgentRef(_) | Ty::Tool(_)) => false,
            ("Json", Ty::Opaque(name)) => *name == "EpisodeId",
            ("Json", Ty::Map(key, value)) => **key == Ty::Text && self.holds(value),
            (_, Ty::Function(_) | Ty::Future(_) | Ty::Channel(_) | Ty::Agent(_)) => false,
            (_, Ty::Message(_) | Ty::Tool(_)) => false,
            (_, Ty::Opaque(name)) => *name == "EpisodeId",
            (_, Ty::Adt(adt)) => {
                if self.seen.contains(ty) {
                    return true;
                }
                self.seen.push(ty.clone());
                match adt_definition(self.db, adt) {
                    Some(Definition::Struct(def)) => def
                        .fields
                        .iter()
                        .all(|field| self.holds(&field.ty.substitute(&def.generics, &adt.args))),
                    Some(Definition::Enum(def)) => def
                        .variants
                        .iter()
                        .flat_map(|variant| &variant.fields)
                        .all(|field| self.holds(&field.ty.substitute(&def.generics, &adt.args))),
                    _ => true,
                }
            }
            _ => {
                let mut all = true;
                ty.map(&mut |part| {
                    all = all && self.holds(part);
                    Ty::Unit
                });
                all
            }
        }
    }
}
