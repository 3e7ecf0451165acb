//! The lanes and the last choice among them as tables.

use ag_runtime::lane::registry::{Considered, Decision, LaneRow};
use ag_runtime::ledger::money::MicroUsd;

use crate::output::Output;
use crate::output::lanes::{EmbedderRow, LanesView};
use crate::output::table::{Column, TableCell, TableView};
use crate::render::number::{duration, money};

/// The lanes that answer, those that do not and why, then the last choice with what each candidate had for it.
pub fn tables(view: &LanesView) -> Vec<Output> {
    let (ready, rest): (Vec<_>, Vec<_>) =
        view.lanes.iter().partition(|row| row.configured || row.pinned);
    let mut out = Vec::new();
    if !ready.is_empty() {
        out.push(Output::Table(lanes(&ready)));
    }
    if !rest.is_empty() {
        let why = rest.iter().map(|row| (&*row.name, why_not(row)));
        out.push(Output::Table(reasons("Lanes that are not ready", "why", why)));
    }
    out.extend(view.embedder.as_ref().map(|row| Output::Table(embedder(row))));
    let Some(decision) = &view.last else { return out };
    let (left_out, scored): (Vec<_>, Vec<_>) =
        decision.candidates.iter().partition(|candidate| candidate.excluded.is_some());
    out.push(Output::Table(choice(decision, &scored)));
    if !left_out.is_empty() {
        let why = |one: &&Considered| one.excluded.clone().unwrap_or_default();
        let why = left_out.iter().map(|one| (&*one.lane, why(one)));
        out.push(Output::Table(reasons("Left out of this choice", "why", why)));
    }
    out
}

/// A sentence for each lane has a table of its own: beside numbers it would have no room.
fn reasons<'l>(
    title: &str,
    heading: &str,
    rows: impl Iterator<Item = (&'l str, String)>,
) -> TableView {
    let columns = vec![Column::left("lane"), Column::left(heading)];
    let mut table = TableView::new(columns).titled(title);
    rows.for_each(|(lane, why)| table.push(vec![lane.into(), why.into()]));
    table
}

fn price(amount: Option<MicroUsd>) -> TableCell {
    amount.map(|amount| money(amount.micros())).unwrap_or_default().into()
}

fn lanes(rows: &[&LaneRow]) -> TableView {
    let has_memory = rows.iter().any(|row| row.memory_bytes.is_some());
    let mut columns = vec![
        Column::left("lane"),
        Column::left("model"),
        Column::left("state"),
        Column::right("in $/M"),
        Column::right("out $/M"),
        Column::right("latency"),
        Column::right("up"),
    ];
    if has_memory {
        columns.push(Column::right("memory"));
    }
    let mut table = TableView::new(columns).titled("Lanes");
    for row in rows {
        let estimate = row.estimate.as_ref();
        let latency = estimate.map(|e| duration(e.latency_ns as u64)).unwrap_or_default();
        let available = estimate.map(|e| format!("{:.0} %", e.availability * 100.0));
        let mut cells = vec![
            row.name.to_string().into(),
            row.model.as_deref().unwrap_or_default().into(),
            state(row).into(),
            price(row.price_in),
            price(row.price_out),
            latency.into(),
            available.unwrap_or_default().into(),
        ];
        if has_memory {
            cells.push(row.memory_bytes.map(megabytes).unwrap_or_default().into());
        }
        table.push(cells);
    }
    table
}

/// No lane, but it takes memory that `:lanes unload` gives back.
fn embedder(row: &EmbedderRow) -> TableView {
    let columns = vec![Column::left("model"), Column::left("used for"), Column::right("memory")];
    let mut table = TableView::new(columns).titled("Embedder");
    let (model, memory) = (row.model.as_str(), megabytes(row.memory_bytes));
    table.push(vec![model.into(), "remember and recall".into(), memory.into()]);
    table
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn state(row: &LaneRow) -> String {
    let mut words = vec![if row.pinned { "pinned" } else { "ready" }];
    if row.loads_first {
        words.push("loaded by the first call");
    }
    if row.made_up {
        words.push("made-up answers at pretended prices");
    }
    words.join(", ")
}

fn why_not(row: &LaneRow) -> String {
    if row.why_not.is_empty() { "not configured".to_owned() } else { row.why_not.to_string() }
}

fn choice(decision: &Decision, candidates: &[&Considered]) -> TableView {
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
        Column::right("w up"),
        Column::right("score"),
    ])
    .titled(title);
    for candidate in candidates {
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
    ]
}

