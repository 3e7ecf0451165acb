//! The real models, when they are installed: `AG_TEST_MODELS` names their folder (`make test` installs them there).

#![cfg(feature = "models")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../../repl/tests/support/skip.rs"]
mod skip;

use ag_runtime::clock::{Clock, VirtualClock};
use ag_runtime::lane::local::Local;
use ag_runtime::lane::local::model::Model as Loaded;
use ag_runtime::lane::parse::candidates;
use ag_runtime::lane::request::{
    Form, Message, Problem, Provider, Reply, Request, Role, SendError,
};
use ag_runtime::ledger::flush::Durability;
use ag_runtime::memory::agent::{AgentMemory, Asker, MemoryConfig};
use ag_runtime::memory::embed::choice::Embedder;
use ag_runtime::memory::embed::cosine;
use ag_runtime::memory::embed::minilm::{MiniLm, NAME};
use ag_runtime::memory::episode::{Draft, Outcome};
use ag_runtime::memory::recall::Query;
use ag_runtime::memory::session::Memories;
use ag_runtime::models::ModelsFolder;
use ag_runtime::models::catalog::{MODELS, Model, WEIGHTS};
use ag_runtime::rng::Seed;
use ag_runtime::value::count::release;
use ag_runtime::value::json::from_json;
use ag_runtime::value::machine::given_back;
use ag_runtime::value::shape::{EnumShape, FieldShape, Shape, ShapeId, VariantShape, intern};
use ort::session::RunOptions;
use serde_json::Map;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

fn folder(test: &str) -> Option<ModelsFolder> {
    let folder = std::env::var_os("AG_TEST_MODELS").map(|path| ModelsFolder::new(path.into()));
    let folder = folder.filter(|folder| MODELS.iter().all(|model| folder.has(model)));
    if folder.is_none() {
        skip::skip(test, "AG_TEST_MODELS names no folder with models (make test sets it)");
    }
    folder
}

fn user(text: &str) -> Vec<Message> {
    vec![Message::new(Role::User, text.to_owned())]
}

fn lane(folder: &ModelsFolder, seed: u64) -> Local {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::default());
    Local::installed(folder, &clock, Seed(seed)).unwrap()
}

fn request(text: &str, form: Option<Form>) -> Request {
    Request { max_tokens: 40, ..Request::of(user(text), form) }
}

fn send(lane: &Local, request: &Request) -> Result<Reply, SendError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(lane.send(request))
}

fn form(shape: ShapeId) -> Form {
    let check = move |value: &serde_json::Value| match from_json(value, shape) {
        Ok(word) => {
            release(word, shape);
            Vec::new()
        }
        Err(errors) => errors
            .into_iter()
            .map(|error| Problem { path: error.path, message: error.message })
            .collect(),
    };
    Form { shape, check: Arc::new(check) }
}

/// Scores of some tokens after "What is the capital of France?", measured with exact multiplication. Eight bits are within 1.
const SCORES: [(usize, f32); 5] =
    [(504, 25.62), (60, 25.48), (15_319, 25.04), (2_219, 24.59), (7_026, 24.51)];

#[test]
fn scores_are_the_recorded_ones_in_one_reading_and_in_steps() {
    let Some(folder) = folder("scores_are_the_recorded_ones_in_one_reading_and_in_steps") else {
        return;
    };
    let mut model = Loaded::load(&folder, Model::named("smollm2").unwrap()).unwrap();
    let prompt = model.words.conversation(&user("What is the capital of France?"));
    assert_eq!(
        (prompt.len(), prompt[0], &prompt[prompt.len() - 3..]),
        (37, 1, [520, 9_531, 198].as_slice())
    );
    let options = RunOptions::new().unwrap();
    let mut at_once = model.begin(100).unwrap();
    let whole = model.read(&mut at_once, &prompt, &options).unwrap().to_vec();
    for (token, score) in SCORES {
        assert!((whole[token] - score).abs() < 1.5, "{token}: {} and {score}", whole[token]);
    }
    let mut in_steps = model.begin(100).unwrap();
    let mut steps = Vec::new();
    for token in &prompt {
        steps = model.read(&mut in_steps, &[*token], &options).unwrap().to_vec();
    }
    // The caches hold the same; eight-bit activations are rounded for each reading anew.
    let difference = whole.iter().zip(&steps).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 2.0, "{difference}");
    let words = &model.words;
    let text = "Grüße, 12 日本 <|im_end|>\n";
    assert_eq!(words.text(&words.encode(text)), text, "a mark in a text is only its letters");
    assert!(!words.encode(text).contains(&2));
}

