use std::path::PathBuf;

use ag_lang::exec::jit::Refused;
use ag_lang::exec::jit::listing::Listing;
use ag_lang::exec::tier::TierOf;
use ag_lang::ide::capabilities::FunctionCaps;
use ag_lang::ide::effects::FunctionEffects;
use ag_lang::ide::plan::FunctionPlan;
use ag_lang::source::Span as SourceSpan;
use ag_lang::syntax::item::Sigil;
use ag_runtime::ledger::quota::QuotaAction;

use super::{Modifier, Refusal, TABLE, is_only_modifiers, modifier, run};
use crate::output::cost::{BudgetView, CostLine, CostRow, CostView, LimitRow};
use crate::output::decisions::DecisionsView;
use crate::output::diagnostic::{DiagnosticView, FaultView};
use crate::output::lanes::LanesView;
use crate::output::memory::MemoryView;
use crate::output::recall::RecallView;
use crate::output::table::TableView;
use crate::output::test_run::{TestOutcome, TestView};
use crate::output::trace::{AgentsView, SpanKind, SpanRow, TraceView};
use crate::output::{Output, Page};
use crate::render::{Style, terminal};
use crate::session::graph::{Graph, Kind};
use crate::session::history::{HistoryEntry, HistoryQuery, glob};
use crate::session::state::{
    ContractRow, DefinitionRow, PolicyRow, Request, SettingRow, Span, State,
};

/// A session of fixed facts.
#[derive(Default)]
struct Fixed {
    budget: i64,
    lane: Option<String>,
    graph: Graph,
    has_reset: bool,
    folder: PathBuf,
    tests: Vec<&'static str>,
    history: Vec<HistoryEntry>,
    offered: Option<String>,
    tour: Option<usize>,
    on_exceed: Option<QuotaAction>,
}

impl State for Fixed {
    fn cost(&self, of: Span) -> CostView {
        let row =
            CostRow { lane: "echo".into(), calls: 1, cost_micro_usd: 25, ..CostRow::default() };
        let rows = if of == Span::Cell(9) { vec![] } else { vec![row] };
        CostView { scope: format!("{of:?}"), rows, ..CostView::default() }
    }

    fn budget(&self) -> BudgetView {
        let limit = LimitRow {
            name: "session".into(),
            limit_micro_usd: self.budget,
            ..LimitRow::default()
        };
        BudgetView { limits: vec![limit], ..BudgetView::default() }
    }

    fn set_budget(&mut self, micro_usd: i64) {
        self.budget = micro_usd;
    }

    fn set_budget_action(&mut self, action: QuotaAction) -> Result<(), String> {
        self.on_exceed = Some(action);
        Ok(())
    }

    fn policy(&self) -> Vec<PolicyRow> {
        let (of, rule) = ("default".to_owned(), "ask net".to_owned());
        vec![PolicyRow { of, rule, applied: String::new() }]
    }

    fn choose_policy(&mut self, name: Option<&str>) -> Result<(), Vec<String>> {
        match name {
            None | Some("Careful") => Ok(()),
            Some(_) => Err(vec!["Careful".to_owned()]),
        }
    }

    fn lanes(&self) -> LanesView {
        LanesView::default()
    }

    fn pin_lane(&mut self, name: Option<&str>) -> Result<(), String> {
        if name == Some("gpt") {
            return Err("there is no lane `gpt`".into());
        }
        self.lane = name.map(str::to_owned);
        Ok(())
    }

    fn unload_models(&mut self) -> Option<u64> {
        None
    }

    fn trace(&self, of: Span) -> TraceView {
        let ran = SpanRow {
            agent: 1,
            worker: Some(0),
            kind: SpanKind::Run,
            label: String::new(),
            start_ns: 0,
            end_ns: 1,
            message: None,
        };
        let spans = if of == Span::Cell(5) { Vec::new() } else { vec![ran] };
        TraceView { scope: format!("{of:?}"), spans, ..TraceView::default() }
    }

    fn last_cell(&self) -> u32 {
        9
    }

    fn agents(&self) -> AgentsView {
        AgentsView::default()
    }

