//! Shapes: the run-time descriptions of types. A register is a `u64`; its shape says what it means.
//!
//! A process-wide table, read without locks. Structural shapes are interned: equal ones have one id.
//! Nominal ones (structs, enums, tools) are declared by name and the fingerprint of their definition and
//! may refer to themselves. Never: forgets a shape, changes one that was defined.

use crate::value::shelf::Shelf;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

/// Index into the table of shapes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct ShapeId(pub u32);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Shape {
    Unit,
    Bool,
    Int,
    Float,
    Text,
    Bytes,
    /// Micro-dollars.
    Money,
    /// Nanoseconds.
    Duration,
    /// Nanoseconds since the epoch.
    Time,
    /// A JSON value that carries its own shape.
    Dyn,
    /// Unboxed f64 elements.
    Vector,
    List(ShapeId),
    Set(ShapeId),
    Map(ShapeId, ShapeId),
    Tuple(Box<[ShapeId]>),
    Record(RecordShape),
    Enum(EnumShape),
    Function(FunctionShape),
    /// Packed slot and generation; the agent's type name.
    AgentRef(Arc<str>),
    Future(ShapeId),
    Channel(ShapeId),
    /// A handle without structure (`Thread`), or a Text under a name of its own (`Lane`, `EpisodeId`).
    Opaque(&'static str),
}

/// A struct, a structural record (no name) or a tool value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RecordShape {
    pub name: Option<Arc<str>>,
    pub fields: Box<[FieldShape]>,
    pub is_tool: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FieldShape {
    pub name: Arc<str>,
    pub shape: ShapeId,
    /// The doc comment: a description in JSON schemas.
    pub doc: Arc<str>,
    /// False for `T?` and fields with a constant default: a JSON object may leave them out.
    pub required: bool,
    /// What a JSON object without the field means, as JSON; without one an absent `T?` is None.
    pub default: Option<Arc<str>>,
}

