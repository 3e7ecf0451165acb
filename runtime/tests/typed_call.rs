//! Typed calls against the echo lane and against a lane that gives its replies in order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::clock::{Clock, VirtualClock};
use ag_runtime::journal::effect::EffectJournal;
use ag_runtime::lane::conversation::call;
use ag_runtime::lane::echo::Echo;
use ag_runtime::lane::error::LaneError;
use ag_runtime::lane::grant::Person;
use ag_runtime::lane::price::Price;
use ag_runtime::lane::registry::{Choice, Lanes, Want};
use ag_runtime::lane::request::{
    Form, LaneCard, Message, Problem, Provider, Reply, Request, Role, SendError, Sending, Usage,
};
use ag_runtime::lane::typed::{Answer, LaneServices, TypedCall};
use ag_runtime::ledger::Ledger;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::ledger::quota::{LimitNode, QuotaAction};
use ag_runtime::ledger::report::Outcome;
use ag_runtime::rng::Seed;
use ag_runtime::value::shape::{EnumShape, FieldShape, Shape, ShapeId, VariantShape, intern};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// A lane that answers with its script, in order.
struct Scripted {
    card: LaneCard,
    script: Mutex<VecDeque<Result<&'static str, SendError>>>,
    asked: Mutex<Vec<Vec<Message>>>,
}

impl Scripted {
    fn new(name: &str, script: Vec<Result<&'static str, SendError>>) -> Arc<Self> {
        Self::priced(name, Price::flat(MicroUsd(1_000_000), MicroUsd(1_000_000)), script)
    }

    fn priced(name: &str, price: Price, script: Vec<Result<&'static str, SendError>>) -> Arc<Self> {
        let card = LaneCard {
            name: name.into(),
            model: "scripted".into(),
            price,
            context_tokens: 10_000,
            latency_ns: 1_000_000,
            made_up: true,
        };
        Arc::new(Self { card, script: Mutex::new(script.into()), asked: Mutex::default() })
    }
}

impl Provider for Scripted {
    fn card(&self) -> &LaneCard {
        &self.card
    }

    fn count_tokens(&self, messages: &[Message], _: Option<&Form>) -> u64 {
        messages.len() as u64 * 10
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a> {
        self.asked.lock().unwrap().push(request.messages.clone());
        let next = self.script.lock().unwrap().pop_front();
        let reply = next.unwrap_or(Err(SendError::Refused { reason: "script is over".into() }));
        let usage = Usage {
            input: self.count_tokens(&request.messages, None),
            output: 5,
            ..Usage::default()
        };
        Box::pin(async move {
            reply.map(|text| Reply {
                text: text.to_owned(),
                calls: vec![],
                model: "scripted".into(),
                usage,
                billed: None,
                latency_ns: None,
                request_id: None,
            })
        })
    }
}

struct Fixture {
    _folder: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    services: LaneServices,
}

fn fixture(lanes: Vec<Arc<dyn Provider>>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::default());
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let budget = Some(MicroUsd(1_000_000));
    let echo = Echo::new(Arc::clone(&shared), Seed(0));
    let mut providers: Vec<Arc<dyn Provider>> = vec![Arc::new(echo)];
    providers.extend(lanes);
    let services = LaneServices {
        ledger: Ledger::open(folder.path(), Arc::clone(&shared), Durability::Process, budget),
        lanes: Arc::new(Lanes::new(providers, false)),
        journal: Arc::new(EffectJournal::default()),
        clock: shared,
        seed: Seed(0),
        replies: Arc::default(),
    };
    Fixture { _folder: folder, clock, services }
}

/// `enum Decision { Hold, Buy(quantity : Int) }`
fn decision() -> Form {
    let buy = VariantShape {
        name: "Buy".into(),
        fields: Box::new([FieldShape::new("quantity", ShapeId::INT)]),
    };
    let variants = Box::new([VariantShape::unit("Hold"), buy]);
    let shape = intern(Shape::Enum(EnumShape { name: "Decision".into(), variants }));
    let check = |value: &Value| {
        let ok = match value["kind"].as_str() {
            Some("Hold") => true,
            Some("Buy") => value["quantity"].is_i64(),
            _ => false,
        };
        let problem = Problem { path: "$.kind".into(), message: "expected Hold or Buy".into() };
        if ok { vec![] } else { vec![problem] }
    };
    Form { shape, check: Arc::new(check) }
}

fn ask(prompt: &str, form: Option<Form>) -> TypedCall {
    TypedCall {
        messages: vec![Message::new(Role::User, prompt.to_owned())],
        form,
        want: Want {
            choice: Choice::Auto,
            model: None,
            preference: vec![],
            latency_budget_ns: None,
            cost_budget: None,
            deadline: None,
            max_tokens: 512,
            tools: Arc::new([]),
            agent: "TradingAgent".into(),
            cell: 3,
        },
        temperature: 0.0,
        repair: 2,
        retries: 2,
        max_steps: 8,
        timeout_ns: 60_000_000_000,
        max_cost: None,
        limits: None,
        cache: false,
        stream: None,
        person: Person::default(),
        track: None,
    }
}

