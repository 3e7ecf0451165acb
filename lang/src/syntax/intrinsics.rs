//! The closed table of `@` names (LANGUAGE.md section 11): which exist and how the parser continues after each.
//!
//! Signatures and effects of those that are calls live with the builtins; this table is only about syntax.

use crate::syntax::ast::IntrinsicKind;

/// One row: a name and its kinds. `@simd` alone has two: an attribute directly before a function, a hint elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    pub name: &'static str,
    pub kind: IntrinsicKind,
    pub also_attribute: bool,
}

const fn row(name: &'static str, kind: IntrinsicKind) -> Row {
    Row { name, kind, also_attribute: false }
}

/// Sorted by name, which [`lookup`] relies on and a test checks.
pub const TABLE: &[Row] = &[
    row("approve", IntrinsicKind::Call),
    row("ask", IntrinsicKind::Call),
    row("auto_lane_select", IntrinsicKind::Block),
    row("await", IntrinsicKind::Call),
    row("broadcast", IntrinsicKind::Call),
    row("channel", IntrinsicKind::Call),
    row("checkpoint", IntrinsicKind::Label),
    row("cpu_intensive", IntrinsicKind::Attribute),
    row("deprecated", IntrinsicKind::Attribute),
    row("destructive", IntrinsicKind::Attribute),
    row("eval", IntrinsicKind::Call),
    row("forget", IntrinsicKind::Call),
    row("hot_path", IntrinsicKind::Attribute),
    row("idempotent", IntrinsicKind::Attribute),
    row("inline", IntrinsicKind::Attribute),
    row("judge", IntrinsicKind::Call),
    row("llm_call", IntrinsicKind::Call),
    row("mailbox", IntrinsicKind::Attribute),
    row("measure_cost", IntrinsicKind::Block),
    row("now", IntrinsicKind::Call),
    row("parallel", IntrinsicKind::Call),
    row("priority", IntrinsicKind::Attribute),
    row("profile_guided", IntrinsicKind::Attribute),
    row("quorum", IntrinsicKind::Call),
    row("race", IntrinsicKind::Call),
    row("random", IntrinsicKind::Call),
    row("read_only", IntrinsicKind::Attribute),
    row("recall", IntrinsicKind::Call),
    row("record", IntrinsicKind::Block),
    row("remember", IntrinsicKind::Call),
    row("replay", IntrinsicKind::Block),
    row("rollback", IntrinsicKind::Label),
    row("schedule", IntrinsicKind::Attribute),
    row("shard", IntrinsicKind::Call),
    row("shard_for", IntrinsicKind::Call),
    row("signal", IntrinsicKind::Call),
    Row { name: "simd", kind: IntrinsicKind::Hint, also_attribute: true },
    row("skill", IntrinsicKind::Call),
    row("sleep", IntrinsicKind::Call),
    row("spawn", IntrinsicKind::Call),
    row("speculative", IntrinsicKind::Attribute),
    row("spent", IntrinsicKind::Call),
    row("stop", IntrinsicKind::Call),
    row("sweep", IntrinsicKind::Call),
    row("task", IntrinsicKind::Block),
    row("update", IntrinsicKind::Call),
    row("with_cost_limit", IntrinsicKind::Block),
    row("with_lease", IntrinsicKind::Block),
    row("with_time_limit", IntrinsicKind::Block),
    row("with_token_limit", IntrinsicKind::Block),
];

/// The row of a name without its `@`.
pub fn lookup(name: &str) -> Option<Row> {
    let at = TABLE.binary_search_by(|row| row.name.cmp(name)).ok()?;
    TABLE.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::{TABLE, lookup};

    #[test]
    fn sorted_without_doubles() {
        assert!(TABLE.is_sorted_by(|a, b| a.name < b.name));
        assert_eq!(lookup("spawn").map(|row| row.name), Some("spawn"));
        assert_eq!(lookup("spwan"), None);
    }
}
