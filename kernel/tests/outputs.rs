//! What every kind of output looks like: its MIME bundle and its terminal text at 80 columns, kept as files under
//! `tests/sessions/outputs`. `UPDATE=1` rewrites them; they are read before they are committed.
//!
//! The same samples become a page to look at: `gallery.html` in the target folder's `tmp`, light beside dark.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "outputs/page.rs"]
mod page;
#[path = "outputs/sample.rs"]
mod sample;
#[path = "support/shape.rs"]
mod shape;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ag_kernel::output::cost::{CostRow, CostView};
use ag_kernel::output::media::MediaView;
use ag_kernel::output::table::ValueView;
use ag_kernel::output::{Content, Display, Output};
use ag_kernel::render::{MimeBundle, Style, failure, mime, terminal};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sessions/outputs")
}

fn check(name: &str, shown: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, shown).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, shown, "{name} changed: run with UPDATE=1 and read the difference");
}

/// Pictures by their size: their bytes would say nothing to a reader.
fn readable(bundle: MimeBundle) -> Value {
    let mut data = bundle.data;
    for (mime, form) in &mut data {
        let text = form.as_str().unwrap_or_default().to_owned();
        match mime.as_str() {
            "image/png" => *form = json!("PNG"),
            "image/svg+xml" => {
                *form = json!(format!("{} shapes", text.matches("<").count() / 10 * 10))
            }
            "text/html" => *form = text.replace("><", ">\n<").split('\n').collect(),
            "text/plain" | "text/markdown" => *form = text.split('\n').collect(),
            _ => {}
        }
    }
    // Thousands of rows would say nothing to a reader either.
    data.retain(|mime, form| {
        !mime.starts_with("application/vnd.ag.") || form.to_string().len() < 32_000
    });
    json!({ "data": data, "metadata": bundle.metadata })
}

#[test]
fn bundles_are_as_kept() {
    for (name, output) in sample::all() {
        let shown = match (mime(&output), failure(&output)) {
            (Some(bundle), None) => readable(bundle),
            (None, Some(failure)) => json!({
                "ename": failure.ename, "evalue": failure.evalue, "traceback": failure.traceback,
            }),
            both => panic!("{name}: a bundle or a failure, never {both:?}"),
        };
        let text = serde_json::to_string_pretty(&shown).unwrap() + "\n";
        check(&format!("{name}.json"), &text);
    }
}

#[test]
fn terminal_texts_are_as_kept() {
    for (name, output) in sample::all() {
        check(&format!("{name}.txt"), &terminal(&output, &Style::PLAIN));
    }
}

#[test]
fn nothing_is_wider_than_80_columns_but_quoted_source() {
    for (name, output) in sample::all() {
        let quotes_source =
            matches!(output, Output::Diagnostics(_) | Output::Value(_) | Output::Display(_));
        for line in terminal(&output, &Style::PLAIN).lines() {
            let columns = ag_kernel::render::text::columns(line);
            assert!(columns <= 80 || quotes_source, "{name}: {line}");
        }
    }
}

#[test]
fn without_its_codes_a_coloured_text_is_the_plain_one() {
    for (name, output) in sample::all() {
        let coloured = terminal(&output, &Style { width: 80, color: true });
        let has_own_look =
            |view: &ValueView| matches!(view.media, Some(MediaView::Html(_) | MediaView::Latex(_)));
        let is_bare =
            matches!(output, Output::Page(_)) || shown_value(&output).is_some_and(has_own_look);
        assert!(coloured.contains('\x1b') || is_bare, "{name} has colours");
        assert_eq!(strip(&coloured), terminal(&output, &Style::PLAIN), "{name}");
    }
}

/// The value that is a result or displayed.
fn shown_value(output: &Output) -> Option<&ValueView> {
    match output {
        Output::Value(view) => Some(view),
        Output::Display(Display { content: Content::Value(view), .. }) => Some(view),
        _ => None,
    }
}

fn strip(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('\x1b');
    out.push_str(parts.next().unwrap());
    for part in parts {
        out.push_str(part.split_once('m').unwrap().1);
    }
    out
}

