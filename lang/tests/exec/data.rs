//! Texts, lists, records, variants, matching: values are right, in place where nobody else holds them, and
//! none is left.

use crate::build::{
    add, adt, bind, block, body, boolean, call, cell_with, expr, for_each, for_range, function,
    if_else, int, int_local, let_, list, list_of, local, option_of, pattern, ret, run, set,
    set_path, text,
};
use crate::support::session;
use ag_lang::hir::{Arm, Expr, ExprKind, LocalId, Pattern, PatternKind, PlaceStep, TemplatePart};
use ag_lang::types::ty::Ty;

fn texts() -> Ty {
    list_of(Ty::Text)
}

fn template(parts: Vec<TemplatePart>) -> Expr {
    expr(ExprKind::Template(parts), Ty::Text)
}

fn record(ty: &Ty, fields: Vec<Expr>) -> Expr {
    expr(ExprKind::Record { fields, evaluation: vec![] }, ty.clone())
}

fn field(base: Expr, index: u32, ty: Ty) -> Expr {
    expr(ExprKind::Field { base: Box::new(base), index }, ty)
}

fn some(value: Expr) -> Expr {
    let ty = option_of(value.ty.clone());
    expr(ExprKind::Variant { tag: 1, fields: vec![value] }, ty)
}

fn none(of: Ty) -> Expr {
    expr(ExprKind::Variant { tag: 0, fields: vec![] }, option_of(of))
}

fn matching(scrutinee: Expr, arms: Vec<(Pattern, Expr)>) -> Expr {
    let ty = arms.iter().map(|(_, body)| body.ty.clone()).find(|ty| *ty != Ty::Never).unwrap();
    let arms = arms.into_iter().map(|(pattern, body)| Arm { pattern, guard: None, body }).collect();
    expr(ExprKind::Match { scrutinee: Box::new(scrutinee), arms }, ty)
}

fn some_of(inner: Pattern) -> Pattern {
    let ty = option_of(inner.ty.clone());
    pattern(PatternKind::Variant { tag: 1, fields: vec![inner] }, ty)
}

fn anything(ty: Ty) -> Pattern {
    pattern(PatternKind::Wildcard, ty)
}

#[test]
fn templates_show_their_holes() {
    let mut session = session();
    let parts = vec![
        TemplatePart::Text("n = ".into()),
        TemplatePart::Hole(int(4)),
        TemplatePart::Text(", t = ".into()),
        TemplatePart::Hole(text("x")),
    ];
    assert_eq!(session.run(template(parts)).unwrap(), "n = 4, t = x");
}

#[test]
fn lists_keep_what_they_hold() {
    let mut session = session();
    let two = list(vec![text("a"), text("b")], Ty::Text);
    assert_eq!(session.run(two.clone()).unwrap(), "[\"a\", \"b\"]");
    let joined = template(vec![
        TemplatePart::Hole(local(0, Ty::Text)),
        TemplatePart::Hole(local(2, Ty::Text)),
    ]);
    let walk = for_each(2, Ty::Text, local(1, texts()), body(vec![set(0, joined)]));
    let program = block(vec![let_(0, text("")), let_(1, two), run(walk)], local(0, Ty::Text));
    assert_eq!(
        session.run_function(cell_with(&[Ty::Text, texts(), Ty::Text], program)).unwrap(),
        "ab"
    );
}

#[test]
fn an_assigned_copy_leaves_the_original() {
    let mut session = session();
    let at = |index: i64| vec![PlaceStep::Index { container: texts(), index: int(index) }];
    let program = block(
        vec![
            let_(0, list(vec![text("a"), text("b")], Ty::Text)),
            let_(1, local(0, texts())),
            set_path(1, at(0), text("z")),
        ],
        expr(
            ExprKind::Tuple(vec![local(0, texts()), local(1, texts())]),
            Ty::Tuple(vec![texts(), texts()]),
        ),
    );
    let shown = session.run_function(cell_with(&[texts(), texts()], program)).unwrap();
    assert_eq!(shown, "([\"a\", \"b\"], [\"z\", \"b\"])");
    let program = block(
        vec![let_(0, list(vec![text("a")], Ty::Text)), set_path(0, at(7), text("z"))],
        local(0, texts()),
    );
    let fault = session.run_function(cell_with(&[texts()], program)).unwrap_err();
    assert_eq!((fault.code, &*fault.message), ("R0104", "index 7 is outside a list of 1"));
}

#[test]
fn a_unique_list_is_changed_in_place() {
    let mut session = session();
    let ints = list_of(Ty::Int);
    let at = vec![PlaceStep::Index { container: ints.clone(), index: int_local(1) }];
    let fill = for_range(1, int(0), int(3), false, body(vec![set_path(0, at, int_local(1))]));
    let program = block(
        vec![let_(0, list(vec![int(9), int(9), int(9)], Ty::Int)), run(fill)],
        local(0, ints.clone()),
    );
    let function = cell_with(&[ints, Ty::Int], program);
    assert_eq!(session.run_function(function).unwrap(), "[0, 1, 2]");
    let ir = session.engine.ir("cell 1").unwrap();
    assert!(!ir.contains("dup"), "{ir}");
}

