//! One output of each kind, made of the facts of a small session.

use ag_kernel::output::cost::{
    BudgetView, CostRow, CostView, CrashView, GrantRow, LimitRow, TokenCounts,
};
use ag_kernel::output::diagnostic::{DiagnosticView, FaultView, FrameView, NamedValue, Place};
use ag_kernel::output::media::MediaView;
use ag_kernel::output::recall::{CausalStep, Counterfactual, RecallView, RecollectionRow, TermRow};
use ag_kernel::output::table::{Column, TableCell, TableView, ValueView};
use ag_kernel::output::test_run::{TestOutcome, TestView, TestsView};
use ag_kernel::output::trace::{AgentRow, AgentsView, MessageRow, SpanKind, SpanRow, TraceView};
use ag_kernel::output::{Content, Display, Note, NoteLevel, Output, Page, ProgressView};
use ag_lang::diag::snippet::SourceText;
use ag_lang::diag::{Diagnostic, codes};
use ag_lang::source::Span;
use serde_json::json;

pub fn all() -> Vec<(&'static str, Output)> {
    vec![
        ("value", Output::Value(value())),
        ("value-table", Output::Value(records())),
        ("display", display(value(), false)),
        ("display-update", display(value(), true)),
        (
            "html",
            display(
                media(
                    "html",
                    MediaView::Html("<h3>Desk</h3><p>1 &lt; 2 &amp; <b>more</b></p>".into()),
                ),
                false,
            ),
        ),
        ("svg", Output::Value(media("svg", MediaView::Svg(DRAWING.into())))),
        ("markdown", display(media("markdown", MediaView::Markdown(REPORT.into())), false)),
        ("latex", display(media("latex", MediaView::Latex("x^2 + 1".into())), false)),
        ("vega", display(media("vega", MediaView::Vega(description())), false)),
        ("table", Output::Table(wide())),
        ("warning", Output::Diagnostics(vec![warning()])),
        ("error", Output::Diagnostics(vec![error()])),
        ("fault", Output::Fault(fault())),
        ("fault-card", Output::FaultCard(fault())),
        ("trace", Output::Trace(trace())),
        ("trace-busy", Output::Trace(busy_trace())),
        ("agents", Output::Agents(AgentsView { agents: agents().split_off(1), hidden: 0 })),
        ("cost", Output::Cost(cost())),
        ("cost-chart", Output::CostChart(cost())),
        (
            "cost-empty",
            Output::Cost(CostView { scope: "this session".into(), ..CostView::default() }),
        ),
        ("budget", Output::Budget(budget())),
        ("cost-line", Output::CostLine(line())),
        ("recall", Output::Recall(recall())),
        ("tests", Output::Tests(tests())),
        ("page", Output::Page(page())),
        (
            "note",
            Output::Note(Note {
                level: NoteLevel::Warning,
                text: "no model is installed: <b>bold</b> answers come from echo".into(),
            }),
        ),
        (
            "progress",
            Output::Progress(ProgressView {
                id: "p1".into(),
                label: "sweep".into(),
                done: 7,
                total: 20,
                update: true,
            }),
        ),
    ]
}

fn tests() -> TestsView {
    let test = |title: &str, line: u32, outcome: TestOutcome, outputs: Vec<Output>| TestView {
        title: title.into(),
        origin: "risk.ag".into(),
        line,
        outcome,
        outputs,
    };
    let different = FaultView {
        values: Vec::new(),
        difference: vec!["  a".into(), "- b".into(), "+ <b>bold</b>".into()],
        ..fault()
    };
    TestsView {
        tests: vec![
            test("<b>high</b> risk never trades", 12, TestOutcome::Passed, vec![]),
            test(
                "answers",
                20,
                TestOutcome::Failed,
                vec![Output::Stdout("asked\n".into()), Output::Fault(different)],
            ),
            test("checks", 31, TestOutcome::Rejected, vec![Output::Diagnostics(vec![error()])]),
        ],
    }
}

const DRAWING: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"60\" height=\"20\"><title>a bar</title>\
    <rect width=\"40\" height=\"20\" fill=\"#4c8ed9\"/></svg>";

const REPORT: &str = "# Report\n\nA **strong** word, `code` and \\*stars\\*.\n\n- [one](https://example.org)\n- two\n\n```\nlet x := 1\n```\n";

fn description() -> serde_json::Value {
    json!({
        "title": "Prices", "mark": "bar", "data": { "values": [{ "symbol": "ACME", "price": 101.5 }] },
        "encoding": { "x": { "field": "symbol", "type": "nominal" }, "y": { "field": "price", "type": "quantitative" } },
    })
}

