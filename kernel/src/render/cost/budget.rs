//! What is left of each limit in force.

use serde_json::{Value, json};

use crate::output::cost::{BudgetView, GrantRow, LimitRow, TokenCounts};
use crate::render::bundle::Bundle;
use crate::render::number::{money, share};
use crate::render::text::{Ink, bar, clip, columns, one_line, pad};
use crate::render::{MimeBundle, Style, html};

const SPENT: &str = "#4c8ed9";
const RESERVED: &str = "#c98a2b";
/// Columns of a bar.
const BAR: usize = 16;
const NONE: &str = "no limit in force";

pub fn mime(view: &BudgetView) -> MimeBundle {
    let html = match view.limits.is_empty() {
        true => html::text("div", html::MUTED, NONE),
        false => to_html(view),
    };
    let facts = serde_json::to_value(view).unwrap_or(Value::Null);
    let left: Vec<i64> = view.limits.iter().map(LimitRow::left_micro_usd).collect();
    let facts = json!({
        "limits": facts.get("limits"),
        "grants": facts.get("grants"),
        "left_micro_usd": left,
    });
    Bundle::new(terminal(view, &Style::PLAIN)).html(html).facts("budget", facts).done()
}

pub fn terminal(view: &BudgetView, style: &Style) -> String {
    match view.limits.is_empty() {
        true => style.ink(Ink::Muted, NONE) + "\n",
        false => to_text(view, style),
    }
}

fn remark(limit: &LimitRow) -> String {
    if let Some(TokenCounts { limit, spent, reserved }) = &limit.tokens {
        let held = if *reserved > 0 { format!(", {reserved} reserved") } else { String::new() };
        let left = limit.saturating_sub(spent + reserved);
        return format!("{left} of {limit} tokens left{held}");
    }
    let mut out =
        format!("{} of {} left", money(limit.left_micro_usd()), money(limit.limit_micro_usd));
    if limit.reserved_micro_usd > 0 {
        out.push_str(&format!(", {} reserved", money(limit.reserved_micro_usd)));
    }
    if limit.granted_micro_usd > 0 {
        out.push_str(&format!(", {} of it granted", money(limit.granted_micro_usd)));
    }
    if !limit.on_exceed.is_empty() && limit.on_exceed != "stop" {
        let detail = if limit.detail.is_empty() { "" } else { ": " };
        out.push_str(&format!(", then {}{detail}{}", limit.on_exceed, limit.detail));
    }
    out
}

fn shares(limit: &LimitRow) -> (f64, f64) {
    let (whole, spent, reserved) = match &limit.tokens {
        Some(tokens) => (tokens.limit as f64, tokens.spent as f64, tokens.reserved as f64),
        None => (
            limit.limit_micro_usd as f64,
            limit.spent_micro_usd as f64,
            limit.reserved_micro_usd as f64,
        ),
    };
    let spent = share(spent, whole);
    (spent, share(reserved, whole).min(1.0 - spent))
}

/// Whether nothing is left.
fn is_used_up(limit: &LimitRow) -> bool {
    match &limit.tokens {
        Some(tokens) => tokens.spent + tokens.reserved >= tokens.limit,
        None => limit.left_micro_usd() <= 0,
    }
}

fn granted(grant: &GrantRow) -> String {
    let GrantRow { limit, amount_micro_usd, by, at } = grant;
    format!("{at} {} granted for {limit} by {by}", money(*amount_micro_usd))
}

pub fn to_html(view: &BudgetView) -> String {
    let mut rows = String::new();
    for limit in &view.limits {
        let (spent, reserved) = shares(limit);
        // As the cells of tables have it: front ends give every second row a ground.
        let side = "text-align:left;vertical-align:middle;padding:3px 10px;";
        let name = html::text("td", &format!("{side}white-space:nowrap;"), &limit.name);
        let bar = html::bar(&[(spent, SPENT), (reserved, RESERVED)], 10);
        let bar = html::element("td", &format!("{side}width:200px;min-width:100px;"), &bar);
        let remark = html::text("td", &format!("{side}{}", html::MUTED), &remark(limit));
        rows.push_str(&html::element("tr", "", &format!("{name}{bar}{remark}")));
    }
    if rows.is_empty() {
        return rows;
    }
    let table = html::element("table", "border-collapse:collapse;margin:6px 0;", &rows);
    let grants = view.grants.iter().map(|grant| html::text("div", html::MUTED, &granted(grant)));
    table + &grants.collect::<String>()
}

pub fn to_text(view: &BudgetView, style: &Style) -> String {
    let names = view.limits.iter().map(|limit| columns(&limit.name)).max().unwrap_or(0).min(28);
    let mut out = String::new();
    for limit in &view.limits {
        let (spent, reserved) = shares(limit);
        let filled = pad(&bar(spent + reserved, BAR), BAR, false);
        let name = pad(&one_line(&limit.name), names, false);
        let ink = if is_used_up(limit) { Ink::Error } else { Ink::Accent };
        let remark = clip(&remark(limit), style.width.max(40) - names - BAR - 4);
        out.push_str(&format!("{name} ▕{}▏ {remark}\n", style.ink(ink, &filled)));
    }
    for grant in &view.grants {
        let line = clip(&one_line(&granted(grant)), style.width.max(40));
        out.push_str(&format!("{}\n", style.ink(Ink::Muted, &line)));
    }
    out
}
