use super::{Cause, Change, Graph, Group, Kind, Ran, Written};

/// `price` -> `risk()` uses `limit()`; `total = risk(price)`; `report = total`.
fn graph() -> Graph {
    let mut graph = Graph::default();
    graph.define("limit", 10, 1, []);
    graph.define("risk", 20, 1, ["limit"]);
    graph.assign("price", Kind::Value, 1, []);
    graph.assign("total", Kind::Value, 2, ["risk", "price"]);
    graph.assign("report", Kind::Value, 3, ["total"]);
    graph
}

fn shown(causes: &[Cause]) -> Vec<String> {
    causes.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_stale_at_first() {
    assert!(graph().stale_order().is_empty());
}

#[test]
fn a_change_reaches_values_through_definitions_and_values() {
    let mut graph = graph();
    graph.define("limit", 11, 4, []);
    assert_eq!(shown(&graph.causes("total", &graph.stale())), ["`limit` changed in cell 4"]);
    assert_eq!(shown(&graph.causes("report", &graph.stale())), ["`total` is stale"]);
    assert_eq!(graph.stale_order(), ["total", "report"]);
}

#[test]
fn changing_a_definition_back_makes_values_fresh() {
    let mut graph = graph();
    graph.define("limit", 11, 4, []);
    graph.define("limit", 10, 5, []);
    assert!(!graph.stale().contains("report"));
}

#[test]
fn assigning_makes_dependants_stale_even_with_an_equal_value() {
    let mut graph = graph();
    graph.assign("price", Kind::Value, 4, []);
    assert_eq!(shown(&graph.causes("total", &graph.stale())), ["`price` changed in cell 4"]);
    graph.assign("total", Kind::Value, 5, ["risk", "price"]);
    assert_eq!(graph.stale_order(), ["report"]);
    graph.assign("report", Kind::Value, 6, ["total"]);
    assert!(graph.stale_order().is_empty());
}

#[test]
fn a_value_that_reads_itself_is_not_stale() {
    let mut graph = Graph::default();
    graph.assign("n", Kind::Value, 1, []);
    graph.assign("n", Kind::Value, 2, ["n"]);
    assert!(!graph.stale().contains("n"));
}

#[test]
fn agents_are_never_stale() {
    let mut graph = graph();
    graph.define("Desk", 1, 4, ["risk"]);
    graph.assign("desk", Kind::Agent, 4, ["Desk"]);
    graph.define("Desk", 2, 5, []);
    assert!(!graph.stale().contains("desk"));
}

#[test]
fn removed_names_are_told_and_circles_end() {
    let mut graph = Graph::default();
    graph.assign("a", Kind::Value, 1, []);
    graph.assign("b", Kind::Value, 1, ["a"]);
    graph.assign("a", Kind::Value, 2, ["b"]);
    assert_eq!(shown(&graph.causes("b", &graph.stale())), ["`a` changed in cell 2"]);
    assert_eq!(graph.stale_order().len(), 2);
    graph.remove("b");
    assert_eq!(
        graph.causes("a", &graph.stale()),
        [Cause { name: "b".into(), what: Change::Removed }]
    );
}

#[test]
fn a_name_that_changes_its_kind_changes() {
    let mut graph = Graph::default();
    graph.assign("f", Kind::Value, 1, []);
    graph.assign("x", Kind::Value, 1, ["f"]);
    graph.define("f", 1, 2, []);
    assert!(graph.stale().contains("x"));
}

#[test]
fn recursion_between_functions_ends() {
    let mut graph = Graph::default();
    graph.define("even", 1, 1, ["odd"]);
    graph.define("odd", 2, 1, ["even"]);
    graph.assign("x", Kind::Value, 2, ["even"]);
    graph.define("odd", 3, 3, ["even"]);
    assert!(graph.stale().contains("x"));
    let found = graph.dependencies("odd").unwrap();
    assert_eq!((found.uses, found.used_by), (vec!["even".to_owned()], vec!["even".to_owned()]));
}

/// The text of what runs again, group by group.
fn planned(graph: &Graph) -> Vec<Vec<String>> {
    let texts = |group: Group| group.statements.iter().map(|s| s.text.to_string()).collect();
    graph.plan().into_iter().map(texts).collect()
}

/// `text` with what it writes (`!` before a name: anew) and reads.
fn ran(graph: &mut Graph, text: &str, writes: &str, reads: &str) {
    let writes = writes.split_whitespace().map(|name| {
        let is_fresh = name.starts_with('!');
        Written { name: name.trim_start_matches('!'), kind: Kind::Value, is_fresh }
    });
    let (writes, reads) = (writes.collect(), reads.split_whitespace().collect());
    graph.ran(&Ran { text, cell: 1, writes, reads, ..Ran::default() });
}

#[test]
fn a_changed_value_is_made_from_its_beginning() {
    let mut graph = Graph::default();
    ran(&mut graph, "var base := 1", "!base", "");
    ran(&mut graph, "var price := 1", "!price", "");
    ran(&mut graph, "var sum := base", "!sum", "base");
    ran(&mut graph, "sum += price", "sum", "sum price");
    ran(&mut graph, "base = 2", "!base", "");
    assert_eq!(planned(&graph), [["var sum := base", "sum += price"]]);
    ran(&mut graph, "sum = 7", "!sum", "");
    assert!(graph.plan().is_empty(), "what it was before does not matter");
}

#[test]
fn what_a_statement_changes_together_is_computed_together_and_in_order() {
    let mut graph = Graph::default();
    ran(&mut graph, "var n := 1", "!n", "");
    ran(&mut graph, "var a := 0", "!a", "");
    ran(&mut graph, "var b := 0", "!b", "");
    ran(&mut graph, "add(n)", "a b", "a b n");
    ran(&mut graph, "let c := a", "!c", "a");
    ran(&mut graph, "b += 1", "b", "b");
    ran(&mut graph, "n = 2", "!n", "");
    let together = vec!["var a := 0", "var b := 0", "add(n)", "b += 1"];
    assert_eq!(planned(&graph), [together, vec!["let c := a"]]);
    assert_eq!(graph.plan()[1].waits_for, ["a"]);
}

#[test]
fn a_thousand_values_in_a_row_are_found_in_one_pass() {
    let mut graph = Graph::default();
    let name = |n: u32| format!("v{n:04}");
    graph.assign(&name(0), Kind::Value, 1, []);
    for n in 1..1000 {
        graph.assign(&name(n), Kind::Value, 1, [name(n - 1).as_str()]);
    }
    graph.assign(&name(0), Kind::Value, 2, []);
    let order = graph.stale_order();
    assert_eq!((order.len(), order.first()), (999, Some(&name(1))));
    assert!(order.is_sorted());
}

#[test]
fn going_back_gives_no_version_twice() {
    let mut now = graph();
    let earlier = now.clone();
    assert!(now.is_as(&earlier));
    now.assign("price", Kind::Value, 4, []);
    assert_eq!(now.changed_since(&earlier), ["price"]);
    now.return_to(&earlier);
    assert!(now.is_as(&earlier) && now.plan().is_empty());
    now.assign("price", Kind::Value, 5, []);
    assert_eq!(shown(&now.causes("total", &now.stale())), ["`price` changed in cell 5"]);
}