async fn run(f: &Fixture, request: TypedCall) -> Result<Answer, LaneError> {
    call(&f.services, request).await
}

#[tokio::test]
async fn the_seeds_call_gives_hold_for_25_micro_dollars() {
    let f = fixture(vec![]);
    let prompt = r#"Based on {"trend":"Up","volatility":0.2} and [], should we trade?"#;
    let answer = run(&f, ask(prompt, Some(decision()))).await.unwrap();
    assert_eq!(answer.text, r#"{"kind":"Hold"}"#);
    assert_eq!(answer.value, json!({"kind": "Hold"}));
    assert_eq!((answer.tokens_in, answer.tokens_out), (17, 4));
    assert_eq!(answer.cost.to_string(), "$0.000025");
    assert_eq!(answer.latency_ns, 5_000_000);
    assert!(answer.made_up);
    let report = f.services.ledger.report();
    assert_eq!((report.total.calls, report.total.cost), (1, MicroUsd(25)));
    assert_eq!(report.by_agent[0].key, "TradingAgent".into());
    let effects = f.services.journal.records();
    assert_eq!((effects.len(), &*effects[0].path), (1, "llm"));
    assert_eq!(effects[0].payload.as_ref().unwrap().cost, MicroUsd(25));
}

#[tokio::test]
async fn the_last_program_of_the_seed_costs_eight_micro_dollars() {
    let f = fixture(vec![]);
    let answer = run(&f, ask("hello", None)).await.unwrap();
    assert_eq!(answer.text, "echo: hello");
    assert_eq!((answer.tokens_in, answer.tokens_out, answer.cost), (2, 3, MicroUsd(8)));
}

#[tokio::test]
async fn a_wrong_reply_is_repaired_and_every_round_is_paid_and_traced() {
    let lane =
        Scripted::new("paid", vec![Ok("Sell everything"), Ok("```json\n{kind: 'Hold',}\n```")]);
    let f = fixture(vec![lane.clone()]);
    let answer = run(&f, ask("Trade?", Some(decision()))).await.unwrap();
    assert_eq!(answer.value, json!({"kind": "Hold"}));
    assert_eq!(answer.repaired.len(), 1);
    assert_eq!(answer.repaired[0].text, "Sell everything");
    assert_eq!((answer.tokens_in, answer.tokens_out, answer.cost), (40, 10, MicroUsd(50)));
    assert_eq!(f.services.journal.count(), 2);
    let asked = lane.asked.lock().unwrap();
    assert_eq!(asked[1][1], Message::new(Role::Assistant, "Sell everything"));
    assert_eq!(
        asked[1][2].text,
        "Your reply does not fit the schema:\n- $.kind: expected Hold or Buy\nAnswer again with the corrected JSON only."
    );
}

#[tokio::test]
async fn after_the_last_repair_the_fault_carries_all_replies() {
    let lane = Scripted::new(
        "paid",
        vec![Ok("a"), Ok("b"), Ok("{\"kind\": \"Sell\"}"), Ok("never asked")],
    );
    let f = fixture(vec![lane.clone()]);
    let error = run(&f, ask("Trade?", Some(decision()))).await.unwrap_err();
    let fault = error.to_fault();
    assert_eq!(fault.code, "R0605");
    let texts: Vec<&Value> =
        fault.data["replies"].as_array().unwrap().iter().map(|r| &r["text"]).collect();
    assert_eq!(texts, [&json!("a"), &json!("b"), &json!("{\"kind\": \"Sell\"}")]);
    assert_eq!(f.services.ledger.report().total.calls, 3);
    assert_eq!(lane.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn repair_stays_within_the_limits() {
    let lane = Scripted::new("paid", vec![Ok("a"), Ok("{\"kind\":\"Hold\"}")]);
    let f = fixture(vec![lane.clone()]);
    // The first round holds 10 + 512 and costs 15; the second would hold 30 + 512.
    let limits = Some(LimitNode::lexical(
        f.services.ledger.cell(1).into(),
        MicroUsd(550),
        QuotaAction::Stop,
    ));
    let error = run(&f, TypedCall { limits, ..ask("Trade?", Some(decision())) }).await.unwrap_err();
    assert_eq!(error.code(), "R0601");
    assert_eq!(lane.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_that_may_cost_too_much_is_never_sent() {
    let lane = Scripted::new("paid", vec![Ok("x")]);
    let f = fixture(vec![lane.clone()]);
    let request = TypedCall { max_cost: Some(MicroUsd(100)), ..ask("p", None) };
    let error = run(&f, request).await.unwrap_err();
    assert_eq!(error.code(), "R0601");
    assert_eq!(lane.asked.lock().unwrap().len(), 0);
    assert_eq!(f.services.ledger.report().calls, []);
    assert_eq!(f.services.journal.count(), 0);
}

#[tokio::test]
async fn a_limit_that_degrades_sends_the_call_to_its_lane() {
    let dear = Price::flat(MicroUsd(10_000_000), MicroUsd(10_000_000));
    let lane = Scripted::priced("dear", dear, vec![Ok("x")]);
    let f = fixture(vec![lane.clone()]);
    let limit = |micros: i64| {
        let cell = f.services.ledger.cell(1);
        Some(LimitNode::lexical(cell.into(), MicroUsd(micros), QuotaAction::Degrade("echo".into())))
    };
    // The dear lane may cost 5,220, echo 1,025.
    let answer = run(&f, TypedCall { limits: limit(2_000), ..ask("p", None) }).await.unwrap();
    assert_eq!(&*answer.lane, "echo");
    assert_eq!(lane.asked.lock().unwrap().len(), 0);
    let error = run(&f, TypedCall { limits: limit(1_000), ..ask("p", None) }).await.unwrap_err();
    assert_eq!(error.code(), "R0601");
    let answer = run(&f, TypedCall { limits: limit(6_000), ..ask("p", None) }).await.unwrap();
    assert_eq!(&*answer.lane, "dear");
}

#[tokio::test]
async fn busy_lanes_are_asked_again_and_cost_nothing_lost_ones_cost_the_worst_case() {
    let busy =
        || Err(SendError::Busy { reason: "429".into(), retry_after_ns: Some(1_000_000_000) });
    let lost = Err(SendError::Lost { reason: "cut off".into() });
    let lane = Scripted::new("paid", vec![busy(), lost, Ok("fine")]);
    let f = fixture(vec![lane]);
    let answer = run(&f, ask("p", None)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.cost), ("fine", MicroUsd(15)));
    let report = f.services.ledger.report();
    let outcomes: Vec<(Outcome, i64)> =
        report.calls.iter().map(|row| (row.outcome, row.cost.micros())).collect();
    assert_eq!(
        outcomes,
        [(Outcome::Settled, 0), (Outcome::Uncertain, 522), (Outcome::Settled, 15)]
    );
    assert!(f.clock.monotonic_ns() >= 1_000_000_000, "it waited as it was told");
}

#[tokio::test]
async fn when_a_lane_refuses_the_next_one_answers() {
    let broken =
        Scripted::new("broken", vec![Err(SendError::Refused { reason: "bad key".into() })]);
    let good = Scripted::new("good", vec![Ok("fine")]);
    let f = fixture(vec![broken.clone(), good]);
    let answer = run(&f, ask("p", None)).await.unwrap();
    assert_eq!(&*answer.lane, "good");
    assert_eq!(broken.asked.lock().unwrap().len(), 1, "a refusal is not asked again");
    let named = Want { choice: Choice::Lane("broken".into()), ..ask("p", None).want };
    let error = run(&f, TypedCall { want: named, ..ask("p", None) }).await.unwrap_err();
    assert_eq!(error.code(), "R0606");
    assert_eq!(error.to_string(), "lane broken gave no answer: script is over");
}

#[tokio::test]
async fn echo_repeats_a_wrong_answer_until_repair_is_exhausted() {
    let f = fixture(vec![]);
    let error = run(&f, ask("echo: {\"kind\": \"Nope\"}", Some(decision()))).await.unwrap_err();
    assert_eq!(error.code(), "R0605");
    assert_eq!(f.services.ledger.report().total.calls, 3);
}

#[tokio::test]
async fn dropping_a_call_under_way_charges_its_worst_case() {
    struct Silent(LaneCard);
    impl Provider for Silent {
        fn card(&self) -> &LaneCard {
            &self.0
        }
        fn count_tokens(&self, _: &[Message], _: Option<&Form>) -> u64 {
            10
        }
        fn send<'a>(&'a self, _: &'a Request) -> Sending<'a> {
            Box::pin(std::future::pending())
        }
    }
    let card = Scripted::new("silent", vec![]).card.clone();
    let f = fixture(vec![Arc::new(Silent(card))]);
    let cut = tokio::time::timeout(std::time::Duration::from_millis(50), run(&f, ask("p", None)));
    assert!(cut.await.is_err());
    let report = f.services.ledger.report();
    assert_eq!(report.calls[0].outcome, Outcome::Uncertain);
    assert_eq!((report.total.cost, report.reserved), (MicroUsd(522), MicroUsd::ZERO));
}
