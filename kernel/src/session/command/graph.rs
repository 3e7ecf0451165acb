//! `:deps`, `:stale`, `:run stale`, `:undo`, `:save`, `:load`.

use ag_lang::diag::{codes, nearest};

use super::{Refusal, required};
use crate::output::Output;
use crate::output::table::{Column, TableView};
use crate::session::state::{Request, State};

pub fn deps(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let name = required(rest, "deps name")?;
    let graph = state.graph();
    let Some(found) = graph.dependencies(name) else {
        let near = nearest(name, graph.names());
        let refusal = Refusal::new(codes::E0201, format!("`{name}` is not defined"));
        return Err(refusal.suggesting(&near, ""));
    };
    let list = |names: Vec<String>| match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(", "),
    };
    let mut text = format!("uses: {}\nused by: {}", list(found.uses), list(found.used_by));
    let causes: Vec<String> =
        graph.causes(name, &graph.stale()).iter().map(ToString::to_string).collect();
    if !causes.is_empty() {
        text.push_str(&format!("\nstale: {}", causes.join(", ")));
    }
    Ok(vec![Output::info(text)])
}

pub fn stale(state: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    let graph = state.graph();
    let stale = graph.stale();
    let columns = vec![Column::left("stale value"), Column::right("cell"), Column::left("because")];
    let mut table = TableView::new(columns);
    for name in graph.stale_order() {
        let causes: Vec<String> =
            graph.causes(&name, &stale).iter().map(ToString::to_string).collect();
        let cell = graph.cell(&name).map_or_else(String::new, |cell| cell.to_string());
        table.push(vec![name.into(), cell.into(), causes.join(", ").into()]);
    }
    Ok(vec![match table.rows.is_empty() {
        true => Output::info("nothing is stale"),
        false => Output::Table(table),
    }])
}

pub fn run(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    if rest != "stale" {
        return Err(Refusal::new(codes::E0905, "write `:run stale`"));
    }
    state.request(Request::RunStale)
}

pub fn undo(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    match rest {
        "" => state.request(Request::Undo),
        _ => Err(Refusal::new(codes::E0905, "nothing stands after `:undo`; write it once a cell")),
    }
}

pub fn save(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let name = named(rest, "save name")?;
    state.request(Request::Save(name))
}

pub fn load(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let name = named(rest, "load name")?;
    state.request(Request::Load(name))
}

/// A name that is a file's, too: it leads nowhere else.
fn named<'r>(rest: &'r str, usage: &str) -> Result<&'r str, Refusal> {
    let name = required(rest, usage)?;
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    match name.chars().all(is_plain) && !name.starts_with('.') && name.len() <= 100 {
        true => Ok(name),
        false => Err(Refusal::new(
            codes::E0905,
            "a saved session has a plain name: letters, digits, `-`, `_` and `.`",
        )),
    }
}
