//! One door: what a program takes from outside passes `journal::effect`, or it could be neither traced nor replayed.

use ag_runtime::builtin::table;

use crate::tree::{expect_none, sources};

/// Effects that bring something from outside. The others (`send`, `spawn`, `suspend`, `output`) stay inside.
const OUTSIDE: &[&str] =
    &["llm", "tool", "memory.read", "memory.write", "clock", "random", "net", "fs", "human"];

/// Rows whose bodies are not connected yet: they fail when called. Empty when all are.
const NOT_CONNECTED: &[&str] = &[];

/// The only files of runtime that ask the system itself; programs see time and chance through the context.
const ASK_THE_SYSTEM: &[(&str, &[&str])] = &[
    ("SystemTime::now", &["runtime/src/clock.rs"]),
    (
        "Instant::now",
        &[
            "runtime/src/clock.rs",
            "runtime/src/ledger/journal.rs",
            "runtime/src/memory/writer.rs",
            "runtime/src/world/close.rs",
        ],
    ),
    ("TcpStream", &[]),
    ("thread_rng", &[]),
];

#[test]
fn every_effectful_builtin_passes_the_door() {
    let doors: Vec<String> = sources()
        .iter()
        .filter(|source| {
            source.path.starts_with("runtime/src")
                && !source.path.starts_with("runtime/src/journal")
        })
        .flat_map(|source| source.code_lines().map(|(_, line)| line.to_owned()).collect::<Vec<_>>())
        .collect();
    let passes = |effect: &str| {
        doors.iter().any(|line| {
            line.contains(&format!("begin(\"{effect}\""))
                || line.contains(&format!("effect(\"{effect}\""))
        })
    };
    let mut found = Vec::new();
    for row in table().iter().filter(|row| row.supported && !NOT_CONNECTED.contains(&row.name)) {
        for effect in row.effects.iter().filter(|effect| OUTSIDE.contains(effect)) {
            if !passes(effect) {
                found.push(format!("{}: nothing begins the effect {effect:?}", row.name));
            }
        }
    }
    expect_none("a builtin with an effect passes journal::effect", &found);
    assert!(passes("clock"), "the search finds the door");
}

#[test]
fn the_system_is_asked_in_its_own_files() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (number, line) in source.code_lines() {
            for (call, files) in ASK_THE_SYSTEM {
                let is_inside = ["runtime/src", "lang/src", "verify/src"]
                    .iter()
                    .any(|place| source.path.starts_with(place));
                if is_inside && line.contains(call) && !files.contains(&source.path.as_str()) {
                    found.push(format!("{}:{number}: {call}", source.path));
                }
            }
        }
    }
    expect_none("time, chance and the network come from outside, through the context", &found);
}
