//! Memory from outside: what is remembered is found, explained, durable, and linked to what led to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::clock::{Clock, VirtualClock};
use ag_runtime::ledger::flush::Durability;
use ag_runtime::memory::agent::{AgentMemory, Asker, MemoryConfig};
use ag_runtime::memory::episode::{Draft, EpisodeId, Outcome};
use ag_runtime::memory::error::MemoryError;
use ag_runtime::memory::explain::{Recalled, Route};
use ag_runtime::memory::recall::Query;
use ag_runtime::memory::score::{Term, TermKind};
use ag_runtime::memory::session::Memories;
use ag_runtime::memory::store::Change;
use ag_runtime::rng::Seed;
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

const DAY_NS: u64 = 86_400_000_000_000;
const HALF_LIFE_NS: u64 = 30 * DAY_NS;

struct Fixture {
    folder: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    memories: Arc<Memories>,
}

fn open(folder: &Path, clock: &Arc<VirtualClock>) -> Arc<Memories> {
    Memories::new(folder, Arc::clone(clock) as Arc<dyn Clock>, Durability::Process)
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::default());
    let memories = open(folder.path(), &clock);
    Fixture { folder, clock, memories }
}

/// The memory section of the seed's first program.
fn trading(memories: &Arc<Memories>) -> AgentMemory {
    let config = MemoryConfig::read(&json!({
        "short_term": {"kind": "FIFO", "capacity": 1000, "ttl": "1h"},
        "long_term": {
            "collection": "trading_memories",
            "index": {"m": 16, "ef": 64},
            "decay": {"kind": "Temporal", "half_life": "30d"}
        }
    }))
    .unwrap();
    assert_eq!(config.half_life_ns, Some(HALF_LIFE_NS));
    AgentMemory::new(Arc::clone(memories), config)
}

fn short_only(memories: &Arc<Memories>, capacity: usize) -> AgentMemory {
    let config = MemoryConfig { capacity, ..MemoryConfig::default() };
    AgentMemory::new(Arc::clone(memories), config)
}

fn asker(message: u64) -> Asker {
    Asker { agent: "TradingAgent".into(), cell: 3, message }
}

fn trade(symbol: &str, price: f64, clock: &VirtualClock) -> Draft {
    Draft {
        context: json!({"symbol": symbol, "price": price}),
        action: json!({"kind": "Hold"}),
        context_text: format!("MarketSignal {{ symbol: \"{symbol}\", price: {price} }}").into(),
        action_text: "Decision.Hold".into(),
        outcome: Outcome::Pending,
        entities: vec![],
        at_ns: clock.now_ns(),
    }
}

fn remember_as(
    memory: &AgentMemory,
    draft: Draft,
    links: &[EpisodeId],
    message: u64,
) -> Result<EpisodeId, MemoryError> {
    let (done, wait) = channel();
    memory.remember(draft, links, &asker(message), Box::new(move |id| done.send(id).unwrap()));
    let id = wait.recv().unwrap()?;
    memory.remembered(id)?;
    Ok(id)
}

fn remember(memory: &AgentMemory, draft: Draft) -> EpisodeId {
    remember_as(memory, draft, &[], 0).unwrap()
}

fn query(text: &str) -> Query {
    Query { text: text.into(), limit: 10, min_score: 0.0, filter: Map::new() }
}

fn recall(memory: &AgentMemory, text: &str) -> Arc<Recalled> {
    memory.recall(&query(text), &asker(0)).unwrap()
}

fn ids(recalled: &Recalled) -> Vec<EpisodeId> {
    recalled.results.iter().map(|found| found.episode.id).collect()
}

const SIMILAR: &str = "similar trades to MarketSignal { symbol: \"ACME\", price: 101.5 }";

