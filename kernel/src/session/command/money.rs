//! `:cost`, `:budget`, `:lanes`, `:lane`.

use ag_lang::diag::codes;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::QuotaAction;

use super::Refusal;
use super::runtime::existing;
use crate::output::Output;
use crate::output::lanes::LanesView;
use crate::render::lanes::tables;
use crate::render::number::money;
use crate::session::state::{Span, State};

/// Shown even when nothing was spent: no cost is an answer, too.
pub fn cost(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    if rest == "checks" {
        return Ok(super::contracts::cost_of_checks(state));
    }
    let number = rest.strip_prefix("cell").unwrap_or(rest).trim();
    let of = match number {
        "" => Span::Session,
        number => {
            let number = number.parse().map_err(|_| usage("cost [cell n]"))?;
            Span::Cell(existing(state, number)?)
        }
    };
    let view = state.cost(of);
    let chart = (!view.rows.is_empty()).then(|| Output::CostChart(view.clone()));
    Ok(std::iter::once(Output::Cost(view)).chain(chart).collect())
}

pub fn budget(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    if rest.is_empty() {
        return Ok(vec![Output::Budget(state.budget())]);
    }
    let (amount, action) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let amount = MicroUsd::from_decimal(&amount.trim_start_matches('$').replace('_', ""));
    let amount = amount.filter(|amount| amount.micros() >= 0);
    let amount = amount.ok_or_else(|| usage(BUDGET))?.micros();
    let action = action.trim();
    if !action.is_empty() {
        let action = on_exceed(action).ok_or_else(|| usage(BUDGET))?;
        let refused = |reason| Refusal::new(codes::E0801, reason);
        state.set_budget_action(action).map_err(refused)?;
    }
    state.set_budget(amount);
    let then = if action.is_empty() { String::new() } else { format!(", then {action}") };
    let note = Output::info(format!("the session may spend {}{then}", money(amount)));
    Ok(vec![note, Output::Budget(state.budget())])
}

const BUDGET: &str = "budget $0.50`, or with what follows it: `:budget $0.50 stop`, `ask`, `alert text`, `degrade lane";

/// As the language writes it, with or without the brackets and quotes.
fn on_exceed(text: &str) -> Option<QuotaAction> {
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let bare = |rest: &str| -> String {
        let rest = rest.trim();
        let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let inner = inner.unwrap_or(rest).trim();
        let quoted = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
        quoted.unwrap_or(inner).to_owned()
    };
    match (word, bare(rest).as_str()) {
        ("stop", "") => Some(QuotaAction::Stop),
        ("ask", "") => Some(QuotaAction::Ask),
        ("alert", text) if !text.is_empty() => Some(QuotaAction::Alert(text.into())),
        ("degrade", lane) if !lane.is_empty() => Some(QuotaAction::Degrade(lane.into())),
        _ => None,
    }
}

pub fn lanes(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    match rest {
        "" => Ok(tables(&state.lanes())),
        "unload" => Ok(vec![Output::info(match state.unload_models() {
            None => "no model is loaded".to_owned(),
            Some(bytes) => format!(
                "{} MB given back; the next call or recall loads its model again",
                bytes / 1_000_000
            ),
        })]),
        _ => Err(usage("lanes` or `:lanes unload")),
    }
}

pub fn lane(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    if rest.is_empty() {
        return Ok(vec![Output::info(lane_in_force(&state.lanes()))]);
    }
    let name = rest;
    let pin = (name != "auto").then_some(name);
    state.pin_lane(pin).map_err(|reason| Refusal::new(codes::E0801, reason))?;
    let text = match pin {
        Some(name) => format!("every call uses the lane {name}"),
        None => "the router chooses the lane of each call".to_owned(),
    };
    Ok(vec![Output::info(text)])
}

/// Where the next call goes, as far as it is settled.
fn lane_in_force(view: &LanesView) -> String {
    let how = "`:lane NAME` uses one for every call, `:lanes` shows all";
    match view.lanes.iter().find(|row| row.pinned) {
        Some(row) => {
            format!("every call uses the lane {}; `:lane auto` lets the router choose", row.name)
        }
        None => match view.lanes.iter().filter(|row| row.configured && !row.made_up).count() {
            0 => format!("no model is configured; {how}"),
            _ => format!("the router chooses the lane of each call; {how}"),
        },
    }
}

fn usage(form: &str) -> Refusal {
    Refusal::new(codes::E0905, format!("write `:{form}`"))
}
