//! The JSON schema of a type (L-121): what a model is told to answer with.
//!
//! Nominal types are written once under `$defs`, so recursive ones end. Never: checking a value (`value::from_json` does).

use crate::value::shape::{FieldShape, Shape, ShapeId, VariantShape, option_of, shape};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The schema, or the name of the part that has none (functions, references; E0307 at checking).
pub fn json_schema(id: ShapeId) -> Result<Value, String> {
    let mut writer = Writer::default();
    let root = writer.of(id)?;
    let Value::Object(mut root) = root else { return Ok(root) };
    if !writer.defs.is_empty() {
        root.insert("$defs".to_owned(), Value::Object(writer.defs));
    }
    Ok(Value::Object(root))
}

#[derive(Default)]
struct Writer {
    defs: Map<String, Value>,
    named: Vec<(ShapeId, String)>,
}

impl Writer {
    fn of(&mut self, id: ShapeId) -> Result<Value, String> {
        let no_schema = |what: &str| Err(format!("{what} has no JSON form"));
        Ok(match shape(id) {
            Shape::Unit => json!({"type": "null"}),
            Shape::Bool => json!({"type": "boolean"}),
            Shape::Int => json!({"type": "integer"}),
            Shape::Float => json!({"type": "number"}),
            Shape::Money => json!({"type": "number", "description": "US dollars"}),
            Shape::Text | Shape::Opaque(_) => json!({"type": "string"}),
            Shape::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Shape::Duration => {
                json!({"type": "string", "description": "a duration such as 5s, 100ms or 1h"})
            }
            Shape::Time => json!({"type": "string", "format": "date-time"}),
            Shape::Dyn => json!({}),
            Shape::Vector => json!({"type": "array", "items": {"type": "number"}}),
            Shape::List(element) => json!({"type": "array", "items": self.of(*element)?}),
            Shape::Set(element) => {
                json!({"type": "array", "items": self.of(*element)?, "uniqueItems": true})
            }
            Shape::Map(_, element) => {
                json!({"type": "object", "additionalProperties": self.of(*element)?})
            }
            Shape::Tuple(items) => {
                let items =
                    items.iter().map(|item| self.of(*item)).collect::<Result<Value, _>>()?;
                json!({"type": "array", "prefixItems": items, "items": false})
            }
            Shape::Record(record) => match &record.name {
                _ if record.is_tool => return no_schema("a tool"),
                Some(name) => self.named(id, name, |w| w.object(None, &record.fields))?,
                None => self.object(None, &record.fields)?,
            },
            Shape::Enum(of) => match option_of(id) {
                Some(inner) => json!({"anyOf": [self.of(inner)?, {"type": "null"}]}),
                None => {
                    self.named(id, &of.name, |w| w.variants(&of.variants, of.is_unit_only()))?
                }
            },
            Shape::Function(_) => return no_schema("a function"),
            Shape::AgentRef(_) => return no_schema("a reference to an agent"),
            Shape::Future(_) => return no_schema("a Future"),
            Shape::Channel(_) => return no_schema("a channel"),
        })
    }

    /// A reference to the definition of a nominal type, which is written at its first use.
    fn named(
        &mut self,
        id: ShapeId,
        name: &Arc<str>,
        write: impl FnOnce(&mut Self) -> Result<Value, String>,
    ) -> Result<Value, String> {
        let known = self.named.iter().find(|(other, _)| *other == id).map(|(_, key)| key.clone());
        let key = match known {
            Some(key) => key,
            None => {
                let taken = self.named.iter().filter(|(_, key)| key.starts_with(&**name)).count();
                let key = if taken == 0 { name.to_string() } else { format!("{name}_{taken}") };
                self.named.push((id, key.clone()));
                let body = write(self)?;
                self.defs.insert(key.clone(), body);
                key
            }
        };
        Ok(json!({"$ref": format!("#/$defs/{key}")}))
    }

    fn object(&mut self, kind: Option<&str>, fields: &[FieldShape]) -> Result<Value, String> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        if let Some(kind) = kind {
            properties.insert("kind".to_owned(), json!({"const": kind}));
            required.push(json!("kind"));
        }
        for field in fields {
            let mut schema = self.of(field.shape)?;
            if !field.doc.is_empty()
                && let Value::Object(schema) = &mut schema
            {
                schema.insert("description".to_owned(), json!(&*field.doc));
            }
            properties.insert(field.name.to_string(), schema);
            if field.required {
                required.push(json!(&*field.name));
            }
        }
        Ok(json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false
        }))
    }

    fn variants(&mut self, variants: &[VariantShape], unit_only: bool) -> Result<Value, String> {
        if unit_only {
            let names: Vec<&str> = variants.iter().map(|v| &*v.name).collect();
            return Ok(json!({"type": "string", "enum": names}));
        }
        let objects: Result<Vec<Value>, String> =
            variants.iter().map(|v| self.object(Some(&v.name), &v.fields)).collect();
        Ok(json!({"anyOf": objects?}))
    }
}

#[cfg(test)]
mod tests {
    use super::json_schema;
    use crate::value::shape::{
        EnumShape, FieldShape, RecordShape, Shape, ShapeId, VariantShape, declare, define, intern,
    };
    use serde_json::json;

    #[test]
    fn an_enum_with_payloads_is_a_choice_of_objects_with_their_kind() {
        let variants = Box::new([
            VariantShape::unit("Hold"),
            VariantShape {
                name: "Buy".into(),
                fields: Box::new([FieldShape::new("quantity", ShapeId::INT)]),
            },
        ]);
        let decision = intern(Shape::Enum(EnumShape { name: "Decision".into(), variants }));
        assert_eq!(
            json_schema(decision).unwrap(),
            json!({"$ref": "#/$defs/Decision", "$defs": {"Decision": {"anyOf": [
                {"type": "object", "properties": {"kind": {"const": "Hold"}}, "required": ["kind"], "additionalProperties": false},
                {"type": "object", "properties": {"kind": {"const": "Buy"}, "quantity": {"type": "integer"}},
                 "required": ["kind", "quantity"], "additionalProperties": false}
            ]}}})
        );
    }

    #[test]
    fn fields_carry_their_comments_and_optional_ones_are_not_required() {
        let mut price = FieldShape::new("price", ShapeId::MONEY);
        price.doc = "per share".into();
        let fields = Box::new([price, FieldShape::new("note", ShapeId::option(ShapeId::TEXT))]);
        let shape = intern(Shape::Record(RecordShape { name: None, fields, is_tool: false }));
        assert_eq!(
            json_schema(shape).unwrap(),
            json!({
                "type": "object",
                "properties": {
                    "price": {"type": "number", "description": "per share"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}
                },
                "required": ["price"],
                "additionalProperties": false
            })
        );
    }

    #[test]
    fn a_recursive_type_is_written_once() {
        let tree = declare("schema_test::Tree", 1);
        let fields = Box::new([FieldShape::new("children", ShapeId::list(tree))]);
        define(
            tree,
            Shape::Record(RecordShape { name: Some("Tree".into()), fields, is_tool: false }),
        );
        let schema = json_schema(tree).unwrap();
        assert_eq!(schema["$ref"], json!("#/$defs/Tree"));
        assert_eq!(
            schema["$defs"]["Tree"]["properties"]["children"]["items"]["$ref"],
            json!("#/$defs/Tree")
        );
    }

    #[test]
    fn what_cannot_be_json_says_so() {
        let shape = ShapeId::list(ShapeId::function(&[], ShapeId::INT));
        assert_eq!(json_schema(shape).unwrap_err(), "a function has no JSON form");
    }
}
