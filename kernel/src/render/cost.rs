//! Money spent: a table by cell, agent and lane, its chart, what is left, and the line under a cell.
//!
//! Everything a lane made up (echo, simulated) is marked, wherever its money shows.

pub mod budget;
pub mod chart;
mod group;

use ag_runtime::models;
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::number::{count, duration, money};
use super::table::{self, PANELS};
use super::text::Ink;
use super::{MimeBundle, Style, html};
use crate::output::cost::{CostLine, CostRow, CostView};
use crate::output::table::{Column, TableCell, TableView};

const NONE: &str = "no lane was called";
const WAY_OUT: &str = if models::ARE_BUILT_IN {
    "`ag models install` (no account), or a key of `ag doctor`"
} else {
    "`ag doctor` tells what this build can use"
};
/// The limits count these prices as they count real ones, so that they can be tried without a bill.
const PRETENDED: &str = "pretended prices, no money is spent";

pub fn mime(view: &CostView) -> MimeBundle {
    let mut inner = html::text("div", "font-weight:bold;margin:4px 0;", &title(view));
    match view.rows.is_empty() {
        true => inner.push_str(&html::text("div", html::MUTED, NONE)),
        false => inner.push_str(&table::to_html(&table(view, Room::Page), PANELS)),
    }
    for mark in marks(view) {
        inner.push_str(&html::element("div", "margin:4px 0;", &html::badge(html::AMBER, &mark)));
    }
    inner.push_str(&budget::to_html(&view.budget));
    Bundle::new(terminal(view, &Style::PLAIN)).html(inner).facts("cost", facts(view)).done()
}

pub fn facts(view: &CostView) -> Value {
    let mut facts = serde_json::to_value(view).unwrap_or(Value::Null);
    if let Some(map) = facts.as_object_mut() {
        map.insert("total_micro_usd".to_owned(), json!(view.total_micro_usd()));
    }
    facts
}

pub fn terminal(view: &CostView, style: &Style) -> String {
    let mut out = style.ink(Ink::Strong, &title(view)) + "\n";
    match view.rows.is_empty() {
        true => out.push_str(&(style.ink(Ink::Muted, NONE) + "\n")),
        false => out.push_str(&table::to_text(&table(view, Room::Terminal), style, PANELS)),
    }
    for mark in marks(view) {
        out.push_str(&(style.ink(Ink::Warning, &mark) + "\n"));
    }
    out + &budget::to_text(&view.budget, style)
}

fn title(view: &CostView) -> String {
    let calls: u64 = view.rows.iter().map(|row| row.calls).sum();
    let calls = count(calls, "lane call");
    let total = view.total_micro_usd();
    let made_up = view.rows.iter().filter(|row| row.made_up);
    let pretended = match made_up.map(|row| row.cost_micro_usd).sum() {
        0 => String::new(),
        part if part == total => ", all of it pretended".to_owned(),
        part => format!(", {} of it pretended", money(part)),
    };
    format!("Cost of {}: {} in {calls}{pretended}", view.scope, money(total))
}

/// What must not be mistaken: made-up answers, costs that are only upper bounds.
fn marks(view: &CostView) -> Vec<String> {
    let mut lanes: Vec<&str> =
        view.rows.iter().filter(|row| row.made_up).map(|row| row.lane.as_str()).collect();
    lanes.sort_unstable();
    lanes.dedup();
    let mut out = Vec::new();
    if !lanes.is_empty() {
        out.push(format!("made-up answers ({}): {PRETENDED}", lanes.join(", ")));
    }
    let uncertain: u64 = view.rows.iter().map(|row| row.uncertain_calls).sum();
    if uncertain > 0 {
        let calls = count(uncertain, "call");
        out.push(format!("uncertain: {calls} charged in full, the provider may have billed less"));
    }
    let crash = &view.crash;
    if crash.uncertain_calls > 0 {
        let (calls, cost) = (count(crash.uncertain_calls, "call"), money(crash.cost_micro_usd));
        out.push(format!("uncertain: {calls} of a process that died, charged in full: {cost}"));
    }
    if !crash.torn_tail.is_empty() {
        out.push(format!("the cut end of the journal was moved to {}", crash.torn_tail));
    }
    out
}

/// In 80 columns models and waiting times would cost the names their ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Page,
    Terminal,
}

fn table(view: &CostView, room: Room) -> TableView {
    let mut columns = vec![
        Column::left("cell"),
        Column::left("agent"),
        Column::left("lane"),
        Column::right("calls"),
        Column::right("tokens"),
    ];
    if room == Room::Page {
        columns.push(Column::right("waited"));
    }
    columns.push(Column::right("cost"));
    let mut table = TableView::new(columns);
    for row in &view.rows {
        let names = [row.cell.clone(), row.agent.clone(), lane_name(row, room)];
        table.push(fields(names, row, room));
    }
    if view.rows.len() > 1 {
        let names = ["total".to_owned(), String::new(), String::new()];
        table.push(fields(names, &total(view), room));
    }
    table
}

