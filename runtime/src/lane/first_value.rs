//! Values made up from a type alone: the first one, and seeded samples. What the echo lane answers with (L-128).
//!
//! Never: meaning. A recursive type gets its smallest finite value.

use crate::rng::Rng;
use crate::value::shape::{FieldShape, Shape, ShapeId, VariantShape, option_of, shape};
use serde_json::{Map, Value, json};

/// First variant, `0`, `0.0`, `false`, `"echo"`, `$0`, `0s`, `[]`, `{}`, `null`, fields recursively.
#[must_use]
pub fn first_value(id: ShapeId) -> Value {
    value(id, &mut Vec::new(), &mut First).unwrap_or(Value::Null)
}

/// A value of the type at random: small numbers, short lists.
#[must_use]
pub fn sample(id: ShapeId, rng: &mut Rng) -> Value {
    value(id, &mut Vec::new(), &mut Sample(rng)).unwrap_or_else(|| first_value(id))
}

/// How choices are made while a value is built.
trait Choose {
    fn integer(&mut self) -> i64;
    fn float(&mut self) -> f64;
    fn boolean(&mut self) -> bool;
    fn text(&mut self) -> String;
    fn length(&mut self) -> usize;
    /// The index of the alternative to try first; the others follow in order.
    fn alternative(&mut self, count: usize) -> usize;
}

struct First;

impl Choose for First {
    fn integer(&mut self) -> i64 {
        0
    }
    fn float(&mut self) -> f64 {
        0.0
    }
    fn boolean(&mut self) -> bool {
        false
    }
    fn text(&mut self) -> String {
        "echo".to_owned()
    }
    fn length(&mut self) -> usize {
        0
    }
    fn alternative(&mut self, _count: usize) -> usize {
        0
    }
}

struct Sample<'a>(&'a mut Rng);

impl Choose for Sample<'_> {
    fn integer(&mut self) -> i64 {
        let magnitude = 1u64 << self.0.below(14);
        let n = self.0.below(magnitude).cast_signed();
        if self.0.below(4) == 0 { -n } else { n }
    }
    fn float(&mut self) -> f64 {
        // Two decimals read well, and probabilities, shares and prices all lie in reach.
        let scale = [1.0, 1.0, 100.0, -1.0].get(self.0.below(4) as usize).copied().unwrap_or(1.0);
        (self.0.next_f64() * 100.0).round() / 100.0 * scale
    }
    fn boolean(&mut self) -> bool {
        self.0.below(2) == 1
    }
    fn text(&mut self) -> String {
        format!("echo{}", self.0.below(1_000))
    }
    fn length(&mut self) -> usize {
        self.0.below(4) as usize
    }
    fn alternative(&mut self, count: usize) -> usize {
        self.0.below(count as u64) as usize
    }
}

/// `None` if the shape contains itself with no way around; then an alternative further up is tried.
fn value(id: ShapeId, path: &mut Vec<ShapeId>, choose: &mut impl Choose) -> Option<Value> {
    if path.contains(&id) {
        return None;
    }
    path.push(id);
    let made = match shape(id) {
        Shape::Unit | Shape::Dyn => Some(Value::Null),
        Shape::Bool => Some(json!(choose.boolean())),
        Shape::Int => Some(json!(choose.integer())),
        Shape::Float => Some(json!(choose.float())),
        Shape::Money => Some(json!(choose.integer().max(0))),
        Shape::Text | Shape::Opaque(_) => Some(json!(choose.text())),
        Shape::Bytes => Some(json!("")),
        Shape::Duration => Some(json!(format!("{}s", choose.integer().max(0)))),
        Shape::Time => Some(json!("1970-01-01T00:00:00Z")),
        Shape::Vector => Some((0..choose.length()).map(|_| json!(choose.float())).collect()),
        Shape::List(element) | Shape::Set(element) => Some(list(*element, path, choose)),
        Shape::Map(_, element) => Some(map(*element, path, choose)),
        Shape::Tuple(items) => {
            items.iter().map(|item| value(*item, path, choose)).collect::<Option<Value>>()
        }
        Shape::Record(record) => {
            object(Map::new(), &record.fields, path, choose).map(Value::Object)
        }
        Shape::Enum(of) => match option_of(id) {
            Some(inner) => Some(optional(inner, path, choose)),
            None => alternatives(&of.variants, of.is_unit_only(), path, choose),
        },
        Shape::Function(_) | Shape::AgentRef(_) | Shape::Future(_) | Shape::Channel(_) => None,
    };
    path.pop();
    made
}

fn list(element: ShapeId, path: &mut Vec<ShapeId>, choose: &mut impl Choose) -> Value {
    let length = choose.length();
    let items = (0..length).map(|_| value(element, path, choose)).collect::<Option<Vec<Value>>>();
    Value::Array(items.unwrap_or_default())
}

