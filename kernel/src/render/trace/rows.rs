//! Which rows a timeline has and what stands in them, for picture and terminal alike.

use std::collections::HashMap;

use crate::output::trace::{AgentRow, SpanKind, SpanRow, TraceView};
use crate::render::number::count;

pub struct Row<'a> {
    pub label: String,
    pub of: RowOf,
    /// In order of their start.
    pub spans: Vec<&'a SpanRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOf {
    Worker(u32),
    Agent(u64),
    /// All agents that got no row of their own.
    Others,
}

/// What happened in one slice of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice {
    pub kind: SpanKind,
    /// The agent with the most time in it.
    pub agent: u64,
    /// How much of the slice is covered, 0.0 to 1.0.
    pub share: f64,
}

/// Workers first, then cells and types of agents in the order in which they began: the busiest `most_agents`, the others together. The
/// statements of one cell run one after the other and share a row.
pub fn rows(view: &TraceView, most_agents: usize) -> Vec<Row<'_>> {
    let leaders = leaders(view);
    let leader = |agent: u64| leaders.get(&agent).copied().unwrap_or(agent);
    let mut by_worker: HashMap<u32, Vec<&SpanRow>> = HashMap::new();
    let mut by_agent: HashMap<u64, Vec<&SpanRow>> = HashMap::new();
    for span in &view.spans {
        by_agent.entry(leader(span.agent)).or_default().push(span);
        if let (Some(worker), SpanKind::Run | SpanKind::Fault) = (span.worker, span.kind) {
            by_worker.entry(worker).or_default().push(span);
        }
    }
    let workers = view.workers.max(by_worker.keys().max().map_or(0, |last| last + 1));
    let mut out: Vec<Row<'_>> = (0..workers)
        .map(|worker| Row {
            label: format!("worker {worker}"),
            of: RowOf::Worker(worker),
            spans: by_worker.remove(&worker).unwrap_or_default(),
        })
        .collect();
    let mut own: Vec<&AgentRow> =
        view.agents.iter().filter(|row| leader(row.id) == row.id).collect();
    let all = own.len();
    let mut busy: HashMap<u64, u64> = HashMap::new();
    for agent in &view.agents {
        *busy.entry(leader(agent.id)).or_default() += agent.busy_ns;
    }
    own.sort_by_key(|agent| std::cmp::Reverse((busy.get(&agent.id), agent.handled)));
    own.truncate(most_agents);
    let mut began: HashMap<_, u64> = HashMap::new();
    for row in &own {
        let first =
            by_agent.get(&row.id).and_then(|spans| spans.iter().map(|span| span.start_ns).min());
        let earliest = began.entry(kind(row)).or_insert(u64::MAX);
        *earliest = first.unwrap_or(u64::MAX).min(*earliest);
    }
    own.sort_by_key(|row| (began.get(&kind(row)).copied(), row.id));
    for agent in &own {
        let spans = by_agent.remove(&agent.id).unwrap_or_default();
        out.push(Row { label: agent.name.clone(), of: RowOf::Agent(agent.id), spans });
    }
    let hidden = all - own.len();
    if hidden > 0 {
        let spans = by_agent.into_values().flatten().collect();
        out.push(Row { label: count(hidden as u64, "more agent"), of: RowOf::Others, spans });
    }
    for row in &mut out {
        row.spans.sort_by_key(|span| (span.start_ns, span.end_ns));
    }
    out
}

/// What stands together: the agents of one type, in the order of their numbers; a cell alone.
fn kind(row: &AgentRow) -> (bool, &str) {
    (row.is_agent, if row.is_agent { &row.type_name } else { &row.name })
}

/// The one whose row each actor stands in: itself, or the first statement of the same cell.
pub fn leaders(view: &TraceView) -> HashMap<u64, u64> {
    let mut first: HashMap<&str, u64> = HashMap::new();
    let mut out = HashMap::new();
    for row in &view.agents {
        let leader = if row.is_agent { row.id } else { *first.entry(&row.name).or_insert(row.id) };
        out.insert(row.id, leader);
    }
    out
}

