//! What an agent's sections may not say (L-79): numbers that the checker lets pass because they come from anywhere.
//!
//! Never: changes a value to one that would do. A wrong number is a Fault at the spawn, not a mailbox, index or limit of
//! another size than what is written.

use crate::builtin::must::{Must, SECTIONS};
use crate::value::json::parse_duration;
use serde_json::Value;

/// The first thing that is wrong with the sections, as a sentence without its end.
#[must_use]
pub fn wrong(sections: &Value) -> Option<String> {
    let at = |path: &str| sections.pointer(path).filter(|value| !value.is_null());
    let nameless = |path: &str| {
        let text = at(path)?.as_str()?;
        text.trim().is_empty().then(|| say(path, "empty", "a name"))
    };
    let number = |(path, must): &(&str, Must)| {
        let value = at(path)?;
        let (number, shown) = match (value, must) {
            (Value::String(text), _) => (parse_duration(text)? as f64, text.clone()),
            (_, Must::NotBeOwed) => (value.as_f64()?, format!("{} dollars", value.as_f64()?)),
            _ => (value.as_f64()?, value.to_string()),
        };
        (!must.allows(number)).then(|| say(path, &shown, &must.wanted()))
    };
    SECTIONS.iter().find_map(number).or_else(|| nameless("/memory/long_term/collection"))
}

fn say(path: &str, is: &str, wanted: &str) -> String {
    let mut parts = path.trim_start_matches('/').split('/');
    let section = parts.next().unwrap_or_default();
    let key = parts.next_back().unwrap_or_default();
    format!("`{key}` in `{section}` is {is}, and must be {wanted}")
}

#[cfg(test)]
mod tests {
    use super::wrong;
    use serde_json::json;

    #[test]
    fn a_number_that_means_nothing_is_told_with_its_key() {
        let good = json!({
            "memory": {
                "short_term": { "kind": "FIFO", "capacity": 1, "ttl": "1h" },
                "long_term": { "collection": "a", "index": { "m": 2, "ef": 1 }, "decay": "None" },
            },
            "cost_policy": { "max_cost_per_decision": 0.0, "quota": { "daily": null } },
        });
        assert_eq!(wrong(&good), None);
        assert_eq!(wrong(&json!({})), None);
        let index = json!({ "memory": { "long_term": { "index": { "m": -1, "ef": 0 } } } });
        assert_eq!(wrong(&index).unwrap(), "`m` in `memory` is -1, and must be at least 2");
        let quota = json!({ "cost_policy": { "quota": { "daily": -1.5 } } });
        let text = "`daily` in `cost_policy` is -1.5 dollars, and must be at least $0";
        assert_eq!(wrong(&quota).unwrap(), text);
    }
}
