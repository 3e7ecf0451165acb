//! Which lanes there are, which are configured, and which one a call takes (L-127). Keeps why, for `:lanes`.
//!
//! Never: sends anything, reads keys or files; lanes are added by whoever opens the session.

use crate::lane::error::LaneError;
use crate::lane::request::{Form, Message, Provider, ToolSpec};
use crate::lane::score::{Candidate, Deadline, Estimate, Terms, terms};
use crate::ledger::money::MicroUsd;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// The lanes every session knows (L-62), and why one of them may not answer.
const PREDECLARED: [(&str, &str); 4] = [
    ("echo", ""),
    ("onnx_local", NO_MODEL),
    ("anthropic", if cfg!(feature = "net") { "ANTHROPIC_API_KEY is not set" } else { NO_CLIENT }),
    ("openrouter", if cfg!(feature = "net") { "OPENROUTER_API_KEY is not set" } else { NO_CLIENT }),
];

const NO_MODEL: &str =
    if cfg!(feature = "models") { "not installed: ag models install" } else { "not in this build" };
/// Why a lane over the network does not answer.
pub const NO_CLIENT: &str = "not in this build";

/// Why echo answers a call that names no lane.
const ECHO_ONLY: &str = "no other lane is configured: echo makes its answers up";

/// How many decisions are kept.
const KEPT: usize = 1_000;

/// Which lane a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Auto,
    Lane(Arc<str>),
}

/// What a call wants of its lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    pub choice: Choice,
    /// A lane with another model does not fit.
    pub model: Option<Arc<str>>,
    pub preference: Vec<Arc<str>>,
    pub latency_budget_ns: Option<u64>,
    /// What is left of the cost budgets around the call.
    pub cost_budget: Option<MicroUsd>,
    pub deadline: Option<Deadline>,
    pub max_tokens: u32,
    /// What the model may ask for.
    pub tools: Arc<[ToolSpec]>,
    pub agent: Arc<str>,
    pub cell: u32,
}

/// A lane that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Considered {
    pub lane: Arc<str>,
    pub cost: MicroUsd,
    pub worst_case: MicroUsd,
    pub latency_ns: f64,
    pub terms: Terms,
    pub score: f64,
    /// Why it could not be chosen.
    pub excluded: Option<String>,
}

/// One choice of a lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub agent: Arc<str>,
    pub cell: u32,
    pub candidates: Vec<Considered>,
    /// The lanes to try, best first.
    pub ranked: Vec<Arc<str>>,
    /// Why the choice was narrowed: a pin, a named lane, only echo left.
    pub note: Option<&'static str>,
}

impl Decision {
    #[must_use]
    pub fn chosen(&self) -> Option<&Arc<str>> {
        self.ranked.first()
    }
}

/// One row of `:lanes`.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneRow {
    pub name: Arc<str>,
    pub model: Option<Arc<str>>,
    pub price_in: Option<MicroUsd>,
    pub price_out: Option<MicroUsd>,
    pub made_up: bool,
    pub configured: bool,
    pub pinned: bool,
    pub estimate: Option<Estimate>,
    /// Why it does not answer; empty if nothing is known of it.
    pub why_not: Arc<str>,
    /// What it holds in memory on this machine.
    pub memory_bytes: Option<u64>,
    /// The next call loads a model first.
    pub loads_first: bool,
}

/// The lanes of a session.
#[derive(Default)]
pub struct Lanes {
    state: Mutex<State>,
    /// In tests a preference for lanes that are not there falls back to echo.
    in_test: bool,
}

#[derive(Default)]
struct State {
    providers: Vec<Arc<dyn Provider>>,
    estimates: FxHashMap<Arc<str>, Estimate>,
    pinned: Option<Arc<str>>,
    decisions: VecDeque<Decision>,
    /// Declared lanes that cannot answer, and why.
    unusable: Vec<(Arc<str>, Arc<str>)>,
}