#[test]
fn two_prompts_get_two_replies_and_chance_follows_the_seed() {
    let Some(folder) = folder("two_prompts_get_two_replies_and_chance_follows_the_seed") else {
        return;
    };
    let lane_of = |seed| lane(&folder, seed);
    let lane = lane_of(1);
    let counted = lane.count_tokens(&user("Name a fruit."), None);
    assert!(lane.notice().is_some() && lane.memory_bytes().is_none());
    let fruit = send(&lane, &request("Name a fruit.", None)).unwrap();
    let sky = send(&lane, &request("What color is the sky?", None)).unwrap();
    assert!(!fruit.text.is_empty() && !sky.text.is_empty() && fruit.text != sky.text);
    assert_eq!(&*fruit.model, "SmolLM2-135M-Instruct");
    assert!(fruit.usage.input <= counted && fruit.usage.output <= 40, "{:?}", fruit.usage);
    assert_eq!(
        lane.count_tokens(&user("Name a fruit."), None),
        fruit.usage.input,
        "exact once it is loaded"
    );
    assert_eq!(send(&lane, &request("Name a fruit.", None)).unwrap().text, fruit.text);

    let drawn = |lane: &Local| {
        let request = Request { temperature: 1.0, ..request("Name a fruit.", None) };
        (send(lane, &request).unwrap().text, send(lane, &request).unwrap().text)
    };
    let (first, second) = drawn(&lane_of(7));
    assert_ne!(first, second, "each call draws anew");
    assert_eq!(drawn(&lane_of(7)), (first, second), "the same seed draws the same");

    assert!(lane.memory_bytes().is_some() && lane.notice().is_none());
    assert!(lane.unload() && !lane.unload() && lane.memory_bytes().is_none());
    assert_eq!(send(&lane, &request("Name a fruit.", None)).unwrap().text, fruit.text);
}

/// The likeliest token again and again is what small models end in; 512 of them take this one 18 s.
#[test]
fn a_reply_that_repeats_itself_is_ended() {
    let Some(folder) = folder("a_reply_that_repeats_itself_is_ended") else { return };
    let lane = lane(&folder, 1);
    let ask = |text: &str, form: Option<Form>| {
        send(&lane, &Request { max_tokens: 512, ..request(text, form) }).unwrap()
    };
    let colour = ask("Name a colour.", None);
    assert!(colour.usage.output < 200 && colour.text.len() > 20, "{colour:?}");
    assert_eq!(colour.text.matches("gem").count(), 1, "said once: {}", colour.text);
    let cities = ask("Name cities of Europe.", Some(form(ShapeId::list(ShapeId::TEXT))));
    let cities: Vec<String> = serde_json::from_str(&cities.text).unwrap();
    assert!(cities.len() < 20 && cities.iter().all(|city| !city.is_empty()), "{cities:?}");
}

