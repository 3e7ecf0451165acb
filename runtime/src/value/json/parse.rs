//! JSON text to a document, asking now and then whether to go on.
//!
//! Never: reads text itself (serde_json does), differs from what `serde_json::from_str` gives.

use super::Poll;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Error, Map, Value};
use std::fmt;

/// The document of a text; `poll` is called for each value inside. `None` if it said to stop.
pub fn value(text: &str, poll: Poll<'_>) -> Option<Result<Value, Error>> {
    let mut stopped = false;
    let mut noticed = || {
        stopped = stopped || poll();
        stopped
    };
    let mut source = serde_json::Deserializer::from_str(text);
    let parsed = Document { poll: &mut noticed }.deserialize(&mut source);
    let parsed = parsed.and_then(|value| source.end().map(|()| value));
    if stopped { None } else { Some(parsed) }
}

struct Document<'p> {
    poll: Poll<'p>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        if (self.poll)() {
            return Err(D::Error::custom("stopped"));
        }
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(Document { poll: &mut *self.poll })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = source.next_key::<String>()? {
            let value = source.next_value_seed(Document { poll: &mut *self.poll })?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}
