//! The ledger as bars by lane, agent and cell: Vega-Lite in a notebook, a picture where that does not show, block
//! characters in a terminal.
//!
//! It has no heading: it stands below the table, which says what all of it is and what must not be mistaken.

use ag_runtime::chart::color::Color;
use ag_runtime::chart::{Anchor, Picture, fit_text};
use serde_json::{Value, json};

use super::group::{Group, groups};
use super::{NONE, title};
use crate::output::cost::CostView;
use crate::render::bundle::Bundle;
use crate::render::number::{money, share};
use crate::render::text::{Ink, bar, one_line, pad};
use crate::render::{MimeBundle, Style};

const REAL: u32 = 0x4c_8e_d9;
const MADE_UP: u32 = 0xc9_8a_2b;
/// Readable on both grounds.
const LABEL: &str = "#848d99";
const MOST_BARS: usize = 12;
const BY_A_MODEL: &str = "by a model";
const MADE_UP_ANSWERS: &str = "made up";

pub fn mime(view: &CostView) -> MimeBundle {
    let groups = cut(groups(view));
    let shown = telling(&groups);
    let picture = picture(&shown);
    let mut bundle = Bundle::new(terminal(view, &Style::PLAIN))
        .form("application/vnd.vegalite.v5+json", vega(&shown));
    if let Ok(png) = picture.png(2) {
        bundle = bundle.png(&png, picture.width, picture.height).alt(title(view));
    }
    let rows: Vec<Value> = groups.iter().map(fact).collect();
    let facts = json!({ "groups": rows, "total_micro_usd": view.total_micro_usd() });
    bundle.facts("cost_chart", facts).done()
}

fn fact(group: &Group) -> Value {
    json!({
        "by": group.by,
        "name": group.name,
        "cost_micro_usd": group.cost_micro_usd,
        "made_up_micro_usd": group.made_up_micro_usd,
    })
}

/// The largest of each kind; the rest of it as one bar, so that the sums stay.
fn cut(all: Vec<Group>) -> Vec<Group> {
    let mut out: Vec<Group> = Vec::new();
    let mut in_kind = 0;
    for group in all {
        let same = out.last().is_some_and(|last| last.by == group.by);
        in_kind = if same { in_kind + 1 } else { 1 };
        match out.last_mut() {
            Some(last) if same && in_kind > MOST_BARS => {
                "others".clone_into(&mut last.name);
                last.cost_micro_usd += group.cost_micro_usd;
                last.made_up_micro_usd += group.made_up_micro_usd;
            }
            _ => out.push(group),
        }
    }
    out
}

/// The kinds that divide the money. One bar of a kind would say the total again; where no kind has two, the lane stays,
/// so that there is a chart.
fn telling(groups: &[Group]) -> Vec<Group> {
    let bars = |by: &str| groups.iter().filter(|group| group.by == by).count();
    let divides: Vec<Group> = groups.iter().filter(|group| bars(group.by) > 1).cloned().collect();
    match divides.is_empty() {
        true => groups.iter().filter(|group| group.by == "lane").cloned().collect(),
        false => divides,
    }
}

/// The colours that the bars have, with what they mean.
fn legend(groups: &[Group]) -> Vec<(&'static str, u32)> {
    let is_made_up = groups.iter().any(|group| group.made_up_micro_usd != 0);
    let is_real = groups.iter().any(|group| group.made_up_micro_usd != group.cost_micro_usd);
    let mut out = Vec::new();
    if is_real || !is_made_up {
        out.push((BY_A_MODEL, REAL));
    }
    if is_made_up {
        out.push((MADE_UP_ANSWERS, MADE_UP));
    }
    out
}

fn vega(groups: &[Group]) -> Value {
    let mut values = Vec::new();
    for group in groups {
        let real = group.cost_micro_usd - group.made_up_micro_usd;
        for (cost, answers) in [(real, BY_A_MODEL), (group.made_up_micro_usd, MADE_UP_ANSWERS)] {
            if cost != 0 || (real == 0 && group.made_up_micro_usd == 0 && answers == BY_A_MODEL) {
                values.push(json!({
                    "by": group.by,
                    "name": group.name,
                    "usd": cost as f64 / 1e6,
                    "answers": answers,
                    "cost": money(cost),
                }));
            }
        }
    }
    let (meanings, colors): (Vec<&str>, Vec<String>) = legend(groups)
        .into_iter()
        .map(|(meaning, color)| (meaning, format!("#{color:06x}")))
        .unzip();
    let y = json!({ "field": "name", "type": "nominal", "title": null, "sort": "-x" });
    let x = json!({ "field": "usd", "type": "quantitative", "title": "USD", "stack": "zero" });
    let color = json!({
        "field": "answers",
        "type": "nominal",
        "title": "answers",
        "scale": { "domain": meanings, "range": colors },
    });
    // Upright and beside the bars, a label is cut to the height of its own few bars.
    let header = json!({
        "title": null,
        "labelAngle": 0,
        "labelOrient": "top",
        "labelAnchor": "start",
        "labelExpr": "'by ' + datum.value",
    });
    let sort = ["lane", "agent", "cell"];
    json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": { "values": values },
        "facet": { "row": { "field": "by", "type": "nominal", "header": header, "sort": sort } },
        "spec": {
            "width": 420,
            "height": { "step": 22 },
            "mark": { "type": "bar", "tooltip": true },
            "encoding": {
                "y": y,
                "x": x,
                "color": color,
                "tooltip": [
                    { "field": "name" }, { "field": "cost" }, { "field": "answers" },
                ],
            },
        },
        "resolve": { "scale": { "y": "independent" } },
        "config": config(),
    })
}