#[test]
fn typed_replies_are_always_of_their_type() {
    let Some(folder) = folder("typed_replies_are_always_of_their_type") else { return };
    let lane = lane(&folder, 1);
    let buy = VariantShape {
        name: "Buy".into(),
        fields: Box::new([FieldShape::new("quantity", ShapeId::INT)]),
    };
    let variants = Box::new([VariantShape::unit("Hold"), buy]);
    let decision = intern(Shape::Enum(EnumShape { name: "ModelsDecision".into(), variants }));
    let person = ShapeId::record(&[("name", ShapeId::TEXT), ("age", ShapeId::INT)]);
    let cases = [
        ("Ada Lovelace was 36 years old.", person),
        ("The price fell by half. Should we buy?", decision),
        ("List three colors.", ShapeId::list(ShapeId::TEXT)),
        ("How long is a minute?", ShapeId::DURATION),
        ("What is 2 + 3?", ShapeId::INT),
        ("When did it happen?", ShapeId::option(ShapeId::TIME)),
    ];
    for (text, shape) in cases {
        let form = form(shape);
        let reply =
            send(&lane, &Request { max_tokens: 60, ..request(text, Some(form.clone())) }).unwrap();
        let value: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
        assert_eq!(candidates(&reply.text), std::slice::from_ref(&value));
        assert!((form.check)(&value).is_empty(), "{}", reply.text);
    }
    let reply =
        send(&lane, &request("Ada Lovelace was 36 years old.", Some(form(person)))).unwrap();
    assert!(reply.text.contains("Ada") && reply.text.contains("36"), "{}", reply.text);
    let few = Request { max_tokens: 3, ..request("Who?", Some(form(person))) };
    let error = send(&lane, &few).unwrap_err();
    assert!(
        matches!(&error, SendError::Refused { reason } if reason.contains("at least")),
        "{error:?}"
    );
}

/// Reviews, and whether they are good.
const REVIEWS: [(&str, bool); 12] = [
    ("I love this phone, it is wonderful", true),
    ("What a terrible waste of money", false),
    ("The best meal I ever had", true),
    ("The staff was rude and slow", false),
    ("Absolutely fantastic service, thank you!", true),
    ("It broke after two days, very disappointed", false),
    ("I am so happy with this purchase", true),
    ("Awful. Never again.", false),
    ("Great value and fast delivery", true),
    ("I hate the new update", false),
    ("Works perfectly, highly recommended", true),
    ("The screen is cracked and nobody answers", false),
];

fn moods(lane: &Local, name: &str, order: [&str; 2]) -> Vec<String> {
    let variants = Box::new(order.map(VariantShape::unit));
    let mood = intern(Shape::Enum(EnumShape { name: name.into(), variants }));
    let ask = |(review, _): &(&str, bool)| {
        let text = format!("Is this review positive or negative?\n{review}");
        send(lane, &request(&text, Some(form(mood)))).unwrap().text
    };
    REVIEWS.iter().map(ask).collect()
}

#[test]
fn words_are_chosen_by_what_is_asked_and_not_by_their_order() {
    let Some(folder) = folder("words_are_chosen_by_what_is_asked_and_not_by_their_order") else {
        return;
    };
    let lane = lane(&folder, 1);
    let told = moods(&lane, "MoodUp", ["Positive", "Negative"]);
    let is_right = |((_, good), told): &(&(&str, bool), &String)| {
        **told == if *good { "\"Positive\"" } else { "\"Negative\"" }
    };
    let right = REVIEWS.iter().zip(&told).filter(is_right).count();
    // Eleven of twelve; chance gives ten or more once in fifty times.
    assert!(right >= 10, "{right} right: {told:?}");
    assert_eq!(told, moods(&lane, "MoodDown", ["Negative", "Positive"]));
}

