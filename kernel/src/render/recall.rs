//! Why a recall gave what it gave: ranked bars of contributions, and everything else that is known about each result.

use serde_json::Value;

use super::bundle::Bundle;
use super::number::{count, duration};
use super::text::{Ink, bar, columns, one_line, pad, wrap};
use super::{MimeBundle, Style, html};
use crate::output::recall::{Counterfactual, RecallView, RecollectionRow, TermRow};

/// Terms by order of appearance; mid-tones that read on both grounds.
const COLORS: [&str; 7] =
    ["#4c8ed9", "#3fa37c", "#c98a2b", "#a06cd5", "#cf5f7b", "#4f9ba8", "#8a9440"];
const TEXT_CHARS: usize = 300;

pub fn mime(view: &RecallView) -> MimeBundle {
    let facts = serde_json::to_value(view).unwrap_or(Value::Null);
    Bundle::new(terminal(view, &Style::PLAIN)).html(to_html(view)).facts("recall", facts).done()
}

fn title(view: &RecallView) -> String {
    let found = count(view.results.len() as u64, "recollection");
    format!("Recall #{}: {found} for “{}”", view.id, cut(&one_line(&view.query)))
}

/// How the results were looked for.
fn method(view: &RecallView) -> String {
    let exact = if view.is_exact { "every one compared" } else { "chosen by an approximate index" };
    let mut out = format!("{}, {exact}", count(view.candidates, "candidate"));
    if view.filtered_out > 0 {
        out.push_str(&format!(", {} filtered out", view.filtered_out));
    }
    for (word, text) in [("in", &view.collection), ("by", &view.agent), ("from", &view.cell)] {
        if !text.is_empty() {
            out.push_str(&format!(", {word} {text}"));
        }
    }
    out
}

fn embedder(view: &RecallView) -> String {
    match view.is_hashing_embedder {
        true => format!("embedder {}: compares words, not meaning", view.embedder),
        false => format!("embedder {}", view.embedder),
    }
}

