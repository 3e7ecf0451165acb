//! A line, not a web: a crate uses only what stands below it, so that each layer can be read and tested without those above.

use crate::tree::{expect_none, read};

/// From the top. `benches` stands beside the line and may use all of it.
const LINE: [&str; 5] = ["repl", "kernel", "lang", "runtime", "verify"];

#[test]
fn no_crate_uses_one_above_it() {
    let mut found = Vec::new();
    for (height, package) in LINE.iter().enumerate() {
        for used in uses(package) {
            let is_below =
                LINE.iter().position(|other| *other == used).is_some_and(|other| other > height);
            if !is_below {
                found.push(format!("{package}/Cargo.toml uses ag-{used}"));
            }
        }
    }
    expect_none("a crate uses only what stands below it", &found);
    assert!(uses("repl").len() >= 2, "the manifests are read");
}

/// The checker trusts nothing but the compiler: any dependency would be part of what is trusted.
#[test]
fn the_proof_checker_depends_on_nothing() {
    let manifest = read("verify/Cargo.toml");
    let (_, after) = manifest.split_once("[dependencies]").unwrap_or_default();
    let lines: Vec<&str> = after.lines().take_while(|line| !line.starts_with('[')).collect();
    let used: Vec<String> =
        lines.into_iter().filter(|line| line.contains('=')).map(str::to_owned).collect();
    expect_none("verify has no dependencies", &used);
}

/// Crates of the workspace that a manifest names, in any of its dependency tables.
fn uses(package: &str) -> Vec<String> {
    let manifest = read(&format!("{package}/Cargo.toml"));
    let own = format!("ag-{package}");
    let names = manifest.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names
        .filter(|name| *name != own)
        .filter_map(|name| name.strip_prefix("ag-"))
        .map(str::to_owned)
        .collect()
}
