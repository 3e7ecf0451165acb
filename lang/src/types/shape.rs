//! From types to the run-time descriptions of their values.
//!
//! Nominal types are declared by name, type arguments and fingerprint, then defined: so a recursive type refers to itself,
//! and a type changed back has its first shape again (L-152).

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ag_runtime::value::prelude;
use ag_runtime::value::shape::{
    EnumShape, FieldShape, RecordShape, Shape, ShapeId, VariantShape, declare, define, intern,
    is_defined,
};
use rustc_hash::{FxHashSet, FxHasher};

use crate::db::Db;
use crate::names::scope::ScopedName;
use crate::syntax::rename::short;
use crate::types::check::default_of;
use crate::types::constant;
use crate::types::declare::{adt_definition, definition};
use crate::types::def::{Definition, EnumDef, Param, StructDef, ToolDef};
use crate::types::fingerprint::type_fingerprint;
use crate::types::ty::{AdtRef, Name, Ty};

/// The shape of values of a type.
pub fn shape_of(db: &dyn Db, ty: &Ty) -> ShapeId {
    Shapes { db, open: RefCell::default() }.of(ty)
}

/// What a struct or enum looks like by its declaration, whoever defined its shape first.
pub fn declared_shape(db: &dyn Db, ty: &Ty) -> Option<Shape> {
    let Ty::Adt(adt) = ty else { return None };
    let shapes = Shapes { db, open: RefCell::default() };
    match adt_definition(db, adt)? {
        Definition::Struct(def) => Some(shapes.structure(def, adt)),
        Definition::Enum(def) => Some(shapes.enumeration(def, adt)),
        _ => None,
    }
}

/// One walk; `open` are the nominal types being defined, which may be met again inside themselves.
struct Shapes<'a> {
    db: &'a dyn Db,
    open: RefCell<FxHashSet<ShapeId>>,
}

