//! The timeline as a picture: a row a worker, a row an agent, an arrow a message.
//!
//! The panel brings its own ground, so it reads on a light page, a dark page and paper. At most about 2,000
//! rectangles are drawn; a row with more spans is drawn in slices whose opacity is their share of work.

use std::collections::HashMap;

use ag_runtime::chart::color::Color;
use ag_runtime::chart::{Anchor, Picture, Shape, fit_text, text_width};

use super::rows::{Row, RowOf, leaders, rows, slices};
use super::theme::{
    AGENTS, ARROW, BAR_INK, FAULT, GRID, GROUND, INK, LANE, MEMORY, QUIET, STRIPE, WAIT,
};
use crate::output::trace::{MessageRow, SpanKind, TraceView};
use crate::render::number::{count, duration};

/// What Lab has room for on a laptop with its file browser open: it does not scale an SVG down.
const WIDTH: u32 = 800;
const LABEL: f64 = 150.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 62.0;
const ROW: f64 = 24.0;
const BAR: f64 = 16.0;
const GROUP_GAP: f64 = 14.0;
const MOST_AGENTS: usize = 24;
const MOST_RECTANGLES: usize = 2_000;
const MOST_ARROWS: usize = 150;

struct Chart<'a> {
    view: &'a TraceView,
    rows: Vec<Row<'a>>,
    /// In whose row an actor stands.
    leaders: HashMap<u64, u64>,
    picture: Picture,
}

pub fn draw(view: &TraceView) -> Picture {
    let rows = rows(view, MOST_AGENTS);
    let foot = 44.0 + notes(view).len() as f64 * 14.0;
    let height = TOP + rows.len() as f64 * ROW + GROUP_GAP + foot;
    let picture = Picture::new(WIDTH, height as u32, GROUND);
    let mut chart = Chart { view, rows, leaders: leaders(view), picture };
    chart.heading();
    chart.axis();
    chart.labels();
    chart.spans();
    chart.arrows();
    chart.legend();
    chart.picture
}

