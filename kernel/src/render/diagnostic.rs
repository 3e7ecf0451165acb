//! Mistakes: warnings as a card, errors and Faults as the one `error` message of a failing cell.

use ag_lang::diag::color;
use ag_lang::diag::snippet::{Layout, Line};
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::html;
use super::text::{Ink, clip, lines_of, one_line, wrap};
use super::{Failure, MimeBundle, Style};
use crate::output::diagnostic::{DiagnosticView, FaultView, FrameView};

const TRACEBACK: Style = Style { width: 100, color: true };
/// Values longer than this are cut; the whole of them is in the facts.
const VALUE_CHARS: usize = 200;

pub fn mime(list: &[DiagnosticView]) -> MimeBundle {
    let plain: String = list.iter().map(|d| d.layout.to_plain()).collect();
    let html: String =
        list.iter().map(|d| html::card(edge(d.is_error), &d.layout.to_html())).collect();
    let facts = json!({ "diagnostics": serde_json::to_value(list).unwrap_or(Value::Null) });
    Bundle::new(plain).html(html).facts("diagnostics", facts).done()
}

fn edge(is_error: bool) -> &'static str {
    if is_error { "#d0454c" } else { html::AMBER }
}

pub fn terminal(list: &[DiagnosticView], style: &Style) -> String {
    let painted = list.iter().map(|d| match style.color {
        true => d.layout.to_ansi(),
        false => d.layout.to_plain(),
    });
    painted.collect::<Vec<_>>().join("\n")
}

/// All diagnostics of the cell in one message; named after the first error.
pub fn failure(list: &[DiagnosticView]) -> Option<Failure> {
    let first = list.iter().find(|d| d.is_error)?;
    let others = list.iter().filter(|d| d.is_error).count() - 1;
    let evalue = match others {
        0 => first.message.clone(),
        1 => format!("{} (and 1 more error)", first.message),
        n => format!("{} (and {n} more errors)", first.message),
    };
    let traceback = terminal(list, &TRACEBACK);
    Some(Failure { ename: first.code.clone(), evalue, traceback: lines(&traceback) })
}

pub fn fault_failure(fault: &FaultView) -> Failure {
    let traceback = fault_terminal(fault, &TRACEBACK);
    Failure {
        ename: fault.code.clone(),
        evalue: fault.message.clone(),
        traceback: lines(&traceback),
    }
}

/// Front ends show a traceback on a red ground, where colours do not read: what was coloured is bold.
fn lines(text: &str) -> Vec<String> {
    let mut bold = String::new();
    for (at, part) in text.trim_end().split("\x1b[").enumerate() {
        let (code, rest) = match at {
            0 => ("", part),
            _ => part.split_once('m').unwrap_or(("", part)),
        };
        bold.push_str(match code {
            "" => "",
            "0" | color::GREY => color::RESET,
            _ => "\x1b[1m",
        });
        bold.push_str(rest);
    }
    bold.split('\n').map(str::to_owned).collect()
}

/// The Fault under a failing cell: a line a value.
pub fn fault_terminal(fault: &FaultView, style: &Style) -> String {
    // Commands are for sessions: a file that runs takes none.
    let in_file = fault.at.as_ref().is_some_and(|at| at.origin.ends_with(".ag"));
    let more = match in_file {
        true => format!("  `ag explain {}` explains it", fault.code),
        false => format!("  :help {} explains it, :fault shows it in full", fault.code),
    };
    fault_lines(fault, style) + &style.ink(Ink::Muted, &more) + "\n"
}

/// The same without where to read on.
pub fn fault_lines(fault: &FaultView, style: &Style) -> String {
    let mut out = heading(fault, style);
    for value in &fault.values {
        let line = format!("  where {} = {}", one_line(&value.name), one_line(&value.value));
        out.push_str(&clip(&line, style.width.max(40)));
        out.push('\n');
    }
    out.push_str(&difference_text(fault, style));
    out + &chain_text(fault, style)
}

/// The Fault when a person asks for it: values and data whole.
pub fn card_terminal(fault: &FaultView, style: &Style) -> String {
    let mut out = heading(fault, style);
    for value in &fault.values {
        out.push_str(&indented(&format!("where {} = {}", value.name, value.value), style));
    }
    out.push_str(&difference_text(fault, style));
    out.push_str(&chain_text(fault, style));
    if !fault.data.is_null() {
        out.push_str(&indented(&format!("data: {}", fault.data), style));
    }
    let more = format!("  :help {} explains it", fault.code);
    out + &style.ink(Ink::Muted, &more) + "\n"
}

