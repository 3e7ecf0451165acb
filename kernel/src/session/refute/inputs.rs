//! Made-up inputs: small values that are often equal to each other, because that is where contracts break.
//!
//! The same seed gives the same inputs on every machine. Never: a struct that breaks its own invariant.

use ag_runtime::rng::Rng;
use ag_runtime::value::shape::{FieldShape, Shape, ShapeId, option_of, shape};
use serde_json::{Map, Value, json};

/// How deep a value may be nested.
const DEPTH: u32 = 4;

/// How often a struct is made anew before the input is given up.
const ATTEMPTS: u32 = 3;

/// What a number inside a struct is tried as, to make its invariant hold.
const TRIED: std::ops::RangeInclusive<i64> = -2..=12;

/// Whether values of this type can be made up.
pub fn can_make(of: ShapeId) -> bool {
    let mut seen = Vec::new();
    let mut todo = vec![of];
    while let Some(next) = todo.pop() {
        if seen.contains(&next) {
            continue;
        }
        seen.push(next);
        match shape(next) {
            Shape::Unit
            | Shape::Bool
            | Shape::Int
            | Shape::Float
            | Shape::Text
            | Shape::Money
            | Shape::Duration
            | Shape::Vector => {}
            Shape::List(item) | Shape::Set(item) => todo.push(*item),
            Shape::Map(key, item) => todo.extend([*key, *item]),
            Shape::Tuple(items) => todo.extend(items.iter()),
            Shape::Record(record) if !record.is_tool => {
                todo.extend(record.fields.iter().map(|field| field.shape));
            }
            Shape::Enum(of) => {
                todo.extend(of.variants.iter().flat_map(|v| v.fields.iter()).map(|f| f.shape));
            }
            _ => return false,
        }
    }
    true
}

pub struct Maker<'m> {
    pub rng: Rng,
    /// Whether a value keeps the invariant of its struct; true for what has none.
    pub keeps: &'m dyn Fn(ShapeId, &Value) -> bool,
    /// What was made for this input, to be used again.
    made: Vec<(ShapeId, Value)>,
}

impl<'m> Maker<'m> {
    pub fn new(rng: Rng, keeps: &'m dyn Fn(ShapeId, &Value) -> bool) -> Maker<'m> {
        Maker { rng, keeps, made: Vec::new() }
    }

    /// Values for all parameters; `None` if this time no value kept its invariant.
    pub fn input(&mut self, params: &[ShapeId]) -> Option<Vec<Value>> {
        self.made.clear();
        params.iter().map(|of| self.value(*of, 0)).collect()
    }

    fn value(&mut self, of: ShapeId, depth: u32) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        let same: Vec<usize> = self.places(of);
        if !same.is_empty() && self.rng.below(3) == 0 {
            let at = self.rng.below(same.len() as u64) as usize;
            let again = same.get(at).and_then(|at| self.made.get(*at));
            return again.map(|(_, value)| value.clone());
        }
        let value = self.fresh(of, depth)?;
        self.made.push((of, value.clone()));
        Some(value)
    }

    fn places(&self, of: ShapeId) -> Vec<usize> {
        let same = self.made.iter().enumerate().filter(|(_, (other, _))| *other == of);
        same.map(|(at, _)| at).collect()
    }

    fn fresh(&mut self, of: ShapeId, depth: u32) -> Option<Value> {
        Some(match shape(of) {
            Shape::Unit => Value::Null,
            Shape::Bool => json!(self.rng.below(2) == 1),
            Shape::Int => json!(self.integer()),
            Shape::Float => json!(self.float()),
            Shape::Text => json!(self.text()),
            Shape::Money => json!(self.integer()),
            Shape::Duration => json!(format!("{}s", self.integer().max(0))),
            Shape::Vector => (0..self.length()).map(|_| json!(self.float())).collect(),
            Shape::List(item) | Shape::Set(item) => self.list(*item, depth)?,
            Shape::Map(key, item) => self.map(*key, *item, depth)?,
            Shape::Tuple(items) => {
                items.iter().map(|item| self.value(*item, depth + 1)).collect::<Option<Value>>()?
            }
            Shape::Record(record) => return self.structure(of, &record.fields, depth),
            Shape::Enum(variants) => match option_of(of) {
                Some(_) if self.rng.below(4) == 0 => Value::Null,
                Some(inner) => self.value(inner, depth + 1).unwrap_or(Value::Null),
                None => {
                    let count = variants.variants.len();
                    let first = self.rng.below(count as u64) as usize;
                    let order = variants.variants.iter().cycle().skip(first).take(count);
                    let mut found = None;
                    for variant in order {
                        if variants.is_unit_only() {
                            return Some(json!(&*variant.name));
                        }
                        let mut tagged = Map::new();
                        tagged.insert("kind".to_owned(), json!(&*variant.name));
                        found = self.fields(tagged, &variant.fields, depth);
                        if found.is_some() {
                            break;
                        }
                    }
                    Value::Object(found?)
                }
            },
            _ => return None,
        })
    }