impl Chart<'_> {
    fn plot_width(&self) -> f64 {
        f64::from(WIDTH) - LABEL - RIGHT
    }

    fn x(&self, at_ns: u64) -> f64 {
        let share = at_ns as f64 / self.view.duration_ns.max(1) as f64;
        LABEL + share.clamp(0.0, 1.0) * self.plot_width()
    }

    /// Top of a row; agents stand a gap below the workers.
    fn y(&self, index: usize) -> f64 {
        let below = self.rows.get(index).is_some_and(|row| !matches!(row.of, RowOf::Worker(_)));
        TOP + index as f64 * ROW + if below { GROUP_GAP } else { 0.0 }
    }

    fn bottom(&self) -> f64 {
        TOP + self.rows.len() as f64 * ROW + GROUP_GAP
    }

    fn agent_color(&self, agent: u64) -> Color {
        let leader = self.leader(agent);
        let at = self.view.agents.iter().position(|row| row.id == leader).unwrap_or(0);
        AGENTS.get(at % AGENTS.len()).copied().unwrap_or(INK)
    }

    fn leader(&self, agent: u64) -> u64 {
        self.leaders.get(&agent).copied().unwrap_or(agent)
    }

    fn row_of(&self, agent: u64) -> Option<usize> {
        let leader = self.leader(agent);
        let own = self.rows.iter().position(|row| row.of == RowOf::Agent(leader));
        own.or_else(|| self.rows.iter().position(|row| row.of == RowOf::Others))
    }

    fn heading(&mut self) {
        let view = self.view;
        self.picture.text(14.0, 18.0, format!("Trace of {}", view.scope), 13.0, INK);
        let text = format!(
            "{} · {} · {}",
            duration(view.duration_ns),
            count(view.agents.iter().filter(|row| row.is_agent).count() as u64, "agent"),
            count(view.requests().count() as u64, "message")
        );
        let end = f64::from(WIDTH) - RIGHT;
        self.picture.anchored(end, 18.0, text, 11.0, QUIET, Anchor::End);
        if !view.made_up_lanes.is_empty() {
            let text = format!("made-up answers ({})", view.made_up_lanes.join(", "));
            let x = 14.0 + text_width(&format!("Trace of {}  ", view.scope), 13.0);
            self.picture.text(x, 18.0, text, 11.0, LANE);
        }
    }

    fn axis(&mut self) {
        let (top, bottom) = (TOP - 6.0, self.bottom());
        for at_ns in ticks(self.view.duration_ns) {
            let x = self.x(at_ns);
            self.picture.line(vec![(x, top), (x, bottom)], GRID, 1);
            let near_end = x > f64::from(WIDTH) - RIGHT - 20.0;
            let anchor = if near_end { Anchor::End } else { Anchor::Middle };
            self.picture.anchored(x, TOP - 16.0, duration(at_ns), 10.0, QUIET, anchor);
        }
    }

    fn labels(&mut self) {
        for index in 0..self.rows.len() {
            let y = self.y(index);
            let Some(row) = self.rows.get(index) else { continue };
            let label = fit_text(&row.label, 11.0, LABEL - 26.0);
            let color = match row.of {
                RowOf::Worker(_) | RowOf::Others => QUIET,
                RowOf::Agent(id) => self.agent_color(id),
            };
            let width = self.plot_width();
            self.picture.rect(LABEL, y, width, BAR, STRIPE);
            self.picture.anchored(LABEL - 10.0, y + BAR / 2.0, label, 11.0, color, Anchor::End);
        }
        if self.view.spans.is_empty() {
            let x = LABEL + self.plot_width() / 2.0;
            let text = "nothing ran in this window";
            self.picture.anchored(x, self.bottom() - 8.0, text, 11.0, QUIET, Anchor::Middle);
        }
    }

    fn spans(&mut self) {
        let budget = (MOST_RECTANGLES / self.rows.len().max(1)).max(8);
        for index in 0..self.rows.len() {
            let many = self.rows.get(index).is_some_and(|row| row.spans.len() > budget);
            if many { self.sliced(index, budget) } else { self.one_by_one(index) }
        }
    }

    fn one_by_one(&mut self, index: usize) {
        let y = self.y(index);
        let Some(row) = self.rows.get(index) else { return };
        let is_worker = matches!(row.of, RowOf::Worker(_));
        // Waits lie below, so that a short run inside a long wait stays visible.
        let mut spans: Vec<_> = row.spans.clone();
        spans.sort_by_key(|span| (layer(span.kind), span.start_ns));
        let mut shapes = Vec::new();
        for span in spans {
            let (x, end) = (self.x(span.start_ns), self.x(span.end_ns));
            let width = (end - x).max(1.5);
            let fill = self.fill(span.kind, span.agent);
            let thin = span.kind == SpanKind::Wait;
            let (top, height) = if thin { (y + BAR / 2.0 - 1.5, 3.0) } else { (y, BAR) };
            shapes.push(Shape::Rect { x, y: top, width, height, fill });
            let name = if is_worker { self.agent_name(span.agent) } else { span.label.as_str() };
            let label = if thin { String::new() } else { fit_text(name, 10.0, width - 8.0) };
            if !label.is_empty() {
                let at = y + BAR / 2.0;
                shapes.push(Shape::Text {
                    x: x + 4.0,
                    y: at,
                    text: label,
                    size: 10.0,
                    fill: BAR_INK,
                    anchor: Anchor::Start,
                });
            }
        }
        self.picture.shapes.extend(shapes);
    }

    fn agent_name(&self, agent: u64) -> &str {
        self.view.agents.iter().find(|row| row.id == agent).map_or("", |row| row.name.as_str())
    }

    fn sliced(&mut self, index: usize, budget: usize) {
        let y = self.y(index);
        let n = budget.min(self.plot_width() as usize);
        let width = self.plot_width() / n as f64;
        let Some(row) = self.rows.get(index) else { return };
        let mut shapes = Vec::new();
        for (at, slice) in slices(&row.spans, self.view.duration_ns, n).into_iter().enumerate() {
            let Some(slice) = slice else { continue };
            let fill = self.fill(slice.kind, slice.agent).with_alpha(0.25 + 0.75 * slice.share);
            let x = LABEL + at as f64 * width;
            shapes.push(Shape::Rect { x, y, width, height: BAR, fill });
        }
        self.picture.shapes.extend(shapes);
    }

    fn fill(&self, kind: SpanKind, agent: u64) -> Color {
        match kind {
            SpanKind::Run => self.agent_color(agent),
            SpanKind::Lane => LANE,
            SpanKind::Memory => MEMORY,
            SpanKind::Wait => WAIT,
            SpanKind::Fault => FAULT,
        }
    }

    fn arrows(&mut self) {
        let drawable = drawable(self.view);
        let step = arrow_step(drawable.len());
        // Many arrows are a texture, few are to be followed.
        let alpha = if drawable.len() > 40 { 0.35 } else { 0.9 };
        for message in drawable.iter().step_by(step) {
            self.arrow(message, alpha);
        }
    }

    /// From the lower or upper edge of the sender's bar to the near edge of the receiver's.
    fn arrow(&mut self, message: &MessageRow, alpha: f64) {
        let ends = (message.from.and_then(|id| self.row_of(id)), self.row_of(message.to));
        let (Some(from), Some(to)) = ends else { return };
        let handled_ns = message.handled_ns.unwrap_or(message.sent_ns);
        let (start, end) = (self.x(message.sent_ns), self.x(handled_ns));
        let (a, b) = (self.y(from), self.y(to));
        let (a, b) = if from < to { (a + BAR, b) } else { (a, b + BAR) };
        if from == to {
            return;
        }
        let alpha = if message.is_reply { alpha * 0.55 } else { alpha };
        self.picture.arrow((start, a), (end, b), ARROW.with_alpha(alpha), 6.0);
    }

    fn legend(&mut self) {
        let y = self.bottom() + 26.0;
        let mut x = LABEL;
        let run = AGENTS.first().copied().unwrap_or(INK);
        for (fill, word) in
            [(run, "runs"), (LANE, "lane"), (MEMORY, "memory"), (WAIT, "waits"), (FAULT, "fault")]
        {
            self.picture.rect(x, y - 5.0, 10.0, 10.0, fill);
            self.picture.text(x + 15.0, y, word, 10.0, QUIET);
            x += 15.0 + text_width(word, 10.0) + 20.0;
        }
        self.picture.arrow((x, y), (x + 18.0, y), ARROW, 6.0);
        self.picture.text(x + 24.0, y, "message", 10.0, QUIET);
        for (at, note) in notes(self.view).iter().enumerate() {
            self.picture.text(LABEL, y + 18.0 + at as f64 * 14.0, note.as_str(), 10.0, LANE);
        }
    }
}