#[test]
fn the_second_run_recalls_the_first_ones_episode_and_says_why() {
    let f = fixture();
    let memory = trading(&f.memories);
    assert_eq!(recall(&memory, SIMILAR).results, []);
    assert!(!f.memories.path().exists(), "asking creates nothing");
    let id = remember(&memory, trade("ACME", 101.5, &f.clock));
    assert_eq!(id, EpisodeId::Stored(1));
    drop((memory, f.memories));

    let memories = open(f.folder.path(), &f.clock);
    f.clock.advance(DAY_NS);
    let recalled = recall(&trading(&memories), SIMILAR);
    assert_eq!(ids(&recalled), [id]);
    let found = &recalled.results[0];
    assert_eq!(found.episode.draft.context, json!({"symbol": "ACME", "price": 101.5}));
    assert_eq!(found.episode.draft.outcome, Outcome::Pending);
    assert!(found.score > 0.5, "{}", found.score);
    assert!((found.why.score() - found.score).abs() < 1e-9);
    assert_eq!(found.why.routes, [Route::Dense(1), Route::Lexical(1), Route::Entity]);
    let shared: Vec<&str> = found.why.shared_entities.iter().map(|e| &**e).collect();
    assert_eq!(shared, ["ACME", "MarketSignal", "101.5"]);
    assert!(found.why.matched_terms.iter().any(|t| &**t == "acme"));
    assert_eq!(found.why.facts.age_ns, DAY_NS);
    assert!(
        found.why.sentence.starts_with("Recalled as number 1 because "),
        "{}",
        found.why.sentence
    );
    assert_eq!(memories.recall(recalled.number).unwrap(), recalled);
}

#[test]
fn the_nearer_episode_comes_first_and_of_equal_ones_the_newer() {
    let f = fixture();
    let memory = AgentMemory::new(
        Arc::clone(&f.memories),
        MemoryConfig { collection: Some("c".into()), ..MemoryConfig::default() },
    );
    let old = remember(&memory, trade("ACME", 101.5, &f.clock));
    f.clock.advance(1);
    let new = remember(&memory, trade("ACME", 101.5, &f.clock));
    f.clock.advance(1);
    let other = remember(&memory, trade("GLOBEX", 7.0, &f.clock));
    let recalled = recall(&memory, SIMILAR);
    assert_eq!(ids(&recalled), [new, old, other]);
    assert!(recalled.results[0].why.lead_over_next.unwrap().abs() < 1e-12);
    assert!(recalled.results[1].why.lead_over_next.unwrap() > 0.0);
    assert_eq!(recalled.results[2].why.lead_over_next, None);
}

#[test]
fn age_lowers_a_score_and_the_explanation_says_by_how_much() {
    let f = fixture();
    let memory = trading(&f.memories);
    remember(&memory, trade("ACME", 101.5, &f.clock));
    let fresh = recall(&memory, SIMILAR).results[0].score;
    f.clock.advance(HALF_LIFE_NS);
    let aged = recall(&memory, SIMILAR);
    let found = &aged.results[0];
    // A half-life takes half of 15 %; being recalled once adds 2 % of ln 2.
    let expected = fresh * 0.925 * (1.0 + 0.02 * 2f64.ln());
    assert!((found.score - expected).abs() < 1e-9, "{} {expected}", found.score);
    assert!(found.why.sentence.contains("its age took 0.0"), "{}", found.why.sentence);
}

