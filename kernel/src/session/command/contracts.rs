//! `:effects`, `:caps`, `:prove`, `:cost checks`: what a definition does, promises, and pays for its promises.

use ag_lang::diag::{codes, nearest};

use super::{Refusal, required};
use crate::output::Output;
use crate::output::table::{Column, TableView};
use crate::session::state::{ContractRow, State};

pub fn effects(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let name = required(rest, "effects f")?;
    let found = state.effects(name).ok_or_else(|| missing(state, name, "function"))?;
    let lines: Vec<String> = found
        .iter()
        .map(|function| {
            let one = |(effect, through): &(String, Option<String>)| match through {
                Some(call) => format!("{effect} (through {call})"),
                None => effect.clone(),
            };
            let all: Vec<String> = function.effects.iter().map(one).collect();
            let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            let bound = match &function.bound {
                None => String::new(),
                Some(bound) if bound.is_empty() => "; uses none".to_owned(),
                Some(bound) => format!("; uses {}", bound.join(", ")),
            };
            format!("{} ! {all}{bound}", function.function)
        })
        .collect();
    Ok(vec![Output::info(lines.join("\n"))])
}

/// The capabilities of its parameters (section 8), and which of the values it sends are moved and which shared (L-81).
pub fn caps(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let name = required(rest, "caps f")?;
    let found = state.capabilities(name).ok_or_else(|| missing(state, name, "function"))?;
    let mut lines = Vec::new();
    for function in &found {
        lines.push(function.signature.clone());
        for (name, moved) in &function.sent {
            let what = match name {
                Some(name) => format!("`{name}`"),
                None if *moved => "a value made for it".to_owned(),
                None => "a value that others have, too".to_owned(),
            };
            lines.push(format!("  sends {what}: {}", if *moved { "moved" } else { "shared" }));
        }
    }
    Ok(vec![Output::info(lines.join("\n"))])
}

/// The clauses of a definition with their verdicts (L-141).
pub fn prove(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let name = required(rest, "prove f")?;
    let found = state.contracts(Some(name));
    if found.is_empty() {
        let is_known = state.effects(name).is_some() || state.document(name).is_some();
        return match is_known {
            true => Ok(vec![Output::info(format!("`{name}` has no contract"))]),
            false => Err(missing(state, name, "function")),
        };
    }
    let mut table = TableView::new(vec![
        Column::left("of"),
        Column::left("clause"),
        Column::left("verdict"),
        Column::left("cost of the check"),
    ]);
    for row in &found {
        let cells = [&row.of, &row.clause, &row.verdict, &row.cost];
        table.push(cells.into_iter().map(|cell| cell.as_str().into()).collect());
    }
    let note = "proofs come with the checker: until then nothing is proved";
    Ok(vec![Output::Table(table), Output::info(note)])
}

/// What the checks of the session's contracts cost where they run.
pub fn cost_of_checks(state: &mut dyn State) -> Vec<Output> {
    let found: Vec<ContractRow> = state.contracts(None);
    let kept: Vec<&ContractRow> = found.iter().filter(|row| row.is_checked).collect();
    if kept.is_empty() {
        return vec![Output::info("nothing is checked: no definition has a contract")];
    }
    let mut table = TableView::new(vec![
        Column::left("of"),
        Column::left("clause"),
        Column::left("cost of the check"),
    ]);
    for row in kept {
        let cells = [&row.of, &row.clause, &row.cost];
        table.push(cells.into_iter().map(|cell| cell.as_str().into()).collect());
    }
    vec![Output::Table(table)]
}

pub(super) fn missing(state: &dyn State, name: &str, what: &str) -> Refusal {
    let names = state.names();
    let near = nearest(name, names.iter().map(String::as_str));
    Refusal::new(codes::E0201, format!("no {what} of the session is called `{name}`"))
        .suggesting(&near, "")
}