    fn mailbox(&self, _: &str) -> Option<TableView> {
        None
    }

    fn decisions(&self) -> DecisionsView {
        DecisionsView::default()
    }

    fn memory(&self) -> MemoryView {
        MemoryView {
            is_hashing_embedder: true,
            embedder: "hashing".into(),
            ..MemoryView::default()
        }
    }

    fn recall(&self, number: Option<u64>) -> Option<RecallView> {
        (number == Some(1)).then(RecallView::default)
    }

    fn fault(&self) -> Option<FaultView> {
        None
    }

    fn definitions(&self) -> Vec<DefinitionRow> {
        let row = |name: &str, kind: &str| DefinitionRow {
            name: name.into(),
            kind: kind.into(),
            cell: 1,
            ..DefinitionRow::default()
        };
        vec![row("risk", "function"), row("total", "let")]
    }

    fn type_of(&mut self, expression: &str) -> Result<String, Vec<DiagnosticView>> {
        match expression {
            "1" => Ok("Int".into()),
            _ => Err(vec![DiagnosticView { is_error: true, ..DiagnosticView::default() }]),
        }
    }

    fn document(&self, name: &str) -> Option<Page> {
        let page = Page { text: "starts".into(), markdown: "starts".into(), pager: false };
        (name == "spawn").then_some(page)
    }

    fn names(&self) -> Vec<String> {
        vec!["spawn".into(), "signal".into()]
    }

    fn graph(&self) -> Graph {
        self.graph.clone()
    }

    fn tests(&self) -> Vec<String> {
        self.tests.iter().map(|title| (*title).to_owned()).collect()
    }

    fn run_tests(&mut self, wanted: &dyn Fn(&str) -> bool) -> Vec<TestView> {
        let view = |title: String| TestView {
            title,
            origin: "cell 1".into(),
            line: 1,
            outcome: TestOutcome::Passed,
            outputs: Vec::new(),
        };
        self.tests().into_iter().filter(|title| wanted(title)).map(view).collect()
    }

    fn effects(&self, _: &str) -> Option<Vec<FunctionEffects>> {
        None
    }
    fn capabilities(&self, _: &str) -> Option<Vec<FunctionCaps>> {
        None
    }
    fn plan(&self, _: &str) -> Option<Vec<FunctionPlan>> {
        None
    }
    fn tier(&self, _: &str) -> TierOf {
        TierOf::default()
    }
    fn listing(&self, _: &str) -> Option<Result<Listing, Refused>> {
        None
    }
    fn contracts(&self, _: Option<&str>) -> Vec<ContractRow> {
        Vec::new()
    }
    fn source(&self, name: &str) -> Option<String> {
        (name == "risk").then(|| "function risk() { }".to_owned())
    }

    fn history(&self, query: &HistoryQuery) -> Vec<HistoryEntry> {
        let wanted = |entry: &&HistoryEntry| match query {
            HistoryQuery::Tail { .. } => true,
            HistoryQuery::Range { start, stop, .. } => {
                (*start..stop.unwrap_or(u32::MAX)).contains(&entry.line)
            }
            HistoryQuery::Search { pattern, .. } => glob::matches(pattern, &entry.input),
        };
        self.history.iter().filter(wanted).cloned().collect()
    }

    fn history_session(&self) -> u32 {
        1
    }

    fn offer(&mut self, text: String) {
        self.offered = Some(text);
    }

    fn tour(&self) -> Option<usize> {
        self.tour
    }

    fn set_tour(&mut self, step: Option<usize>) {
        self.tour = step;
    }

    fn run_text(&mut self, text: &str, _: &str) -> Vec<Output> {
        vec![Output::Stdout(text.to_owned())]
    }

    fn cost_so_far(&mut self) -> Option<CostLine> {
        None
    }

    fn settings(&self) -> Vec<SettingRow> {
        vec![SettingRow { key: "router".into(), value: "ewma".into(), help: "who picks".into() }]
    }

