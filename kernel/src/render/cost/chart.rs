//! The ledger as bars by lane, agent and cell: Vega-Lite in a notebook, a picture where that does not show, block
//! characters in a terminal.

use ag_runtime::chart::color::Color;
use ag_runtime::chart::{Anchor, Picture, fit_text};
use serde_json::{Value, json};

use super::group::{Group, groups};
use super::{NONE, marks, title};
use crate::output::cost::CostView;
use crate::render::bundle::Bundle;
use crate::render::number::{money, share};
use crate::render::text::{Ink, bar, one_line, pad};
use crate::render::{MimeBundle, Style};

const REAL: &str = "#4c8ed9";
const MADE_UP: &str = "#c98a2b";
/// Readable on both grounds.
const LABEL: &str = "#848d99";
const MOST_BARS: usize = 12;

pub fn mime(view: &CostView) -> MimeBundle {
    let groups = cut(groups(view));
    let picture = picture(view, &groups);
    let mut bundle = Bundle::new(terminal(view, &Style::PLAIN))
        .form("application/vnd.vegalite.v5+json", vega(view, &groups));
    if let Ok(png) = picture.png(2) {
        bundle = bundle.png(&png, picture.width, picture.height);
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

fn vega(view: &CostView, groups: &[Group]) -> Value {
    let mut values = Vec::new();
    for group in groups {
        let real = group.cost_micro_usd - group.made_up_micro_usd;
        for (cost, answers) in [(real, "by a model"), (group.made_up_micro_usd, "made up")] {
            if cost != 0 || (real == 0 && group.made_up_micro_usd == 0 && answers == "by a model") {
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
    let mut heading = vec![title(view)];
    heading.extend(marks(view));
    let y = json!({ "field": "name", "type": "nominal", "title": null, "sort": "-x" });
    let x = json!({ "field": "usd", "type": "quantitative", "title": "USD", "stack": "zero" });
    let color = json!({
        "field": "answers",
        "type": "nominal",
        "title": "answers",
        "scale": { "domain": ["by a model", "made up"], "range": [REAL, MADE_UP] },
    });
    json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": heading,
        "data": { "values": values },
        "facet": { "row": { "field": "by", "type": "nominal", "title": null, "sort": ["lane", "agent", "cell"] } },
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

fn picture(view: &CostView, groups: &[Group]) -> Picture {
    let ground = Color::hex(0x1f242d);
    let ink = Color::hex(0xdfe4ec);
    let quiet = Color::hex(0x98a2b3);
    let width = 620;
    let kinds = 3.0;
    let top = 34.0 + marks(view).len() as f64 * 14.0;
    let height = top + 2.0 + groups.len() as f64 * 20.0 + kinds * 26.0 + 10.0;
    let mut picture = Picture::new(width, height as u32, ground);
    picture.text(14.0, 18.0, title(view), 12.0, ink);
    for (at, mark) in marks(view).iter().enumerate() {
        let y = 36.0 + at as f64 * 14.0;
        picture.text(14.0, y, mark.as_str(), 10.0, Color::hex(0xd9a441));
    }
    let most = groups.iter().map(|group| group.cost_micro_usd).max().unwrap_or(0) as f64;
    let (left, room) = (150.0, 340.0);
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
        picture.rect(left, y + 2.0, room, 12.0, Color::hex(0x262c37));
        if real > 0 {
            picture.rect(left, y + 2.0, real_width, 12.0, Color::hex(0x4c8ed9));
        }
        if group.made_up_micro_usd > 0 {
            picture.rect(left + real_width, y + 2.0, made_up_width, 12.0, Color::hex(0xc98a2b));
        }
        picture.text(left + room + 10.0, middle, money(group.cost_micro_usd), 11.0, ink);
        y += 20.0;
    }
    picture
}

pub fn terminal(view: &CostView, style: &Style) -> String {
    let mut out = style.ink(Ink::Strong, &title(view)) + "\n";
    let groups = cut(groups(view));
    if groups.is_empty() {
        return out + &style.ink(Ink::Muted, NONE) + "\n";
    }
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
    for mark in marks(view) {
        out.push_str(&(style.ink(Ink::Warning, &mark) + "\n"));
    }
    out
}