    fn integer(&mut self) -> i64 {
        match self.rng.below(8) {
            0..=4 => self.rng.below(5).cast_signed() - 1,
            5 | 6 => self.rng.below(30).cast_signed() - 10,
            _ => self.rng.below(2_000).cast_signed() - 1_000,
        }
    }

    fn float(&mut self) -> f64 {
        const SMALL: [f64; 6] = [0.0, 1.0, 0.5, -1.0, 2.0, 0.25];
        match self.rng.below(4) {
            0 => (self.rng.next_f64() - 0.5) * 200.0,
            _ => SMALL.get(self.rng.below(6) as usize).copied().unwrap_or(0.0),
        }
    }

    fn text(&mut self) -> &'static str {
        const SMALL: [&str; 6] = ["a", "b", "", "ab", "c", "A b"];
        SMALL.get(self.rng.below(6) as usize).copied().unwrap_or("")
    }

    fn length(&mut self) -> u64 {
        self.rng.below(4)
    }

    fn list(&mut self, item: ShapeId, depth: u32) -> Option<Value> {
        if depth == DEPTH {
            return Some(json!([]));
        }
        (0..self.length()).map(|_| self.value(item, depth + 1)).collect()
    }

    fn map(&mut self, key: ShapeId, item: ShapeId, depth: u32) -> Option<Value> {
        let length = if depth == DEPTH { 0 } else { self.length() };
        let mut entries = Map::new();
        let mut pairs = Vec::new();
        for _ in 0..length {
            let (name, value) = (self.value(key, depth + 1)?, self.value(item, depth + 1)?);
            match name.as_str().filter(|_| key == ShapeId::TEXT) {
                Some(name) => drop(entries.insert(name.to_owned(), value)),
                None => pairs.push(json!([name, value])),
            }
        }
        Some(if key == ShapeId::TEXT { Value::Object(entries) } else { Value::Array(pairs) })
    }

    fn fields(
        &mut self,
        mut into: Map<String, Value>,
        fields: &[FieldShape],
        depth: u32,
    ) -> Option<Map<String, Value>> {
        for field in fields {
            into.insert(field.name.to_string(), self.value(field.shape, depth + 1)?);
        }
        Some(into)
    }

    /// A struct that keeps its invariant, if need be with another number in one of its fields.
    fn structure(&mut self, of: ShapeId, fields: &[FieldShape], depth: u32) -> Option<Value> {
        for _ in 0..ATTEMPTS {
            let made = Value::Object(self.fields(Map::new(), fields, depth)?);
            if (self.keeps)(of, &made) {
                return Some(made);
            }
            if let Some(mended) = self.mended(of, fields, made) {
                return Some(mended);
            }
        }
        None
    }

    /// `invariant parts.sum == total` leaves one number free to be found.
    fn mended(&self, of: ShapeId, fields: &[FieldShape], made: Value) -> Option<Value> {
        let is_number =
            |field: &&FieldShape| matches!(shape(field.shape), Shape::Int | Shape::Money);
        for field in fields.iter().filter(is_number) {
            for number in TRIED {
                let mut other = made.clone();
                if let Some(slot) = other.get_mut(&*field.name) {
                    *slot = json!(number);
                }
                if (self.keeps)(of, &other) {
                    return Some(other);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Maker, can_make};
    use ag_runtime::rng::Seed;
    use ag_runtime::value::shape::ShapeId;
    use serde_json::Value;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_some_are_equal() {
        let params = [ShapeId::TEXT, ShapeId::TEXT, ShapeId::map(ShapeId::INT, ShapeId::MONEY)];
        let keeps = |_: ShapeId, _: &Value| true;
        let mut one = Maker::new(Seed(1).rng(), &keeps);
        let mut two = Maker::new(Seed(1).rng(), &keeps);
        let inputs: Vec<_> = (0..50).filter_map(|_| one.input(&params)).collect();
        let again: Vec<_> = (0..50).filter_map(|_| two.input(&params)).collect();
        assert_eq!(inputs, again);
        assert!(inputs.iter().any(|input| input[0] == input[1]));
        assert!(inputs.iter().any(|input| input[0] != input[1]));
    }

    #[test]
    fn functions_and_references_cannot_be_made_up() {
        assert!(can_make(ShapeId::list(ShapeId::INT)));
        assert!(!can_make(ShapeId::function(&[ShapeId::INT], ShapeId::INT)));
        assert!(!can_make(ShapeId::DYN));
    }
}