impl State {
    /// Why a lane does not answer; empty if nothing is known of it.
    fn why_not(&self, name: &str) -> Arc<str> {
        let declared = self.unusable.iter().find(|(known, _)| **known == *name);
        let predeclared = || PREDECLARED.iter().find(|(known, _)| *known == name);
        match declared {
            Some((_, why)) => Arc::clone(why),
            None => predeclared().map_or("", |known| known.1).into(),
        }
    }
}

impl Lanes {
    #[must_use]
    pub fn new(providers: Vec<Arc<dyn Provider>>, in_test: bool) -> Self {
        let lanes = Self { state: Mutex::default(), in_test };
        providers.into_iter().for_each(|provider| lanes.add(provider));
        lanes
    }

    /// Configures a lane; one of the same name is replaced.
    pub fn add(&self, provider: Arc<dyn Provider>) {
        let card = provider.card().clone();
        let mut state = self.state.lock();
        state.estimates.insert(Arc::clone(&card.name), Estimate::prior(card.latency_ns));
        state.providers.retain(|other| other.card().name != card.name);
        state.unusable.retain(|(name, _)| *name != card.name);
        state.providers.push(provider);
    }

    /// Declares a lane that cannot answer yet.
    pub fn add_unusable(&self, name: &Arc<str>, why: &str) {
        let mut state = self.state.lock();
        state.providers.retain(|provider| provider.card().name != *name);
        state.unusable.retain(|(known, _)| known != name);
        state.unusable.push((Arc::clone(name), why.into()));
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<dyn Provider>> {
        let state = self.state.lock();
        state.providers.iter().find(|provider| &*provider.card().name == name).cloned()
    }

    /// `:lane name`: every call uses it. `None` is `:lane auto`.
    pub fn pin(&self, name: Option<&str>) -> Result<(), LaneError> {
        if let Some(name) = name
            && self.get(name).is_none()
        {
            return Err(self.missing(&[name.into()]));
        }
        self.state.lock().pinned = name.map(Arc::from);
        Ok(())
    }

    #[must_use]
    pub fn pinned(&self) -> Option<Arc<str>> {
        self.state.lock().pinned.clone()
    }

    /// Whether echo answered in a cell because no other lane is configured.
    #[must_use]
    pub fn echo_stood_in(&self, cell: u32) -> bool {
        let state = self.state.lock();
        let mut latest = state.decisions.iter().rev();
        latest.any(|decision| decision.cell == cell && decision.note == Some(ECHO_ONLY))
    }

    /// The latest decisions, oldest first.
    #[must_use]
    pub fn decisions(&self) -> Vec<Decision> {
        self.state.lock().decisions.iter().cloned().collect()
    }

    pub fn answered(&self, lane: &str, latency_ns: u64, tokens_out: u64) {
        if let Some(estimate) = self.state.lock().estimates.get_mut(lane) {
            estimate.answered(latency_ns, tokens_out);
        }
    }

    pub fn failed(&self, lane: &str) {
        if let Some(estimate) = self.state.lock().estimates.get_mut(lane) {
            estimate.failed();
        }
    }

    /// Predeclared and configured lanes.
    #[must_use]
    pub fn rows(&self) -> Vec<LaneRow> {
        let state = self.state.lock();
        let configured = state.providers.iter().map(|provider| {
            let card = provider.card();
            LaneRow {
                name: Arc::clone(&card.name),
                model: Some(Arc::clone(&card.model)),
                price_in: Some(card.price.input),
                price_out: Some(card.price.output),
                made_up: card.made_up,
                configured: true,
                pinned: state.pinned.as_ref() == Some(&card.name),
                estimate: state.estimates.get(&card.name).copied(),
                why_not: "".into(),
                memory_bytes: provider.memory_bytes(),
                loads_first: provider.notice().is_some(),
            }
        });
        let mut rows: Vec<LaneRow> = configured.collect();
        let declared = state.unusable.iter().map(|(name, _)| Arc::clone(name));
        for name in PREDECLARED.iter().map(|(name, _)| Arc::from(*name)).chain(declared) {
            if !rows.iter().any(|row| row.name == name) {
                let why_not = state.why_not(&name);
                rows.push(LaneRow {
                    name,
                    model: None,
                    price_in: None,
                    price_out: None,
                    made_up: false,
                    configured: false,
                    pinned: false,
                    estimate: None,
                    why_not,
                    memory_bytes: None,
                    loads_first: false,
                });
            }
        }
        rows
    }

    /// Chooses, and keeps the decision.
    pub fn decide(
        &self,
        want: &Want,
        messages: &[Message],
        form: Option<&Form>,
    ) -> Result<Decision, LaneError> {
        let (providers, note) = self.eligible(want)?;
        let mut state = self.state.lock();
        let mut looked: Vec<Considered> = providers
            .iter()
            .map(|p| consider(p.as_ref(), want, (messages, form), &state.estimates))
            .collect();
        let fitting: Vec<usize> = (0..looked.len())
            .filter(|at| looked.get(*at).is_some_and(|c| c.excluded.is_none()))
            .collect();
        let options: Vec<Candidate> = fitting
            .iter()
            .filter_map(|at| looked.get(*at))
            .map(|c| Candidate {
                lane: Arc::clone(&c.lane),
                cost: c.cost,
                latency_ns: c.latency_ns,
                availability: state.estimates.get(&c.lane).map_or(1.0, |e| e.availability),
            })
            .collect();
        for (at, terms) in fitting.iter().zip(terms(&options, want.deadline)) {
            if let Some(considered) = looked.get_mut(*at) {
                considered.terms = terms;
                considered.score = terms.score();
            }
        }
        let decision = Decision {
            agent: Arc::clone(&want.agent),
            cell: want.cell,
            ranked: ranked(&looked),
            candidates: looked,
            note,
        };
        if state.decisions.len() == KEPT {
            state.decisions.pop_front();
        }
        state.decisions.push_back(decision.clone());
        if decision.ranked.is_empty() { Err(none_fits(&decision)) } else { Ok(decision) }
    }

    /// The lanes a call may take at all, and why they are so few.
    fn eligible(&self, want: &Want) -> Result<Eligible, LaneError> {
        if let Some(pinned) = self.pinned() {
            return self.only(&pinned, "the session is pinned to this lane");
        }
        if let Choice::Lane(name) = &want.choice {
            return self.only(name, "the call names this lane");
        }
        let configured = self.state.lock().providers.clone();
        let (echo, real): (Vec<_>, Vec<_>) =
            configured.into_iter().partition(|provider| &*provider.card().name == "echo");
        if want.preference.is_empty() {
            return Ok(if real.is_empty() { (echo, Some(ECHO_ONLY)) } else { (real, None) });
        }
        let preferred: Vec<_> = real
            .into_iter()
            .chain(echo.iter().cloned())
            .filter(|provider| want.preference.contains(&provider.card().name))
            .collect();
        match preferred.is_empty() {
            false => Ok((preferred, None)),
            true if self.in_test => Ok((echo, Some("tests answer with echo"))),
            true => Err(self.missing(&want.preference)),
        }
    }

    fn only(&self, name: &Arc<str>, note: &'static str) -> Result<Eligible, LaneError> {
        match self.get(name) {
            Some(provider) => Ok((vec![provider], Some(note))),
            None => Err(self.missing(std::slice::from_ref(name))),
        }
    }

    /// R0604 for lanes that are not there, each with its reason, and the ways out.
    fn missing(&self, names: &[Arc<str>]) -> LaneError {
        let list: Vec<String> = names
            .iter()
            .map(|name| match &*self.state.lock().why_not(name) {
                "" => format!("{name} (not configured)"),
                why => format!("{name} ({why})"),
            })
            .collect();
        let what = match list.as_slice() {
            [one] => format!("lane {one} is not available"),
            many => format!("none of the lanes {} is available", many.join(", ")),
        };
        let here = match self.get("onnx_local") {
            Some(_) => "`:lane onnx_local` (the model on this machine)",
            None if cfg!(feature = "models") => {
                "`ag models install` (a model on this machine, no account)"
            }
            None => "a build with the feature `models`",
        };
        LaneError::NoLane(format!(
            "{what}. Ways out: {here}, or `:lane echo` (offline, made-up answers)"
        ))
    }

    /// What a person should know before a call is made: that a model is loaded first.
    #[must_use]
    pub fn notice(&self, want: &Want) -> Option<String> {
        let (providers, _) = self.eligible(want).ok()?;
        providers.first().and_then(|provider| provider.notice())
    }

    /// Lets every model on this machine go. False if none was loaded.
    pub fn unload(&self) -> bool {
        let providers = self.state.lock().providers.clone();
        // Every one, also behind the first that had a model.
        providers.iter().filter(|provider| provider.unload()).count() > 0
    }
}

type Eligible = (Vec<Arc<dyn Provider>>, Option<&'static str>);

fn consider(
    provider: &dyn Provider,
    want: &Want,
    (messages, form): (&[Message], Option<&Form>),
    estimates: &FxHashMap<Arc<str>, Estimate>,
) -> Considered {
    let card = provider.card();
    let estimate =
        estimates.get(&card.name).copied().unwrap_or_else(|| Estimate::prior(card.latency_ns));
    let tokens_in =
        provider.count_tokens(messages, form).saturating_add(provider.count_tools(&want.tools));
    let max_tokens = u64::from(want.max_tokens);
    let expected_out = (estimate.tokens_out.ceil() as u64).min(max_tokens);
    let budget_ns = want.latency_budget_ns;
    let excluded = if tokens_in.saturating_add(max_tokens) > card.context_tokens {
        let limit = card.context_tokens;
        Some(format!("{tokens_in} tokens and {max_tokens} for the answer exceed its {limit}"))
    } else if want.model.as_ref().is_some_and(|model| *model != card.model) {
        Some(format!("its model is {}", card.model))
    } else if !want.tools.is_empty() && !provider.takes_tools() {
        Some("its model cannot ask for tools".to_owned())
    } else if budget_ns.is_some_and(|budget| estimate.latency_ns > budget as f64) {
        Some("slower than the latency budget".to_owned())
    } else if let Some(left) = want.cost_budget
        && card.price.worst_case(tokens_in, max_tokens) > left
    {
        let most = card.price.worst_case(tokens_in, max_tokens);
        Some(format!("may cost up to {most}, and {left} is left of the cost budget"))
    } else {
        None
    };
    Considered {
        lane: Arc::clone(&card.name),
        cost: card.price.worst_case(tokens_in, expected_out),
        worst_case: card.price.worst_case(tokens_in, max_tokens),
        latency_ns: estimate.latency_ns,
        terms: Terms::default(),
        score: 0.0,
        excluded,
    }
}

/// Best first; equal scores in the order the lanes were configured.
fn ranked(looked: &[Considered]) -> Vec<Arc<str>> {
    let mut fitting: Vec<&Considered> = looked.iter().filter(|c| c.excluded.is_none()).collect();
    fitting.sort_by(|a, b| b.score.total_cmp(&a.score));
    fitting.into_iter().map(|c| Arc::clone(&c.lane)).collect()
}

fn none_fits(decision: &Decision) -> LaneError {
    let reasons: Vec<String> = decision
        .candidates
        .iter()
        .map(|c| format!("{}: {}", c.lane, c.excluded.as_deref().unwrap_or("not allowed")))
        .collect();
    LaneError::NoLane(format!("no lane fits this call. {}", reasons.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::{Choice, Lanes, NO_MODEL, PREDECLARED, Want};
    use crate::clock::VirtualClock;
    use crate::lane::echo::Echo;
    use crate::rng::Seed;
    use std::sync::Arc;

    fn lanes(in_test: bool) -> Lanes {
        Lanes::new(vec![Arc::new(Echo::new(Arc::new(VirtualClock::default()), Seed(0)))], in_test)
    }

    fn want(preference: &[&str]) -> Want {
        Want {
            choice: Choice::Auto,
            model: None,
            preference: preference.iter().map(|name| Arc::from(*name)).collect(),
            latency_budget_ns: None,
            cost_budget: None,
            deadline: None,
            max_tokens: 512,
            tools: Arc::new([]),
            agent: "TradingAgent".into(),
            cell: 3,
        }
    }

    const HERE: &str = if cfg!(feature = "models") {
        "`ag models install` (a model on this machine, no account)"
    } else {
        "a build with the feature `models`"
    };

    const SEED: [&str; 3] = ["onnx_local", "anthropic", "openrouter"];

    #[test]
    fn a_preference_for_lanes_that_are_not_there_names_the_ways_out() {
        let error = lanes(false).decide(&want(&SEED), &[], None).unwrap_err();
        assert_eq!(error.code(), "R0604");
        assert_eq!(
            error.to_string(),
            format!(
                "none of the lanes onnx_local ({NO_MODEL}), anthropic ({}), openrouter ({}) is available. Ways out: {HERE}, or `:lane echo` (offline, made-up answers)",
                PREDECLARED[2].1, PREDECLARED[3].1
            )
        );
    }

    #[test]
    fn a_pin_a_test_and_an_empty_preference_use_echo_and_say_why() {
        let chosen = |lanes: &Lanes, want: &Want| {
            let decision = lanes.decide(want, &[], None).unwrap();
            (decision.chosen().unwrap().to_string(), decision.note.unwrap())
        };
        let pinned = lanes(false);
        pinned.pin(Some("echo")).unwrap();
        assert_eq!(chosen(&pinned, &want(&SEED)).1, "the session is pinned to this lane");
        assert_eq!(chosen(&lanes(true), &want(&SEED)).1, "tests answer with echo");
        let (lane, note) = chosen(&lanes(false), &want(&[]));
        assert_eq!(
            (lane.as_str(), note),
            ("echo", "no other lane is configured: echo makes its answers up")
        );
        assert!(lanes(false).pin(Some("nobody")).is_err());
    }

    #[test]
    fn a_lane_too_slow_for_the_budget_is_excluded_with_the_reason() {
        let lanes = lanes(false);
        let want = Want { latency_budget_ns: Some(1_000), ..want(&[]) };
        let error = lanes.decide(&want, &[], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no lane fits this call. echo: slower than the latency budget"
        );
        assert_eq!(lanes.decisions().len(), 1);
        let other = Want { model: Some("gpt".into()), ..want.clone() };
        assert_eq!(
            lanes.decide(&other, &[], None).unwrap_err().to_string(),
            "no lane fits this call. echo: its model is echo"
        );
        let named = Want { choice: Choice::Lane("openai".into()), ..want };
        assert_eq!(
            lanes.decide(&named, &[], None).unwrap_err().to_string(),
            format!(
                "lane openai (not configured) is not available. Ways out: {HERE}, or `:lane echo` (offline, made-up answers)"
            )
        );
    }

    #[test]
    fn rows_list_what_is_and_what_could_be() {
        let rows = lanes(false).rows();
        let names: Vec<(&str, bool)> = rows.iter().map(|r| (&*r.name, r.configured)).collect();
        assert_eq!(
            names,
            [("echo", true), ("onnx_local", false), ("anthropic", false), ("openrouter", false)]
        );
        assert_eq!(&*rows[2].why_not, PREDECLARED[2].1);
    }
}