fn media(call: &str, media: MediaView) -> ValueView {
    let text = format!("{call}(\"..\")");
    ValueView { text, media: Some(media), type_name: "Media".into(), ..ValueView::default() }
}

fn display(view: ValueView, update: bool) -> Output {
    Output::Display(Display {
        content: Content::Value(Box::new(view)),
        id: Some("display-1".into()),
        update,
    })
}

fn value() -> ValueView {
    ValueView {
        text: "Decision.NoTrade(\"<b>bold</b> risk\")".into(),
        json: Some(json!({ "kind": "NoTrade", "reason": "<b>bold</b> risk" })),
        type_name: "Decision".into(),
        notes: vec!["stale: `current_portfolio` changed in cell 4".into()],
        ..ValueView::default()
    }
}

fn records() -> ValueView {
    let mut table =
        TableView::new(vec![Column::left("symbol"), Column::right("price"), Column::left("trend")]);
    for n in 0..1000 {
        let trend = TableCell::Folded {
            summary: "MarketAnalysis {…}".into(),
            full: "MarketAnalysis { trend: Trend.Up, volatility: 0.2 }".into(),
        };
        let symbol = if n == 1 { "<b>bold</b>".to_owned() } else { format!("ACME{n}") };
        table.rows.push(vec![symbol.into(), format!("{}.5", 100 + n).into(), trend]);
    }
    table.rows.truncate(50);
    table.total_rows = 1000;
    ValueView {
        text: "[Signal { symbol: \"ACME0\", price: 100.5, ... }, ...]".into(),
        media: None,
        json: None,
        table: Some(table),
        type_name: "List<Signal>".into(),
        notes: Vec::new(),
    }
}

fn wide() -> TableView {
    let mut table = TableView::new((0..14).map(|n| Column::right(format!("column {n}"))).collect())
        .titled("Fourteen columns");
    table.push((0..14).map(|n| TableCell::from("9".repeat(n + 1))).collect());
    table.rows[0][3] = TableCell::from("a text\nof two lines with <b>bold</b> and \x1b[31m in it");
    table
}

const CELL: &str = "let total := orders.map(o => o.price / o.quantity).sum\nprint(totla)\n- 1";

fn source(_: Option<ag_lang::source::SourceId>) -> Option<SourceText<'static>> {
    Some(SourceText { title: "cell 3", text: CELL })
}

fn warning() -> DiagnosticView {
    let at = CELL.find("- 1").unwrap() as u32;
    let warning = Diagnostic::new(codes::W0107, Span::new(at, at + 1), "this line starts with `-`")
        .saying("a new statement")
        .fix("end the line before with the operator", Span::at(at), "");
    DiagnosticView::new(&warning, &source)
}

fn error() -> DiagnosticView {
    let at = CELL.find("totla").unwrap() as u32;
    let error = Diagnostic::new(codes::E0201, Span::new(at, at + 5), "`totla` is not defined")
        .saying("not found in this session")
        .fix("write `total`", Span::new(at, at + 5), "total");
    DiagnosticView::new(&error, &source)
}

fn fault() -> FaultView {
    let at = CELL.find("o.price / o.quantity").unwrap() as u32;
    let text = source(None).unwrap();
    let mut fault =
        FaultView::at("R0102", "division by zero", Some((text, Span::new(at, at + 20))));
    let named = |name: &str, value: &str| NamedValue { name: name.into(), value: value.into() };
    fault.values = vec![named("o", "Order { note: \"<b>bold</b>\", price: 3, quantity: 0 }")];
    let place = Place::new(text, Span::new(13, 19));
    fault.chain = vec![
        FrameView { times: 1, function: "lambda in cell 3".into(), at: fault.at.clone() },
        FrameView { times: 1, function: "cell 3".into(), at: Some(place) },
    ];
    fault.data = json!({ "left": 3, "right": 0 });
    fault
}

fn agents() -> Vec<AgentRow> {
    let row = |id, name: &str, state: &str, received, handled, sent, busy_ns| AgentRow {
        id,
        name: name.into(),
        type_name: name.split('#').next().unwrap().into(),
        state: state.into(),
        is_agent: id != 1,
        received,
        handled,
        in_mailbox: received - handled,
        sent,
        faults: 0,
        busy_ns,
        planned: String::new(),
    };
    vec![
        row(1, "cell 3", "waiting", 1, 1, 2, 410_000),
        row(2, "TradingAgent#1", "idle", 2, 2, 3, 690_000),
        row(3, "RiskDesk#1", "running", 3, 1, 1, 2_400_000),
        row(4, "Auditor#1 with a long name", "idle", 1, 0, 0, 0),
    ]
}

