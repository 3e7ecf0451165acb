//! Fingerprints: 128 bits of SHA-256 over canonical JSON. Equal inputs have equal fingerprints in every run.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt;

/// Shown as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    #[must_use]
    pub fn of_json(value: &Value) -> Self {
        Self::of_text(&canonical(value))
    }

    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = from;
        }
        Self(bytes)
    }

    /// Reads what it shows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// JSON without spaces and with the keys of every object in order: equal values give equal text.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, item)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, canonical};
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_the_order_of_items_does() {
        let a = json!({"b": [1, {"y": null, "x": "t"}], "a": 1.5});
        let b = json!({"a": 1.5, "b": [1, {"x": "t", "y": null}]});
        assert_eq!(canonical(&a), r#"{"a":1.5,"b":[1,{"x":"t","y":null}]}"#);
        assert_eq!(Fingerprint::of_json(&a), Fingerprint::of_json(&b));
        assert_ne!(Fingerprint::of_json(&json!([1, 2])), Fingerprint::of_json(&json!([2, 1])));
    }

    #[test]
    fn it_is_the_start_of_sha_256() {
        // printf '{}' | sha256sum
        assert_eq!(
            Fingerprint::of_json(&json!({})).to_string(),
            "44136fa355b3678a1146ad16f7e8649e"
        );
    }
}