/// What only the left side has in one colour, what only the right side has in another.
fn difference_text(fault: &FaultView, style: &Style) -> String {
    let mut out = String::new();
    for line in &fault.difference {
        let shown = clip(&format!("    {}", lines_of(line)), style.width.max(40));
        let ink = match line.get(..1) {
            Some("-") => Ink::Error,
            Some("+") => Ink::Good,
            _ => Ink::Muted,
        };
        out.push_str(&style.ink(ink, &shown));
        out.push('\n');
    }
    if !out.is_empty() {
        out.insert_str(0, "  the sides differ (- left, + right):\n");
    }
    out
}

fn indented(text: &str, style: &Style) -> String {
    let lines = wrap(&lines_of(text), style.width.max(40) - 4);
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| format!("{:at$}  {line}\n", "", at = at.min(1) * 2))
        .collect()
}

fn chain_text(fault: &FaultView, style: &Style) -> String {
    let mut out = String::new();
    for frame in &fault.chain {
        let place = frame.at.as_ref().map(|place| format!(" at {}", place.title()));
        let text = format!("  in {}{}{}", frame.function, place.unwrap_or_default(), times(frame));
        out.push_str(&style.ink(Ink::Muted, &one_line(&text)));
        out.push('\n');
    }
    out
}

fn heading(fault: &FaultView, style: &Style) -> String {
    match (fault.layout.lines.is_empty(), style.color) {
        (false, true) => fault.layout.to_ansi(),
        (false, false) => fault.layout.to_plain(),
        (true, _) => {
            let head = style.ink(Ink::Error, &format!("error[{}]", fault.code));
            format!("{head}: {}\n", style.ink(Ink::Strong, &lines_of(&fault.message)))
        }
    }
}

pub fn card(fault: &FaultView) -> MimeBundle {
    let facts = serde_json::to_value(fault).unwrap_or(Value::Null);
    Bundle::new(card_terminal(fault, &Style::PLAIN))
        .html(card_html(fault))
        .facts("fault", facts)
        .done()
}

fn card_html(fault: &FaultView) -> String {
    let mut out = String::new();
    let code = html::text("span", &format!("font-weight:bold;{}", html::ERROR), &fault.code);
    let message = html::text("b", "", &fault.message);
    out.push_str(&html::element("div", "margin-bottom:4px;", &format!("{code} {message}")));
    let differs = |help: &&String| !help.eq_ignore_ascii_case(&fault.message);
    if let Some(help) = fault.help.as_ref().filter(differs) {
        out.push_str(&html::text("div", html::MUTED, help));
    }
    // The layout's own heading says what the card's heading says.
    let lines: Vec<Line> = fault.layout.lines.iter().skip(1).cloned().collect();
    if !lines.is_empty() {
        let source = Layout { lines }.to_html();
        out.push_str(&html::element("div", "margin:6px 0;overflow-x:auto;", &source));
    }
    out.push_str(&values_html(fault));
    if !fault.difference.is_empty() {
        let text = difference_text(fault, &Style { width: 100, color: false });
        out.push_str(&html::text("pre", "margin:4px 0;white-space:pre-wrap;", text.trim_end()));
    }
    out.push_str(&chain_html(fault));
    if !fault.data.is_null() {
        let text = serde_json::to_string_pretty(&fault.data).unwrap_or_default();
        let data = html::text("pre", "margin:4px 0;white-space:pre-wrap;", &text);
        out.push_str(&html::folded("data", &data));
    }
    html::card(edge(true), &out)
}

fn values_html(fault: &FaultView) -> String {
    let mut rows = String::new();
    for value in &fault.values {
        let style = "text-align:left;vertical-align:top;padding:1px 10px 1px 0px;";
        let name = html::text("td", &format!("{style}{}", html::CODE), &value.name);
        let text = clip(&value.value, VALUE_CHARS);
        let text = html::text("td", &format!("{style}{}white-space:pre-wrap;", html::CODE), &text);
        rows.push_str(&html::element("tr", "", &format!("{name}{text}")));
    }
    if rows.is_empty() {
        return rows;
    }
    let head = html::text("div", html::MUTED, "values");
    head + &html::element("table", "border-collapse:collapse;margin:2px 0;", &rows)
}

/// ` (64 times)` for a function that called itself.
fn times(frame: &FrameView) -> String {
    if frame.times > 1 { format!(" ({} times)", frame.times) } else { String::new() }
}

fn chain_html(fault: &FaultView) -> String {
    let mut rows = String::new();
    for frame in &fault.chain {
        let name = html::text("span", html::CODE, &frame.function);
        let place = frame.at.as_ref().map(|place| {
            let title = html::text("span", html::MUTED, &format!(" {} ", place.title()));
            title + &html::text("code", "", place.source.trim())
        });
        rows.push_str(&html::element(
            "li",
            "",
            &format!("{name}{}{}", place.unwrap_or_default(), times(frame)),
        ));
    }
    if rows.is_empty() {
        return rows;
    }
    html::text("div", html::MUTED, "called from")
        + &html::element("ol", "margin:2px 0;padding-left:24px;", &rows)
}