#[test]
fn a_call_that_was_given_up_frees_the_model() {
    let Some(folder) = folder("a_call_that_was_given_up_frees_the_model") else { return };
    let lane = lane(&folder, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A prompt that takes seconds to read and an answer without end: both are cut off.
    let long =
        Request { max_tokens: 2_000, ..request(&"All work and no play. ".repeat(800), None) };
    runtime.block_on(async {
        send_for(&lane, &request("Name a fruit.", None), 120_000).await.unwrap();
        assert!(send_for(&lane, &long, 300).await.is_none());
        assert!(send_for(&lane, &request("Name a fruit.", None), 120_000).await.is_some());
    });
    let endless = Request { max_tokens: 9_000, ..request("Count.", None) };
    assert!(
        matches!(send(&lane, &endless), Err(SendError::Refused { .. })),
        "longer than it can see"
    );
}

async fn send_for(lane: &Local, request: &Request, limit_ms: u64) -> Option<Reply> {
    let limit = std::time::Duration::from_millis(limit_ms);
    tokio::time::timeout(limit, lane.send(request)).await.ok()?.ok()
}

#[test]
fn a_damaged_model_is_no_answer() {
    let Some(folder) = folder("a_damaged_model_is_no_answer") else { return };
    let broken = tempfile::tempdir().unwrap();
    let model = Model::named("smollm2").unwrap();
    for part in model.parts() {
        let place = broken.path().join(part.folder());
        std::fs::create_dir(&place).unwrap();
        for file in part.files {
            std::os::unix::fs::symlink(folder.of(part).join(file.name), place.join(file.name))
                .unwrap();
        }
    }
    let broken = ModelsFolder::new(broken.path().to_owned());
    let weights = broken.of(model.part_with(WEIGHTS).unwrap()).join(WEIGHTS);
    let lane = lane(&broken, 1);
    std::fs::remove_file(&weights).unwrap();
    let ask = || match send(&lane, &request("Name a fruit.", None)).unwrap_err() {
        SendError::Model { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert!(ask().contains("is missing") && ask().contains("ag models install"));
    std::fs::write(&weights, b"GGUF").unwrap();
    assert!(ask().contains("4 bytes instead of 98362432"));
    let mut bytes =
        std::fs::read(folder.of(model.part_with(WEIGHTS).unwrap()).join(WEIGHTS)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    assert!(ask().contains("SHA-256"));
}

#[test]
fn embeddings_know_what_means_the_same() {
    let Some(folder) = folder("embeddings_know_what_means_the_same") else { return };
    let embedder = Embedder::minilm(MiniLm::installed(&folder).unwrap());
    let of = |text: &str| embedder.vector(text).unwrap();
    let cat = of("The cat sits outside.");
    let (same, near, far) = (
        of("A feline is sitting outdoors."),
        of("The dog sleeps inside."),
        of("Interest rates rose."),
    );
    assert!(
        cosine(&cat, &same) > cosine(&cat, &near) && cosine(&cat, &near) > cosine(&cat, &far) + 0.1
    );
    assert!((cosine(&cat, &cat) - 1.0).abs() < 1e-4);
    assert_eq!(of(&"word ".repeat(5_000)).len(), 384);
}

fn memories(folder: &Path, embedder: Embedder) -> Arc<Memories> {
    Memories::with(folder, Arc::new(VirtualClock::default()), Durability::Process, embedder)
}

fn recall(memories: &Arc<Memories>, text: &str) -> Vec<(String, f64)> {
    let memory = AgentMemory::new(Arc::clone(memories), MemoryConfig::session());
    let query = Query { text: text.into(), limit: 5, min_score: 0.0, filter: Map::new() };
    let asker = Asker { agent: "".into(), cell: 1, message: 1 };
    let recalled = memory.recall(&query, &asker).unwrap();
    recalled
        .results
        .iter()
        .map(|found| (found.episode.draft.context_text.to_string(), found.why.facts.cosine))
        .collect()
}

fn remember(memories: &Arc<Memories>, text: &str) {
    let memory = AgentMemory::new(Arc::clone(memories), MemoryConfig::session());
    let draft = Draft {
        context: text.into(),
        action: "noted".into(),
        context_text: text.into(),
        action_text: "noted".into(),
        outcome: Outcome::Pending,
        entities: vec!["x".into()],
        at_ns: 1,
    };
    let (done, stored) = channel();
    let asker = Asker { agent: "".into(), cell: 1, message: 1 };
    memory.remember(draft, &[], &asker, Box::new(move |id| done.send(id).unwrap()));
    stored.recv().unwrap().unwrap();
}

#[test]
fn a_store_moves_between_embedders_and_loses_nothing() {
    let Some(folder) = folder("a_store_moves_between_embedders_and_loses_nothing") else { return };
    let place = tempfile::tempdir().unwrap();
    let minilm = || Embedder::minilm(MiniLm::installed(&folder).unwrap());
    let hashed = memories(place.path(), Embedder::hashing());
    for at in 0..40 {
        remember(&hashed, &format!("Invoice number {at} was paid in full."));
    }
    remember(&hashed, "The feline naps on the sofa.");
    drop(hashed);
    let meant = memories(place.path(), minilm());
    let found = recall(&meant, "Where does the cat sleep?");
    assert_eq!(found[0].0, "The feline naps on the sofa.", "{found:?}");
    assert!(found[0].1 > 0.3 && meant.embedder().name() == NAME);
    // The newest got their vectors at once, the others follow.
    while meant.unembedded() > 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    remember(&meant, "A goldfish swims in the bowl.");
    meant.long_term().unwrap().flush();
    drop(meant);
    let store = rusqlite::Connection::open(place.path().join("mem.agdb")).unwrap();
    let count = |model: &str| -> i64 {
        store
            .query_row("SELECT count(*) FROM vec WHERE model = ?1", [model], |row| row.get(0))
            .unwrap()
    };
    assert_eq!((count("hash-384"), count(NAME)), (41, 42));
    drop(store);
    let hashed = memories(place.path(), Embedder::hashing());
    assert_eq!(
        recall(&hashed, "A goldfish swims in the bowl.")[0].0,
        "A goldfish swims in the bowl."
    );
    assert_eq!(hashed.collections().unwrap()[0].episodes, 42);
}

/// What was shown is what was given back, but for the library: what it sets up for itself at the first load stays. And pages of
/// a file that is only mapped count or not as the kernel likes.
fn expect_true(shown: &[u64], given: &[u64]) {
    const LIBRARY: u64 = 40_000_000;
    const FILE: u64 = 23_000_000;
    let is_near = |(a, b): (&u64, &u64)| a.abs_diff(*b).saturating_sub(FILE) * 4 < *a.max(b);
    let later = shown[1..].iter().zip(&given[1..]).all(is_near);
    let first = is_near((&shown[0], &given[0]))
        || (given[0]..given[0] + LIBRARY + FILE).contains(&shown[0]);
    assert!(first && later, "shown {shown:?}, given back {given:?}");
    assert!(given.iter().all(|bytes| is_near((bytes, &given[0]))), "{given:?}");
}

/// What is shown is what the process really takes more, and gives back: also the second time, when the allocator could have
/// kept the memory of the first.
#[test]
fn the_memory_of_a_model_is_what_the_process_grows_and_shrinks_by() {
    let Some(folder) = folder("the_memory_of_a_model_is_what_the_process_grows_and_shrinks_by")
    else {
        return;
    };
    let lane = lane(&folder, 1);
    let ask = || send(&lane, &request("Name a fruit.", None)).unwrap().text;
    let (mut shown, mut given) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        ask();
        shown.push(lane.memory_bytes().unwrap());
        let (is_unloaded, bytes) = given_back(|| lane.unload());
        assert!(is_unloaded && lane.memory_bytes().is_none());
        given.push(bytes);
    }
    expect_true(&shown, &given);
    assert!(given[0] > 50_000_000, "{given:?}");
    let (is_unloaded, bytes) = given_back(|| lane.unload());
    assert!(!is_unloaded && bytes < 10_000_000, "{bytes}");
}

#[test]
fn the_embedder_shows_its_memory_and_gives_it_back() {
    let Some(folder) = folder("the_embedder_shows_its_memory_and_gives_it_back") else { return };
    let embedder = Embedder::minilm(MiniLm::installed(&folder).unwrap());
    assert!(embedder.memory_bytes().is_none() && !embedder.unload());
    let (mut shown, mut given) = (Vec::new(), Vec::new());
    for round in 0..3 {
        // Another text each time: vectors that are ready need no model.
        embedder.vector(&format!("The cat sits outside, {round}.")).unwrap();
        shown.push(embedder.memory_bytes().unwrap());
        let (is_unloaded, bytes) = given_back(|| embedder.unload());
        assert!(is_unloaded && embedder.memory_bytes().is_none() && !embedder.unload());
        given.push(bytes);
    }
    expect_true(&shown, &given);
    assert!(given[0] > 20_000_000, "{given:?}");
    assert!(Embedder::hashing().memory_bytes().is_none() && !Embedder::hashing().unload());
}
