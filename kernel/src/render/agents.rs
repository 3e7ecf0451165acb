//! The agents as a table.

use serde_json::{Value, json};

use super::bundle::Bundle;
use super::number::duration;
use super::table::{self, PANELS};
use super::text::Ink;
use super::{MimeBundle, Style, html};
use crate::output::table::{Column, TableView};
use crate::output::trace::{AgentRow, AgentsView};

pub fn mime(view: &AgentsView) -> MimeBundle {
    let html = match view.agents.is_empty() {
        true => html::text("div", html::MUTED, NONE),
        false => table::to_html(&table(view), PANELS),
    };
    Bundle::new(terminal(view, &Style::PLAIN)).html(html).facts("agents", facts(view)).done()
}

pub fn facts(view: &AgentsView) -> Value {
    json!({
        "agents": serde_json::to_value(&view.agents).unwrap_or(Value::Null),
        "hidden": view.hidden,
    })
}

const NONE: &str = "no agents: `@spawn(A)` starts one";

pub fn terminal(view: &AgentsView, style: &Style) -> String {
    if view.agents.is_empty() {
        return style.ink(Ink::Muted, NONE) + "\n";
    }
    table::to_text(&table(view), style, PANELS)
}

fn table(view: &AgentsView) -> TableView {
    let is_planned = view.agents.iter().any(|agent| !agent.planned.is_empty());
    let mut columns = vec![
        Column::left("agent"),
        Column::left("state"),
        Column::right("handled"),
        Column::right("in mailbox"),
        Column::right("sent"),
        Column::right("faults"),
        Column::right("busy"),
    ];
    if is_planned {
        columns.push(Column::left("planned"));
    }
    let mut table = TableView::new(columns);
    for agent in &view.agents {
        let planned = is_planned.then(|| agent.planned.as_str().into());
        table.push(row(agent).into_iter().chain(planned).collect());
    }
    table.total_rows += view.hidden as usize;
    table
}

fn row(agent: &AgentRow) -> Vec<crate::output::table::TableCell> {
    vec![
        agent.name.as_str().into(),
        agent.state.as_str().into(),
        agent.handled.to_string().into(),
        agent.in_mailbox.to_string().into(),
        agent.sent.to_string().into(),
        agent.faults.to_string().into(),
        duration(agent.busy_ns).into(),
    ]
}
