//! The lanes and the last choice among them as tables.

use ag_runtime::lane::registry::{Considered, Decision, LaneRow};
use ag_runtime::ledger::money::MicroUsd;

use crate::output::Output;
use crate::output::lanes::LanesView;
use crate::output::table::{Column, TableCell, TableView};
use crate::render::number::{duration, money};

/// The lanes, then the last choice with what each candidate had for it.
pub fn tables(view: &LanesView) -> Vec<Output> {
    let mut out = vec![Output::Table(lanes(&view.lanes))];
    out.extend(view.last.as_ref().map(|decision| Output::Table(choice(decision))));
    out
}

fn price(amount: Option<MicroUsd>) -> TableCell {
    amount.map(|amount| money(amount.micros())).unwrap_or_default().into()
}

fn lanes(rows: &[LaneRow]) -> TableView {
    let mut table = TableView::new(vec![
        Column::left("lane"),
        Column::left("model"),
        Column::left("state"),
        Column::right("in $/M"),
        Column::right("out $/M"),
        Column::right("latency"),
        Column::right("available"),
        Column::right("memory"),
    ])
    .titled("Lanes");
    for row in rows {
        let estimate = row.estimate.as_ref();
        let latency = estimate.map(|e| duration(e.latency_ns as u64)).unwrap_or_default();
        let available = estimate.map(|e| format!("{:.0} %", e.availability * 100.0));
        table.push(vec![
            row.name.to_string().into(),
            row.model.as_deref().unwrap_or_default().into(),
            state(row).into(),
            price(row.price_in),
            price(row.price_out),
            latency.into(),
            available.unwrap_or_default().into(),
            row.memory_bytes.map(megabytes).unwrap_or_default().into(),
        ]);
    }
    table
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn state(row: &LaneRow) -> String {
    let mut words = Vec::new();
    match (row.configured, row.pinned) {
        (_, true) => words.push("pinned"),
        (true, false) => words.push("ready"),
        (false, false) if row.why_not.is_empty() => words.push("not configured"),
        (false, false) => words.push(&row.why_not),
    }
    if row.loads_first {
        words.push("loaded by the first call");
    }
    if row.made_up {
        words.push("made-up answers");
    }
    words.join(", ")
}

fn choice(decision: &Decision) -> TableView {
    let chosen = decision.chosen().map_or("none", |lane| lane);
    let whose = if decision.agent.is_empty() { "" } else { ", " };
    let mut title =
        format!("Last choice (cell {}{whose}{}): {chosen}", decision.cell, decision.agent);
    if let Some(note) = decision.note {
        title.push_str(&format!(", {note}"));
    }
    let mut table = TableView::new(vec![
        Column::left("lane"),
        Column::right("cost"),
        Column::right("latency"),
        Column::right("w cost"),
        Column::right("w latency"),
        Column::right("w available"),
        Column::right("score"),
        Column::left("left out"),
    ])
    .titled(title);
    for candidate in &decision.candidates {
        table.push(candidate_row(candidate));
    }
    table
}

fn candidate_row(candidate: &Considered) -> Vec<TableCell> {
    let digits = |value: f64| TableCell::from(format!("{value:.3}"));
    vec![
        candidate.lane.to_string().into(),
        money(candidate.cost.micros()).into(),
        duration(candidate.latency_ns as u64).into(),
        digits(candidate.terms.cost),
        digits(candidate.terms.latency),
        digits(candidate.terms.availability),
        digits(candidate.score),
        candidate.excluded.clone().unwrap_or_default().into(),
    ]
}