fn cut(text: &str) -> String {
    match text.chars().count() > TEXT_CHARS {
        true => text.chars().take(TEXT_CHARS - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// Names of all terms, in order of first appearance: the same colour everywhere.
fn term_names(view: &RecallView) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for term in view.results.iter().flat_map(|row| &row.terms) {
        if !names.contains(&term.name.as_str()) {
            names.push(&term.name);
        }
    }
    names
}

fn color_of(names: &[&str], term: &str) -> &'static str {
    let at = names.iter().position(|name| *name == term).unwrap_or(0);
    COLORS.get(at % COLORS.len()).copied().unwrap_or("#808080")
}

/// The longest bar: what the positive contributions of the best result add up to.
fn longest(view: &RecallView) -> f64 {
    view.results.iter().map(gained).fold(0.0, f64::max)
}

fn gained(row: &RecollectionRow) -> f64 {
    row.terms.iter().map(|term| term.contribution.max(0.0)).sum()
}

/// A number that may be missing or not finite, with the digits a score needs.
fn score(value: f64) -> String {
    // A part of nothing is 0, not -0.
    let shown = if value.abs() < 0.00005 { 0.0 } else { value };
    format!("{shown:.4}")
}

fn product(term: &TermRow) -> String {
    format!("{} × {}", score(term.raw), score(term.weight))
}

fn without(counterfactual: &Counterfactual) -> String {
    match counterfactual.rank {
        Some(rank) => format!("without {}: rank {rank}", counterfactual.without),
        None => format!("without {}: not found", counterfactual.without),
    }
}

/// What is known besides score and terms, as pairs of a word and a text; nothing empty.
fn facts_of(row: &RecollectionRow) -> Vec<(&'static str, String)> {
    let path = row.causal_path.iter().map(|step| {
        let evidence = step.evidence_seq.map(|seq| format!(", event {seq}")).unwrap_or_default();
        format!("{} ({} {:.2}{evidence})", step.episode, step.kind, step.weight)
    });
    // A term without which nothing changes explains nothing.
    let changed =
        row.counterfactuals.iter().filter(|other| other.rank != Some(row.rank)).map(without);
    let half_life = row.half_life_ns.map(|ns| format!(", half life {}", duration(ns)));
    let seq = row.provenance_seq.map(|seq| format!("event {seq} "));
    let hash: String = row.provenance_hash.chars().take(16).collect();
    let all = [
        ("action", cut(&row.action)),
        ("outcome", cut(&row.outcome)),
        ("routes", row.routes.join(", ")),
        ("matched terms", row.matched_terms.join(", ")),
        ("shared entities", row.shared_entities.join(", ")),
        ("causal path", path.collect::<Vec<_>>().join(" → ")),
        ("age", duration(row.age_ns) + &half_life.unwrap_or_default()),
        ("lead over next", row.lead_over_next.map(score).unwrap_or_default()),
        ("counterfactuals", changed.collect::<Vec<_>>().join("; ")),
        ("provenance", format!("{}{hash}", seq.unwrap_or_default())),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn to_html(view: &RecallView) -> String {
    let names = term_names(view);
    let mut out = html::text("div", "font-weight:bold;", &title(view));
    out.push_str(&html::text("div", html::MUTED, &method(view)));
    let tone = if view.is_hashing_embedder { html::WARN } else { html::MUTED };
    out.push_str(&html::text("div", tone, &embedder(view)));
    out.push_str(&legend_html(&names));
    if view.results.is_empty() {
        out.push_str(&html::text("div", "margin:6px 0;", "nothing was recalled"));
    }
    for row in &view.results {
        out.push_str(&row_html(row, &names, longest(view)));
    }
    html::card("#4c8ed9", &out)
}

fn legend_html(names: &[&str]) -> String {
    let mut out = String::new();
    for name in names {
        let style = format!(
            "display:inline-block;width:10px;height:10px;background-color:{};border-radius:2px;",
            color_of(names, name)
        );
        let square = html::element("span", &style, "");
        let word = format!("{square} {}", html::escape(name));
        out.push_str(&html::element("span", "margin-right:14px;", &word));
    }
    html::element("div", "margin:4px 0;font-size:90%;", &out)
}

fn row_html(row: &RecollectionRow, names: &[&str], longest: f64) -> String {
    let head = format!(
        "{} {} {}",
        html::text("b", "", &format!("{}.", row.rank)),
        html::text("span", "", &cut(&row.context)),
        html::text("span", html::MUTED, &format!("#{}", row.episode)),
    );
    let scale = if longest > 0.0 { longest } else { 1.0 };
    let parts: Vec<(f64, &str)> = row
        .terms
        .iter()
        .map(|term| (term.contribution.max(0.0) / scale, color_of(names, &term.name)))
        .collect();
    let bar_cell = "vertical-align:middle;text-align:left;padding:0px;width:88%;";
    let number_cell = "vertical-align:middle;text-align:right;padding:0px;width:12%;";
    let bar = html::element("td", bar_cell, &html::bar(&parts, 14));
    let number = html::text("td", number_cell, &score(row.score));
    let line = html::element("tr", "", &format!("{bar}{number}"));
    let line = html::element("table", "border-collapse:collapse;width:100%;margin:2px 0;", &line);
    let sentence = html::text("div", "font-style:italic;", &row.sentence);
    let details = html::folded("why", &format!("{}{}", terms_html(row), facts_html(row)));
    html::element("div", "margin:10px 0px 4px 0px;", &format!("{head}{line}{sentence}{details}"))
}

fn terms_html(row: &RecollectionRow) -> String {
    let left = "text-align:left;padding:1px 12px 1px 0px;";
    let right = "text-align:right;padding:1px 12px 1px 0px;";
    let mut rows = String::new();
    for term in &row.terms {
        let cells = [
            html::text("td", left, &term.name),
            html::text("td", &format!("{right}{}", html::MUTED), &product(term)),
            html::text("td", right, &score(term.contribution)),
        ];
        rows.push_str(&html::element("tr", "", &cells.concat()));
    }
    let sum: f64 = row.terms.iter().map(|term| term.contribution).sum();
    let rule = format!("border-top:1px solid {};", html::RULE);
    let cells = [
        html::text("td", &format!("{left}{rule}"), "score"),
        html::text("td", &format!("{right}{rule}"), ""),
        html::text("td", &format!("{right}{rule}font-weight:bold;"), &score(sum)),
    ];
    rows.push_str(&html::element("tr", "", &cells.concat()));
    html::element("table", "border-collapse:collapse;margin:4px 0;", &rows)
}

fn facts_html(row: &RecollectionRow) -> String {
    let mut rows = String::new();
    for (word, text) in facts_of(row) {
        let style = "text-align:left;vertical-align:top;padding:1px 12px 1px 0px;";
        let word = html::text("td", &format!("{style}white-space:nowrap;{}", html::MUTED), word);
        let text = html::text("td", style, &text);
        rows.push_str(&html::element("tr", "", &format!("{word}{text}")));
    }
    html::element("table", "border-collapse:collapse;margin:4px 0;", &rows)
}

pub fn terminal(view: &RecallView, style: &Style) -> String {
    let width = style.width.max(40);
    let mut out = String::new();
    push_wrapped(&mut out, style, Some(Ink::Strong), &title(view), 0, width);
    push_wrapped(&mut out, style, Some(Ink::Muted), &method(view), 0, width);
    let ink = if view.is_hashing_embedder { Ink::Warning } else { Ink::Muted };
    push_wrapped(&mut out, style, Some(ink), &embedder(view), 0, width);
    if view.results.is_empty() {
        out.push_str("nothing was recalled\n");
    }
    for row in &view.results {
        out.push('\n');
        push_row(&mut out, row, longest(view), style, width);
    }
    out
}

fn push_row(out: &mut String, row: &RecollectionRow, longest: f64, style: &Style, width: usize) {
    let head = format!("{}. {}  #{}", row.rank, cut(&one_line(&row.context)), row.episode);
    push_wrapped(out, style, None, &head, 0, width);
    push_wrapped(out, style, None, &row.sentence, 3, width);
    let room = width.saturating_sub(58).max(10);
    let names = row.terms.iter().map(|term| columns(&term.name)).max().unwrap_or(0).min(20);
    for term in &row.terms {
        let share = if longest > 0.0 { term.contribution.max(0.0) / longest } else { 0.0 };
        let bar = pad(&bar(share, room), room, false);
        let name = pad(&one_line(&term.name), names, false);
        let product = style.ink(Ink::Muted, &format!("{:>18}", product(term)));
        let bar = style.ink(Ink::Accent, &bar);
        out.push_str(&format!("   {name} {bar} {:>8}  {product}\n", score(term.contribution)));
    }
    let name = pad("score", names, false);
    let total = style.ink(Ink::Strong, &format!("{:>8}", score(row.score)));
    out.push_str(&format!("   {name} {} {total}\n", " ".repeat(room)));
    for (word, text) in facts_of(row) {
        push_wrapped(
            out,
            style,
            Some(Ink::Muted),
            &format!("{word}: {}", one_line(&text)),
            3,
            width,
        );
    }
}

fn push_wrapped(
    out: &mut String,
    style: &Style,
    ink: Option<Ink>,
    text: &str,
    indent: usize,
    width: usize,
) {
    for line in wrap(&one_line(text), width - indent) {
        let line = match ink {
            Some(ink) => style.ink(ink, &line),
            None => line,
        };
        out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
    }
}