#[test]
fn nested_places_change_only_their_root() {
    let mut session = session();
    let point = adt("exec_test::Point", vec![Ty::Int, Ty::Text]);
    let line = adt("exec_test::Line", vec![point.clone(), list_of(point.clone())]);
    let make = |n: i64, t: &str| record(&point, vec![int(n), text(t)]);
    let whole = record(&line, vec![make(1, "a"), list(vec![make(2, "b")], point.clone())]);
    let step = |container: &Ty, index| PlaceStep::Field { container: container.clone(), index };
    let program = block(
        vec![
            let_(0, whole),
            let_(1, local(0, line.clone())),
            set_path(0, vec![step(&line, 0), step(&point, 1)], text("changed")),
            set_path(
                0,
                vec![
                    step(&line, 1),
                    PlaceStep::Index { container: list_of(point.clone()), index: int(0) },
                    step(&point, 0),
                ],
                int(7),
            ),
        ],
        expr(
            ExprKind::Tuple(vec![local(0, line.clone()), local(1, line.clone())]),
            Ty::Tuple(vec![line.clone(), line.clone()]),
        ),
    );
    let shown = session.run_function(cell_with(&[line.clone(), line], program)).unwrap();
    let shown = shown.replace("exec_test::", "");
    assert_eq!(
        shown,
        "(Line { f0: Point { f0: 1, f1: \"changed\" }, f1: [Point { f0: 7, f1: \"b\" }] }, \
         Line { f0: Point { f0: 1, f1: \"a\" }, f1: [Point { f0: 2, f1: \"b\" }] })"
    );
}

#[test]
fn updates_copy_what_is_shared() {
    let mut session = session();
    let point = adt("exec_test::Point", vec![Ty::Int, Ty::Text]);
    let base = record(&point, vec![int(1), text("a")]);
    let update =
        ExprKind::Update { base: Box::new(local(0, point.clone())), fields: vec![(1, text("z"))] };
    let both = vec![expr(update, point.clone()), local(0, point.clone())];
    let program = block(
        vec![let_(0, base)],
        expr(ExprKind::Tuple(both), Ty::Tuple(vec![point.clone(), point.clone()])),
    );
    let shown = session.run_function(cell_with(&[point], program)).unwrap();
    assert_eq!(
        shown.replace("exec_test::", ""),
        "(Point { f0: 1, f1: \"z\" }, Point { f0: 1, f1: \"a\" })"
    );
}

#[test]
fn a_match_takes_the_first_arm_that_fits() {
    let mut session = session();
    let of = |value: Expr| {
        matching(
            value,
            vec![
                (
                    some_of(pattern(PatternKind::Literal(Box::new(text("x"))), Ty::Text)),
                    text("is x"),
                ),
                (some_of(bind(0, Ty::Text)), local(0, Ty::Text)),
                (anything(option_of(Ty::Text)), text("nothing")),
            ],
        )
    };
    for (value, want) in
        [(some(text("x")), "is x"), (some(text("y")), "y"), (none(Ty::Text), "nothing")]
    {
        assert_eq!(session.run_function(cell_with(&[Ty::Text], of(value))).unwrap(), want);
    }
}

#[test]
fn list_patterns_take_both_ends() {
    let mut session = session();
    let ends = pattern(
        PatternKind::List {
            before: vec![bind(0, Ty::Text)],
            rest: Some(Some(LocalId(1))),
            after: vec![bind(2, Ty::Text)],
        },
        texts(),
    );
    let parts = vec![local(2, Ty::Text), local(0, Ty::Text)];
    let found = expr(
        ExprKind::Tuple(vec![list(parts, Ty::Text), local(1, texts())]),
        Ty::Tuple(vec![texts(), texts()]),
    );
    let empty = expr(
        ExprKind::Tuple(vec![list(vec![], Ty::Text), list(vec![], Ty::Text)]),
        Ty::Tuple(vec![texts(), texts()]),
    );
    let of = |items: Vec<Expr>| {
        matching(
            list(items, Ty::Text),
            vec![(ends.clone(), found.clone()), (anything(texts()), empty.clone())],
        )
    };
    let tys = [Ty::Text, texts(), Ty::Text];
    let long = of(vec![text("a"), text("b"), text("c"), text("d")]);
    assert_eq!(
        session.run_function(cell_with(&tys, long)).unwrap(),
        "([\"d\", \"a\"], [\"b\", \"c\"])"
    );
    assert_eq!(session.run_function(cell_with(&tys, of(vec![text("a")]))).unwrap(), "([], [])");
}

#[test]
fn question_leaves_with_what_was_empty() {
    let mut session = session();
    let option = option_of(Ty::Text);
    let question = expr(ExprKind::Question(Box::new(local(0, option.clone()))), Ty::Text);
    let first =
        function("first", 1, std::slice::from_ref(&option), option.clone(), ret(some(question)));
    session.define(vec![first]);
    let call = |arg: Expr| call("first", vec![arg], option.clone());
    assert_eq!(session.run(call(some(text("v")))).unwrap(), "Some(\"v\")");
    assert_eq!(session.run(call(none(Ty::Text))).unwrap(), "None");
    let at_top = expr(ExprKind::Question(Box::new(none(Ty::Text))), Ty::Text);
    assert_eq!(session.run(at_top).unwrap_err().code, "R0107");
}

#[test]
fn values_in_branches_that_do_not_need_them_are_dropped() {
    let mut session = session();
    let owned = || list(vec![template(vec![TemplatePart::Hole(int(1))])], Ty::Text);
    let pick = if_else(boolean(false), local(0, texts()), local(1, texts()));
    let program = block(vec![let_(0, owned()), let_(1, owned())], pick);
    assert_eq!(session.run_function(cell_with(&[texts(), texts()], program)).unwrap(), "[\"1\"]");
    let early = function(
        "early",
        2,
        &[texts(), Ty::Bool],
        Ty::Int,
        block(
            vec![run(if_else(local(1, Ty::Bool), ret(int(1)), body(vec![])))],
            ret(block(vec![let_(0, owned())], add(int(1), int(1)))),
        ),
    );
    session.define(vec![early]);
    for (flag, want) in [(true, "1"), (false, "2")] {
        let value = call("early", vec![owned(), boolean(flag)], Ty::Int);
        assert_eq!(session.run(value).unwrap(), want);
    }
}