#[cfg(test)]
mod tests {
    use ag_runtime::lane::registry::{Considered, Decision, LaneRow};
    use ag_runtime::lane::score::Terms;
    use ag_runtime::ledger::money::MicroUsd;

    use super::tables;
    use crate::output::Output;
    use crate::output::lanes::{EmbedderRow, LanesView};
    use crate::output::table::TableView;
    use crate::render::Style;
    use crate::render::table::{PANELS, to_text};
    use crate::render::text::columns;

    const WHY: &str = "not installed: `ag models install smollm2`, or another of `ag models list`";

    fn lane(name: &str, configured: bool) -> LaneRow {
        LaneRow {
            name: name.into(),
            model: Some("a-vendor/a-model-of-a-long-name-2026-11".into()),
            price_in: Some(MicroUsd(12_500_000)),
            price_out: Some(MicroUsd(125_000_000)),
            made_up: true,
            configured,
            pinned: false,
            estimate: None,
            why_not: if configured { "".into() } else { WHY.into() },
            memory_bytes: configured.then_some(138_000_000),
            loads_first: true,
        }
    }

    fn candidate(name: &str, excluded: Option<String>) -> Considered {
        let terms = Terms { cost: 0.4, latency: 0.4, availability: 0.2 };
        Considered {
            lane: name.into(),
            cost: MicroUsd(123_456_789),
            worst_case: MicroUsd(0),
            latency_ns: 1e9,
            terms,
            score: 1.0,
            excluded,
        }
    }

    /// Names, reasons and numbers are whole in a terminal of 80 columns.
    #[test]
    fn nothing_that_matters_is_cut() {
        let lanes = vec![lane("onnx_local", true), lane("openrouter", false)];
        let too_dear = "its worst case of $12.50 is more than the $1.00 of the session's limit";
        let candidates =
            vec![candidate("onnx_local", None), candidate("anthropic", Some(too_dear.into()))];
        let last = Some(Decision { candidates, cell: 12, ..Decision::default() });
        let model = "all-MiniLM-L6-v2-int8".to_owned();
        let embedder = Some(EmbedderRow { model, memory_bytes: 169_000_000 });
        let view = LanesView { lanes, embedder, last };
        let style = Style { width: 80, color: false };
        let text: String = tables(&view)
            .iter()
            .map(|output| match output {
                Output::Table(table) => to_text(table, &style, PANELS),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
        for whole in
            ["onnx_local", "openrouter", "anthropic", "$125.00", "$123.456789", "138 MB", "169 MB"]
        {
            assert!(text.contains(whole), "{whole}: {text}");
        }
        let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "│").collect();
        let words = words.join(" ");
        assert!(words.contains(WHY) && words.contains(too_dear), "{text}");
    }

    /// In a terminal of any width every name, number and word of the tables is there, whole or broken over lines.
    #[test]
    fn nothing_is_lost_in_a_narrow_terminal() {
        let mut pinned = lane("onnx_local", true);
        pinned.pinned = true;
        let view =
            LanesView { lanes: vec![pinned, lane("openrouter", false)], ..LanesView::default() };
        for width in 30..=100 {
            let style = Style { width, color: false };
            for output in tables(&view) {
                let Output::Table(table) = output else { panic!("{output:?}") };
                let text = to_text(&table, &style, PANELS);
                assert!(text.lines().all(|line| columns(line) <= width), "{width}: {text}");
                assert!(!text.contains('…'), "{width}: {text}");
                check_whole(&table, &text);
            }
        }
    }

    fn check_whole(table: &TableView, text: &str) {
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let boxed: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with('│'))
            .map(|line| line.trim_matches('│').split('│').collect())
            .collect();
        for (at, column) in table.columns.iter().enumerate() {
            let shown = match boxed.is_empty() {
                true => bare(text),
                false => bare(&boxed.iter().map(|fields| fields[at]).collect::<String>()),
            };
            let cells: Vec<&str> = table.rows.iter().map(|row| row[at].summary()).collect();
            // A list names no columns in which nothing stands.
            let is_named = !boxed.is_empty() || cells.iter().any(|cell| !cell.is_empty());
            for part in cells.into_iter().chain(is_named.then_some(&*column.name)) {
                assert!(shown.contains(&bare(part)), "{part}: {text}");
            }
        }
    }
}
