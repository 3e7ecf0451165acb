//! Money spent: a table by cell, agent and lane, its chart, what is left, and the line under a cell.
//!
//! Everything a lane made up (echo, simulated) is marked, wherever its money shows.

pub mod budget;
pub mod chart;
mod group;

use serde_json::{Value, json};

use super::bundle::Bundle;
use super::number::{count, duration, money};
use super::table::{self, PANELS};
use super::text::Ink;
use super::{MimeBundle, Style, html};
use crate::output::cost::{CostLine, CostRow, CostView};
use crate::output::table::{Column, TableCell, TableView};

const NONE: &str = "no lane was called";

pub fn mime(view: &CostView) -> MimeBundle {
    let mut inner = html::text("div", "font-weight:bold;margin:4px 0;", &title(view));
    match view.rows.is_empty() {
        true => inner.push_str(&html::text("div", html::MUTED, NONE)),
        false => inner.push_str(&table::to_html(&table(view), PANELS)),
    }
    for mark in marks(view) {
        inner.push_str(&html::element("div", "margin:4px 0;", &html::badge(MARK, &mark)));
    }
    inner.push_str(&budget::to_html(&view.budget));
    let mut facts = serde_json::to_value(view).unwrap_or(Value::Null);
    if let Some(map) = facts.as_object_mut() {
        map.insert("total_micro_usd".to_owned(), json!(view.total_micro_usd()));
    }
    Bundle::new(terminal(view, &Style::PLAIN)).html(inner).facts("cost", facts).done()
}

/// The colour of the mark: amber, as everywhere for "look twice".
const MARK: &str = "#b07d1a";

pub fn terminal(view: &CostView, style: &Style) -> String {
    let mut out = style.ink(Ink::Strong, &title(view)) + "\n";
    match view.rows.is_empty() {
        true => out.push_str(&(style.ink(Ink::Muted, NONE) + "\n")),
        false => out.push_str(&table::to_text(&table(view), style, PANELS)),
    }
    for mark in marks(view) {
        out.push_str(&(style.ink(Ink::Warning, &mark) + "\n"));
    }
    out + &budget::to_text(&view.budget, style)
}

fn title(view: &CostView) -> String {
    let calls: u64 = view.rows.iter().map(|row| row.calls).sum();
    let calls = count(calls, "lane call");
    format!("Cost of {}: {} in {calls}", view.scope, money(view.total_micro_usd()))
}

/// What must not be mistaken: made-up answers, costs that are only upper bounds.
fn marks(view: &CostView) -> Vec<String> {
    let mut lanes: Vec<&str> =
        view.rows.iter().filter(|row| row.made_up).map(|row| row.lane.as_str()).collect();
    lanes.sort_unstable();
    lanes.dedup();
    let mut out = Vec::new();
    if !lanes.is_empty() {
        out.push(made_up(&lanes));
    }
    let uncertain: u64 = view.rows.iter().map(|row| row.uncertain_calls).sum();
    if uncertain > 0 {
        let calls = count(uncertain, "call");
        out.push(format!("uncertain: {calls} charged in full, the provider may have billed less"));
    }
    out
}

pub fn made_up(lanes: &[&str]) -> String {
    format!("made-up answers ({})", lanes.join(", "))
}

fn table(view: &CostView) -> TableView {
    let mut table = TableView::new(vec![
        Column::left("cell"),
        Column::left("agent"),
        Column::left("lane"),
        Column::right("calls"),
        Column::right("tokens"),
        Column::right("waited"),
        Column::right("cost"),
    ]);
    for row in &view.rows {
        table.push(fields(row));
    }
    if view.rows.len() > 1 {
        table.push(total(view));
    }
    table
}

fn fields(row: &CostRow) -> Vec<TableCell> {
    let lane = match row.model.is_empty() || row.model == row.lane {
        true => row.lane.clone(),
        false => format!("{} ({})", row.lane, row.model),
    };
    let calls = match row.cached_calls {
        0 => row.calls.to_string(),
        cached => format!("{} ({cached} cached)", row.calls),
    };
    vec![
        row.cell.as_str().into(),
        row.agent.as_str().into(),
        lane.into(),
        calls.into(),
        format!("{} + {}", row.tokens_in, row.tokens_out).into(),
        duration(row.latency_ns).into(),
        money(row.cost_micro_usd).into(),
    ]
}

fn total(view: &CostView) -> Vec<TableCell> {
    let sum = |of: fn(&CostRow) -> u64| view.rows.iter().map(of).sum::<u64>();
    vec![
        "total".into(),
        "".into(),
        "".into(),
        sum(|row| row.calls).to_string().into(),
        format!("{} + {}", sum(|row| row.tokens_in), sum(|row| row.tokens_out)).into(),
        duration(sum(|row| row.latency_ns)).into(),
        money(view.total_micro_usd()).into(),
    ]
}

/// `1 lane call, echo, 17 + 4 tokens, $0.000025`
pub fn line(line: &CostLine) -> String {
    let calls = match line.cached_calls {
        0 => count(line.calls, "lane call"),
        cached => format!("{} ({cached} cached)", count(line.calls, "lane call")),
    };
    let lanes = line.lanes.join(", ");
    let tokens = format!("{} + {} tokens", line.tokens_in, line.tokens_out);
    format!("{calls}, {lanes}, {tokens}, {}", money(line.cost_micro_usd))
}

pub fn line_mime(view: &CostLine) -> MimeBundle {
    let text = line(view);
    let facts = serde_json::to_value(view).unwrap_or(Value::Null);
    let style = format!("{}font-size:90%;", html::MUTED);
    let html = html::text("div", &style, &text);
    Bundle::new(text).html(html).facts("cost_line", facts).done()
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::output::cost::{CostRow, CostView};

    #[test]
    fn the_line_under_a_cell() {
        let row = CostRow {
            lane: "echo".into(),
            calls: 1,
            tokens_in: 17,
            tokens_out: 4,
            cost_micro_usd: 25,
            ..CostRow::default()
        };
        let mut view = CostView { rows: vec![row.clone()], ..CostView::default() };
        let shown = view.line().map(|l| line(&l));
        assert_eq!(shown.as_deref(), Some("1 lane call, echo, 17 + 4 tokens, $0.000025"));
        view.rows.push(CostRow { lane: "anthropic".into(), cached_calls: 1, ..row });
        let shown = view.line().map(|l| line(&l));
        let expected = "2 lane calls (1 cached), echo, anthropic, 34 + 8 tokens, $0.00005";
        assert_eq!(shown.as_deref(), Some(expected));
        view.rows.clear();
        assert_eq!(view.line(), None);
    }
}
