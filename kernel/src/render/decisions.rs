//! Decisions as a table: one row each, votes counted, everything a click away.

use serde_json::Value;

use super::bundle::Bundle;
use super::table::{self, PANELS};
use super::{MimeBundle, Style};
use crate::output::decisions::{DecisionRow, DecisionsView, Said};
use crate::output::table::{Column, TableCell, TableView};

pub fn mime(view: &DecisionsView) -> MimeBundle {
    let html = table::to_html(&table(view), PANELS);
    Bundle::new(terminal(view, &Style::PLAIN)).html(html).facts("decisions", facts(view)).done()
}

pub fn facts(view: &DecisionsView) -> Value {
    serde_json::to_value(view).unwrap_or(Value::Null)
}

pub fn terminal(view: &DecisionsView, style: &Style) -> String {
    table::to_text(&table(view), style, PANELS)
}

fn table(view: &DecisionsView) -> TableView {
    let columns = vec![
        Column::right("#"),
        Column::left("decision"),
        Column::left("input"),
        Column::left("result"),
        Column::left("votes"),
        Column::right("cost"),
        Column::right("recalled"),
    ];
    let mut table = TableView::new(columns);
    for decision in &view.decisions {
        table.push(row(decision));
    }
    table.total_rows += usize::try_from(view.hidden).unwrap_or(0);
    table
}

fn row(decision: &DecisionRow) -> Vec<TableCell> {
    vec![
        decision.number.to_string().into(),
        format!("{}.{}", decision.agent, decision.decision).into(),
        decision.input.join(", ").into(),
        told(&decision.result).into(),
        votes(decision),
        decision.cost.as_str().into(),
        folded(decision.recalled.len().to_string(), &decision.recalled),
    ]
}

fn told(said: &Said) -> String {
    if said.is_fault { format!("× {}", said.text) } else { said.text.clone() }
}

/// `7 Vote.Approve, 3 no reply`, and behind it who said what.
fn votes(decision: &DecisionRow) -> TableCell {
    let tally = decision.tally();
    let summary: Vec<String> =
        tally.iter().map(|(said, count)| format!("{count} {}", told(said))).collect();
    let each: Vec<String> =
        decision.votes.iter().map(|vote| format!("{}: {}", vote.by, told(&vote.said))).collect();
    folded(summary.join(", "), &each)
}

fn folded(summary: String, all: &[String]) -> TableCell {
    match all {
        [] => TableCell::Text(summary),
        all => TableCell::Folded { summary, full: all.join("\n") },
    }
}