/// No ground of its own and mid-tone ink: it reads on a light and on a dark page.
fn config() -> Value {
    json!({
        "background": null,
        "view": { "stroke": null },
        "axis": {
            "labelColor": LABEL, "titleColor": LABEL, "gridColor": "#8c8c8c", "gridOpacity": 0.25,
            "domainColor": LABEL, "tickColor": LABEL,
        },
        "header": { "labelColor": LABEL },
        "legend": { "labelColor": LABEL, "titleColor": LABEL },
        "title": { "color": LABEL, "anchor": "start", "fontSize": 12 },
    })
}

fn picture(groups: &[Group]) -> Picture {
    let ground = Color::hex(0xf7f9fb);
    let ink = Color::hex(0x1f2328);
    let quiet = Color::hex(0x57606a);
    let width = 620;
    let mut kinds: Vec<&str> = groups.iter().map(|group| group.by).collect();
    kinds.dedup();
    let top = 22.0;
    let height = top + 2.0 + groups.len() as f64 * 20.0 + kinds.len() as f64 * 26.0 + 10.0;
    let mut picture = Picture::new(width, height as u32, ground);
    let (left, room) = (150.0, 340.0);
    let mut x = left;
    for (meaning, color) in legend(groups) {
        picture.rect(x, 10.0, 9.0, 9.0, Color::hex(color));
        picture.text(x + 14.0, 18.0, format!("answers {meaning}"), 10.0, quiet);
        x += 130.0;
    }
    let most = groups.iter().map(|group| group.cost_micro_usd).max().unwrap_or(0) as f64;
    let mut y = top;
    let mut kind = "";
    for group in groups {
        if group.by != kind {
            kind = group.by;
            y += 18.0;
            picture.text(14.0, y, format!("by {kind}"), 10.0, quiet);
            y += 8.0;
        }
        let middle = y + 8.0;
        let name = fit_text(&group.name, 11.0, left - 26.0);
        picture.anchored(left - 8.0, middle, name, 11.0, ink, Anchor::End);
        let real = group.cost_micro_usd - group.made_up_micro_usd;
        let real_width = share(real as f64, most) * room;
        let made_up_width = share(group.made_up_micro_usd as f64, most) * room;
        picture.rect(left, y + 2.0, room, 12.0, Color::hex(0xe9edf2));
        if real > 0 {
            picture.rect(left, y + 2.0, real_width, 12.0, Color::hex(REAL));
        }
        if group.made_up_micro_usd > 0 {
            picture.rect(left + real_width, y + 2.0, made_up_width, 12.0, Color::hex(MADE_UP));
        }
        picture.text(left + room + 10.0, middle, money(group.cost_micro_usd), 11.0, ink);
        y += 20.0;
    }
    picture
}

pub fn terminal(view: &CostView, style: &Style) -> String {
    let groups = telling(&cut(groups(view)));
    if groups.is_empty() {
        return style.ink(Ink::Muted, NONE) + "\n";
    }
    let mut out = String::new();
    let most = groups.iter().map(|group| group.cost_micro_usd).max().unwrap_or(0) as f64;
    let room = style.width.max(40) - 38;
    let mut kind = "";
    for group in &groups {
        if group.by != kind {
            kind = group.by;
            out.push_str(&style.ink(Ink::Muted, &format!("by {kind}")));
            out.push('\n');
        }
        let ink = if group.made_up_micro_usd > 0 { Ink::Warning } else { Ink::Accent };
        let filled = pad(&bar(share(group.cost_micro_usd as f64, most), room), room, false);
        let name = pad(&one_line(&group.name), 20, false);
        let cost = money(group.cost_micro_usd);
        out.push_str(&format!("  {name} {} {cost:>12}\n", style.ink(ink, &filled)));
    }
    out
}