impl Shapes<'_> {
    /// Types without values (`Never`, variables, mistakes) have that of Unit.
    fn of(&self, ty: &Ty) -> ShapeId {
        let of = |ty: &Ty| self.of(ty);
        match ty {
            Ty::Unit | Ty::Never | Ty::Error | Ty::Var(_) | Ty::Param(_) | Ty::Agent(_) => {
                ShapeId::UNIT
            }
            Ty::Bool => ShapeId::BOOL,
            Ty::Int => ShapeId::INT,
            Ty::Float => ShapeId::FLOAT,
            Ty::Text => ShapeId::TEXT,
            Ty::Bytes => ShapeId::BYTES,
            Ty::Money => ShapeId::MONEY,
            Ty::Duration => ShapeId::DURATION,
            Ty::Time => ShapeId::TIME,
            Ty::Dyn => ShapeId::DYN,
            Ty::Vector => ShapeId::VECTOR,
            Ty::Prompt => prelude::prompt(),
            Ty::Lane => prelude::lane(),
            Ty::List(element) => ShapeId::list(of(element)),
            Ty::Set(element) => ShapeId::set(of(element)),
            Ty::Map(key, value) => ShapeId::map(of(key), of(value)),
            // The cell of a variable.
            Ty::Ref(inner) => ShapeId::tuple(&[of(inner)]),
            Ty::Tuple(items) => ShapeId::tuple(&items.iter().map(of).collect::<Vec<_>>()),
            Ty::Record(fields) => {
                let fields: Vec<(&str, ShapeId)> =
                    fields.iter().map(|(name, ty)| (&**name, of(ty))).collect();
                ShapeId::record(&fields)
            }
            Ty::Function(function) => {
                let params: Vec<ShapeId> = function.params.iter().map(of).collect();
                ShapeId::function(&params, of(&function.result))
            }
            Ty::Future(inner) => intern(Shape::Future(of(inner))),
            Ty::Channel(inner) => intern(Shape::Channel(of(inner))),
            Ty::Shards(_) => ShapeId::opaque("Shards"),
            Ty::AgentRef(agent) => intern(Shape::AgentRef(agent.clone())),
            Ty::Message(agent) => self.message(agent),
            Ty::Opaque(name) => ShapeId::opaque(name),
            Ty::Tool(name) => self.tool(name),
            Ty::Adt(adt) => self.nominal(adt),
        }
    }

    fn nominal(&self, adt: &AdtRef) -> ShapeId {
        match (ty_is(adt, "Option"), ty_is(adt, "Result"), adt.args.as_slice()) {
            (true, _, [inner]) => return ShapeId::option(self.of(inner)),
            (_, true, [ok, err]) => return ShapeId::result(self.of(ok), self.of(err)),
            _ => {}
        }
        let full = Ty::Adt(Arc::new(adt.clone())).to_string();
        let id = declare(&full, identity(adt));
        if is_defined(id) || !self.open.borrow_mut().insert(id) {
            return id;
        }
        match adt_definition(self.db, adt) {
            Some(Definition::Struct(def)) => define(id, self.structure(def, adt)),
            Some(Definition::Enum(def)) => define(id, self.enumeration(def, adt)),
            // Redefined since: its values keep the shape they were made with, which exists already.
            _ => {}
        }
        id
    }

    fn structure(&self, def: &StructDef, adt: &AdtRef) -> Shape {
        let fields = def.fields.iter().enumerate().map(|(at, param)| {
            let mut field = self.field(param, &def.generics, &adt.args);
            if param.has_default {
                let ty = param.ty.substitute(&def.generics, &adt.args);
                field.default = self.default(def, at, &ty);
                field.required &= field.default.is_none();
            }
            field
        });
        Shape::Record(RecordShape {
            name: Some(short(&def.name).into()),
            fields: fields.collect(),
            is_tool: false,
        })
    }

    /// The JSON of a field's default, if that is a constant: a document may then leave the field out.
    fn default(&self, def: &StructDef, at: usize, ty: &Ty) -> Option<Arc<str>> {
        let owner = ScopedName::new(self.db, def.name.clone(), def.fingerprint == 0);
        let function = default_of(self.db, owner, None, u32::try_from(at).ok()?).as_ref()?;
        constant::json(&|ty| self.of(ty), &function.body, ty)
    }

    fn enumeration(&self, def: &EnumDef, adt: &AdtRef) -> Shape {
        let variants = def.variants.iter().map(|variant| VariantShape {
            name: variant.name.clone(),
            fields: variant
                .fields
                .iter()
                .map(|param| self.field(param, &def.generics, &adt.args))
                .collect(),
        });
        Shape::Enum(EnumShape { name: short(&def.name).into(), variants: variants.collect() })
    }

    fn field(&self, param: &Param, generics: &[Name], args: &[Ty]) -> FieldShape {
        let ty = param.ty.substitute(generics, args);
        FieldShape {
            name: param.name.clone(),
            shape: self.of(&ty),
            doc: param.doc.clone().unwrap_or_else(|| Arc::from("")),
            required: ty.as_option().is_none(),
            default: None,
        }
    }

    /// One variant for each behavior, with its parameters. An agent with other behaviors has other messages.
    fn message(&self, agent: &Name) -> ShapeId {
        let scoped = ScopedName::new(self.db, agent.clone(), false);
        let Some(Definition::Agent(def)) = definition(self.db, scoped, None) else {
            return ShapeId::UNIT;
        };
        let variants = def.behaviors.iter().map(|behavior| VariantShape {
            name: behavior.name.clone(),
            fields: behavior.signature.params.iter().map(|p| self.field(p, &[], &[])).collect(),
        });
        intern(Shape::Enum(EnumShape { name: short(agent).into(), variants: variants.collect() }))
    }

    fn tool(&self, name: &Name) -> ShapeId {
        let db = self.db;
        let scoped = ScopedName::new(db, name.clone(), false);
        let id = declare(&format!("tool {name}"), type_fingerprint(db, scoped));
        if !is_defined(id)
            && let Some(Definition::Tool(def)) = definition(db, scoped, None)
        {
            define(id, self.tool_value(def));
        }
        id
    }

    fn tool_value(&self, def: &ToolDef) -> Shape {
        let fields = def.fields.iter().map(|param| self.field(param, &[], &[]));
        Shape::Record(RecordShape {
            name: Some(short(&def.name).into()),
            fields: fields.collect(),
            is_tool: true,
        })
    }
}

fn ty_is(adt: &AdtRef, name: &str) -> bool {
    adt.fingerprint == 0 && &*adt.name == name
}

/// The fingerprint with those of the type arguments; 0 if all are the prelude's.
fn identity(adt: &AdtRef) -> u64 {
    let mut user = adt.fingerprint != 0;
    let mut hasher = FxHasher::default();
    adt.fingerprint.hash(&mut hasher);
    for arg in &adt.args {
        arg.any(&mut |part| {
            if let Ty::Adt(inner) = part {
                user |= inner.fingerprint != 0;
                inner.fingerprint.hash(&mut hasher);
            }
            false
        });
    }
    match (user, adt.args.is_empty()) {
        (false, _) => 0,
        (true, true) => adt.fingerprint,
        (true, false) => hasher.finish().max(1),
    }
}