fn map(element: ShapeId, path: &mut Vec<ShapeId>, choose: &mut impl Choose) -> Value {
    let mut entries = Map::new();
    for _ in 0..choose.length() {
        if let Some(item) = value(element, path, choose) {
            entries.insert(choose.text(), item);
        }
    }
    Value::Object(entries)
}

fn object(
    mut into: Map<String, Value>,
    fields: &[FieldShape],
    path: &mut Vec<ShapeId>,
    choose: &mut impl Choose,
) -> Option<Map<String, Value>> {
    for field in fields {
        into.insert(field.name.to_string(), value(field.shape, path, choose)?);
    }
    Some(into)
}

fn optional(inner: ShapeId, path: &mut Vec<ShapeId>, choose: &mut impl Choose) -> Value {
    if choose.alternative(2) == 0 {
        return Value::Null;
    }
    value(inner, path, choose).unwrap_or(Value::Null)
}

/// The variant chosen, or the next one that has a finite value.
fn alternatives(
    variants: &[VariantShape],
    unit_only: bool,
    path: &mut Vec<ShapeId>,
    choose: &mut impl Choose,
) -> Option<Value> {
    let start = choose.alternative(variants.len().max(1));
    let order = variants.iter().cycle().skip(start).take(variants.len());
    for variant in order {
        if unit_only {
            return Some(json!(&*variant.name));
        }
        let mut tagged = Map::new();
        tagged.insert("kind".to_owned(), json!(&*variant.name));
        if let Some(made) = object(tagged, &variant.fields, path, choose) {
            return Some(Value::Object(made));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{first_value, sample};
    use crate::rng::Seed;
    use crate::value::shape::{
        EnumShape, FieldShape, RecordShape, Shape, ShapeId, VariantShape, declare, define, intern,
    };
    use serde_json::{Value, json};

    fn enumeration(name: &str, variants: Vec<VariantShape>) -> ShapeId {
        intern(Shape::Enum(EnumShape { name: name.into(), variants: variants.into() }))
    }

    #[test]
    fn the_first_value_is_the_one_the_language_says() {
        let payload = VariantShape {
            name: "Buy".into(),
            fields: Box::new([FieldShape::new("quantity", ShapeId::INT)]),
        };
        let decision = enumeration("Decision", vec![VariantShape::unit("Hold"), payload.clone()]);
        let trend =
            enumeration("Trend", vec![VariantShape::unit("Up"), VariantShape::unit("Flat")]);
        assert_eq!(first_value(decision).to_string(), r#"{"kind":"Hold"}"#);
        assert_eq!(first_value(trend), json!("Up"));
        assert_eq!(
            first_value(enumeration("Order", vec![payload])),
            json!({"kind": "Buy", "quantity": 0})
        );
        let record = ShapeId::record(&[
            ("text", ShapeId::TEXT),
            ("price", ShapeId::FLOAT),
            ("cash", ShapeId::MONEY),
            ("wait", ShapeId::DURATION),
            ("done", ShapeId::BOOL),
            ("items", ShapeId::list(trend)),
            ("by_name", ShapeId::map(ShapeId::TEXT, trend)),
            ("maybe", ShapeId::option(trend)),
            ("pair", ShapeId::tuple(&[ShapeId::INT, ShapeId::TEXT])),
        ]);
        assert_eq!(
            first_value(record).to_string(),
            r#"{"text":"echo","price":0.0,"cash":0,"wait":"0s","done":false,"items":[],"by_name":{},"maybe":null,"pair":[0,"echo"]}"#
        );
    }

    #[test]
    fn a_recursive_type_gets_a_finite_value() {
        let tree = declare("first_value_test::Tree", 1);
        let node = VariantShape::of("Node", &[tree, tree]);
        let variants = vec![node, VariantShape::of("Leaf", &[ShapeId::INT])];
        define(tree, Shape::Enum(EnumShape { name: "Tree".into(), variants: variants.into() }));
        assert_eq!(first_value(tree), json!({"kind": "Leaf", "value": 0}));

        let knot = declare("first_value_test::Knot", 1);
        let fields = Box::new([FieldShape::new("again", knot)]);
        define(
            knot,
            Shape::Record(RecordShape { name: Some("Knot".into()), fields, is_tool: false }),
        );
        assert_eq!(first_value(knot), Value::Null);
    }

    #[test]
    fn samples_repeat_by_seed_and_vary() {
        let shape = ShapeId::list(ShapeId::record(&[("n", ShapeId::INT), ("x", ShapeId::FLOAT)]));
        let make = |seed: u64| {
            let mut rng = Seed(seed).rng();
            (0..20).map(|_| sample(shape, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }
}