/// What the picture does not show, in words.
fn notes(view: &TraceView) -> Vec<String> {
    let mut out = Vec::new();
    let step = arrow_step(drawable(view).len());
    if step > 1 {
        out.push(format!("one of {step} messages is drawn"));
    }
    if view.dropped > 0 {
        out.push(format!("{} fell out of the ring", count(view.dropped, "older event")));
    }
    out
}

fn drawable(view: &TraceView) -> Vec<&MessageRow> {
    view.messages.iter().filter(|message| message.handled_ns.is_some()).collect()
}

fn arrow_step(messages: usize) -> usize {
    messages.div_ceil(MOST_ARROWS).max(1)
}

fn layer(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Wait => 0,
        SpanKind::Lane | SpanKind::Memory => 1,
        SpanKind::Run => 2,
        SpanKind::Fault => 3,
    }
}

/// Round times, about six of them.
fn ticks(duration_ns: u64) -> Vec<u64> {
    let raw = duration_ns as f64 / 6.0;
    let power = 10f64.powf(raw.max(1.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= raw).unwrap_or(power);
    let step = (step as u64).max(1);
    (0..=6).map(|n| n * step).take_while(|at| *at <= duration_ns).collect()
}

#[cfg(test)]
mod tests {
    use super::{MOST_RECTANGLES, draw, ticks};
    use crate::output::trace::{AgentRow, SpanKind, SpanRow, TraceView};
    use ag_runtime::chart::Shape;

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            ticks(12_000_000),
            [0, 2_000_000, 4_000_000, 6_000_000, 8_000_000, 10_000_000, 12_000_000]
        );
        assert_eq!(ticks(0), [0]);
    }

    #[test]
    fn a_large_trace_stays_within_its_rectangles() {
        let agents =
            (0..200).map(|id| AgentRow { id, is_agent: true, ..AgentRow::default() }).collect();
        let spans = (0..50_000u64).map(|n| SpanRow {
            agent: n % 200,
            worker: Some((n % 2) as u32),
            kind: SpanKind::Run,
            label: "work".into(),
            start_ns: n * 10,
            end_ns: n * 10 + 9,
            message: None,
        });
        let view = TraceView {
            agents,
            spans: spans.collect(),
            workers: 2,
            duration_ns: 500_000,
            ..TraceView::default()
        };
        let picture = draw(&view);
        let rectangles = picture.shapes.iter().filter(|s| matches!(s, Shape::Rect { .. })).count();
        // Rows and legend have rectangles of their own.
        assert!(rectangles <= MOST_RECTANGLES + 40, "{rectangles}");
        assert!(picture.height < 900);
    }

    #[test]
    fn an_empty_trace_has_a_picture_too() {
        assert!(draw(&TraceView::default()).svg().is_ok_and(|svg| svg.contains("nothing ran")));
    }
}
