//! Where references go in the functions they are given to (L-80): a call may pass one down only to a function that does not
//! keep it. What each body does with its parameters is in its own facts; here they are followed from body to body.
//!
//! Never: infers anything by itself, or trusts what it cannot find: a function that is not known keeps everything.

use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

use crate::db::Db;
use crate::diag::{Diagnostic, codes};
use crate::types::effects::called_facts;
use crate::types::generic::sent_by;
use crate::types::handles::{NOTE, crossing};
use crate::types::infer::Facts;
use crate::types::infer::sendable::{Refs, What, said};
use crate::types::ty::Name;

/// References given to functions that keep them (E0502).
pub fn escaping(db: &dyn Db, facts: &Facts, prelude: bool) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for passed in &facts.refs.passed {
        let (leaving, keeps, note): (Leaving, _, _) = match passed.what {
            What::Parameter(_) => continue,
            What::Handle => (|refs| &refs.sent, "sends it elsewhere", NOTE),
            _ => (
                |refs| &refs.kept,
                "keeps it",
                "a function may call it and pass it down; it must not return it, store it or hand it to a task",
            ),
        };
        if leaves(db, &passed.to, passed.parameter, prelude, leaving) {
            let (uses, to) = (said(passed.what), &passed.to);
            let message = format!("{uses} and cannot be given to `{to}`, which {keeps}");
            out.push(Diagnostic::new(codes::E0502, passed.span, message).note(note));
        }
    }
    let handed = facts.refs.handed.iter();
    out.extend(handed.filter_map(|(instance, span)| {
        let ty = sent_by(db, instance)?;
        let found = crossing(db, &ty, *span)?;
        Some(found.note(format!("`{}` sends it to another coroutine", instance.key)))
    }));
    out
}

/// Whether a parameter of a function may outlive the call.
pub fn keeps(db: &dyn Db, function: &Name, parameter: u32, prelude: bool) -> bool {
    leaves(db, function, parameter, prelude, |refs| &refs.kept)
}

/// The parameters of a body that leave it in the way that is asked for.
type Leaving = fn(&Refs) -> &BTreeSet<u32>;

fn leaves(db: &dyn Db, function: &Name, parameter: u32, prelude: bool, leaving: Leaving) -> bool {
    let mut seen = FxHashSet::default();
    let mut open = vec![(function.clone(), parameter)];
    while let Some((function, parameter)) = open.pop() {
        if !seen.insert((function.clone(), parameter)) {
            continue;
        }
        let Some(facts) = facts_of(db, &function, prelude) else { return true };
        if leaving(&facts.refs).contains(&parameter) {
            return true;
        }
        let further = facts.refs.passed.iter().filter(|p| p.what == What::Parameter(parameter));
        open.extend(further.map(|passed| (passed.to.clone(), passed.parameter)));
    }
    false
}

/// By its key: `f`, or `T.f` for a function of a type, agent or tool.
fn facts_of<'db>(db: &'db dyn Db, key: &Name, prelude: bool) -> Option<&'db Facts> {
    match key.split_once('.') {
        Some((owner, member)) => {
            called_facts(db, &Name::from(owner), Some(&Name::from(member)), prelude)
        }
        None => called_facts(db, key, None, prelude),
    }
}
