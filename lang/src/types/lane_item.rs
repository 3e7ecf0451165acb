//! `lane NAME { protocol: .., url: .., .. }` (L-62): literals, so that it is known before anything runs.
//!
//! Never: takes a key. It names the environment variable that holds one, and what looks like a key is E0802.

use std::sync::Arc;

use ag_runtime::lane::declared::{CONTEXT, LaneSpec, Protocol};
use ag_runtime::ledger::money::MicroUsd;

use crate::diag::{Diagnostic, codes, nearest};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, FieldInit, Literal};
use crate::syntax::item::{Config, ItemKind, ItemTree};
use crate::types::report::did_you_mean;

const KEYS: &[&str] =
    &["protocol", "url", "model", "key_env", "price_in", "price_out", "context", "rpm"];
/// What people call the place where their key would stand.
const SECRET: &[&str] = &["key", "api_key", "apikey", "token", "secret", "password", "auth"];
/// Micro-dollars for a million tokens: far above any price there is. A mistaken one (a price for all calls of a month) would
/// refuse every call, and what it reserves must stay countable.
const DEAREST: i64 = 10_000_000_000;
/// Names that mean something without a declaration.
const TAKEN: &[&str] = &["auto", "echo", "onnx_local"];

/// The mistakes of a declaration.
pub fn check(tree: &ItemTree, config: &Config, out: &mut Vec<Diagnostic>) {
    let name = tree.name.name.as_str();
    if TAKEN.contains(&name) {
        let message = format!("the lane `{name}` is there already and cannot be declared anew");
        out.push(Diagnostic::new(codes::E0204, tree.name.span, message));
    }
    for (at, entry) in config.entries.iter().enumerate() {
        let twice = config.entries.iter().take(at).any(|other| other.name.name == entry.name.name);
        match twice {
            true => {
                let message = format!("`{}` is written twice", entry.name.name);
                out.push(Diagnostic::new(codes::E0701, entry.name.span, message));
            }
            false => out.extend(wrong(tree, entry)),
        }
    }
    if out.iter().any(Diagnostic::is_error) {
        return;
    }
    let at = if tree.name.span.is_empty() { Span::new(0, 1) } else { tree.name.span };
    let Some(protocol) = found(tree, config, "protocol").and_then(protocol) else {
        let message = "a lane needs its `protocol`";
        out.push(Diagnostic::new(codes::E0702, at, message).note(protocols()));
        return;
    };
    let has = |key: &str| found(tree, config, key).is_some();
    if protocol.is_remote() {
        for key in ["model", "price_in", "price_out"].into_iter().filter(|key| !has(key)) {
            let why = match key {
                "model" => "the provider must be told which",
                _ => "limits hold only for calls whose price is known; `$0` if it costs nothing",
            };
            let message = format!("the lane `{name}` needs its `{key}`");
            out.push(Diagnostic::new(codes::E0702, at, message).note(why));
        }
    }
}

/// What a declaration without mistakes says.
pub fn spec(tree: &ItemTree) -> Option<LaneSpec> {
    let ItemKind::Lane(config) = &tree.kind else { return None };
    let value = |key: &str| found(tree, config, key);
    let text = |key: &str| match value(key)? {
        ExprKind::Literal(Literal::Text(text)) => Some(Arc::clone(text)),
        _ => None,
    };
    let money = |key: &str| match value(key) {
        Some(ExprKind::Literal(Literal::Money(micro))) => MicroUsd(*micro),
        _ => MicroUsd(0),
    };
    let number = |key: &str| match value(key)? {
        ExprKind::Literal(Literal::Int { value, .. }) => u64::try_from(*value).ok(),
        _ => None,
    };
    let protocol = protocol(value("protocol")?)?;
    Some(LaneSpec {
        name: tree.name.name.text(),
        protocol,
        url: text("url"),
        model: text("model").unwrap_or_else(|| protocol.name().into()),
        key_env: text("key_env"),
        price_in: money("price_in"),
        price_out: money("price_out"),
        context: number("context").unwrap_or(CONTEXT),
        rpm: number("rpm").and_then(|rpm| u32::try_from(rpm).ok()),
    })
}

fn found<'t>(tree: &'t ItemTree, config: &Config, key: &str) -> Option<&'t ExprKind> {
    let entry = config.entries.iter().find(|entry| entry.name.name == *key)?;
    Some(&tree.body[entry.value].kind)
}

fn protocol(value: &ExprKind) -> Option<Protocol> {
    match value {
        ExprKind::Name(name) => Protocol::named(name.text().as_ref()),
        _ => None,
    }
}

fn protocols() -> String {
    let names: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
    format!("the protocols are: {}", names.join(", "))
}

fn wrong(tree: &ItemTree, entry: &FieldInit) -> Option<Diagnostic> {
    let key = entry.name.name.as_str();
    let (value, span) = (&tree.body[entry.value].kind, tree.body[entry.value].span);
    if SECRET.contains(&key.to_lowercase().as_str()) {
        return Some(secret(entry.name.span));
    }
    if !KEYS.contains(&key) {
        let message = format!("a lane has no `{key}`");
        let diagnostic = Diagnostic::new(codes::E0701, entry.name.span, message)
            .note(format!("it has: {}", KEYS.join(", ")));
        return Some(did_you_mean(
            diagnostic,
            entry.name.span,
            &nearest(key, KEYS.iter().copied()),
        ));
    }
    let (fits, what) = match (key, value) {
        ("protocol", value) => (protocol(value).is_some(), "one of the protocols"),
        ("key_env", ExprKind::Literal(Literal::Text(name))) if !is_variable(name) => {
            return Some(secret(span));
        }
        ("url", ExprKind::Literal(Literal::Text(url))) => {
            // A password before the host, or a key behind a question mark, would be a key in source.
            if url.contains(['@', '?']) {
                return Some(secret(span));
            }
            let is_web = url.starts_with("http://") || url.starts_with("https://");
            (is_web, "a URL that begins with `http://` or `https://`")
        }
        ("url" | "model" | "key_env", value) => {
            (matches!(value, ExprKind::Literal(Literal::Text(_))), "a text, written out")
        }
        ("price_in" | "price_out", ExprKind::Literal(Literal::Money(micro))) => {
            ((0..=DEAREST).contains(micro), "an amount from $0 to $10000 for a million tokens")
        }
        ("price_in" | "price_out", _) => {
            (false, "an amount for a million tokens such as `$0.15`, written out")
        }
        (_, ExprKind::Literal(Literal::Int { value, .. })) => {
            (*value > 0 && *value <= 1_000_000_000, "a number above 0")
        }
        _ => (false, "a number, written out"),
    };
    let note = if key == "protocol" {
        protocols()
    } else {
        "lanes are declared before anything runs".to_owned()
    };
    let message = format!("`{key}` of a lane is {what}");
    (!fits).then(|| Diagnostic::new(codes::E0702, span, message).note(note))
}

/// `OPENAI_API_KEY`; a key itself has small letters or dashes in it, or no letters at all.
fn is_variable(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(is_part)
        && name.len() <= 64
}

fn secret(span: Span) -> Diagnostic {
    Diagnostic::new(codes::E0802, span, "a key is never written in source")
        .note("put it into an environment variable and name that: `key_env: \"MY_API_KEY\"`")
}