fn span(
    agent: u64,
    worker: Option<u32>,
    kind: SpanKind,
    label: &str,
    from: u64,
    to: u64,
) -> SpanRow {
    SpanRow {
        agent,
        worker,
        kind,
        label: label.into(),
        start_ns: from * 1000,
        end_ns: to * 1000,
        message: None,
    }
}

fn message(
    id: u64,
    from: Option<u64>,
    to: u64,
    label: &str,
    sent: u64,
    at: Option<u64>,
) -> MessageRow {
    MessageRow {
        id,
        from,
        to,
        label: label.trim_start_matches("reply ").into(),
        sent_ns: sent * 1000,
        handled_ns: at.map(|at| at * 1000),
        cause: (id > 1).then_some(id - 1),
        is_reply: label.starts_with("reply"),
    }
}

fn trace() -> TraceView {
    use SpanKind::{Fault, Lane, Memory, Run, Wait};
    TraceView {
        scope: "cell 3".into(),
        duration_ns: 12_400_000,
        workers: 2,
        agents: agents(),
        spans: vec![
            span(1, Some(0), Run, "cell 3", 0, 700),
            span(1, None, Wait, "trade_decision", 700, 12_000),
            span(1, Some(0), Run, "cell 3", 12_000, 12_400),
            span(2, Some(1), Run, "trade_decision", 900, 1_800),
            span(2, None, Memory, "recall", 1_800, 2_600),
            span(2, Some(1), Run, "trade_decision", 2_600, 2_900),
            span(2, None, Lane, "echo", 2_900, 7_900),
            span(2, Some(0), Run, "trade_decision", 7_900, 8_500),
            span(2, None, Memory, "remember", 8_500, 11_200),
            span(2, Some(1), Run, "trade_decision", 11_200, 11_500),
            span(3, Some(1), Run, "assess", 3_200, 5_600),
            span(3, Some(1), Fault, "assess", 8_800, 9_300),
        ],
        messages: vec![
            message(1, Some(1), 2, "trade_decision", 600, Some(900)),
            message(2, Some(2), 3, "assess", 2_800, Some(3_200)),
            message(3, Some(2), 3, "assess", 8_400, Some(8_800)),
            message(4, Some(2), 1, "reply trade_decision", 11_500, Some(12_000)),
            message(5, Some(3), 4, "note <b>bold</b>", 9_200, None),
        ],
        dropped: 0,
        made_up_lanes: vec!["echo".into()],
    }
}

/// Too many spans to draw one by one.
fn busy_trace() -> TraceView {
    let agents: Vec<AgentRow> = (0..40)
        .map(|id| AgentRow {
            id,
            name: format!("Worker#{id}"),
            type_name: "Worker".into(),
            is_agent: true,
            state: "idle".into(),
            received: 250,
            handled: 250,
            busy_ns: 1_000 * id,
            ..AgentRow::default()
        })
        .collect();
    let mut spans = Vec::new();
    let mut messages = Vec::new();
    for n in 0..10_000u64 {
        let (agent, from) = ((n * 7) % 40, n * 50);
        let length = 8 + (n * n / 977) % 38;
        let worker = Some((n % 2) as u32);
        spans.push(span(agent, worker, SpanKind::Run, "step", from, from + length));
        if n % 10 == 0 {
            messages.push(message(
                n + 1,
                Some(agent),
                (agent + 7) % 40,
                "step",
                from,
                Some(from + 60),
            ));
        }
    }
    TraceView {
        scope: "last 500 ms".into(),
        duration_ns: 500_000_000,
        workers: 2,
        agents,
        spans,
        messages,
        dropped: 1234,
        made_up_lanes: Vec::new(),
    }
}

fn budget() -> BudgetView {
    let limit = |name: &str, limit, spent, reserved, on_exceed: &str| LimitRow {
        name: name.into(),
        limit_micro_usd: limit,
        spent_micro_usd: spent,
        reserved_micro_usd: reserved,
        on_exceed: on_exceed.into(),
        ..LimitRow::default()
    };
    BudgetView {
        limits: vec![
            limit("session", 1_000_000, 124_525, 50_000, "stop"),
            LimitRow {
                granted_micro_usd: 50_000,
                ..limit("the daily quota of TradingAgent", 100_000, 100_000, 0, "ask")
            },
            LimitRow {
                tokens: Some(TokenCounts { limit: 10_000, spent: 2_500, reserved: 529 }),
                ..limit("@with_token_limit(10000)", 0, 25, 1_041, "stop")
            },
        ],
        grants: vec![GrantRow {
            limit: "the daily quota of TradingAgent".into(),
            amount_micro_usd: 50_000,
            by: "ana".into(),
            at: "2026-03-01T09:30:00Z".into(),
        }],
    }
}

