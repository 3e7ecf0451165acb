//! Money, lanes and memory as a program meets them: the rows of section 11, called as compiled code calls them.

use crate::support::{Agent, INT, TEXT, Test, ask, spawn};
use ag_runtime::builtin::intrinsic;
use ag_runtime::code::OK;
use ag_runtime::context::Cx;
use ag_runtime::fault::Faulted;
use ag_runtime::ledger::flush::Durability;
use ag_runtime::ledger::money::MicroUsd;
use ag_runtime::rng::Seed;
use ag_runtime::services::{ServiceOptions, Services};
use ag_runtime::value::count::release;
use ag_runtime::value::json::{from_json, to_json};
use ag_runtime::value::owned::Owned;
use ag_runtime::value::prelude::{
    episode_id, lane, outcome, prompt, quota_action, recollection, response,
};
use ag_runtime::value::record::NONE;
use ag_runtime::value::shape::{
    EnumShape, FieldShape, RecordShape, Shape, ShapeId, VariantShape, intern,
};
use ag_runtime::world::World;
use ag_runtime::world::options::WorldOptions;
use serde_json::{Value, json};
use std::path::Path;

fn call(cx: &mut Cx, name: &str, args: &[u64]) -> Result<u64, Faulted> {
    let row = intrinsic(name).unwrap().get().unwrap();
    assert_eq!(row.words as usize, args.len(), "{name}");
    if (row.call)(cx, args.as_ptr()) == OK { Ok(cx.result) } else { Err(Faulted) }
}

fn leave(cx: &mut Cx, name: &str, scope: u64) {
    let exit = intrinsic(name).unwrap().get().unwrap().exit.unwrap();
    assert_eq!(exit(cx, &raw const scope), OK);
}

fn options(folder: &Path, options: WorldOptions) -> WorldOptions {
    let services = ServiceOptions {
        home: folder.join("home"),
        stores: folder.join(".ag"),
        durability: Durability::Process,
        budget: Some(MicroUsd(1_000_000)),
        models: None,
        in_test: false,
    };
    WorldOptions { services: Some(services), ..options }
}

fn services(world: &World) -> &Services {
    world.services().unwrap()
}

/// `enum Decision { Hold, Buy(quantity : Int) }`
fn decision() -> ShapeId {
    let buy =
        VariantShape { name: "Buy".into(), fields: Box::new([FieldShape::new("quantity", INT)]) };
    let variants = Box::new([VariantShape::unit("Hold"), buy]);
    intern(Shape::Enum(EnumShape { name: "Decision".into(), variants }))
}

fn value(json: &Value, shape: ShapeId) -> Owned {
    Owned::new(from_json(json, shape).unwrap(), shape)
}

/// `@llm_call(text, provider: auto)` for the type `wanted`, as JSON.
fn llm(cx: &mut Cx, text: &str, wanted: ShapeId) -> Result<Value, Faulted> {
    let parts = value(&json!([{"kind": "Instruction", "value": text}]), prompt());
    let provider = value(&json!("auto"), lane());
    let none = value(&Value::Null, ShapeId::option(TEXT));
    let unbounded = value(&Value::Null, ShapeId::option(ShapeId::MONEY));
    let args = [
        parts.value(),
        provider.value(),
        none.value(),
        NONE,
        NONE,
        512,
        0.0f64.to_bits(),
        2,
        2,
        8,
        60_000_000_000,
        unbounded.value(),
        0,
        NONE,
        u64::from(wanted.0),
        u64::from(ShapeId::UNIT.0),
        u64::from(ShapeId::UNIT.0),
    ];
    let word = call(cx, "llm_call", &args)?;
    let json = to_json(word, wanted).unwrap();
    release(word, wanted);
    Ok(json)
}

fn episode_shape() -> ShapeId {
    let texts = ShapeId::list(TEXT);
    let fields = Box::new([
        FieldShape::new("context", TEXT),
        FieldShape::new("action", decision()),
        FieldShape { required: false, ..FieldShape::new("outcome", outcome()) },
        FieldShape { required: false, ..FieldShape::new("entities", texts) },
        FieldShape { required: false, ..FieldShape::new("at", ShapeId::TIME) },
    ]);
    intern(Shape::Record(RecordShape { name: Some("Episode".into()), fields, is_tool: false }))
}

