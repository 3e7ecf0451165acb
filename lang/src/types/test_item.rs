//! Tests (L-65): the body is a function that nobody can name; the options are literals, so that they are known before
//! anything runs.
//!
//! Never: runs a test. What a test's world looks like is the session's business.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes, nearest};
use crate::source::Span;
use crate::syntax::ast::{ExprId, ExprKind, FieldInit, Literal, UnaryOp};
use crate::syntax::item::{ItemKind, ItemTree, Test};
use crate::types::infer::Infer;
use crate::types::infer::finish::Checked;
use crate::types::infer::frame::FrameKind;
use crate::types::report;
use crate::types::ty::{Name, Ty};

/// What `with { .. }` asks for; what it does not say is the session's default for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestOptions {
    pub lane: Option<Name>,
    pub seed: Option<u64>,
    /// The machine's clock instead of the virtual one.
    pub real_clock: bool,
    pub budget_micro_usd: Option<i64>,
    /// The recording its block replays.
    pub replay: Option<Name>,
}

/// The options, in the order in which L-65 lists them.
const KEYS: &[&str] = &["lane", "seed", "clock", "replay", "budget"];

/// The name of a test's function. No program can write it.
pub fn key(title: &str) -> Name {
    Arc::from(format!("{{test {title}}}"))
}

/// The title of the test whose function has this name.
pub fn title(key: &str) -> Option<&str> {
    key.strip_prefix("{test ")?.strip_suffix('}')
}

/// The typed tree of a test's block.
pub fn infer_test(mut infer: Infer<'_, '_>, tree: &ItemTree, test: &Test) -> Checked {
    infer.open(FrameKind::Function, key(test.title.as_str()), Ty::Unit);
    for entry in &test.options {
        infer.test_option(entry);
    }
    let body = infer.function_body(&test.block, tree.name.span);
    infer.finish(body, test.block.span)
}

/// What the options of a test say. Of those with a mistake, which checking reports, nothing.
pub fn options(tree: &ItemTree) -> TestOptions {
    let ItemKind::Test(test) = &tree.kind else { return TestOptions::default() };
    let mut found = TestOptions::default();
    for entry in &test.options {
        let value = &tree.body[entry.value].kind;
        match (entry.name.name.as_str(), value) {
            ("lane", ExprKind::Name(name)) => found.lane = Some(name.text()),
            ("seed", ExprKind::Literal(Literal::Int { value, .. })) => {
                found.seed = u64::try_from(*value).ok();
            }
            ("replay", ExprKind::Literal(Literal::Text(file))) => {
                found.replay = Some(Name::clone(file));
            }
            ("clock", ExprKind::Name(name)) => found.real_clock = *name == "real",
            ("budget", ExprKind::Literal(Literal::Money(micro))) => {
                found.budget_micro_usd = Some(*micro);
            }
            _ => {}
        }
    }
    found
}

impl Infer<'_, '_> {
    fn test_option(&mut self, entry: &FieldInit) {
        let (key, span) = (entry.name.name.as_str(), entry.name.span);
        match key {
            "lane" => self.literal_option(entry.value, &Ty::Lane, "the name of a lane"),
            "seed" => self.literal_option(entry.value, &Ty::Int, "a whole number from 0"),
            "budget" => {
                self.literal_option(entry.value, &Ty::Money, "an amount such as `$0.10`");
            }
            "clock" => self.clock_option(entry.value),
            "replay" => self.literal_option(entry.value, &Ty::Text, "the file of a recording"),
            _ => self.unknown_option(key, span),
        }
    }

    fn literal_option(&mut self, value: ExprId, ty: &Ty, what: &str) {
        let checked = self.check(value, ty);
        let is_known = match &self.body[value].kind {
            ExprKind::Name(_) => *ty == Ty::Lane,
            ExprKind::Literal(_) => true,
            ExprKind::Unary { op: UnaryOp::Neg, .. } => false,
            // Another report says what is wrong with it.
            ExprKind::Error => true,
            _ => checked.ty == Ty::Error,
        };
        if !is_known {
            let message = format!("an option of a test is {what}, written out");
            let note = "tests are set up before anything runs, so nothing can be computed here";
            let span = self.body[value].span;
            self.report(Diagnostic::new(codes::E0702, span, message).note(note));
        }
    }

    fn clock_option(&mut self, value: ExprId) {
        let is_known = match &self.body[value].kind {
            ExprKind::Name(name) => *name == "virtual" || *name == "real",
            _ => false,
        };
        if !is_known {
            let span = self.body[value].span;
            let message = "the clock of a test is `virtual` or `real`";
            self.report(Diagnostic::new(codes::E0702, span, message).fix(
                "write `virtual`",
                span,
                "virtual",
            ));
        }
    }

    fn unknown_option(&mut self, key: &str, span: Span) {
        let message = format!("a test has no option `{key}`");
        let known = format!("the options are: {}", KEYS.join(", "));
        let found = nearest(key, KEYS.iter().copied());
        let diagnostic = Diagnostic::new(codes::E0701, span, message).note(known);
        self.report(report::did_you_mean(diagnostic, span, &found));
    }
}