fn cost() -> CostView {
    let row =
        |cell: &str, agent: &str, lane: &str, model: &str, calls, tokens, cost, made_up| CostRow {
            cell: cell.into(),
            agent: agent.into(),
            lane: lane.into(),
            model: model.into(),
            calls,
            cached_calls: 0,
            tokens_in: tokens,
            tokens_out: tokens / 4,
            cost_micro_usd: cost,
            latency_ns: calls * 5_000_000,
            made_up,
            uncertain_calls: u64::from(lane == "openrouter"),
        };
    CostView {
        scope: "this session".into(),
        rows: vec![
            row("cell 3", "TradingAgent#1", "echo", "echo", 1, 17, 25, true),
            row("cell 5", "TradingAgent#1", "anthropic", "claude-haiku", 4, 18_000, 84_500, false),
            row(
                "cell 5",
                "RiskDesk <b>bold</b>",
                "openrouter",
                "mistral-small",
                2,
                9_000,
                40_000,
                false,
            ),
        ],
        budget: budget(),
        crash: CrashView { uncertain_calls: 2, cost_micro_usd: 2_070, ..CrashView::default() },
    }
}

fn line() -> ag_kernel::output::cost::CostLine {
    CostView { rows: cost().rows[..1].to_vec(), ..CostView::default() }.line().unwrap()
}

fn recall() -> RecallView {
    let term = |name: &str, raw, weight| TermRow {
        name: name.into(),
        raw,
        weight,
        contribution: raw * weight,
    };
    let row = |rank: u32, dense: f64, words: f64, graph: f64| {
        let mut terms = vec![
            term("similarity", dense, 0.6),
            term("words", words, 0.3),
            term("entities", 0.5, 0.1),
            term("graph", graph, 0.3),
        ];
        let base: f64 = terms.iter().map(|term| term.contribution).sum();
        terms.push(term("age", base, -0.0146));
        RecollectionRow {
            rank,
            episode: format!("e{}", 40 + rank),
            context: "MarketSignal { symbol: \"ACME\", price: 101.5, note: \"<b>bold</b>\" }"
                .into(),
            action: "Decision.Hold".into(),
            outcome: "pending".into(),
            score: terms.iter().map(|term| term.contribution).sum(),
            terms,
            routes: vec![format!("dense #{rank}"), format!("bm25 #{}", 3 - rank.min(2))],
            matched_terms: vec!["acme".into(), "trade".into()],
            shared_entities: vec!["ACME".into()],
            causal_path: vec![
                CausalStep {
                    episode: "e12".into(),
                    kind: "recalled_by".into(),
                    weight: 0.8,
                    evidence_seq: Some(71),
                },
                CausalStep {
                    episode: "e40".into(),
                    kind: "reply".into(),
                    weight: 1.0,
                    evidence_seq: Some(75),
                },
            ],
            age_ns: 7_200_000_000_000,
            half_life_ns: Some(2_592_000_000_000_000),
            provenance_seq: Some(76),
            provenance_hash: "9f3c2a7be11d04587c".into(),
            lead_over_next: (rank < 3).then_some(0.0713),
            counterfactuals: vec![Counterfactual { without: "graph".into(), rank: Some(2) }],
            sentence: format!(
                "Ranked {rank} because it mentions ACME and was decided two hours ago by the same agent."
            ),
        }
    };
    RecallView {
        id: 7,
        query: "should we trade ACME <b>bold</b>?".into(),
        agent: "TradingAgent#1".into(),
        cell: "cell 3".into(),
        collection: "trades".into(),
        embedder: "hashing-384".into(),
        is_hashing_embedder: true,
        is_exact: true,
        candidates: 12,
        filtered_out: 2,
        results: vec![row(1, 0.91, 0.8, 0.4), row(2, 0.74, 0.9, 0.0), row(3, 0.41, 0.2, 0.1)],
    }
}

fn page() -> Page {
    Page {
        text: "spawn(A, args...) : AgentRef<A>\n  Starts an agent.".into(),
        markdown: "```ag\n@spawn(A, args...) : AgentRef<A>\n```\nStarts an agent.".into(),
        pager: true,
    }
}
