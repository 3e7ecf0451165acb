//! `:set`, `:reset`.

use ag_lang::diag::codes;

use super::Refusal;
use crate::output::Output;
use crate::output::table::{Column, TableView};
use crate::session::state::State;

pub fn set(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    if rest.is_empty() {
        return Ok(vec![Output::Table(table(state))]);
    }
    let (key, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let value = value.trim();
    let known: Vec<String> = state.settings().into_iter().map(|row| row.key).collect();
    if !known.iter().any(|name| name == key) {
        let message = format!("there is no setting `{key}`; there is {}", known.join(", "));
        return Err(Refusal::new(codes::E0905, message));
    }
    if value.is_empty() {
        return Err(Refusal::new(codes::E0905, format!("write `:set {key} value`")));
    }
    state.set(key, value).map_err(|reason| Refusal::new(codes::E0905, reason))?;
    Ok(vec![Output::info(format!("{key} is {value}"))])
}

fn table(state: &dyn State) -> TableView {
    let columns =
        vec![Column::left("setting"), Column::left("value"), Column::left("what it does")];
    let mut table = TableView::new(columns);
    for row in state.settings() {
        table.push(vec![row.key.into(), row.value.into(), row.help.into()]);
    }
    table
}

pub fn reset(state: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    state.reset();
    let text = "definitions, values and agents are gone; money, memory and settings stay";
    Ok(vec![Output::info(text)])
}
