//! The table of builtins is complete, agrees with itself and with its page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::builtin::{self, Builtin, Form, Kind, document, table};
use std::collections::HashSet;

fn rows() -> impl Iterator<Item = &'static Builtin> {
    table().iter().copied()
}

/// `<T: Ord>(self: List<T>, n: Int = 1) -> T` in its three parts.
fn split(signature: &str) -> (&str, &str, &str) {
    let open = signature.find('(').unwrap();
    let mut depth = 0;
    let close = signature[open..]
        .char_indices()
        .find(|&(_, c)| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        })
        .unwrap()
        .0
        + open;
    let result = signature[close + 1..].trim().strip_prefix("->").unwrap().trim();
    (&signature[..open], &signature[open + 1..close], result)
}

/// Parameters of a signature: pieces between commas outside brackets and quotes.
fn parameters(inner: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut pieces = Vec::new();
    let mut before = ' ';
    for (at, c) in inner.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' | '<' | '[' | '{' if !quoted => depth += 1,
            '>' if before == '-' => {}
            ')' | '>' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                pieces.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    pieces.push(inner[start..].trim());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Single capitals, in order of first occurrence.
fn variables(signature: &str) -> Vec<char> {
    let mut found = Vec::new();
    let bytes = signature.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let alone = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at)).is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        };
        let single = byte.is_ascii_uppercase() && alone(at.checked_sub(1)) && alone(Some(at + 1));
        if single && !found.contains(&char::from(byte)) {
            found.push(char::from(byte));
        }
    }
    found
}

#[test]
fn every_entry_says_what_it_does() {
    for row in rows() {
        let name = row.name;
        assert!(row.doc.len() > 10 && row.doc.ends_with('.') || row.doc.contains("%%"), "{name}");
        assert!(!row.example.is_empty(), "{name} has no example");
        assert!(row.supported || row.form != Form::Plain || !row.gives.contains("panic"), "{name}");
        let (generics, inner, result) = split(row.signature);
        assert!(!result.is_empty(), "{name}");
        for parameter in parameters(inner) {
            let (parameter, of) =
                parameter.split_once(':').unwrap_or_else(|| panic!("{name}: {parameter}"));
            assert!(parameter.trim().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert!(!of.trim().is_empty(), "{name}");
        }
        // Bounds name variables in the order in which the parameters first use them.
        let used = variables(&row.signature[generics.len()..]);
        let declared: Vec<char> =
            variables(generics).into_iter().filter(|c| used.contains(c)).collect();
        assert!(variables(generics).len() == declared.len(), "{name} declares what it never uses");
        let in_order: Vec<char> = used.into_iter().filter(|c| declared.contains(c)).collect();
        assert_eq!(declared, in_order, "{name}");
        if row.kind == Kind::Member {
            assert!(inner.starts_with("self: "), "{name}");
        }
        assert!(row.form != Form::Scope || row.exit.is_some() || !row.supported, "{name}");
    }
}

#[test]
fn bodies_take_the_words_their_signature_names() {
    for row in rows() {
        if matches!(row.form, Form::Special(_)) {
            continue;
        }
        let (_, inner, _) = split(row.signature);
        let wanted = parameters(inner).len() + variables(row.signature).len();
        if row.supported || row.words > 0 {
            assert_eq!(row.words as usize, wanted, "{} {}", row.name, row.signature);
        }
        assert_eq!(row.own >> parameters(inner).len(), 0, "{} owns a shape", row.name);
    }
}

#[test]
fn names_are_unique_where_they_must_be() {
    let mut seen = HashSet::new();
    for row in rows() {
        let parameters = parameters(split(row.signature).1).len();
        let overloaded = (row.kind == Kind::Operator).then_some(row.signature);
        assert!(
            seen.insert((row.kind, row.receiver, row.name, parameters, overloaded)),
            "{} twice",
            row.name
        );
    }
    for (id, row) in rows().enumerate() {
        let id = builtin::BuiltinId(id as u16);
        assert!(std::ptr::eq(id.get().unwrap(), row));
        let found = match (row.kind, row.receiver) {
            (Kind::Function, _) => vec![builtin::function(row.name).unwrap()],
            (Kind::Member, Some(receiver)) => builtin::overloads(receiver, row.name).to_vec(),
            (Kind::Operator, _) => builtin::operators(row.name).to_vec(),
            _ => vec![builtin::intrinsic(row.name).unwrap()],
        };
        assert!(found.contains(&id), "{}", row.name);
    }
    assert!(builtin::function("nonsense").is_none());
    assert!(builtin::member("List", "nonsense").is_none());
}

#[test]
fn builtins_page() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/builtins.md");
    let page = document::page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/builtins.md is old: run with UPDATE=1");
}
