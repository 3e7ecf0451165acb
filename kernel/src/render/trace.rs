//! The scheduler's timeline: a picture in a notebook, block characters in a terminal, Chrome trace JSON for tools.

pub mod chrome;
mod picture;
mod rows;
mod text;
mod theme;

use serde_json::{Value, json};

use super::bundle::Bundle;
use super::{MimeBundle, Style};
use crate::output::trace::TraceView;

/// More rows than this stay out of a notebook file; `:trace save` has them all.
const FACT_ROWS: usize = 1_000;
/// Pixels of the PNG to one of the picture.
const SCALE: u32 = 2;

pub fn mime(view: &TraceView) -> MimeBundle {
    let mut bundle = Bundle::new(text::terminal(view, &Style::PLAIN));
    let picture = picture::draw(view);
    if let Ok(svg) = picture.svg() {
        bundle = bundle.form("image/svg+xml", theme::both(&svg).into());
    }
    if let Ok(png) = picture.png(SCALE) {
        bundle = bundle.png(&png, picture.width, picture.height).alt(text::summary(view));
    }
    bundle = bundle.facts("trace", facts(view));
    if view.spans.len() + view.messages.len() <= FACT_ROWS {
        bundle = bundle.facts("chrome_trace", chrome::events(view));
    }
    bundle.done()
}

pub fn terminal(view: &TraceView, style: &Style) -> String {
    text::terminal(view, style)
}

pub fn facts(view: &TraceView) -> Value {
    let mut short = view.clone();
    short.spans.truncate(FACT_ROWS);
    short.messages.truncate(FACT_ROWS);
    let mut facts = serde_json::to_value(&short).unwrap_or(Value::Null);
    let messages = view.requests().count();
    let handled = view.requests().filter(|message| message.handled_ns.is_some()).count();
    let totals = json!({
        "spans": view.spans.len(),
        "messages": messages,
        "handled": handled,
        "in_mailbox": messages - handled,
    });
    if let Some(map) = facts.as_object_mut() {
        map.insert("totals".to_owned(), totals);
    }
    facts
}