    fn set(&mut self, key: &str, _: &str) -> Result<(), String> {
        if key == "router" { Ok(()) } else { Err(format!("there is no setting `{key}`")) }
    }

    fn reset(&mut self) {
        self.has_reset = true;
    }

    fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    fn request(&mut self, request: Request<'_>) -> Result<Vec<Output>, Refusal> {
        Ok(vec![Output::Stdout(format!("{request:?}"))])
    }
}

fn line(state: &mut Fixed, text: &str) -> Result<String, Refusal> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let outputs = run(Sigil::Colon, name, rest, state)?;
    Ok(outputs.iter().map(|output| terminal(output, &Style::PLAIN)).collect())
}

#[test]
fn every_command_of_the_issue_is_there_and_names_are_unique() {
    let wanted =
        "help doc type defs cost budget lanes lane trace agents memory why fault set reset";
    let mut state = Fixed::default();
    for name in wanted.split(' ') {
        let refused = line(&mut state, name).err().map(|refusal| refusal.code.as_str());
        assert!(refused != Some("E0903"), "{name}");
    }
    let mut names: Vec<&str> = TABLE.iter().map(|command| command.name).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn unknown_names_suggest_the_nearest() {
    let refusal = line(&mut Fixed::default(), "agnets").unwrap_err();
    assert_eq!(refusal.code.as_str(), "E0905");
    assert_eq!(refusal.notes[0], "did you mean `:agents`?");
    let diagnostic = refusal.diagnostic(SourceSpan::new(0, 7));
    assert_eq!(diagnostic.notes.len(), 2);
}

#[test]
fn what_is_not_supported_yet_says_so() {
    let refusal = line(&mut Fixed::default(), "reuse f").unwrap_err();
    assert_eq!(refusal.code.as_str(), "E0903");
    assert!(line(&mut Fixed::default(), "help reuse").unwrap().contains("not supported yet"));
}

#[test]
fn a_budget_is_shown_and_set() {
    let mut state = Fixed::default();
    assert!(line(&mut state, "budget $1_000.5").unwrap().contains("may spend $1000.50"));
    assert_eq!(state.budget, 1_000_500_000);
    for wrong in ["budget -1", "budget much", "budget $0.0000001"] {
        assert!(line(&mut state, wrong).is_err(), "{wrong}");
    }
    assert_eq!(state.budget, 1_000_500_000);
}

#[test]
fn lanes_are_pinned_and_freed() {
    let mut state = Fixed::default();
    line(&mut state, "lane echo").unwrap();
    assert_eq!(state.lane.as_deref(), Some("echo"));
    assert_eq!(line(&mut state, "lane gpt").unwrap_err().code.as_str(), "E0801");
    line(&mut state, "lane auto").unwrap();
    assert_eq!(state.lane, None);
}

#[test]
fn cost_and_trace_show_something_even_when_empty() {
    let mut state = Fixed::default();
    assert_eq!(run(Sigil::Colon, "cost", "", &mut state).unwrap().len(), 2);
    assert!(line(&mut state, "cost cell 9").unwrap().contains("no lane was called"));
    let shown = run(Sigil::Percent, "trace", "", &mut state).unwrap();
    assert!(matches!(shown.as_slice(), [Output::Trace(_), Output::Agents(_)]));
    assert!(line(&mut state, "trace 4").unwrap().contains("Cell(4)"));
    let of_commands = line(&mut state, "trace 5").unwrap();
    assert_eq!(of_commands, "cell 5 ran no statement of the program: it has no trace\n");
    for wrong in ["trace four", "trace 0", "trace 10", "cost cell 10"] {
        assert_eq!(line(&mut state, wrong).unwrap_err().code.as_str(), "E0905", "{wrong}");
    }
}

#[test]
fn a_trace_is_saved_for_other_tools() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = Fixed { folder: folder.path().to_owned(), ..Fixed::default() };
    line(&mut state, "trace save t.json").unwrap();
    let text = std::fs::read_to_string(folder.path().join("t.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(json["traceEvents"].is_array());
    assert_eq!(line(&mut state, "trace save no/such/t.json").unwrap_err().code.as_str(), "R0112");
}

#[test]
fn documents_are_found_however_they_are_asked_for() {
    let mut state = Fixed::default();
    for text in ["doc spawn", "doc @spawn", "help spawn"] {
        assert_eq!(line(&mut state, text).unwrap(), "starts\n", "{text}");
    }
    let shown = run(Sigil::Question, "spawn", "", &mut state).unwrap();
    assert!(matches!(shown.as_slice(), [Output::Page(Page { pager: true, .. })]));
    let refusal = line(&mut state, "doc spwan").unwrap_err();
    assert_eq!(
        (refusal.code.as_str(), refusal.notes[0].as_str()),
        ("E0201", "did you mean `spawn`?")
    );
}

#[test]
fn help_lists_commands_and_explains_codes() {
    let mut state = Fixed::default();
    let all = line(&mut state, "help").unwrap();
    assert!(all.contains("  :cost [cell n") && all.contains("  %%time"));
    for line in all.lines() {
        assert!(line.len() <= 80, "{line}");
    }
    let keys = line(&mut state, "help keys").unwrap();
    assert!(keys.contains("  Ctrl-R ") && keys.lines().all(|line| line.len() <= 80), "{keys}");
    assert!(line(&mut state, "help e0301").unwrap().starts_with("# E0301"));
    assert!(line(&mut state, "help :lane").unwrap().starts_with(":lane [name or auto]"));
}

#[test]
fn types_are_shown_and_mistakes_are_diagnostics() {
    let mut state = Fixed::default();
    assert_eq!(line(&mut state, "type 1").unwrap(), "Int\n");
    let shown = run(Sigil::Colon, "type", "1 +", &mut state).unwrap();
    assert!(shown[0].is_failure());
}

#[test]
fn stale_values_name_their_causes() {
    let mut state = Fixed::default();
    state.graph.define("risk", 1, 1, []);
    state.graph.assign("total", Kind::Value, 1, ["risk"]);
    assert_eq!(line(&mut state, "stale").unwrap(), "nothing is stale\n");
    state.graph.define("risk", 2, 3, []);
    assert!(line(&mut state, "stale").unwrap().contains("`risk` changed in cell 3 │"));
    let defs = line(&mut state, "defs").unwrap();
    assert!(defs.lines().any(|line| line.contains("total") && line.contains("stale")), "{defs}");
    let told = "uses: risk\nused by: nothing\nstale: `risk` changed in cell 3\n";
    assert_eq!(line(&mut state, "deps total").unwrap(), told);
}

#[test]
fn a_saved_session_has_a_plain_name() {
    let mut state = Fixed::default();
    assert_eq!(line(&mut state, "save desk-1.2").unwrap(), "Save(\"desk-1.2\")");
    for wrong in ["save", "save ../desk", "load a/b", "load .hidden", "save a b", "undo 2", "run"] {
        assert_eq!(line(&mut state, wrong).unwrap_err().code.as_str(), "E0905", "{wrong}");
    }
}

#[test]
fn settings_are_listed_and_changed() {
    let mut state = Fixed::default();
    assert!(line(&mut state, "set").unwrap().contains("ewma"));
    assert_eq!(line(&mut state, "set router seed").unwrap(), "router is seed\n");
    assert!(line(&mut state, "set router").is_err());
    for wrong in ["set colour red", "set colour"] {
        let refusal = line(&mut state, wrong).unwrap_err();
        assert!(refusal.message.starts_with("there is no setting `colour`"), "{wrong}");
    }
    line(&mut state, "reset").unwrap();
    assert!(state.has_reset);
}

#[test]
fn modifiers_stand_before_a_cell() {
    assert_eq!(modifier("time", ""), Ok(Modifier::Time));
    assert!(modifier("cost", "").unwrap_err().message.contains("`:cost`"));
    let refusal = modifier("time", " 1 + 1").unwrap_err();
    assert_eq!(refusal.code.as_str(), "E0905");
    assert!(refusal.message.contains("following lines"));
    assert!(is_only_modifiers("%%time\n") && !is_only_modifiers("%%time\n1"));
    assert!(
        !is_only_modifiers("%%tiem") && !is_only_modifiers("%%time 1") && !is_only_modifiers("")
    );
    assert!(line(&mut Fixed::default(), "time").unwrap_err().message.contains("`%%time`"));
    assert!(modifier("tiem", "").unwrap_err().notes[0].contains("time"));
}

#[test]
fn an_unknown_recall_is_refused_and_no_recall_is_told() {
    let mut state = Fixed::default();
    assert!(line(&mut state, "why").unwrap().contains("nothing was recalled"));
    assert!(line(&mut state, "why #1").unwrap().starts_with("Recall #0"));
    assert!(line(&mut state, "why 7").is_err());
}

#[test]
fn tests_are_found_by_a_part_of_their_title() {
    let mut state = Fixed { tests: vec!["adds", "adds more", "waits"], ..Fixed::default() };
    let ran = |outputs: &[Output]| match outputs {
        [Output::Tests(view)] => view.tests.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(ran(&run(Sigil::Colon, "test", "", &mut state).unwrap()), 3);
    assert_eq!(ran(&run(Sigil::Colon, "test", "\"adds\"", &mut state).unwrap()), 2);
    let refused = run(Sigil::Colon, "test", "wait5", &mut state).unwrap_err();
    assert!(refused.notes[0].contains("waits"), "{refused:?}");
    let none = run(Sigil::Colon, "test", "", &mut Fixed::default()).unwrap();
    assert!(matches!(&none[..], [Output::Note(_)]));
}

fn entered(inputs: &[&str]) -> Fixed {
    let entry = |(at, input): (usize, &&str)| HistoryEntry {
        session: 1,
        line: at as u32 + 1,
        input: (*input).to_owned(),
        output: None,
    };
    Fixed { history: inputs.iter().enumerate().map(entry).collect(), ..Fixed::default() }
}

#[test]
fn edit_offers_the_last_cell_a_cell_or_a_definition() {
    let mut state = entered(&["let total := 1", "2 + 2", ":edit"]);
    let mut offered = |line_text: &str| {
        line(&mut state, line_text).unwrap();
        state.offered.take().unwrap()
    };
    assert_eq!(offered("edit"), "2 + 2");
    assert_eq!(offered("edit 1"), "let total := 1");
    assert_eq!(offered("edit total"), "let total := 1", "a value is edited in its cell");
    assert_eq!(offered("edit risk"), "function risk() { }");
    let refused = |state: &mut Fixed, text: &str| line(state, text).unwrap_err().code.as_str();
    assert_eq!(refused(&mut state, "edit 9"), "E0905");
    assert_eq!(refused(&mut state, "edit ris"), "E0201");
    assert_eq!(refused(&mut state, "edit no/such.ag"), "R0112");
    assert!(state.offered.is_none());
}

#[test]
fn history_lists_what_matches() {
    let mut state = entered(&["let price := 1", "print(price)", "2 + 2", ":history"]);
    let all = line(&mut state, "history").unwrap();
    assert!(all.contains("print(price)") && all.contains("2 + 2") && !all.contains(":history"));
    let some = line(&mut state, "history price").unwrap();
    assert!(some.contains("let price") && !some.contains("2 + 2"), "{some}");
    assert!(!line(&mut state, "history print*").unwrap().contains("let price"));
    assert!(line(&mut state, "history nothing").unwrap().contains("no entry matches"));
}

#[test]
fn the_tour_runs_each_step_and_ends() {
    let mut state = Fixed::default();
    let mut shown = run(Sigil::Colon, "help", "tour", &mut state).unwrap();
    for number in 1..=10 {
        assert!(matches!(shown.last(), Some(Output::Page(_))), "step {number}");
        assert_eq!(state.tour, Some(number));
        shown = run(Sigil::Colon, "tour", "next", &mut state).unwrap();
        assert!(matches!(shown.first(), Some(Output::Stdout(_))), "step {number} runs");
    }
    assert_eq!(state.tour, None);
    assert!(run(Sigil::Colon, "tour", "11", &mut state).is_err());
}