fn remember(cx: &mut Cx, context: &str) -> Result<Value, Faulted> {
    let episode = json!({
        "context": context,
        "action": {"kind": "Hold"},
        "outcome": {"kind": "Pending"},
        "entities": [],
        "at": "2026-01-01T00:00:00Z"
    });
    let episode = value(&episode, episode_shape());
    let links = value(&json!([]), ShapeId::list(episode_id()));
    let shapes = [u64::from(TEXT.0), u64::from(decision().0)];
    let id = call(cx, "remember", &[episode.value(), links.value(), shapes[0], shapes[1]])?;
    let json = to_json(id, episode_id()).unwrap();
    release(id, episode_id());
    Ok(json)
}

fn recall(cx: &mut Cx, query: &str) -> Result<Value, Faulted> {
    let text = value(&json!(query), TEXT);
    let filter = value(&json!({}), ShapeId::DYN);
    let found = call(cx, "recall", &[text.value(), 10, 0.0f64.to_bits(), filter.value()])?;
    let shape = ShapeId::list(recollection());
    let json = to_json(found, shape).unwrap();
    release(found, shape);
    Ok(json)
}

/// One behavior that recalls, asks, remembers, and says what it spent; the seed's first program in small.
fn trade(cx: &mut Cx) -> Result<u64, Faulted> {
    let history = recall(cx, "similar trades to ACME")?;
    let limit = call(cx, "with_cost_limit", &[50_000, 1])?;
    let prompt = format!("{history} should we trade?");
    let decision = llm(cx, &prompt, decision())?;
    assert_eq!(decision, json!({"kind": "Hold"}));
    remember(cx, "ACME at 101.5")?;
    let spent = call(cx, "spent", &[])?;
    leave(cx, "with_cost_limit", limit);
    Ok(spent)
}

fn an_agent_trades_twice(options: WorldOptions) {
    let test = Test::with(options);
    let kind =
        Agent::plain(test.world(), "Trader").on("trade", &[], INT, |cx, _| trade(cx)).install();
    let spent = test.cell(move |cx| {
        let agent = spawn(cx, kind, vec![])?;
        let first = ask(cx, agent, "trade", vec![])?;
        let second = ask(cx, agent, "trade", vec![])?;
        assert!(second > first, "the second prompt holds what was recalled");
        let cell = call(cx, "spent", &[])?;
        assert_eq!(cell, first + second, "what an agent spends counts for the cell that asked");
        Ok(cell)
    });
    let spent = spent.unwrap();
    let services = services(test.world());
    let report = services.ledger().report();
    assert_eq!(report.total.cost.micros().cast_unsigned(), spent);
    assert_eq!((report.total.calls, &*report.by_agent[0].key), (2, "Trader"));
    let recalls = services.memories().recalls();
    let found: Vec<usize> = recalls.iter().map(|recalled| recalled.results.len()).collect();
    assert_eq!(found, [0, 1]);
    assert!((recalls[1].results[0].why.score() - recalls[1].results[0].score).abs() < 1e-9);
    let effects = test.world().effects().records();
    let paths: Vec<&str> = effects.iter().map(|effect| &*effect.path).collect();
    assert_eq!(paths, ["memory.read", "llm", "memory.write", "memory.read", "llm", "memory.write"]);
}

#[test]
fn an_agent_recalls_asks_and_remembers_in_virtual_time() {
    let folder = tempfile::tempdir().unwrap();
    an_agent_trades_twice(options(folder.path(), WorldOptions::seeded(Seed(1))));
}

#[test]
fn an_agent_recalls_asks_and_remembers_in_real_time() {
    let folder = tempfile::tempdir().unwrap();
    let real = WorldOptions { workers: 2, ..WorldOptions::real(Seed(1)) };
    an_agent_trades_twice(options(folder.path(), real));
}