/// The row cut into `n` slices of equal time; what is told of a slice is what took most of it, but a Fault always shows.
pub fn slices(spans: &[&SpanRow], duration_ns: u64, n: usize) -> Vec<Option<Slice>> {
    let mut covered: Vec<HashMap<(SpanKind, u64), f64>> = vec![HashMap::new(); n];
    let width = (duration_ns.max(1) as f64 / n.max(1) as f64).max(f64::MIN_POSITIVE);
    for span in spans {
        let (start, end) = (span.start_ns as f64, span.end_ns.max(span.start_ns) as f64);
        let first = ((start / width) as usize).min(n.saturating_sub(1));
        let last = ((end / width) as usize).min(n.saturating_sub(1));
        for (at, slot) in covered.iter_mut().enumerate().take(last + 1).skip(first) {
            let from = start.max(at as f64 * width);
            let to = end.min((at + 1) as f64 * width);
            *slot.entry((span.kind, span.agent)).or_default() += (to - from).max(1.0);
        }
    }
    covered.iter().map(|slot| dominant(slot, width)).collect()
}

fn dominant(slot: &HashMap<(SpanKind, u64), f64>, width: f64) -> Option<Slice> {
    let weight = |kind: SpanKind, time: f64| if kind == SpanKind::Fault { f64::MAX } else { time };
    let ((kind, agent), _) = slot.iter().max_by(|(a, x), (b, y)| {
        weight(a.0, **x).total_cmp(&weight(b.0, **y)).then_with(|| b.cmp(a))
    })?;
    let time: f64 = slot.iter().filter(|((k, _), _)| k == kind).map(|(_, time)| time).sum();
    Some(Slice { kind: *kind, agent: *agent, share: (time / width).clamp(0.0, 1.0) })
}

#[cfg(test)]
mod tests {
    use super::{RowOf, rows, slices};
    use crate::output::trace::{AgentRow, SpanKind, SpanRow, TraceView};

    fn span(agent: u64, kind: SpanKind, start_ns: u64, end_ns: u64) -> SpanRow {
        let worker = (kind == SpanKind::Run).then_some(0);
        SpanRow { agent, worker, kind, label: String::new(), start_ns, end_ns, message: None }
    }

    #[test]
    fn agents_beyond_the_most_share_one_row() {
        let agents = (0..5).map(|id| AgentRow {
            id,
            is_agent: true,
            name: format!("a{id}"),
            busy_ns: id,
            ..AgentRow::default()
        });
        let spans = (0..5).map(|id| span(id, SpanKind::Run, 0, 10)).collect();
        let view = TraceView {
            agents: agents.collect(),
            spans,
            workers: 1,
            duration_ns: 10,
            ..TraceView::default()
        };
        let rows = rows(&view, 2);
        let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
        assert_eq!(labels, ["worker 0", "a3", "a4", "3 more agents"]);
        assert_eq!(rows[3].of, RowOf::Others);
        assert_eq!(rows[3].spans.len(), 3);
    }

    #[test]
    fn statements_of_a_cell_share_a_row_and_rows_stand_in_the_order_they_began() {
        let row = |id, name: &str, is_agent| AgentRow {
            id,
            name: name.into(),
            is_agent,
            ..AgentRow::default()
        };
        let agents = vec![row(1, "Desk#1", true), row(2, "cell 3", false), row(3, "cell 3", false)];
        let spans = vec![
            span(2, SpanKind::Run, 0, 10),
            span(3, SpanKind::Run, 20, 30),
            span(1, SpanKind::Run, 40, 50),
        ];
        let view = TraceView { agents, spans, duration_ns: 50, ..TraceView::default() };
        let rows = rows(&view, 9);
        let shown: Vec<_> = rows
            .iter()
            .filter(|r| r.of != RowOf::Worker(0))
            .map(|r| (r.label.as_str(), r.spans.len()))
            .collect();
        assert_eq!(shown, [("cell 3", 2), ("Desk#1", 1)]);
    }

    #[test]
    fn a_slice_tells_what_took_most_of_it_and_any_fault() {
        let spans = [
            span(1, SpanKind::Lane, 0, 90),
            span(1, SpanKind::Run, 90, 100),
            span(1, SpanKind::Fault, 150, 151),
            span(1, SpanKind::Run, 110, 190),
        ];
        let spans: Vec<&SpanRow> = spans.iter().collect();
        let cut = slices(&spans, 300, 3);
        assert_eq!(cut[0].map(|s| s.kind), Some(SpanKind::Lane));
        assert_eq!(cut[1].map(|s| s.kind), Some(SpanKind::Fault));
        assert_eq!(cut[2], None);
    }

    #[test]
    fn times_outside_the_window_are_harmless() {
        let late = span(1, SpanKind::Run, 900, 950);
        assert_eq!(slices(&[&late], 100, 4).iter().flatten().count(), 1);
        assert!(slices(&[&late], 0, 0).is_empty());
    }
}
