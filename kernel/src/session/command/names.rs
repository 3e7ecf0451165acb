//! `:doc`, `?x`, `:type`, `:defs`.

use ag_lang::diag::{codes, nearest};

use super::{Refusal, required};
use crate::output::table::{Column, TableView, ValueView};
use crate::output::{Output, Page};
use crate::session::state::State;

pub fn doc(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    Ok(vec![Output::Page(document(state, required(rest, "doc name")?)?)])
}

/// `?x`: the same beside the notebook instead of into it.
pub fn ask(state: &mut dyn State, name: &str) -> Result<Vec<Output>, Refusal> {
    let page = document(state, required(name, "doc name")?)?;
    Ok(vec![Output::Page(Page { pager: true, ..page })])
}

pub fn document(state: &dyn State, name: &str) -> Result<Page, Refusal> {
    // `@spawn`, `spawn` and `spawn(` are asked for alike.
    let bare = name.trim_start_matches(['@', ':', '%']).trim_end_matches(['(', ')', '?', ' ']);
    if let Some(page) = state.document(bare) {
        return Ok(page);
    }
    let names = state.names();
    let near = nearest(bare, names.iter().map(String::as_str));
    Err(Refusal::new(codes::E0201, format!("`{bare}` is not defined")).suggesting(&near, ""))
}

pub fn type_of(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let expression = required(rest, "type expression")?;
    Ok(vec![match state.type_of(expression) {
        Ok(text) => {
            let type_name = "Type".to_owned();
            Output::Value(ValueView { text, type_name, ..ValueView::default() })
        }
        Err(diagnostics) => Output::Diagnostics(diagnostics),
    }])
}

pub fn defs(state: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    let rows = state.definitions();
    if rows.is_empty() {
        return Ok(vec![Output::info("nothing is defined yet")]);
    }
    let mut table = TableView::new(vec![
        Column::left("name"),
        Column::left("kind"),
        Column::left("type"),
        Column::right("cell"),
        Column::left("state"),
    ]);
    let graph = state.graph();
    let stale = graph.stale();
    for row in rows {
        let is_stale = !row.is_broken && stale.contains(&row.name);
        let conditions =
            [(row.is_broken, "broken"), (is_stale, "stale"), (row.is_deleted, "cell deleted")];
        let condition: Vec<&str> =
            conditions.into_iter().filter_map(|(holds, word)| holds.then_some(word)).collect();
        table.push(vec![
            row.name.into(),
            row.kind.into(),
            row.signature.into(),
            row.cell.to_string().into(),
            condition.join(", ").into(),
        ]);
    }
    Ok(vec![Output::Table(table)])
}
