//! Completion and hover in texts that are not whole. `|` marks the cursor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::Workspace;
use ag_lang::ide::complete::complete;
use ag_lang::ide::hover::hover;

fn session() -> Workspace {
    let mut workspace = Workspace::new();
    for text in [
        "/// A pair of numbers.\nstruct Point { x : Int, /// How high.\n y : Float\n function up(self, by : Float) -> Point { return Point { ..self, y: self.y + by } } }",
        "enum Mood { Happy, VerySad(why : Text) }",
        "/// Makes a point.\nfunction make(x : Int) -> Point { print(x); return Point(x, @random()) }",
        "function weigh(p : Point, by : Float = 1.0) -> Float { return p.y * by }",
        "agent Desk { state { n : Int = 0 }; behavior ask(t : Text) -> Mood { return happy } }",
        "let desk := @spawn(Desk)\nlet point := make(1)",
    ] {
        let id = workspace.add_cell(text);
        let checked = workspace.check(id);
        assert!(!checked.has_errors(), "{:#?}", checked.diagnostics);
    }
    workspace
}

fn split(marked: &str) -> (String, u32) {
    let at = marked.find('|').unwrap();
    (marked.replacen('|', "", 1), u32::try_from(at).unwrap())
}

fn names(marked: &str) -> Vec<String> {
    let (text, offset) = split(marked);
    let found = complete(&mut session(), &text, offset);
    found.candidates.into_iter().map(|candidate| candidate.text).collect()
}

#[test]
fn members_by_type() {
    assert_eq!(names("point.|"), ["x", "y", "up"]);
    assert_eq!(names("make(1).u|"), ["up"]);
    assert_eq!(names("desk.|"), ["ask"]);
    assert!(names("[1, 2].fi|").contains(&"filter".to_owned()));
    assert!(names("\"a\".|").contains(&"upper".to_owned()));
    assert_eq!(names("let r := { price: 1, name: \"a\" }\nr.|"), ["name", "price"]);
}

#[test]
fn members_inside_open_bodies() {
    assert_eq!(names("function f(p : Point) {\n  let q := p\n  q.|\n"), ["x", "y", "up"]);
    assert_eq!(names("[point].map(p => p.|"), ["x", "y", "up"]);
    assert_eq!(names("struct Own { a : Int }\nlet o := Own(1)\no.|"), ["a"]);
}

#[test]
fn variants_of_a_type() {
    assert_eq!(names("Mood.|"), ["Happy", "VerySad"]);
    assert!(names("let m : Mood := ha|").contains(&"happy".to_owned()));
}

#[test]
fn parameters_of_the_call() {
    let first = |marked: &str| names(marked).into_iter().take_while(|name| name.ends_with(": "));
    let first = |marked: &str| first(marked).collect::<Vec<String>>();
    assert_eq!(first("make(|"), ["x: "]);
    assert_eq!(first("Point(|)"), ["x: ", "y: "]);
    assert_eq!(first("Point(1, |)"), ["y: "]);
    assert_eq!(first("Point(y: 1.0, |)"), ["x: "]);
    assert_eq!(first("Point(x: make(1).x, |)"), ["y: "]);
    assert_eq!(first("print(make(x: make(1).x, |))"), [""; 0]);
    assert_eq!(first("@spawn(Desk, |)"), [""; 0]);
    assert_eq!(first("weigh(p: Point(1, 1.0), |)"), ["by: "]);
    assert_eq!(first("weigh(point, |"), ["by: "]);
    assert_eq!(first("weigh(p: point, |"), ["by: "]);
    assert_eq!(first("weigh(p: Point(1, 1.0), |"), ["by: "]);
    assert_eq!(first("let p := Point(x|"), ["x: "]);
    assert_eq!(first("await desk.ask(t|"), ["t: "]);
    assert_eq!(first("point.up(|"), ["by: "]);
    assert_eq!(first("function f(p : Point) { return p.up(|"), ["by: "]);
    assert_eq!(first("let m : Mood := very_sad(|"), ["why: "]);
    assert!(first("@llm_call(\"hi\", pro|").contains(&"provider: ".to_owned()));
    assert_eq!(first("make(1 + |"), [""; 0]);
}

#[test]
fn fields_of_a_literal() {
    assert_eq!(names("Point { |"), ["x", "y"]);
    assert_eq!(names("Point { x: 1, |"), ["y"]);
    assert_eq!(names("Point { x: 1, y| }"), ["y"]);
}

#[test]
fn names_types_and_intrinsics() {
    assert!(names("po|").contains(&"point".to_owned()));
    assert!(names("function f(height : Int) { return hei|").contains(&"height".to_owned()));
    assert_eq!(names("let x : Poi|"), ["Point"]);
    assert!(names("@sp|").contains(&"spawn".to_owned()));
    assert!(names("ag|").contains(&"agent".to_owned()));
    assert!(names("// po|").is_empty());
}

fn signature(marked: &str) -> String {
    let (text, offset) = split(marked);
    hover(&mut session(), &text, offset).map_or("nothing".to_owned(), |hover| hover.about.signature)
}

#[test]
fn hovers() {
    assert_eq!(signature("ma|ke(1)"), "function make(x : Int) -> Point");
    assert_eq!(signature("point.|y"), "y : Float");
    assert_eq!(signature("let a := po|int"), "let point : Point");
    assert_eq!(signature("[1].ma|p(n => n)"), "List.map(self: List<T>, f: (T) -> U) -> List<U>");
    assert_eq!(signature("[1].map(n => n| + 1)"), "n : Int");
    assert!(signature("@reca|ll(\"x\")").starts_with("@recall("));
    assert_eq!(signature("Moo|d"), "enum Mood { Happy, VerySad(why : Text) }");
    assert_eq!(signature("1 + |"), "nothing");
}

#[test]
fn effects_and_documentation() {
    let (text, offset) = split("ma|ke(1)");
    let about = hover(&mut session(), &text, offset).unwrap().about;
    assert_eq!(about.effects, ["random"]);
    assert_eq!(about.doc, "Makes a point.");
}

#[test]
fn types_of_expressions() {
    let mut workspace = session();
    assert_eq!(workspace.type_of("point.y * 2").unwrap().to_string(), "Float");
    assert_eq!(workspace.type_of("point.z").unwrap_err()[0].code.to_string(), "E0206");
    assert_eq!(workspace.type_of("point").unwrap().to_string(), "Point");
}
