//! Whatever is typed, checking gives an answer: no panic, no endless recursion, and nothing to run if there are errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::Workspace;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

const PROGRAMS: &[&str] = &[
    include_str!("../../tests/seed/l1_trading_agent.ag"),
    include_str!("../../tests/seed/l2_market_monitoring.ag"),
    include_str!("../../tests/seed/l3_annotations.ag"),
    include_str!("../../tests/spec/03-types.md"),
    include_str!("../../tests/spec/04-expressions.md"),
    include_str!("../../tests/spec/05-statements.md"),
    include_str!("../../tests/spec/06-items.md"),
    include_str!("../../tests/spec/07-agents.md"),
];

/// The `ag` blocks of a page, or the program itself.
fn cells(program: &str) -> Vec<String> {
    let blocks: Vec<String> = program
        .split("```ag\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block.to_owned()))
        .collect();
    if blocks.is_empty() { vec![program.to_owned()] } else { blocks }
}

/// Words and signs, so that edits stay near the language.
fn pieces(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for c in text.chars() {
        let joins = found
            .last()
            .is_some_and(|last| last.chars().all(char::is_alphanumeric) && c.is_alphanumeric());
        if joins { found.last_mut().unwrap().push(c) } else { found.push(c.to_string()) }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn edited_programs_are_checked(
        program in 0..PROGRAMS.len(),
        edits in proptest::collection::vec((any::<u16>(), any::<u16>(), 0..3u8), 0..4),
    ) {
        let mut workspace = Workspace::new();
        for cell in cells(PROGRAMS[program]) {
            let mut pieces = pieces(&cell);
            for (at, other, kind) in &edits {
                let (at, other) = (*at as usize % pieces.len(), *other as usize % pieces.len());
                match kind {
                    0 => { pieces.remove(at); }
                    1 => pieces.swap(at, other),
                    _ => { let copy = pieces[other].clone(); pieces.insert(at, copy); }
                }
                if pieces.is_empty() { break }
            }
            let id = workspace.add_cell(&pieces.concat());
            let checked = workspace.check(id);
            prop_assert!(!checked.has_errors() || checked.steps.is_empty());
            if checked.has_errors() {
                workspace.remove_cell(id);
            }
        }
    }
}

/// Definitions that need themselves.
#[test]
fn cycles_are_mistakes() {
    for (text, code) in [
        ("function f() { return g() }\nfunction g() { return f() }", "E0303"),
        ("let x := f()\nfunction f() { return x }", "E0303"),
        ("let a := b\nlet b := a", "E0201"),
        ("type A = B\ntype B = A\nfunction f(a : A) -> Int { return 1 }", ""),
        ("struct S { x : Int = S().x }", ""),
        ("function f(n : Int = f()) -> Int { return n }", ""),
        ("agent A { behavior b(r : AgentRef<A>) { return await r.b(self) } }", "E0303"),
        ("struct T { t : T? }\nT(None)", ""),
        ("enum Tree { Leaf, Node(l : Tree, r : Tree) }\nTree.Node(Tree.Leaf, Tree.Leaf)", ""),
    ] {
        let mut workspace = Workspace::new();
        let id = workspace.add_cell(text);
        let checked = workspace.check(id);
        let codes: Vec<String> = checked.diagnostics.iter().map(|d| d.code.to_string()).collect();
        if !code.is_empty() {
            assert!(codes.iter().any(|found| found == code), "{text}: {codes:?}");
        }
    }
}

/// A recursive type has a shape, and the same one each time.
#[test]
fn recursive_shapes() {
    let mut workspace = Workspace::new();
    let id = workspace
        .add_cell("enum Tree { Leaf, Node(l : Tree, value : Int?, r : List<Tree>) }\nTree.Leaf");
    let checked = workspace.check(id);
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    let ty = checked.definitions.types[0].ty.clone();
    assert_eq!(workspace.shape(&ty), workspace.shape(&ty));
}