#[test]
fn a_message_links_what_it_remembers_to_what_it_recalled() {
    let f = fixture();
    let memory = trading(&f.memories);
    let first = remember(&memory, trade("ACME", 101.5, &f.clock));
    let apart = remember(&memory, trade("GLOBEX", 55.0, &f.clock));
    memory.recall(&Query { limit: 1, ..query(SIMILAR) }, &asker(7)).unwrap();
    f.clock.advance(1);
    let draft = |text: &str| Draft { action_text: text.into(), ..trade("ACME", 102.0, &f.clock) };
    let second = remember_as(&memory, draft("Decision.Buy"), &[apart], 7).unwrap();
    f.clock.advance(1);
    let unrelated = remember_as(&memory, draft("Decision.Sell"), &[], 8).unwrap();

    let recalled = recall(&memory, "symbol ACME price 102 Buy");
    let found = recalled.results.iter().find(|r| r.episode.id == second).unwrap();
    let kinds: Vec<(EpisodeId, &str, f64)> =
        found.why.causal_path.iter().map(|e| (e.to, &*e.kind, e.weight)).collect();
    assert!(
        kinds[0] == (apart, "linked", 1.0) || kinds[0] == (first, "recalled", 1.0),
        "{kinds:?}"
    );
    assert!(found.why.facts.graph > 0.0);
    let found = recalled.results.iter().find(|r| r.episode.id == unrelated).unwrap();
    assert_eq!(found.why.causal_path, []);

    f.memories.long_term().unwrap().flush();
    let store = Connection::open(f.memories.path()).unwrap();
    let evidence: String = store
        .query_row(
            "SELECT v.kind FROM edge g JOIN event v ON v.seq = g.evidence_seq WHERE g.src = 3 AND g.dst = 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(evidence, "recall", "the recall is the proof of the edge");
}

#[test]
fn an_episode_nobody_would_find_is_reached_over_its_edge() {
    let f = fixture();
    let memory = trading(&f.memories);
    let plain = |text: &str| Draft {
        context_text: text.into(),
        action_text: "".into(),
        context: json!(text),
        action: Value::Null,
        ..trade("X", 1.0, &f.clock)
    };
    let hidden = remember(&memory, plain("zzz qqq"));
    // Words that share nothing with the query push the hidden one out of the routes by text; the edge brings it back.
    remember_as(&memory, plain("quarterly dividend announcement"), &[hidden], 1).unwrap();
    let recalled = recall(&memory, "dividend announcement");
    let found = recalled.results.iter().find(|r| r.episode.id == hidden).expect("over the edge");
    assert!(found.why.routes.contains(&Route::Graph));
    let graph = found.why.terms.iter().find(|t| t.kind.name() == "graph").unwrap();
    assert!(graph.contribution > 0.1);
    let without = found.why.counterfactuals.iter().find(|c| c.without.name() == "graph").unwrap();
    assert!(without.rank.is_none_or(|rank| rank >= found.why.rank));
}

#[test]
fn short_term_memory_is_searched_marked_and_bounded() {
    let f = fixture();
    let memory = short_only(&f.memories, 2);
    let ids_of: Vec<EpisodeId> =
        ["ACME", "GLOBEX", "INITECH"].map(|s| remember(&memory, trade(s, 1.0, &f.clock))).to_vec();
    assert!(ids_of.iter().all(|id| matches!(id, EpisodeId::Short(_))));
    let recalled = recall(&memory, "INITECH");
    assert_eq!(recalled.results.len(), 2, "the window holds two");
    assert_eq!(recalled.results[0].episode.id, ids_of[2]);
    assert!(recalled.results[0].why.routes.contains(&Route::ShortTerm));
    f.clock.advance(3_600_000_000_000);
    assert_eq!(recall(&memory, "INITECH").results, [], "an hour is the default time to live");
    assert!(!f.memories.path().exists(), "without long-term memory nothing is stored");
}

#[test]
fn an_episode_in_both_memories_is_one_result() {
    let f = fixture();
    let memory = trading(&f.memories);
    let id = remember(&memory, trade("ACME", 101.5, &f.clock));
    let recalled = recall(&memory, SIMILAR);
    assert_eq!(ids(&recalled), [id]);
    assert!(recalled.results[0].why.routes.contains(&Route::ShortTerm));
    // Another instance shares the collection, not the window.
    let other = recall(&trading(&f.memories), SIMILAR);
    assert_eq!(ids(&other), [id]);
    assert!(!other.results[0].why.routes.contains(&Route::ShortTerm));
}

#[test]
fn collections_are_apart() {
    let f = fixture();
    remember(&trading(&f.memories), trade("ACME", 101.5, &f.clock));
    let session = AgentMemory::new(Arc::clone(&f.memories), MemoryConfig::session());
    assert_eq!(recall(&session, SIMILAR).results, []);
    remember(&session, trade("ACME", 101.5, &f.clock));
    let rows = f.memories.collections().unwrap();
    let rows: Vec<(&str, u64)> = rows.iter().map(|row| (&*row.name, row.episodes)).collect();
    assert_eq!(rows, [("session", 1), ("trading_memories", 1)]);
}

#[test]
fn limits_scores_and_filters_narrow_a_recall() {
    let f = fixture();
    let memory = trading(&f.memories);
    for symbol in ["ACME", "ACME2", "GLOBEX"] {
        remember(&memory, trade(symbol, 1.0, &f.clock));
    }
    let ask = |query: Query| memory.recall(&query, &asker(0)).unwrap();
    assert_eq!(ask(Query { limit: 2, ..query("symbol") }).results.len(), 2);
    assert_eq!(ask(Query { limit: 0, ..query("symbol") }).results.len(), 0);
    assert_eq!(ask(Query { min_score: 9.0, ..query("symbol") }).results.len(), 0);
    let filter = json!({"symbol": "GLOBEX", "price": 1}).as_object().unwrap().clone();
    let only = ask(Query { filter, ..query("symbol") });
    assert_eq!((only.results.len(), only.filtered_out), (1, 2));
    let filter = json!({"kind": "Hold"}).as_object().unwrap().clone();
    assert_eq!(ask(Query { filter, ..query("symbol") }).results.len(), 3, "the action counts too");
}

#[test]
fn the_same_episode_at_the_same_time_is_stored_once() {
    let f = fixture();
    let memory = trading(&f.memories);
    let id = remember(&memory, trade("ACME", 101.5, &f.clock));
    assert_eq!(remember(&memory, trade("ACME", 101.5, &f.clock)), id);
    f.clock.advance(1);
    assert_ne!(remember(&memory, trade("ACME", 101.5, &f.clock)), id);
}

#[test]
fn two_sessions_on_one_store_see_each_others_episodes() {
    let f = fixture();
    let (a, b) = (trading(&f.memories), trading(&open(f.folder.path(), &f.clock)));
    let first = remember(&a, trade("ACME", 1.0, &f.clock));
    assert_eq!(ids(&recall(&b, "ACME")), [first]);
    let second = remember(&b, trade("ACME", 2.0, &f.clock));
    let third = remember(&a, trade("ACME", 3.0, &f.clock));
    let mut seen = ids(&recall(&a, "ACME"));
    seen.sort();
    assert_eq!(seen, [first, second, third]);
}

fn change(memory: &AgentMemory, id: EpisodeId, change: Change) -> Result<EpisodeId, MemoryError> {
    let (done, wait) = channel();
    memory.change(id, change, &asker(0), Box::new(move |id| done.send(id).unwrap()));
    wait.recv().unwrap()
}

fn known(text: &str) -> Change {
    Change::Concluded(Outcome::Known(text.into()))
}

#[test]
fn what_became_of_an_episode_is_seen_by_all_sessions_and_after_a_restart() {
    let f = fixture();
    let (a, b) = (trading(&f.memories), trading(&open(f.folder.path(), &f.clock)));
    let kept = remember(&a, trade("ACME", 1.0, &f.clock));
    let gone = remember(&a, trade("ACME", 2.0, &f.clock));
    assert_eq!(recall(&b, "ACME").results.len(), 2);
    let before = recall(&a, "ACME");
    let hash = before.results.iter().find(|r| r.episode.id == kept).unwrap().why.provenance_hash;
    assert_eq!(change(&a, kept, known("profit")), Ok(kept));
    assert_eq!(change(&a, gone, Change::Forgotten), Ok(gone));
    for memory in [&a, &b, &trading(&open(f.folder.path(), &f.clock))] {
        let found = recall(memory, "ACME");
        assert_eq!(ids(&found), [kept]);
        assert_eq!(found.results[0].episode.draft.outcome, Outcome::Known("profit".into()));
        assert_eq!(found.results[0].why.provenance_hash, hash, "it is what it was");
    }
    for missing in [gone, EpisodeId::Stored(99), EpisodeId::Short(3)] {
        let error = change(&a, missing, known("loss")).unwrap_err();
        assert_eq!(error.code(), "R0105", "{error}");
    }
}

#[test]
fn what_is_forgotten_is_in_no_file() {
    let f = fixture();
    let memory = trading(&f.memories);
    remember(&memory, trade("ACME", 1.0, &f.clock));
    let secret = remember(&memory, trade("XYLOPHONE", 2.0, &f.clock));
    change(&memory, secret, known("XYLOPHONE sold")).unwrap();
    change(&memory, secret, Change::Forgotten).unwrap();
    let folder = f.folder;
    drop((memory, f.memories));
    for file in std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()) {
        let bytes = std::fs::read(&file).unwrap();
        for word in [b"XYLOPHONE".as_slice(), b"xylophone"] {
            let found = bytes.windows(word.len()).any(|window| window == word);
            assert!(!found, "{} still has it", file.display());
        }
    }
}

