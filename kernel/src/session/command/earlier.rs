//! `:history`, `:edit`, `:source`: what was entered before, as a list, as the next input, as a definition's text.

use ag_lang::diag::{codes, nearest};

use super::{Refusal, required};
use crate::output::table::{Column, TableView};
use crate::output::{Output, Page};
use crate::session::history::{HistoryEntry, HistoryQuery};
use crate::session::state::State;

/// How many entries are listed: a screen.
const LISTED: usize = 20;

/// The last entries of all sessions of this home; with a pattern, of those that match it.
pub fn history(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    // The line that asks is an entry itself.
    let others = |mut found: Vec<HistoryEntry>| {
        found.retain(|entry| !entry.input.trim_start().starts_with(":history"));
        let from = found.len().saturating_sub(LISTED);
        found.split_off(from)
    };
    let found = match rest {
        "" => others(state.history(&HistoryQuery::Tail { n: 2 * LISTED })),
        pattern => {
            let is_glob = pattern.contains(['*', '?', '[']);
            let pattern = if is_glob { pattern.to_owned() } else { format!("*{pattern}*") };
            others(state.history(&HistoryQuery::Search { pattern, n: None, unique: true }))
        }
    };
    if found.is_empty() {
        let text = match rest {
            "" => "nothing was entered yet".to_owned(),
            pattern => format!(
                "no entry matches `{pattern}`; `*` stands for anything, `?` for one character"
            ),
        };
        return Ok(vec![Output::info(text)]);
    }
    let mut table = TableView::new(vec![Column::right("cell"), Column::left("entered")]);
    for entry in found {
        let is_here = entry.session == state.history_session();
        let cell = match is_here {
            true => entry.line.to_string(),
            false => format!("{}/{}", entry.session, entry.line),
        };
        table.push(vec![cell.into(), entry.input.trim_end().into()]);
    }
    Ok(vec![Output::Table(table)])
}

/// Offers the last cell, cell `n`, the definition of a name or a file's text as the next input. A terminal opens an editor
/// on it, a notebook puts it into the next cell.
pub fn edit(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let text = match rest {
        "" => last_cell(state),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => cell(state, number)?,
        name if name.contains(['/', '.']) => file(state, name)?,
        name => definition(state, name)?,
    };
    state.offer(text);
    Ok(Vec::new())
}

/// The newest cell of this session that is more than a request to edit; empty if there is none.
fn last_cell(state: &dyn State) -> String {
    let cells = state.history(&HistoryQuery::Range { session: 0, start: 0, stop: None });
    let is_cell = |entry: &&HistoryEntry| {
        let text = entry.input.trim_start();
        !text.is_empty() && !text.starts_with(":edit")
    };
    cells.iter().rev().find(is_cell).map(|entry| entry.input.clone()).unwrap_or_default()
}

fn cell(state: &dyn State, number: &str) -> Result<String, Refusal> {
    let none = || Refusal::new(codes::E0905, format!("this session has no cell {number}"));
    let start: u32 = number.parse().map_err(|_| none())?;
    let stop = Some(start.saturating_add(1));
    let found = state.history(&HistoryQuery::Range { session: 0, start, stop });
    found.into_iter().next_back().map(|entry| entry.input).ok_or_else(none)
}

fn file(state: &dyn State, name: &str) -> Result<String, Refusal> {
    let path = state.folder().join(name.trim_matches('"'));
    std::fs::read_to_string(&path).map_err(|error| {
        Refusal::new(codes::R0112, format!("{} was not read: {error}", path.display()))
    })
}

/// The text of a definition; for a value, of the cell that made it.
fn definition(state: &dyn State, name: &str) -> Result<String, Refusal> {
    if let Some(text) = state.source(name) {
        return Ok(text);
    }
    let rows = state.definitions();
    match rows.iter().find(|row| row.name == name) {
        Some(row) => cell(state, &row.cell.to_string()),
        None => {
            let near = nearest(name, rows.iter().map(|row| row.name.as_str()));
            let refusal = Refusal::new(codes::E0201, format!("`{name}` is not defined here"));
            Err(refusal.suggesting(&near, ""))
        }
    }
}

pub fn source(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let text = definition(state, required(rest, "source name")?)?;
    let text = text.trim_end();
    let markdown = format!("```ag\n{text}\n```");
    Ok(vec![Output::Page(Page { text: text.to_owned(), markdown, pager: false })])
}
