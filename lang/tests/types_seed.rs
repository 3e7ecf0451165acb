//! The seed's first program with its declarations, through the checker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::Workspace;

#[test]
fn prelude_has_no_errors() {
    let workspace = Workspace::new();
    let prelude = workspace.prelude();
    assert!(prelude.diagnostics.is_empty(), "{:#?}", prelude.diagnostics);
    assert!(prelude.definitions.types.len() > 20);
}

#[test]
fn arithmetic() {
    let mut workspace = Workspace::new();
    let id = workspace
        .add_cell("function f(a : Int) -> Int { return a * 2 + 1 }\nlet x := f(20)\nx + 1");
    let checked = workspace.check(id);
    assert!(checked.diagnostics.is_empty(), "{:#?}", checked.diagnostics);
    assert_eq!(checked.steps.len(), 2);
}

const DECLARATIONS: &str = r#"
type Symbol = Text
struct MarketSignal { symbol : Symbol, price : Float }
enum Trend { Up, Flat, Down }
struct MarketAnalysis { trend : Trend, volatility : Float }
struct Trade { symbol : Symbol, quantity : Int }
type Order = Trade
struct TradeResult { order_id : Int, filled : Int }
struct Portfolio { cash : Money, exposure : Float }
struct RiskScore { score : Float }
enum Decision { Hold, Buy(quantity : Int), Sell(quantity : Int), NoTrade(reason : Text) }
tool MarketDataAPI { function latest(symbol : Symbol) -> Float { return 101.5 } }
tool BrokerAPI { function execute(trade : Trade) -> TradeResult { return TradeResult(1, trade.quantity) } }
tool PostgreSQL { function record(row : Dyn) { print("recorded") } }
function analyze_market(symbol : Symbol) -> MarketAnalysis { return MarketAnalysis(Trend.Up, 0.2) }
function execute_trade(order : Order) -> TradeResult { return TradeResult(1, order.quantity) }
function risk_assessment(p : Portfolio) -> RiskScore { return RiskScore(p.exposure) }
let current_portfolio := Portfolio($10_000.00, 0.4)
"#;

const PROGRAM: &str = include_str!("../../tests/seed/l1_trading_agent.ag");

#[test]
fn the_seed_checks_with_its_declarations() {
    let mut workspace = Workspace::new();
    for text in [
        DECLARATIONS,
        PROGRAM,
        "let trader := @spawn(TradingAgent)\nawait trader.trade_decision(MarketSignal(\"ACME\", 101.5))",
        "let current_portfolio := Portfolio($10_000.00, 0.9)\nawait trader.trade_decision(MarketSignal(\"ACME\", 101.5))",
    ] {
        let id = workspace.add_cell(text);
        let checked = workspace.check(id);
        assert!(checked.diagnostics.is_empty(), "{text}\n{:#?}", checked.diagnostics);
    }
}

#[test]
fn alone_the_seed_names_each_missing_thing_once() {
    let mut workspace = Workspace::new();
    let id = workspace.add_cell(PROGRAM);
    let checked = workspace.check(id);
    let told: Vec<String> =
        checked.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect();
    println!("{told:#?}");
    for name in [
        "Symbol",
        "MarketAnalysis",
        "Order",
        "TradeResult",
        "Portfolio",
        "RiskScore",
        "MarketDataAPI",
        "BrokerAPI",
        "PostgreSQL",
        "MarketSignal",
        "Decision",
        "current_portfolio",
    ] {
        let found = told.iter().filter(|told| told.contains(&format!("`{name}`"))).count();
        assert_eq!(found, 1, "{name}: {told:#?}");
    }
    assert_eq!(told.len(), 12, "{told:#?}");
}

/// The runtime makes and reads values of these by shapes it builds itself; both sides must mean the same.
#[test]
fn the_runtime_and_the_prelude_agree_on_shapes() {
    use ag_lang::types::shape::{declared_shape, shape_of};
    use ag_lang::types::ty::Ty;
    use ag_runtime::value::prelude;
    use ag_runtime::value::shape::shape;
    let workspace = Workspace::new();
    let db = workspace.database();
    let plain = |name: &str| Ty::prelude(name, Vec::new());
    for (ty, id) in [
        (plain("Outcome"), prelude::outcome()),
        (plain("Explanation"), prelude::explanation()),
        (Ty::prelude("Episode", vec![Ty::Dyn, Ty::Dyn]), prelude::episode()),
        (plain("Recollection"), prelude::recollection()),
        (plain("Response"), prelude::response()),
        (plain("Span"), prelude::span()),
        (plain("FaultFrame"), prelude::fault_frame()),
        (plain("Fault"), prelude::fault()),
        (plain("Backpressure"), prelude::backpressure()),
        (plain("QuotaAction"), prelude::quota_action()),
        (plain("Supervise"), prelude::supervise()),
    ] {
        assert_eq!(shape_of(db, &ty), id, "{ty}");
        let declared = declared_shape(db, &ty).unwrap();
        // Documentation is the prelude's alone.
        assert_eq!(undocumented(declared), undocumented(shape(id).clone()), "{ty}");
    }
}

fn undocumented(shape: ag_runtime::value::shape::Shape) -> ag_runtime::value::shape::Shape {
    use ag_runtime::value::shape::{FieldShape, Shape};
    let strip = |fields: &mut Box<[FieldShape]>| {
        fields.iter_mut().for_each(|field| field.doc = "".into());
    };
    match shape {
        Shape::Record(mut record) => {
            strip(&mut record.fields);
            Shape::Record(record)
        }
        Shape::Enum(mut def) => {
            def.variants.iter_mut().for_each(|variant| strip(&mut variant.fields));
            Shape::Enum(def)
        }
        other => other,
    }
}