fn lane_name(row: &CostRow, room: Room) -> String {
    match room == Room::Terminal || row.model.is_empty() || row.model == row.lane {
        true => row.lane.clone(),
        false => format!("{} ({})", row.lane, row.model),
    }
}

fn fields(names: [String; 3], row: &CostRow, room: Room) -> Vec<TableCell> {
    let calls = match row.cached_calls {
        0 => row.calls.to_string(),
        cached => format!("{} ({cached} cached)", row.calls),
    };
    let mut out: Vec<TableCell> = names.into_iter().map(TableCell::Text).collect();
    out.push(calls.into());
    out.push(format!("{} + {}", row.tokens_in, row.tokens_out).into());
    if room == Room::Page {
        out.push(duration(row.latency_ns).into());
    }
    out.push(money(row.cost_micro_usd).into());
    out
}

fn total(view: &CostView) -> CostRow {
    let sum = |of: fn(&CostRow) -> u64| view.rows.iter().map(of).sum::<u64>();
    CostRow {
        calls: sum(|row| row.calls),
        cached_calls: sum(|row| row.cached_calls),
        tokens_in: sum(|row| row.tokens_in),
        tokens_out: sum(|row| row.tokens_out),
        latency_ns: sum(|row| row.latency_ns),
        cost_micro_usd: view.total_micro_usd(),
        ..CostRow::default()
    }
}

/// `1 lane call, echo, 17 + 4 tokens, $0.000025`
pub fn line(line: &CostLine) -> String {
    let calls = match line.cached_calls {
        0 => count(line.calls, "lane call"),
        cached => format!("{} ({cached} cached)", count(line.calls, "lane call")),
    };
    let lanes = line.lanes.join(", ");
    let tokens = format!("{} + {} tokens", line.tokens_in, line.tokens_out);
    let of = line.of_cell.map_or_else(String::new, |cell| format!("cell {cell}: "));
    format!("{of}{calls}, {lanes}, {tokens}, {}", money(line.cost_micro_usd))
}

/// `echo: made up`, and what a person can do who did not ask for made-up answers.
pub fn made_up(line: &CostLine) -> Vec<String> {
    let note = |lane: &String| match line.stand_in && lane == "echo" {
        true => format!("{lane}: made up, because no model is set up: {WAY_OUT}"),
        false => format!("{lane}: made up"),
    };
    line.made_up.iter().map(note).collect()
}

/// A notebook has an answer's origin beside it only where nobody chose it: elsewhere the lane's name says enough.
pub fn line_mime(view: &CostLine) -> MimeBundle {
    let mut lines = vec![line(view)];
    if view.stand_in {
        lines.extend(made_up(view));
    }
    let facts = serde_json::to_value(view).unwrap_or(Value::Null);
    let style = format!("{}font-size:90%;", html::MUTED);
    let html: String = lines.iter().map(|line| html::text("div", &style, line)).collect();
    Bundle::new(lines.join("\n")).html(html).facts("cost_line", facts).done()
}

#[cfg(test)]
mod tests {
    use super::{line, line_mime, terminal};
    use crate::output::cost::{CostLine, CostRow, CostView, CrashView};
    use crate::render::Style;

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

    #[test]
    fn answers_that_nobody_chose_say_so_in_a_notebook() {
        let chosen = CostLine { made_up: vec!["echo".into()], calls: 1, ..CostLine::default() };
        let stood_in = CostLine { stand_in: true, ..chosen.clone() };
        let shown = |line: &CostLine| {
            let bundle = line_mime(line);
            (format!("{:?}", bundle.data["text/plain"]), format!("{:?}", bundle.data["text/html"]))
        };
        let ((text, html), (chosen, _)) = (shown(&stood_in), shown(&chosen));
        assert!(text.contains("made up") && html.contains("made up"), "{text} {html}");
        assert!(text.contains("ag doctor"), "{text}");
        assert!(!chosen.contains("made up"), "{chosen}");
    }

    #[test]
    fn what_a_dead_process_owed_is_marked() {
        let crash = CrashView { uncertain_calls: 2, cost_micro_usd: 2_070, ..CrashView::default() };
        let shown = terminal(&CostView { crash, ..CostView::default() }, &Style::PLAIN);
        let expected = "uncertain: 2 calls of a process that died, charged in full: $0.00207\n";
        assert!(shown.contains(expected), "{shown}");
    }
}
