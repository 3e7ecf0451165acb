//! `:trace`, `:agents`, `:mailbox`, `:decisions`, `:memory`, `:why`, `:fault`, `:quit`.

use ag_lang::diag::{codes, nearest};

use super::{Refusal, required};
use crate::output::Output;
use crate::output::trace::AgentsView;
use crate::render::memory::tables;
use crate::render::trace::chrome;
use crate::session::state::{Span, State};

/// The timeline and, as an output of its own, the agents in it.
pub fn trace(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    if let Some(file) = rest.strip_prefix("save") {
        return save(state, file.trim());
    }
    let of = match rest {
        "" => Span::LastCell,
        "all" => Span::Session,
        number => Span::Cell(existing(state, number.parse().map_err(|_| usage())?)?),
    };
    let view = state.trace(of);
    if let (Span::Cell(number), true, 0) = (of, view.spans.is_empty(), view.dropped) {
        let text = format!("cell {number} ran no statement of the program: it has no trace");
        return Ok(vec![Output::info(text)]);
    }
    let agents = view.agents.iter().filter(|row| row.is_agent).cloned().collect();
    let agents = AgentsView { agents, hidden: 0 };
    Ok(vec![Output::Trace(view), Output::Agents(agents)])
}

/// The number, if this session has such a cell.
pub fn existing(state: &dyn State, number: u32) -> Result<u32, Refusal> {
    match (1..=state.last_cell()).contains(&number) {
        true => Ok(number),
        false => Err(Refusal::new(codes::E0905, format!("this session has no cell {number}"))),
    }
}

/// All that the ring still has, as Chrome trace JSON.
fn save(state: &mut dyn State, file: &str) -> Result<Vec<Output>, Refusal> {
    if file.is_empty() {
        return Err(usage());
    }
    let view = state.trace(Span::Session);
    let path = state.folder().join(file.trim_matches('"'));
    std::fs::write(&path, chrome::events(&view).to_string()).map_err(|error| {
        Refusal::new(codes::R0112, format!("{} was not written: {error}", path.display()))
    })?;
    let text = format!("{} written: open it in ui.perfetto.dev", path.display());
    Ok(vec![Output::info(text)])
}

fn usage() -> Refusal {
    Refusal::new(
        codes::E0905,
        "write `:trace`, `:trace 3` (a cell), `:trace all` or `:trace save FILE`",
    )
}

pub fn agents(state: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    Ok(vec![Output::Agents(state.agents())])
}

/// What waits for an agent.
pub fn mailbox(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let agent = required(rest, "mailbox r")?;
    match state.mailbox(agent) {
        Some(table) if table.rows.is_empty() => {
            Ok(vec![Output::info(table.title.unwrap_or_default())])
        }
        Some(table) => Ok(vec![Output::Table(table)]),
        None => {
            let agents = state.agents().agents;
            let near = nearest(agent, agents.iter().map(|row| row.name.as_str()));
            let refusal = Refusal::new(codes::E0905, format!("no agent is called `{agent}`"));
            Err(refusal.suggesting(&near, "").noting("`:agents` lists those there are"))
        }
    }
}

const NO_DECISIONS: &str = "nothing was decided in this session yet: only members declared with `decision` are recorded here; \
    a `behavior` is not, though `max_cost_per_decision` bounds both (`:cost` shows what each spent)";

/// What `decision` members gave, and why.
pub fn decisions(state: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    let view = state.decisions();
    Ok(vec![match view.decisions.is_empty() {
        true => Output::info(NO_DECISIONS),
        false => Output::Decisions(view),
    }])
}

pub fn memory(state: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    Ok(tables(&state.memory()))
}

pub fn why(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let number = match rest.trim_start_matches('#') {
        "" | "recall" => None,
        number => Some(number.parse().map_err(|_| {
            Refusal::new(codes::E0905, "write `:why` or `:why 3` (the number of a recall)")
        })?),
    };
    match (state.recall(number), number) {
        (Some(view), _) => Ok(vec![Output::Recall(view)]),
        (None, None) => Ok(vec![Output::info("nothing was recalled in this session yet")]),
        (None, Some(number)) => {
            Err(Refusal::new(codes::E0905, format!("this session has no recall {number}")))
        }
    }
}

/// A terminal leaves before it asks the session; whoever comes here is a front end that ends its kernel itself.
pub fn quit(_: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    Ok(vec![Output::info("the session goes on: here the notebook's front end ends the kernel")])
}

pub fn fault(state: &mut dyn State, _: &str) -> Result<Vec<Output>, Refusal> {
    Ok(vec![match state.fault() {
        Some(fault) => Output::FaultCard(fault),
        None => Output::info("no cell of this session ended with a Fault"),
    }])
}