fn is_lexical(term: &&Term) -> bool {
    term.kind == TermKind::Lexical
}

/// What is searched in memory after any order of changes is what a new session reads from the disk.
#[test]
fn a_changed_memory_finds_what_a_new_one_finds() {
    let f = fixture();
    let without_window = |memories: &Arc<Memories>| {
        let config = MemoryConfig { capacity: 0, ..MemoryConfig::session() };
        AgentMemory::new(Arc::clone(memories), config)
    };
    let memory = without_window(&f.memories);
    let mut random = Seed(11).rng();
    let mut alive = Vec::new();
    for step in 0..300u32 {
        match random.below(4) {
            0 if !alive.is_empty() => {
                let at = random.below(alive.len() as u64) as usize;
                change(&memory, alive.swap_remove(at), Change::Forgotten).unwrap();
            }
            1 if !alive.is_empty() => {
                let at = random.below(alive.len() as u64) as usize;
                change(&memory, alive[at], known(&format!("after {step}"))).unwrap();
            }
            _ => {
                let symbol = format!("S{} T{}", random.below(9), random.below(5));
                let links: Vec<EpisodeId> = alive.last().copied().into_iter().collect();
                let draft = trade(&symbol, f64::from(step), &f.clock);
                alive.push(remember_as(&memory, draft, &links, u64::from(step)).unwrap());
            }
        }
    }
    let sessions = [memory, without_window(&open(f.folder.path(), &f.clock))];
    for asked in ["S3 T2", "S1", "T4 MarketSignal", "price 7"] {
        let [ours, theirs] = sessions.each_ref().map(|memory| {
            let all = Query { limit: 1000, ..query(asked) };
            let mut results = memory.recall(&all, &asker(0)).unwrap().results.clone();
            // Each recall counts a use, which moves equal ones.
            results.sort_by_key(|found| found.episode.id);
            let facts = results.iter().map(|r| (r.episode.id, r.episode.draft.outcome.clone()));
            let words =
                results.iter().map(|r| r.why.terms.iter().filter(is_lexical).map(|t| t.raw));
            let words = words.map(Iterator::collect::<Vec<f64>>);
            (facts.collect::<Vec<_>>(), words.collect::<Vec<_>>())
        });
        assert!(!ours.0.is_empty());
        assert_eq!(ours, theirs, "{asked}");
    }
}

