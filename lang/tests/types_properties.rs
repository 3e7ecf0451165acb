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

/// What the parser still follows, the checker follows too, on a thread's usual stack of 2 MiB.
#[test]
fn deep_programs() {
    let chain = format!("let x := 1{}", " + 1".repeat(2000));
    let parens = format!("let x := {}1{}", "(".repeat(95), ")".repeat(95));
    let lists = format!("let x := {}1{}", "[".repeat(95), "]".repeat(95));
    let blocks = format!("function f() {{ {} {} }}", "if true {".repeat(95), "}".repeat(95));
    let lambdas = format!("let x := {}1", "(a : Int) => ".repeat(95));
    let calls = format!("let x := {}1{}", "Some(".repeat(95), ")".repeat(95));
    let members = format!("let x := \"a\"{}", ".trim()".repeat(240));
    let matches = format!(
        "function f() -> Int {{ return {} 0 {} }}",
        "match 1 { 1 => ".repeat(60),
        ", _ => 0 }".repeat(60)
    );
    let unwritten: String = (0..2000)
        .map(|at| format!("function f{at}(n : Int) {{ return f{}(n) }}\n", at + 1))
        .chain(["function f2000(n : Int) { return n }".to_owned()])
        .collect();
    let globals: String = (0..500).map(|at| format!("let g{} := g{at}\n", at + 1)).collect();
    let globals = format!("let g0 := 1\n{globals}");
    let texts =
        [chain, parens, lists, blocks, lambdas, calls, members, matches, unwritten, globals];
    for text in texts {
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let check = move || {
            let mut workspace = Workspace::new();
            let id = workspace.add_cell(&text);
            workspace.check(id).diagnostics.len()
        };
        thread.spawn(check).unwrap().join().unwrap();
    }
}

/// The codes that checking one cell gives.
fn codes(text: &str) -> Vec<String> {
    let mut workspace = Workspace::new();
    let id = workspace.add_cell(text);
    let found = workspace.check(id).diagnostics;
    found.iter().map(|found| found.code.to_string()).collect()
}

fn all_too_large(codes: &[String]) {
    assert!(!codes.is_empty() && codes.iter().all(|code| code == "E0313"), "{codes:?}");
}

/// Short steps that double a type each: written out they would fill the memory.
#[test]
fn types_that_double_are_refused() {
    let pair = "function pair<T>(x : T) -> (T, T) { return (x, x) }\n";
    let calls = format!("{pair}let big := {}1{}", "pair(".repeat(60), ")".repeat(60));
    all_too_large(&codes(&calls));
    let lets: String = (1..60).map(|n| format!("let x{n} := (x{0}, x{0})\n", n - 1)).collect();
    all_too_large(&codes(&format!("let x0 := 1\n{lets}")));
    let aliases: String = (1..60).map(|n| format!("type A{n} = (A{0}, A{0})\n", n - 1)).collect();
    all_too_large(&codes(&format!("type A0 = Int\n{aliases}")));
    let usual = format!("{pair}let big := {}1{}", "pair(".repeat(9), ")".repeat(9));
    assert_eq!(codes(&usual), [""; 0]);
}

/// Whether patterns cover everything is NP-complete: where it is too much to find out, `_` must end the `match`.
#[test]
fn a_match_of_many_parts_is_decided_or_asked_to_end() {
    let row = |told: &[(usize, bool)]| {
        let part = |at| told.iter().find(|(known, _)| *known == at).map(|(_, value)| *value);
        let parts = (0..24).map(|at| part(at).map_or("_".to_owned(), |value| value.to_string()));
        format!("({}) => 1\n", parts.collect::<Vec<_>>().join(", "))
    };
    let chain = (0..23).map(|at| row(&[(at, true), (at + 1, false)]));
    // A fixed sequence (Knuth's MMIX generator), so that what is refused stays refused.
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as usize
    };
    let scattered: Vec<String> = (0..60)
        .map(|_| row(&[(next() % 24, true), (next() % 24, false), (next() % 24, true)]))
        .collect();
    let arms: String = chain.chain(scattered).collect();
    let ty = ["Bool"; 24].join(", ");
    let with =
        |end: &str| format!("function f(b : ({ty})) -> Int {{ return match b {{\n{arms}{end}}} }}");
    assert_eq!(codes(&with("")), ["E0401"]);
    assert!(!codes(&with("_ => 0\n")).contains(&"E0401".to_owned()));
}