impl FieldShape {
    #[must_use]
    pub fn new(name: &str, shape: ShapeId) -> Self {
        let required = option_of(shape).is_none();
        Self { name: name.into(), shape, doc: "".into(), required, default: None }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EnumShape {
    pub name: Arc<str>,
    pub variants: Box<[VariantShape]>,
}

impl EnumShape {
    /// No variant carries a payload: values are shown in JSON as plain strings.
    #[must_use]
    pub fn is_unit_only(&self) -> bool {
        self.variants.iter().all(|variant| variant.fields.is_empty())
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VariantShape {
    pub name: Arc<str>,
    pub fields: Box<[FieldShape]>,
}

impl VariantShape {
    #[must_use]
    pub fn unit(name: &str) -> Self {
        Self { name: name.into(), fields: Box::new([]) }
    }

    /// A variant with unnamed payload: `value` if single, else `_0`, `_1` (L-121).
    #[must_use]
    pub fn of(name: &str, payload: &[ShapeId]) -> Self {
        let fields = payload.iter().enumerate().map(|(at, &shape)| match payload.len() {
            1 => FieldShape::new("value", shape),
            _ => FieldShape::new(&format!("_{at}"), shape),
        });
        Self { name: name.into(), fields: fields.collect() }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FunctionShape {
    pub params: Box<[ShapeId]>,
    pub result: ShapeId,
}

/// The shapes every program has, at fixed ids.
const FIXED: [Shape; 11] = [
    Shape::Unit,
    Shape::Bool,
    Shape::Int,
    Shape::Float,
    Shape::Text,
    Shape::Bytes,
    Shape::Money,
    Shape::Duration,
    Shape::Time,
    Shape::Dyn,
    Shape::Vector,
];

impl ShapeId {
    pub const UNIT: Self = Self(0);
    pub const BOOL: Self = Self(1);
    pub const INT: Self = Self(2);
    pub const FLOAT: Self = Self(3);
    pub const TEXT: Self = Self(4);
    pub const BYTES: Self = Self(5);
    pub const MONEY: Self = Self(6);
    pub const DURATION: Self = Self(7);
    pub const TIME: Self = Self(8);
    pub const DYN: Self = Self(9);
    pub const VECTOR: Self = Self(10);

    /// A word that is never a pointer, whatever its bits: counting it is a mistake, not only a waste.
    #[must_use]
    pub fn is_scalar(self) -> bool {
        use Shape::{AgentRef, Bool, Duration, Float, Int, Money, Time, Unit};
        match self.0 {
            0..=3 | 6..=8 => true,
            4 | 5 | 9 | 10 => false,
            _ => matches!(
                shape(self),
                Unit | Bool | Int | Float | Money | Duration | Time | AgentRef(_)
            ),
        }
    }

    #[must_use]
    pub fn list(element: Self) -> Self {
        derived(element, |entry| &entry.list, || intern(Shape::List(element)))
    }

    #[must_use]
    pub fn set(element: Self) -> Self {
        intern(Shape::Set(element))
    }

    #[must_use]
    pub fn map(key: Self, value: Self) -> Self {
        intern(Shape::Map(key, value))
    }

    #[must_use]
    pub fn tuple(items: &[Self]) -> Self {
        if items.is_empty() { Self::UNIT } else { intern(Shape::Tuple(items.into())) }
    }

    #[must_use]
    pub fn option(value: Self) -> Self {
        let make = || {
            let variants = [VariantShape::unit("None"), VariantShape::of("Some", &[value])];
            intern(Shape::Enum(EnumShape { name: "Option".into(), variants: Box::new(variants) }))
        };
        derived(value, |entry| &entry.option, make)
    }

    #[must_use]
    pub fn result(ok: Self, err: Self) -> Self {
        let variants = [VariantShape::of("Ok", &[ok]), VariantShape::of("Err", &[err])];
        intern(Shape::Enum(EnumShape { name: "Result".into(), variants: Box::new(variants) }))
    }

    #[must_use]
    pub fn function(params: &[Self], result: Self) -> Self {
        intern(Shape::Function(FunctionShape { params: params.into(), result }))
    }

    /// A structural record; the fields keep the order given.
    #[must_use]
    pub fn record(fields: &[(&str, Self)]) -> Self {
        let fields = fields.iter().map(|&(name, shape)| FieldShape::new(name, shape)).collect();
        intern(Shape::Record(RecordShape { name: None, fields, is_tool: false }))
    }

    #[must_use]
    pub fn opaque(name: &'static str) -> Self {
        intern(Shape::Opaque(name))
    }
}

/// Tags of `Option` and `Result`, in the order of their variants.
pub const NONE: u32 = 0;
pub const SOME: u32 = 1;
pub const OK: u32 = 0;
pub const ERR: u32 = 1;

/// A shape with the ids derived from it that builtins ask for on every call; 0 is not known yet.
struct Entry {
    shape: Shape,
    list: AtomicU32,
    option: AtomicU32,
}

impl From<Shape> for Entry {
    fn from(shape: Shape) -> Self {
        Self { shape, list: AtomicU32::new(0), option: AtomicU32::new(0) }
    }
}

struct Table {
    shapes: Shelf<Entry>,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    structural: FxHashMap<Shape, ShapeId>,
    nominal: FxHashMap<(Arc<str>, u64), ShapeId>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let table = Table { shapes: Shelf::new(), names: Mutex::new(Names::default()) };
    {
        let mut names = table.names.lock();
        for fixed in FIXED {
            let id = ShapeId(table.shapes.allocate());
            table.shapes.set(id.0, fixed.clone().into());
            names.structural.insert(fixed, id);
        }
    }
    table
});

/// What a declared shape is until it is defined, and what an id that was never given out is.
static UNDEFINED: Shape = Shape::Opaque("undefined");

#[must_use]
pub fn shape(id: ShapeId) -> &'static Shape {
    let table: &'static Table = &TABLE;
    table.shapes.get(id.0).map_or(&UNDEFINED, |entry| &entry.shape)
}

/// A derived id, remembered with the shape it is derived from. Any thread may write it; all write the same.
fn derived(
    of: ShapeId,
    slot: impl Fn(&Entry) -> &AtomicU32,
    make: impl Fn() -> ShapeId,
) -> ShapeId {
    let Some(entry) = TABLE.shapes.get(of.0) else { return make() };
    let known = slot(entry).load(Ordering::Relaxed);
    if known != 0 {
        return ShapeId(known);
    }
    let id = make();
    slot(entry).store(id.0, Ordering::Relaxed);
    id
}

/// The id of a structural shape.
#[must_use]
pub fn intern(shape: Shape) -> ShapeId {
    let mut names = TABLE.names.lock();
    if let Some(&id) = names.structural.get(&shape) {
        return id;
    }
    let id = ShapeId(TABLE.shapes.allocate());
    TABLE.shapes.set_once(id.0, shape.clone().into());
    names.structural.insert(shape, id);
    id
}

/// The id of a nominal shape: one for each name (with type arguments) and fingerprint of its definition.
/// A struct changed and changed back gets its first id again (L-152).
#[must_use]
pub fn declare(name: &str, fingerprint: u64) -> ShapeId {
    let mut names = TABLE.names.lock();
    let key = (Arc::from(name), fingerprint);
    *names.nominal.entry(key).or_insert_with(|| ShapeId(TABLE.shapes.allocate()))
}

/// Says what a declared shape is. Only the first definition counts; the fingerprint vouches for the rest.
pub fn define(id: ShapeId, shape: Shape) {
    TABLE.shapes.set_once(id.0, shape.into());
}

#[must_use]
pub fn is_defined(id: ShapeId) -> bool {
    TABLE.shapes.get(id.0).is_some()
}

/// The element of an `Option`.
#[must_use]
pub fn option_of(id: ShapeId) -> Option<ShapeId> {
    match shape(id) {
        Shape::Enum(EnumShape { name, variants }) if &**name == "Option" => {
            Some(variants.get(SOME as usize)?.fields.first()?.shape)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{FIXED, RecordShape, Shape, ShapeId, declare, define, intern, option_of, shape};

    #[test]
    fn fixed_ids_are_what_they_say() {
        for (at, fixed) in FIXED.iter().enumerate() {
            assert_eq!(shape(ShapeId(at as u32)), fixed);
            assert_eq!(intern(fixed.clone()), ShapeId(at as u32));
        }
        assert_eq!(shape(ShapeId::VECTOR), &Shape::Vector);
        for id in (0..11).map(ShapeId) {
            assert_eq!(id.is_scalar(), ![4, 5, 9, 10].contains(&id.0));
        }
    }

    #[test]
    fn equal_shapes_have_one_id() {
        assert_eq!(ShapeId::list(ShapeId::INT), ShapeId::list(ShapeId::INT));
        assert_ne!(ShapeId::list(ShapeId::INT), ShapeId::list(ShapeId::TEXT));
        assert_eq!(option_of(ShapeId::option(ShapeId::TEXT)), Some(ShapeId::TEXT));
        assert_eq!(option_of(ShapeId::INT), None);
        assert_eq!(ShapeId::tuple(&[]), ShapeId::UNIT);
    }

    #[test]
    fn a_definition_changed_back_is_the_first_one_again() {
        let first = declare("shape_test::Tree", 1);
        let other = declare("shape_test::Tree", 2);
        assert_ne!(first, other);
        assert_eq!(shape(first), &Shape::Opaque("undefined"));
        let children = ShapeId::list(first);
        let field = super::FieldShape::new("children", children);
        let tree =
            RecordShape { name: Some("Tree".into()), fields: Box::new([field]), is_tool: false };
        define(first, Shape::Record(tree.clone()));
        define(first, Shape::Unit);
        assert_eq!(shape(first), &Shape::Record(tree));
        assert_eq!(declare("shape_test::Tree", 1), first);
    }
}
