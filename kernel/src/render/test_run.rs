//! Tests: a line for each, and under one that failed what it printed and why it failed.

use serde_json::Value;

use super::bundle::Bundle;
use super::diagnostic::fault_lines;
use super::text::{Ink, one_line};
use super::{MimeBundle, Style, html, terminal as any};
use crate::output::Output;
use crate::output::test_run::{TestOutcome, TestView, TestsView};

pub fn mime(view: &TestsView) -> MimeBundle {
    let rows: String = view.tests.iter().map(row).collect();
    let edge = if view.is_success() { "#2e8b57" } else { "#d0454c" };
    let summary = html::text("div", html::MUTED, &view.summary());
    let facts = serde_json::to_value(view).unwrap_or(Value::Null);
    let inner = format!("{rows}{summary}");
    Bundle::new(terminal(view, &Style::PLAIN))
        .html(html::card(edge, &inner))
        .facts("tests", facts)
        .done()
}

fn row(test: &TestView) -> String {
    let (word, style) = match test.outcome {
        TestOutcome::Passed => ("ok", "color:#2e8b57;"),
        TestOutcome::Failed | TestOutcome::Rejected => ("failed", html::ERROR),
    };
    let word = html::text("span", &format!("{style}display:inline-block;width:4em;"), word);
    let title = html::escape(&test.title);
    let place = html::text("span", &format!("{}margin-left:1em;", html::MUTED), &test.place());
    let line = html::element("div", "", &format!("{word}{title}{place}"));
    match test.outcome {
        TestOutcome::Passed => line,
        _ => {
            let style = format!("{}white-space:pre-wrap;margin:4px 0 8px 4em;", html::CODE);
            line + &html::text("div", &style, outputs(test, &Style::PLAIN).trim_end())
        }
    }
}

pub fn terminal(view: &TestsView, style: &Style) -> String {
    let mut out = String::new();
    for test in &view.tests {
        out.push_str(&test_terminal(test, style));
    }
    let ink = if view.is_success() { Ink::Muted } else { Ink::Error };
    out + &style.ink(ink, &view.summary()) + "\n"
}

/// One test: a line, and what belongs under it if it failed.
pub fn test_terminal(test: &TestView, style: &Style) -> String {
    let title = one_line(&test.title);
    let place = style.ink(Ink::Muted, &test.place());
    match test.outcome {
        TestOutcome::Passed => format!("{}  {title}  {place}\n", style.ink(Ink::Good, "ok    ")),
        TestOutcome::Failed | TestOutcome::Rejected => {
            let head = format!("{}  {title}  {place}\n", style.ink(Ink::Error, "failed"));
            let inner = Style { width: style.width.saturating_sub(4).max(40), ..*style };
            let under = outputs(test, &inner);
            let indented =
                under.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n");
            head + &indented.collect::<String>()
        }
    }
}

fn outputs(test: &TestView, style: &Style) -> String {
    let text = |output: &Output| match output {
        // The session's last Fault is another one.
        Output::Fault(fault) => fault_lines(fault, style),
        other => any(other, style),
    };
    test.outputs.iter().map(text).collect()
}
