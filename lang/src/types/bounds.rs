//! The closed set of bounds (L-37): which types are Eq, Ord, Hash, Show, Num, Json. All but Num follow from the parts.

use crate::db::Db;
use crate::types::declare::adt_definition;
use crate::types::def::{Definition, Param};
use crate::types::ty::{Name, Ty};

/// The bounds there are.
pub const BOUNDS: &[&str] = &["Eq", "Ord", "Hash", "Show", "Num", "Json"];

/// What is known of the type parameters in sight.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// The bounds written for them.
    Bounds(&'a [(Name, Name)]),
    /// They meet every bound: whoever fills them in is asked.
    Everything,
}

/// Whether the bounds written for a type parameter give it this one: what is Ord can be compared by `==` too.
pub fn declares(bounds: &[(Name, Name)], param: &str, bound: &str) -> bool {
    let implies = |given: &str| match bound {
        "Eq" => matches!(given, "Eq" | "Ord" | "Hash" | "Num"),
        "Ord" => matches!(given, "Ord" | "Num"),
        "Json" => matches!(given, "Json" | "Num"),
        _ => given == bound,
    };
    bounds.iter().any(|(name, given)| **name == *param && implies(given))
}

/// Why a type does not meet a bound: the part that lacks it, and the fields that lead there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lack {
    pub part: Ty,
    pub bound: Name,
    /// `Trade.price`, from the outside in.
    pub through: Vec<String>,
}

impl Lack {
    /// For a note, if there is more to say than the type itself.
    pub fn why(&self, whole: &Ty) -> Option<String> {
        let (part, bound) = (&self.part, &self.bound);
        if let Ty::Param(name) = part {
            return Some(format!("say so where it is declared: `<{name} : {bound}>`"));
        }
        match self.through.last() {
            Some(field) => Some(format!("because `{field}` is `{part}`, which is not `{bound}`")),
            None if part != whole => Some(format!("because `{part}` is not `{bound}`")),
            None => None,
        }
    }
}

/// What keeps a type from meeting a bound; unknown bounds are met, so that a mistake is reported where they are written.
pub fn lack(db: &dyn Db, given: Given<'_>, ty: &Ty, bound: &str) -> Option<Lack> {
    let mut walk = Walk { db, given, bound, seen: Vec::new(), through: Vec::new(), missing: None };
    walk.lacks(ty);
    walk.missing
}

struct Walk<'a> {
    db: &'a dyn Db,
    given: Given<'a>,
    bound: &'a str,
    /// Recursive types are met again on the way down and hold if the rest does.
    seen: Vec<Ty>,
    through: Vec<String>,
    missing: Option<Lack>,
}

impl Walk<'_> {
    /// Stops at the first part that lacks the bound.
    fn lacks(&mut self, ty: &Ty) {
        let own = match ty {
            Ty::Param(name) => match self.given {
                Given::Everything => true,
                Given::Bounds(bounds) => self.bound == "Show" || declares(bounds, name, self.bound),
            },
            _ => self.allows(ty),
        };
        if !own {
            let bound = Name::from(self.bound);
            let through = self.through.clone();
            self.missing.get_or_insert(Lack { part: ty.clone(), bound, through });
            return;
        }
        if matches!(self.bound, "Show" | "Num") {
            return;
        }
        match ty {
            Ty::Adt(adt) => {
                if self.seen.contains(ty) {
                    return;
                }
                self.seen.push(ty.clone());
                match adt_definition(self.db, adt) {
                    Some(Definition::Struct(def)) => {
                        self.fields(&def.name, &def.fields, &def.generics, &adt.args);
                    }
                    Some(Definition::Enum(def)) => {
                        for variant in &def.variants {
                            let owner = format!("{}.{}", def.name, variant.name);
                            self.fields(&owner, &variant.fields, &def.generics, &adt.args);
                        }
                    }
                    _ => {}
                }
            }
            Ty::Message(_) | Ty::Tool(_) | Ty::Function(_) => {}
            Ty::Map(_, value) if self.bound == "Json" => self.lacks(value),
            _ => {
                ty.map(&mut |part| {
                    if self.missing.is_none() {
                        self.lacks(part);
                    }
                    Ty::Unit
                });
            }
        }
    }

    fn fields(&mut self, owner: &str, fields: &[Param], generics: &[Name], args: &[Ty]) {
        // The prelude's own (`Some`, `Ok`) are no news to anybody.
        let told = !matches!(owner, "Option.Some" | "Result.Ok" | "Result.Err");
        for field in fields {
            if self.missing.is_some() {
                return;
            }
            if told {
                self.through.push(format!("{owner}.{}", field.name));
            }
            self.lacks(&field.ty.substitute(generics, args));
            if told {
                self.through.pop();
            }
        }
    }

    /// Whether the type itself, apart from its parts, may meet the bound.
    fn allows(&self, ty: &Ty) -> bool {
        match (self.bound, ty) {
            (_, Ty::Error | Ty::Never | Ty::Var(_)) => true,
            ("Show", _) => true,
            ("Num", _) => matches!(ty, Ty::Int | Ty::Float | Ty::Money | Ty::Duration),
            ("Ord", Ty::Dyn | Ty::Map(..) | Ty::Set(_) | Ty::Record(_)) => false,
            ("Ord", Ty::AgentRef(_) | Ty::Shards(_) | Ty::Lane | Ty::Vector | Ty::Bytes) => false,
            ("Hash", Ty::Float | Ty::Vector | Ty::Dyn) => false,
            ("Json", Ty::AgentRef(_) | Ty::Shards(_) | Ty::Tool(_)) => false,
            ("Json", Ty::Map(key, _)) => **key == Ty::Text,
            (_, Ty::Function(_) | Ty::Future(_) | Ty::Channel(_) | Ty::Agent(_)) => false,
            (_, Ty::Message(_) | Ty::Tool(_) | Ty::Ref(_)) => false,
            (_, Ty::Opaque(name)) => *name == "EpisodeId",
            _ => true,
        }
    }
}