#[test]
fn a_whole_response_says_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let test = Test::with(options(folder.path(), WorldOptions::seeded(Seed(1))));
    let ended = test.cell(|cx| {
        let reply = llm(cx, "hello", response())?;
        assert_eq!(
            reply,
            json!({
                "text": "echo: hello", "lane": "echo", "model": "echo", "tokens_in": 2, "tokens_out": 3,
                "cost": 0.000_008, "latency": "5ms"
            })
        );
        assert_eq!(cx.world.clock().monotonic_ns(), 5_000_000, "it took its time of the clock");
        assert_eq!(llm(cx, "hello", TEXT)?, json!("echo: hello"));
        Ok(0)
    });
    assert!(ended.is_ok(), "{ended:?}");
}

#[test]
fn a_limit_that_cannot_cover_a_call_stops_it_and_ends_with_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let test = Test::with(options(folder.path(), WorldOptions::seeded(Seed(1))));
    let ended = test.cell(|cx| {
        let scope = call(cx, "with_cost_limit", &[100, 1])?;
        assert!(llm(cx, "hello", TEXT).is_err());
        let fault = cx.fault.take().unwrap();
        assert_eq!(fault.code, "R0601");
        assert!(fault.message.starts_with("@with_cost_limit($0.0001) cannot cover"), "{fault}");
        leave(cx, "with_cost_limit", scope);
        llm(cx, "hello", TEXT)?;
        call(cx, "spent", &[])
    });
    assert_eq!(ended.unwrap(), 8);
}

#[test]
fn a_limit_that_only_warns_tells_the_cell() {
    let folder = tempfile::tempdir().unwrap();
    let test = Test::with(options(folder.path(), WorldOptions::seeded(Seed(1))));
    let ended = test.cell(|cx| {
        let alert = value(&json!({"kind": "Alert", "value": "dear!"}), quota_action());
        let scope = call(cx, "with_cost_limit", &[1, alert.value()])?;
        llm(cx, "hello", TEXT)?;
        leave(cx, "with_cost_limit", scope);
        Ok(0)
    });
    assert!(ended.is_ok(), "{ended:?}");
    assert_eq!(test.sink.lines(), ["1: alert: dear! (@with_cost_limit($0.000001) was passed)\n"]);
}

#[test]
fn a_measurement_shows_the_calls_of_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let test = Test::with(options(folder.path(), WorldOptions::seeded(Seed(1))));
    let ended = test.cell(|cx| {
        llm(cx, "before", TEXT)?;
        let scope = call(cx, "measure_cost", &[])?;
        llm(cx, "hello", TEXT)?;
        assert_eq!(call(cx, "spent", &[])?, 8);
        leave(cx, "measure_cost", scope);
        Ok(0)
    });
    assert!(ended.is_ok(), "{ended:?}");
    let lines = test.sink.lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("1: Measured([CallRow"), "{}", lines[0]);
    assert!(lines[0].contains("cost: MicroUsd(8)"), "{}", lines[0]);
}

#[test]
fn cancelling_a_cell_cuts_its_call_off_and_settles_it() {
    let folder = tempfile::tempdir().unwrap();
    let real = WorldOptions { workers: 1, ..WorldOptions::real(Seed(1)) };
    let test = Test::with(options(folder.path(), real));
    let handle = test.start(1, |cx| {
        loop {
            llm(cx, "hello", TEXT)?;
        }
    });
    while services(test.world()).ledger().report().total.calls < 2 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    test.world().interrupt(1);
    assert!(handle.join().is_err());
    // The executor drops the call that was cut off a little later.
    while services(test.world()).ledger().session().reserved() > MicroUsd::ZERO {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[test]
fn a_world_without_a_home_says_so() {
    let test = Test::seeded();
    assert_eq!(test.code(|cx| recall(cx, "x").map(|_| 0)), "R1006");
    assert_eq!(test.code(|cx| llm(cx, "x", TEXT).map(|_| 0)), "R1006");
    assert_eq!(test.code(|cx| call(cx, "measure_cost", &[])), "R1006");
}
