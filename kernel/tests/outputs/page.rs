//! `docs/outputs.md` and the code say the same: every bundle and every example meets the schema on the page, and a field
//! that is not on the page is in no bundle.

use std::collections::BTreeMap;
use std::path::Path;

use ag_kernel::render::mime;
use serde_json::{Map, Value};

use crate::sample;

const PREFIX: &str = "application/vnd.ag.";

/// What the page says of one kind.
struct Kind {
    schema: Value,
    example: Value,
}

struct Page {
    shared: Value,
    kinds: BTreeMap<String, Kind>,
}

fn page() -> Page {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/outputs.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut page = Page { shared: Value::Null, kinds: BTreeMap::new() };
    for section in text.split("\n### ").skip(1) {
        let fence = |info: &str| {
            let (_, rest) = section.split_once(&format!("```json {info}\n"))?;
            let (body, _) = rest.split_once("\n```").unwrap();
            Some(serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in\n{body}")))
        };
        let heading = section.lines().next().unwrap();
        match heading.strip_prefix(&format!("`{PREFIX}")).and_then(|h| h.strip_suffix("+json`")) {
            Some(kind) => {
                let (schema, example) =
                    (fence("schema").expect(kind), fence("example").expect(kind));
                assert!(
                    page.kinds.insert(kind.to_owned(), Kind { schema, example }).is_none(),
                    "{kind} twice"
                );
            }
            None => page.shared = fence("schema").unwrap_or(page.shared),
        }
    }
    page
}

/// Where a value breaks a schema; nothing if it does not.
fn broken(shared: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    for (keyword, rule) in schema.as_object().unwrap_or_else(|| panic!("no schema at {at}")) {
        let found = match keyword.as_str() {
            "type" => wrong_type(rule, value),
            "enum" => (!rule.as_array().unwrap().contains(value))
                .then(|| format!("{value} is not among {rule}")),
            "required" => missing(rule, value),
            "properties" => wrong_field(rule, value, shared, at),
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items
                    .into_iter()
                    .find_map(|(n, item)| broken(shared, rule, item, &format!("{at}[{n}]")))
            }
            "anyOf" => {
                let fits = |option: &Value| broken(shared, option, value, at).is_none();
                (!rule.as_array().unwrap().iter().any(fits))
                    .then(|| format!("{value} is none of {rule}"))
            }
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                let target = shared.pointer(pointer).unwrap_or_else(|| panic!("{rule} at {at}"));
                return broken(shared, target, value, at);
            }
            other => panic!("the test does not know {other:?}, at {at}"),
        };
        if let Some(found) = found {
            return Some(if found.contains(" at ") { found } else { format!("{found} at {at}") });
        }
    }
    None
}

fn wrong_type(rule: &Value, value: &Value) -> Option<String> {
    let is = |name: &Value| match name.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    };
    let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
    (!names.iter().any(is)).then(|| format!("{value} is no {rule}"))
}

fn missing(rule: &Value, value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let name = rule
        .as_array()
        .unwrap()
        .iter()
        .find(|name| !fields.contains_key(name.as_str().unwrap()))?;
    Some(format!("{name} is missing"))
}

fn wrong_field(rule: &Value, value: &Value, shared: &Value, at: &str) -> Option<String> {
    let known: &Map<String, Value> = rule.as_object().unwrap();
    let fields = value.as_object()?;
    fields.iter().find_map(|(name, field)| match known.get(name) {
        Some(schema) => broken(shared, schema, field, &format!("{at}.{name}")),
        None => Some(format!("the page does not know {name:?} at {at}")),
    })
}

#[test]
fn every_bundle_is_as_the_page_says() {
    let page = page();
    let mut unused: Vec<&String> = page.kinds.keys().collect();
    for (name, output) in sample::all() {
        let Some(bundle) = mime(&output) else { continue };
        for (mime, facts) in &bundle.data {
            let Some(kind) = mime.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix("+json"))
            else {
                continue;
            };
            let known = page.kinds.get(kind).unwrap_or_else(|| panic!("{kind} has no section"));
            assert_eq!(broken(&page.shared, &known.schema, facts, kind), None, "{name}");
            unused.retain(|other| *other != kind);
        }
    }
    assert!(unused.is_empty(), "sections without an output: {unused:?}");
}

#[test]
fn every_example_is_as_the_page_says() {
    let page = page();
    assert!(page.kinds.len() > 10);
    for (name, kind) in &page.kinds {
        assert_eq!(broken(&page.shared, &kind.schema, &kind.example, name), None);
    }
}

#[test]
fn a_wrong_value_is_found() {
    let page = page();
    let mut wrong = page.kinds["progress"].example.clone();
    let schema = &page.kinds["progress"].schema;
    wrong["done"] = "7".into();
    assert!(broken(&page.shared, schema, &wrong, "p").unwrap().contains("p.done"));
    wrong["done"] = 7.into();
    wrong["other"] = 1.into();
    assert!(broken(&page.shared, schema, &wrong, "p").unwrap().contains("other"));
    wrong.as_object_mut().unwrap().clear();
    assert!(broken(&page.shared, schema, &wrong, "p").unwrap().contains("missing"));
}
