use super::{Inspector, NameInfo};

fn info(name: &str, kind: &str, signature: &str, members: Vec<NameInfo>) -> NameInfo {
    NameInfo {
        name: name.into(),
        kind: kind.into(),
        signature: signature.into(),
        doc: format!("About {name}.\nMore."),
        cell: 2,
        members,
    }
}

fn inspector() -> Inspector {
    let inspector = Inspector::default();
    let member = |name: &str, kind: &str, signature: &str| info(name, kind, signature, Vec::new());
    inspector.publish(vec![
        info("Desk", "agent", "", vec![member("decide", "behavior", "(t: Trade) -> Vote")]),
        info("Trade", "struct", "", vec![member("symbol", "field", "Text")]),
        info("Vote", "enum", "", vec![member("Approve", "variant", "")]),
        info("desk", "let", "AgentRef<Desk>", Vec::new()),
        info("symbols", "let", "List<Text>", Vec::new()),
        info("score", "function", "(t: Trade) -> Float", Vec::new()),
    ]);
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
    assert_eq!(completed("score(des|"), ["desk", "Desk"]);
    assert!(completed("App|").contains(&"Approve".to_owned()));
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
    assert_eq!(completed(":asm|"), [""; 0], "a command that cannot run is not offered");
    assert_eq!(completed(":doc sco|"), ["score"]);
}

#[test]
fn members_follow_the_type() {
    assert_eq!(completed("desk.|"), ["decide"]);
    assert_eq!(completed("Vote.|"), ["Approve"]);
    assert_eq!(completed("await desk.de|"), ["decide"]);
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
    assert_eq!(found.items[0].signature, "(t: Trade) -> Float");
}

#[test]
fn hovering_tells_what_is_known() {
    let inspector = inspector();
    let found = inspector.inspect("score(t)", 2).unwrap();
    assert!(
        found.text.starts_with("function score(t: Trade) -> Float\nAbout score."),
        "{}",
        found.text
    );
    assert!(found.markdown.starts_with("```ag\n"));
    assert_eq!(inspector.inspect("score(", 6).map(|found| found.text), Some(found.text));
    assert_eq!(inspector.inspect("nothing", 2), None);
    assert!(inspector.inspect("\"score\"", 3).is_none());
}

#[test]
fn documents_of_builtins_members_and_commands() {
    let inspector = inspector();
    let text = |name: &str| inspector.document(name).map(|page| page.text).unwrap_or_default();
    assert!(text("spawn").starts_with("@spawn"), "{}", text("spawn"));
    assert!(text("Desk.decide").contains("behavior decide"));
    assert!(text("Desk").contains("  behavior decide(t: Trade) -> Vote"));
    assert!(text("budget").starts_with(":budget [$x]"));
    assert_eq!(text("no_such_name"), "");
    assert!(inspector.documented().contains(&"score".to_owned()));
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