#[test]
fn many_threads_may_remember_at_once() {
    let f = fixture();
    let memory = trading(&f.memories);
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let (memory, f) = (&memory, &f);
            scope.spawn(move || {
                for i in 0..25u32 {
                    remember(memory, trade(&format!("S{thread}x{i}"), 1.0, &f.clock));
                }
            });
        }
    });
    assert_eq!(f.memories.collections().unwrap()[0].episodes, 200);
}

#[test]
fn a_recall_is_kept_in_the_stores_log() {
    let f = fixture();
    let memory = trading(&f.memories);
    remember(&memory, trade("ACME", 101.5, &f.clock));
    let recalled = recall(&memory, SIMILAR);
    f.memories.long_term().unwrap().flush();
    let store = Connection::open(f.memories.path()).unwrap();
    let (query, result): (String, String) = store
        .query_row("SELECT query, result FROM recall_log", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(query, SIMILAR);
    let result: Value = serde_json::from_str(&result).unwrap();
    assert_eq!(result, recalled.to_json());
    let uses: i64 =
        store.query_row("SELECT access_count FROM episode", [], |row| row.get(0)).unwrap();
    assert_eq!(uses, 1);
}

#[test]
fn a_damaged_or_newer_store_is_left_alone() {
    let f = fixture();
    std::fs::write(f.memories.path(), "this is no database, it is a text of some length").unwrap();
    let error = remember_as(&trading(&f.memories), trade("A", 1.0, &f.clock), &[], 0).unwrap_err();
    assert_eq!(error.code(), "R1002");
    assert!(std::fs::read(f.memories.path()).unwrap().starts_with(b"this is no database"));

    let f = fixture();
    remember(&trading(&f.memories), trade("A", 1.0, &f.clock));
    drop(f.memories);
    let path = f.folder.path().join("mem.agdb");
    let store = Connection::open(&path).unwrap();
    store.execute("UPDATE meta SET value = '2' WHERE key = 'version'", []).unwrap();
    drop(store);
    let memories = open(f.folder.path(), &f.clock);
    let error = trading(&memories).recall(&query("A"), &asker(0)).unwrap_err();
    assert_eq!(error.code(), "R1003");

    let foreign = fixture();
    Connection::open(foreign.memories.path()).unwrap().execute("CREATE TABLE t(x)", []).unwrap();
    let error = trading(&foreign.memories).recall(&query("A"), &asker(0)).unwrap_err();
    assert_eq!(error.code(), "R1002");
}

#[test]
fn a_dimension_no_embedder_has_is_refused() {
    let error = MemoryConfig::read(&json!({"long_term": {"collection": "c", "dim": 1536}}));
    assert_eq!(error.unwrap_err().code(), "R1005");
    let none = MemoryConfig::read(&json!({"short_term": null, "long_term": null})).unwrap();
    assert_eq!(none, MemoryConfig::default());
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_a_code() {
    let f = fixture();
    let file = f.folder.path().join("plain");
    std::fs::write(&file, "").unwrap();
    let memories = open(&file, &f.clock);
    let error = remember_as(&trading(&memories), trade("A", 1.0, &f.clock), &[], 0).unwrap_err();
    assert_eq!(error.code(), "R1006");
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn every_recall_is_in_order_and_explained(
        texts in prop::collection::vec("[a-e]{1,3}( [A-E][a-e]{0,2}){0,4}", 1..20),
        asked in "[a-e]{1,3}( [A-E][a-e]{0,2}){0,3}",
        gap_hours in 0u64..1_000,
        limit in 1usize..12,
    ) {
        let f = fixture();
        let memory = trading(&f.memories);
        for (at, text) in texts.iter().enumerate() {
            let draft = Draft {
                context: json!({"n": at}),
                context_text: text.as_str().into(),
                ..trade("X", at as f64, &f.clock)
            };
            // Every third message recalls first, so its episode is linked.
            let message = at as u64 + 1;
            if at % 3 == 2 {
                memory.recall(&Query { limit: 2, ..query(text) }, &asker(message)).unwrap();
            }
            remember_as(&memory, draft, &[], message).unwrap();
            f.clock.advance(gap_hours * 3_600_000_000_000);
        }
        let recalled = memory.recall(&Query { limit, ..query(&asked) }, &asker(0)).unwrap();
        prop_assert!(recalled.results.len() <= limit);
        for (found, rank) in recalled.results.iter().zip(1u32..) {
            let why = &found.why;
            prop_assert!((why.score() - found.score).abs() < 1e-9);
            prop_assert!(why.terms.iter().all(|t| (t.raw * t.weight - t.contribution).abs() < 1e-12));
            prop_assert_eq!(why.rank, rank);
            prop_assert!(!why.routes.is_empty());
            prop_assert!(found.score.is_finite() && found.score >= 0.0);
        }
        for pair in recalled.results.windows(2) {
            let newer = pair[0].episode.draft.at_ns >= pair[1].episode.draft.at_ns;
            prop_assert!(pair[0].score > pair[1].score || (pair[0].score == pair[1].score && newer));
        }
    }
}
