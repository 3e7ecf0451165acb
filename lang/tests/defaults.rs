//! Constant defaults reach the shapes, so that a document may leave such a field out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::{Step, Workspace};
use ag_runtime::value::shape::{Shape, shape};

#[test]
fn constant_defaults_are_known_to_the_shape() {
    let mut workspace = Workspace::new();
    let cell = workspace.add_cell(
        "enum Side { Buy, Sell }\n\
         enum Stop { Never, At(price : Float) }\n\
         struct Order {\n\
           symbol : Text\n\
           quantity : Int = -100\n\
           side : Side = sell\n\
           stop : Stop = at(1.5)\n\
           tags : List<Text> = [\"a\"]\n\
           limit : Money? = $0.10\n\
           note : Text?\n\
           sent : Time = @now()\n\
         }\n\
         let order := Order(\"A\", note: None)",
    );
    let checked = workspace.check(cell);
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    let Step::Statement(step) = &checked.steps[0] else { panic!("{:?}", checked.steps) };
    let Shape::Record(record) = shape(workspace.shape(&step.writes[0].1)) else {
        panic!("{:?}", step.writes)
    };
    let fields: Vec<(&str, Option<&str>, bool)> = record
        .fields
        .iter()
        .map(|field| (&*field.name, field.default.as_deref(), field.required))
        .collect();
    assert_eq!(
        fields,
        [
            ("symbol", None, true),
            ("quantity", Some("-100"), false),
            ("side", Some("\"Sell\""), false),
            ("stop", Some("{\"kind\":\"At\",\"price\":1.5}"), false),
            ("tags", Some("[\"a\"]"), false),
            ("limit", Some("0.1"), false),
            ("note", None, false),
            ("sent", None, true),
        ]
    );
}

#[test]
fn a_default_of_the_type_itself_does_not_go_round_in_circles() {
    let mut workspace = Workspace::new();
    let cell = workspace.add_cell(
        "struct Node { next : Node? = None, other : Node? = Node { next: None, other: None } }\n\
         let n := Node { next: None, other: None }",
    );
    let checked = workspace.check(cell);
    let Some(Step::Statement(step)) = checked.steps.first() else {
        // Refusing the definition is as good as giving it a shape.
        assert!(checked.has_errors());
        return;
    };
    let Shape::Record(record) = shape(workspace.shape(&step.writes[0].1)) else { panic!() };
    assert_eq!(record.fields[0].default.as_deref(), Some("null"));
}