/// What JupyterLab's sanitiser would drop must not be there, and data must not become markup.
#[test]
fn html_survives_an_untrusted_notebook() {
    for (name, output) in sample::all() {
        let Some(bundle) = mime(&output) else { continue };
        let Some(html) = bundle.data.get("text/html").and_then(Value::as_str) else { continue };
        // What the program wrote itself is its own business.
        if shown_value(&output).is_some_and(|view| view.media.is_some()) {
            continue;
        }
        let html = &html.replace("class=\"mathjax_ignore tex2jax_ignore\"", "");
        for banned in ["<style", "<svg", "<script", "<iframe", "class=", "onclick", "url("] {
            assert!(!html.contains(banned), "{name}: {banned} in {html}");
        }
        assert!(!html.contains("<b>bold"), "{name}: data became markup");
        // A themed colour stands behind a fixed one of the same property.
        for (at, _) in html.match_indices("var(") {
            let before = &html[..at];
            let property = before.rsplit(';').next().unwrap();
            let earlier = before.rsplit(';').nth(1).unwrap();
            let earlier = earlier.rsplit('"').next().unwrap();
            assert!(earlier.starts_with(&format!("{property}#")), "{name}: {earlier};{property}");
        }
    }
}

/// One rich form a bundle: a front end would hide the others.
#[test]
fn a_bundle_has_one_rich_form_and_its_facts() {
    for (name, output) in sample::all() {
        let Some(bundle) = mime(&output) else { continue };
        let keys: Vec<&str> = bundle.data.keys().map(String::as_str).collect();
        assert!(keys.is_sorted(), "{name}: {keys:?}");
        assert!(keys.contains(&"text/plain"), "{name}");
        let has = |mime: &str| usize::from(keys.contains(&mime));
        let rich = has("text/html")
            + has("image/svg+xml")
            + has("text/markdown")
            + has("text/latex")
            + has("application/vnd.vegalite.v5+json");
        let is_plain = |view: &ValueView| view.table.is_none() && view.media.is_none();
        let is_plain_value = shown_value(&output).is_some_and(is_plain);
        assert!(rich == 1 || is_plain_value, "{name}: {keys:?}");
        if has("image/png") == 1 {
            assert_eq!(has("text/html"), 0, "{name}: HTML would hide the picture");
        }
        let is_text = matches!(output, Output::Page(_));
        assert!(is_text || keys.iter().any(|key| key.starts_with("application/vnd.ag.")), "{name}");
    }
}

#[test]
fn a_page_to_look_at() {
    let mut cards = String::new();
    for (name, output) in sample::all() {
        let Some(bundle) = mime(&output) else { continue };
        let form = |mime: &str| bundle.data.get(mime).and_then(Value::as_str);
        let shown = match (form("text/html"), form("image/png")) {
            (Some(html), _) => html.to_owned(),
            (None, Some(png)) => {
                format!(
                    "<img width=\"{}\" src=\"data:image/png;base64,{png}\">",
                    bundle.metadata["image/png"]["width"]
                )
            }
            _ => format!("<pre>{}</pre>", form("text/plain").unwrap()),
        };
        write!(cards, "<h4>{name}</h4>{shown}").unwrap();
        if let Some(svg) = form("image/svg+xml") {
            write!(cards, "<h4>{name} (SVG)</h4>{svg}").unwrap();
        }
    }
    // `untrusted`: what is left when the sanitiser dropped every var().
    let untrusted = remove_vars(&cards);
    for (name, ground, ink, body) in [
        ("light", "#ffffff", "#212121", &cards),
        ("dark", "#111111", "#e0e0e0", &cards),
        ("untrusted-dark", "#111111", "#e0e0e0", &untrusted),
    ] {
        let page = format!(
            "<!doctype html><meta charset=\"utf-8\"><body style=\"background:{ground};color:{ink};\
             font:13px/1.4 system-ui,sans-serif;max-width:980px\">{body}"
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gallery-{name}.html"));
        std::fs::write(path, page).unwrap();
    }
    let notebook = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery.ipynb");
    std::fs::write(notebook, notebook_of(sample::all()).to_string()).unwrap();
    assert!(cards.contains("made-up answers (echo)"));
}

/// The same as an executed notebook, to be opened in a real front end, trusted or not.
fn notebook_of(samples: Vec<(&str, Output)>) -> Value {
    let cell = |(name, output): (&str, Output)| {
        let shown = match (mime(&output), failure(&output)) {
            (Some(bundle), _) => json!({
                "output_type": "display_data", "data": bundle.data, "metadata": bundle.metadata,
            }),
            (None, failure) => {
                let failure = failure.unwrap();
                json!({
                    "output_type": "error", "ename": failure.ename, "evalue": failure.evalue,
                    "traceback": failure.traceback,
                })
            }
        };
        json!({
            "cell_type": "code", "id": name, "execution_count": 1, "metadata": {},
            "source": format!("// {name}"), "outputs": [shown],
        })
    };
    let cells: Vec<Value> = samples.into_iter().map(cell).collect();
    json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells })
}

