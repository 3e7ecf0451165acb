//! What an agent's sections may not say (L-79): numbers that the checker lets pass because they come from anywhere.
//!
//! Never: changes a value to one that would do. A wrong number is a Fault at the spawn, not a mailbox, index or limit of
//! another size than what is written.

use crate::value::json::parse_duration;
use serde_json::Value;

/// The first thing that is wrong with the sections, as a sentence without its end.
#[must_use]
pub fn wrong(sections: &Value) -> Option<String> {
    let at = |path: &str| sections.pointer(path).filter(|value| !value.is_null());
    let least = |path: &str, least: i64| {
        let number = at(path)?.as_i64()?;
        (number < least).then(|| say(path, &number.to_string(), &format!("at least {least}")))
    };
    let lasting = |path: &str| {
        let text = at(path)?.as_str()?;
        let ns = parse_duration(text)?;
        (ns <= 0).then(|| say(path, text, "longer than 0s"))
    };
    let amount = |path: &str| {
        let number = at(path)?.as_f64()?;
        (number < 0.0).then(|| say(path, &format!("{number} dollars"), "at least $0"))
    };
    let named = |path: &str| {
        let text = at(path)?.as_str()?;
        text.trim().is_empty().then(|| say(path, "empty", "a name"))
    };
    least("/memory/short_term/capacity", 1)
        .or_else(|| lasting("/memory/short_term/ttl"))
        .or_else(|| named("/memory/long_term/collection"))
        .or_else(|| least("/memory/long_term/index/m", 2))
        .or_else(|| least("/memory/long_term/index/ef_construction", 1))
        .or_else(|| least("/memory/long_term/index/ef", 1))
        .or_else(|| lasting("/memory/long_term/decay/half_life"))
        .or_else(|| amount("/cost_policy/max_cost_per_decision"))
        .or_else(|| lasting("/cost_policy/latency_budget"))
        .or_else(|| amount("/cost_policy/quota/hourly"))
        .or_else(|| amount("/cost_policy/quota/daily"))
        .or_else(|| amount("/cost_policy/quota/total"))
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
