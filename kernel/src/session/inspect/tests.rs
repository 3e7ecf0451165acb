use std::sync::Arc;
use std::time::{Duration, Instant};

use ag_lang::db::workspace::Workspace;
use ag_lang::ide::symbols::symbols;
use ag_lang::syntax::words;
use parking_lot::Mutex;

use super::Inspector;
use crate::session::record::info;
use crate::session::shared::Shared;

const CELL: &str = "/// About Desk.\nagent Desk { behavior decide(t : Trade) -> Vote { return approve } }
/// About Trade.\nstruct Trade { symbol : Text }
enum Vote { Approve, Reject(why : Text) }
/// About score.\n/// More.\nfunction score(t : Trade, weight : Float = 1.0) -> Float { return weight }
let desk := @spawn(Desk)
let symbols := [\"a\"]";

/// A session in which [`CELL`] ran as cell 2.
fn inspector() -> Inspector {
    let mut workspace = Workspace::new();
    workspace.set_lanes(&["echo", "paper"]);
    let cell = workspace.add_cell(CELL);
    let checked = workspace.check(cell);
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    let mut names = Shared::default();
    for symbol in symbols(&workspace, cell) {
        names.insert(&*symbol.name, Arc::new(info(&symbol, 2)));
    }
    let inspector = Inspector::new(Arc::new(Mutex::new(workspace)));
    inspector.publish(names);
    inspector
}

/// `|` marks the cursor.
fn completed(marked: &str) -> Vec<String> {
    let offset = marked.find('|').unwrap();
    let found = inspector().complete(&marked.replace('|', ""), offset);
    found.items.into_iter().map(|item| item.text).collect()
}

#[test]
fn names_of_the_session_are_found_by_prefix() {
    assert_eq!(completed("let x := sco|"), ["score"]);
    assert_eq!(
        completed("score(des|")[..2],
        ["desk", "Desk"],
        "the case that was typed comes first"
    );
}

#[test]
fn keywords_stand_at_the_start() {
    assert!(completed("ret|").contains(&"return".to_owned()));
    assert!(completed("orch|").contains(&"orchestration".to_owned()));
}

#[test]
fn intrinsics_and_commands_have_their_places() {
    assert!(completed("@spa|").contains(&"spawn".to_owned()));
    assert!(completed("@spa|").iter().all(|name| name.starts_with("spa")));
    assert_eq!(completed(":bud|"), ["budget"]);
    assert_eq!(completed(":asm|"), ["asm"]);
    assert_eq!(completed(":reus|"), [""; 0], "a command that cannot run is not offered");
    assert_eq!(completed(":doc sco|"), ["score"]);
    assert_eq!(completed("?@quor|"), ["quorum"]);
    assert_eq!(completed(":lane |"), ["auto", "echo", "paper"]);
    assert_eq!(completed("%%|"), ["time"]);
    assert_eq!(completed("?sco|"), ["score"]);
}

#[test]
fn a_colon_alone_offers_commands_and_nothing_else() {
    for text in [":|", "%|", "let x := 1\n:|"] {
        let found = completed(text);
        assert!(found.contains(&"cost".to_owned()), "{text}: {found:?}");
        assert!(!found.contains(&"print".to_owned()), "{text}: {found:?}");
    }
    let of_types = completed("function f(x :|) { }");
    assert!(of_types.contains(&"Trade".to_owned()) && !of_types.contains(&"cost".to_owned()));
}

#[test]
fn members_follow_the_type() {
    assert_eq!(completed("desk.|"), ["decide"]);
    assert_eq!(completed("Vote.|"), ["Approve", "Reject"]);
    assert_eq!(completed("await desk.de|"), ["decide"]);
    assert!(completed("symbols.|").contains(&"filter".to_owned()));
    assert!(completed("symbols.first.value.up|").contains(&"upper".to_owned()));
}

#[test]
fn parameters_are_offered_by_name() {
    assert_eq!(completed("score(wei|"), ["weight: "]);
    assert_eq!(completed("score(t: Trade(\"A\"), |")[0], "weight: ");
}

#[test]
fn nothing_is_offered_inside_a_text() {
    assert_eq!(completed("print(\"sco|\")"), [""; 0]);
}

#[test]
fn types_stand_after_a_colon() {
    let found = completed("function f(x : Tr|) { }");
    assert_eq!(found, ["Trade"]);
}

#[test]
fn the_replaced_part_is_the_word() {
    let found = inspector().complete("let x := sco + 1", 12);
    assert_eq!((found.start, found.end), (9, 12));
    assert_eq!(found.items[0].doc, "About score.");
    assert!(found.items[0].signature.contains("(t : Trade"), "{:?}", found.items[0]);
}

/// `|` marks the cursor.
fn inspected(marked: &str) -> String {
    let offset = marked.find('|').unwrap();
    let found = inspector().inspect(&marked.replace('|', ""), offset);
    found.map_or("nothing".to_owned(), |found| found.text)
}

#[test]
fn hovering_tells_what_is_known() {
    let score = inspected("sc|ore(t)");
    assert!(
        score.starts_with("function score(t: Trade, weight: Float = ..) -> Float\nAbout score.")
    );
    assert!(score.contains("defined in cell 2"), "{score}");
    assert_eq!(inspected("score(|"), score, "the brackets of a call tell of what is called");
    assert_eq!(inspected("score(1, (2)|"), score);
    assert_eq!(inspected("not|hing"), "nothing");
    assert_eq!(inspected("\"sc|ore\""), "nothing");
    assert!(inspected(":bu|dget $1").starts_with(":budget [$x "));
    let print = inspected("pri|nt(1)");
    assert!(
        print.starts_with("print<T: Show>(x: T)") && print.contains("Writes a value"),
        "{print}"
    );
    assert!(inspected("let t := Trade(\"A\")\nt.sym|bol").starts_with("symbol : Text"));
    assert!(inspected("function f(s : Text) { return s| }").starts_with("s : Text"));
}

#[test]
fn an_editor_does_not_wait_long_for_a_check() {
    let inspector = inspector();
    let held = Arc::clone(&inspector.workspace);
    let guard = held.lock();
    let started = Instant::now();
    assert!(inspector.complete("sco", 3).items.is_empty());
    assert!(started.elapsed() < Duration::from_secs(60));
    drop(guard);
    assert!(!inspector.complete("sco", 3).items.is_empty());
}

#[test]
fn documents_of_builtins_members_and_commands() {
    let inspector = inspector();
    let text = |name: &str| inspector.document(name).map(|page| page.text).unwrap_or_default();
    assert!(text("spawn").starts_with("@spawn"), "{}", text("spawn"));
    assert!(text("Desk.decide").contains("behavior decide"));
    assert!(text("Desk").contains("  behavior decide(t: Trade) -> Vote"));
    assert!(text("budget").starts_with(":budget [$x "));
    assert_eq!(text("no_such_name"), "");
    assert!(inspector.documented().contains(&"score".to_owned()));
}

#[test]
fn every_word_of_the_language_has_a_page() {
    let inspector = inspector();
    let of_places =
        [words::ITEM, words::SECTION, words::BEHAVIOR, words::CONTRACT, words::CAPABILITY];
    let all = of_places.into_iter().chain([&words::RESERVED[..], words::QUANTIFIER]).flatten();
    let without: Vec<_> = all.filter(|word| inspector.document(word).is_none()).collect();
    assert_eq!(without, [&""; 0]);
}

#[test]
fn any_offset_is_safe() {
    let text = "let é := \"ä${x}\" // ü\n:cost\n@s";
    let inspector = inspector();
    for offset in 0..text.len() + 3 {
        let found = inspector.complete(text, offset);
        assert!(found.start <= found.end);
        inspector.inspect(text, offset);
    }
}

#[test]
fn hints_tell_what_a_call_still_takes() {
    let inspector = inspector();
    let hint = |text: &str| inspector.hint(text).unwrap_or_default();
    assert_eq!(hint("score("), "t : Trade, weight : Float = ...) -> Float");
    assert_eq!(hint("let x := score(Trade { symbol: \"a\" }, "), "weight : Float = ...) -> Float");
    assert_eq!(hint("score(weight: 1.0, "), "t : Trade) -> Float");
    assert_eq!(hint("score([1, 2].len(), 2, "), "", "nothing is left");
    assert_eq!(
        hint("function f() {\n  return score("),
        "t : Trade, weight : Float = ...) -> Float"
    );
    assert!(hint("@spawn(").starts_with("agent: A"), "{}", hint("@spawn("));
    assert!(hint("symbols.map(").contains("->"), "{}", hint("symbols.map("));
    assert!(hint("desk.decide(").contains("Trade"), "{}", hint("desk.decide("));
}

#[test]
fn hints_tell_the_type_of_a_name() {
    let inspector = inspector();
    let hint = |text: &str| inspector.hint(text).unwrap_or_default();
    assert_eq!(hint("symbols"), " : List<Text>");
    assert_eq!(hint("score"), "(t : Trade, weight : Float = ...) -> Float");
    for none in ["", "let", "unknown", "unknown(", "symbols ", "1 + ", "\"a(", "(1, "] {
        assert_eq!(hint(none), "", "{none:?}");
    }
}