fn remove_vars(html: &str) -> String {
    let mut out = String::new();
    for (at, part) in html.split("var(").enumerate() {
        if at == 0 {
            out.push_str(part);
        } else {
            out.truncate(out.rfind([';', '"']).map_or(0, |end| end + 1));
            out.push_str(part.split_once(';').map_or("", |(_, rest)| rest));
        }
    }
    out
}

/// A cost of this session with a row a lane call: cell, lane, whether the lane made its answers up.
fn cost_of(rows: &[(&str, &str, bool)]) -> CostView {
    let row = |&(cell, lane, made_up): &(&str, &str, bool)| CostRow {
        cell: cell.into(),
        lane: lane.into(),
        calls: 1,
        cost_micro_usd: 8,
        made_up,
        ..CostRow::default()
    };
    let scope = "this session".into();
    CostView { scope, rows: rows.iter().map(row).collect(), ..CostView::default() }
}

const ECHO: (&str, &str, bool) = ("cell 1", "echo", true);
const ECHO_AGAIN: (&str, &str, bool) = ("cell 2", "echo", true);
const NEAR: (&str, &str, bool) = ("cell 2", "near", false);

#[test]
fn the_legend_of_a_chart_names_the_colors_that_are_there() {
    let domain = |rows: &[(&str, &str, bool)]| {
        let bundle = mime(&Output::CostChart(cost_of(rows))).unwrap();
        let chart = &bundle.data["application/vnd.vegalite.v5+json"];
        chart["spec"]["encoding"]["color"]["scale"]["domain"].clone()
    };
    assert_eq!(domain(&[ECHO]), json!(["made up"]));
    assert_eq!(domain(&[NEAR]), json!(["by a model"]));
    assert_eq!(domain(&[ECHO, NEAR]), json!(["by a model", "made up"]));
}

#[test]
fn a_chart_leaves_out_what_has_one_bar() {
    let shown = |rows| terminal(&Output::CostChart(cost_of(rows)), &Style::PLAIN);
    let one = shown(&[ECHO]);
    assert_eq!(one.lines().next(), Some("by lane"), "{one}");
    assert_eq!(one.matches("$0.000008").count(), 1, "{one}");
    let two = shown(&[ECHO, ECHO_AGAIN]);
    assert_eq!(two.lines().next(), Some("by cell"), "{two}");
    assert!(!two.contains("by lane"), "{two}");
}

#[test]
fn what_is_pretended_is_named_in_the_heading() {
    let heading = |rows| {
        let shown = terminal(&Output::Cost(cost_of(rows)), &Style::PLAIN);
        shown.lines().next().unwrap().to_owned()
    };
    let all = "Cost of this session: $0.000008 in 1 lane call, all of it pretended";
    assert_eq!(heading(&[ECHO]), all);
    let part = "Cost of this session: $0.000016 in 2 lane calls, $0.000008 of it pretended";
    assert_eq!(heading(&[ECHO, NEAR]), part);
    assert_eq!(heading(&[NEAR]), "Cost of this session: $0.000008 in 1 lane call");
}

/// A colour that the style sheet does not know would stay as it is on the other ground.
#[test]
fn every_color_of_a_trace_is_there_for_both_grounds() {
    for (name, output) in sample::all() {
        let Output::Trace(_) = &output else { continue };
        let bundle = mime(&output).unwrap();
        let svg = bundle.data["image/svg+xml"].as_str().unwrap();
        let (style, shapes) = svg.split_once("</style>").unwrap();
        for name_of in ["fill=\"#", "stroke=\"#"] {
            for part in shapes.split(name_of).skip(1) {
                let color = part.split('"').next().unwrap();
                let rule = format!("[{name_of}{color}\"]");
                assert!(style.contains(&rule), "{name}: {rule}");
            }
        }
    }
}

/// What `output like` of the pages compares with: a `*` that stood for nothing would let a missing listing pass.
#[test]
fn a_star_is_any_part_of_a_line_and_a_line_of_it_any_lines() {
    assert!(shape::matches("a * c\n*\nend\n", "a bb c\n1\n2\nend\n"));
    assert!(shape::matches("*: *", "x: 1"));
    assert!(!shape::matches("a\n*\nend", "a\nend"), "no line is not a line");
    assert!(!shape::matches("a *", "b a"));
    assert!(!shape::matches("*", ""));
    assert!(!shape::matches("a", "a\nb"));
}
