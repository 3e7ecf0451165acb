//! Properties of values against plain Rust models. Every test ends with the heap as it found it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::value::count::{release, retain, share, share_whole};
use ag_runtime::value::dynamic::DynBuf;
use ag_runtime::value::equal::{compare, equal, hash};
use ag_runtime::value::json::{
    Unfinished, dyn_from_json, dyn_from_text_polled, from_json, parse_duration, to_json,
    to_json_text_polled,
};
use ag_runtime::value::list::ListBuf;
use ag_runtime::value::map::MapBuf;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::record::{self, RecordBuf};
use ag_runtime::value::shape::{
    self, EnumShape, FieldShape, RecordShape, Shape, ShapeId, VariantShape,
};
use ag_runtime::value::show::{duration, from_base64, quoted, show};
use ag_runtime::value::text::{BytesBuf, TextBuf, TextRef};
use ag_runtime::value::{heap, native};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use std::cmp::Ordering;
use std::sync::Mutex;

/// Runs alone, and nothing of it stays in the heap.
fn balanced<T>(body: impl FnOnce() -> T) -> T {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(|broken| broken.into_inner());
    let before = heap::live();
    let result = body();
    assert_eq!(heap::live(), before, "objects or bytes stayed");
    result
}

fn text(t: &str) -> u64 {
    TextBuf::new(t).into_word()
}

fn owned_text(t: &str) -> Owned {
    TextBuf::new(t).into_owned()
}

fn text_map() -> ShapeId {
    ShapeId::map(ShapeId::TEXT, ShapeId::TEXT)
}

#[derive(Clone, Debug)]
enum Op {
    Set(u8, String),
    Remove(u8),
    Keep,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        5 => (0u8..40, ".{0,6}").prop_map(|(key, value)| Op::Set(key, value)),
        4 => (0u8..40).prop_map(Op::Remove),
        1 => Just(Op::Keep),
    ];
    vec(op, 0..200)
}

type Model = Vec<(String, String)>;

fn apply(model: &mut Model, op: &Op) {
    match op {
        Op::Set(key, value) => {
            let key = key.to_string();
            match model.iter_mut().find(|entry| entry.0 == key) {
                Some(entry) => entry.1.clone_from(value),
                None => model.push((key, value.clone())),
            }
        }
        Op::Remove(key) => model.retain(|entry| entry.0 != key.to_string()),
        Op::Keep => {}
    }
}

fn entries(map: &MapBuf) -> Model {
    // SAFETY: keys and values are Texts.
    let read = |word| unsafe { TextRef::from_word(word) }.as_str().to_owned();
    map.borrow().entries().map(|(key, value)| (read(key), read(value))).collect()
}

proptest! {
    #[test]
    fn a_map_is_a_list_of_pairs_in_order(ops in ops()) {
        balanced(|| {
            let mut map = MapBuf::new(text_map());
            let mut model = Model::new();
            let mut kept = Vec::new();
            for op in &ops {
                apply(&mut model, op);
                map = match op {
                    Op::Set(key, value) => map.set(text(&key.to_string()), text(value)),
                    Op::Remove(key) => {
                        let key = owned_text(&key.to_string());
                        map.remove(key.value())
                    }
                    Op::Keep => {
                        kept.push((map.clone(), model.clone()));
                        map
                    }
                };
                prop_assert_eq!(map.borrow().len(), model.len());
            }
            prop_assert_eq!(entries(&map), model.clone());
            for (key, value) in &model {
                let key = owned_text(key);
                let found = map.borrow().get(key.value()).unwrap();
                prop_assert_eq!(&show(found, ShapeId::TEXT), value);
            }
            let mut position = 0;
            let mut walked = 0;
            while let Some((next, _, _)) = map.borrow().next(position) {
                position = next;
                walked += 1;
            }
            prop_assert_eq!(walked, model.len());
            for (map, model) in kept {
                prop_assert_eq!(entries(&map), model);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_list_is_a_vec(ops in vec((0u8..6, any::<prop::sample::Index>(), ".{0,4}"), 0..80)) {
        balanced(|| {
            let shape = ShapeId::list(ShapeId::TEXT);
            let mut list = ListBuf::with_capacity(shape, 0);
            let mut model: Vec<String> = Vec::new();
            let mut kept = Vec::new();
            for (op, at, value) in ops {
                let end = at.index(model.len() + 1);
                let within = at.index(model.len().max(1));
                match op {
                    0 | 1 => {
                        list = list.push(text(&value));
                        model.push(value);
                    }
                    2 => {
                        list = list.insert(end, text(&value));
                        model.insert(end, value);
                    }
                    3 if within < model.len() => {
                        list = list.remove(within);
                        model.remove(within);
                    }
                    4 if within < model.len() => {
                        list = list.set(within, text(&value));
                        model[within] = value;
                    }
                    5 => {
                        kept.push((list.clone(), model.clone()));
                        list = list.truncate(end);
                        model.truncate(end);
                    }
                    _ => {}
                }
            }
            kept.push((list, model));
            for (list, model) in kept {
                let items = list.borrow().items().iter();
                let items: Vec<String> = items.map(|&item| show(item, ShapeId::TEXT)).collect();
                prop_assert_eq!(items, model);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_text_is_its_characters(parts in vec("[a-z]{0,5}|\\PC{0,5}", 0..8), at in 0usize..30, to in 0usize..30) {
        balanced(|| {
            let whole: String = parts.concat();
            let chars: Vec<char> = whole.chars().collect();
            let mut made = TextBuf::new("");
            for part in &parts {
                let before = made.clone();
                made = made.append(part);
                drop(before);
            }
            let mut in_place = TextBuf::new("");
            for part in &parts {
                in_place = in_place.append(part);
            }
            for made in [&made, &in_place] {
                let text = made.borrow();
                prop_assert_eq!(text.as_str(), &whole);
                prop_assert_eq!(text.len(), chars.len());
                prop_assert_eq!(text.is_ascii(), whole.is_ascii());
                prop_assert_eq!(text.char_at(at), chars.get(at).copied());
                let (from, end) = (at.min(chars.len()), to.min(chars.len()).max(at.min(chars.len())));
                let slice: String = chars[from..end].iter().collect();
                prop_assert_eq!(text.slice(at..to), slice);
                prop_assert_eq!(text.position(text.offset(at)), from);
            }
            Ok(())
        })?;
    }

    #[test]
    fn json_reads_back_what_it_wrote(seed in any::<u64>()) {
        balanced(|| {
            let mut random = Random(seed);
            let of = random.shape(3);
            let value = Owned::new(random.value(of), of);
            let again = Owned::new(random.copy(value.value(), of), of);
            let written = to_json(value.value(), of).unwrap();
            let read = from_json(&written, of).unwrap_or_else(|errors| panic!("{written}: {errors:?}"));
            let read = Owned::new(read, of);
            prop_assert!(equal(value.value(), read.value(), of), "{written} {value:?} {read:?}");
            prop_assert_eq!(hash(value.value(), of), hash(read.value(), of));
            prop_assert_eq!(compare(value.value(), read.value(), of), Ordering::Equal);
            prop_assert_eq!(quoted(value.value(), of), quoted(again.value(), of));
            let dynamic = Owned::new(dyn_from_json(&written), ShapeId::DYN);
            prop_assert_eq!(to_json(dynamic.value(), ShapeId::DYN).unwrap(), written.clone());
            let program = Owned::new(DynBuf::new(value.clone().into_word(), of).into_word(), ShapeId::DYN);
            prop_assert_eq!(to_json(program.value(), ShapeId::DYN).unwrap(), written);
            Ok(())
        })?;
    }

    #[test]
    fn order_is_total_and_agrees_with_equality(seed in any::<u64>()) {
        balanced(|| {
            let mut random = Random(seed);
            let of = ShapeId::tuple(&[ShapeId::option(ShapeId::INT), ShapeId::list(ShapeId::TEXT)]);
            let values: Vec<Owned> = (0..3).map(|_| Owned::new(random.value(of), of)).collect();
            let order = |a: usize, b: usize| compare(values[a].value(), values[b].value(), of);
            for a in 0..3 {
                for b in 0..3 {
                    prop_assert_eq!(order(a, b), order(b, a).reverse());
                    prop_assert_eq!(order(a, b).is_eq(), values[a] == values[b]);
                }
            }
            prop_assert!(!(order(0, 1).is_le() && order(1, 2).is_le()) || order(0, 2).is_le());
            Ok(())
        })?;
    }

    #[test]
    fn reading_anything_as_anything_never_panics(seed in any::<u64>()) {
        balanced(|| {
            let mut random = Random(seed);
            let from = random.shape(3);
            let to = random.shape(3);
            let value = Owned::new(random.value(from), from);
            let written = to_json(value.value(), from).unwrap();
            match from_json(&written, to) {
                Ok(read) => release(read, to),
                Err(errors) => prop_assert!(!errors.is_empty() && errors[0].path.starts_with('$')),
            }
            Ok(())
        })?;
    }

    #[test]
    fn durations_and_bytes_read_back(ns in any::<i64>(), bytes in vec(any::<u8>(), 0..20)) {
        prop_assert_eq!(parse_duration(&duration(ns)), Some(ns));
        let shown = ag_runtime::value::show::base64(&bytes);
        prop_assert_eq!(from_base64(&shown), Some(bytes));
    }
}

/// Random shapes and values from one number.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    fn key(&mut self) -> ShapeId {
        [ShapeId::TEXT, ShapeId::INT, ShapeId::BOOL, decision()][self.below(4) as usize]
    }

    fn shape(&mut self, depth: u32) -> ShapeId {
        let leaves = [
            ShapeId::BOOL,
            ShapeId::INT,
            ShapeId::FLOAT,
            ShapeId::TEXT,
            ShapeId::BYTES,
            ShapeId::MONEY,
            ShapeId::DURATION,
            ShapeId::TIME,
            ShapeId::VECTOR,
            decision(),
            colour(),
        ];
        if depth == 0 {
            return leaves[self.below(leaves.len() as u64) as usize];
        }
        match self.below(8) {
            0 => ShapeId::list(self.shape(depth - 1)),
            1 => ShapeId::set(self.key()),
            2 => ShapeId::map(self.key(), self.shape(depth - 1)),
            3 => ShapeId::tuple(&[self.shape(depth - 1), self.shape(depth - 1)]),
            // An Option of an Option, or of Unit, has two readings of null.
            4 => ShapeId::option(ShapeId::list(self.shape(depth - 1))),
            5 => ShapeId::result(self.shape(depth - 1), ShapeId::TEXT),
            6 => ShapeId::record(&[("a", self.shape(depth - 1)), ("b c", self.shape(depth - 1))]),
            _ => self.shape(0),
        }
    }

    fn string(&mut self) -> String {
        let pieces = ["a", "Zoë", "\"", "\\", "\n", "$x", "", "日本", "\u{7}"];
        (0..self.below(4)).map(|_| pieces[self.below(pieces.len() as u64) as usize]).collect()
    }

    fn value(&mut self, of: ShapeId) -> u64 {
        let length = self.below(4);
        match shape::shape(of) {
            Shape::Bool => self.below(2),
            Shape::Int | Shape::Time | Shape::Money | Shape::Duration => {
                let bits = self.below(64);
                self.below(u64::MAX).cast_signed().wrapping_shr(bits as u32).cast_unsigned()
            }
            Shape::Float => (self.below(2000) as f64 / 8.0 - 100.0).to_bits(),
            Shape::Text => text(&self.string()),
            Shape::Bytes => BytesBuf::new(self.string().as_bytes()).into_word(),
            Shape::Vector => ListBuf::vector(&[1.5, -0.0, 2.0][..length as usize % 4]).into_word(),
            Shape::List(element) => {
                let items: Vec<u64> = (0..length).map(|_| self.value(*element)).collect();
                ListBuf::from_items(of, &items).into_word()
            }
            Shape::Set(key) => {
                let set = MapBuf::new(of);
                (0..length).fold(set, |set, _| set.insert(self.value(*key))).into_word()
            }
            Shape::Map(key, value) => (0..length)
                .fold(MapBuf::new(of), |map, _| {
                    let key = self.value(*key);
                    map.set(key, self.value(*value))
                })
                .into_word(),
            Shape::Tuple(items) => {
                let items: Vec<u64> = items.iter().map(|&item| self.value(item)).collect();
                record::tuple(of, &items)
            }
            Shape::Record(record) => {
                let fields: Vec<u64> =
                    record.fields.iter().map(|field| self.value(field.shape)).collect();
                RecordBuf::new(of, &fields).into_word()
            }
            Shape::Enum(variants) => {
                let tag = self.below(variants.variants.len() as u64) as u32;
                let fields: Vec<u64> = variants.variants[tag as usize]
                    .fields
                    .iter()
                    .map(|field| self.value(field.shape))
                    .collect();
                record::variant(of, tag, &fields)
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// The same value by another road: through JSON.
    fn copy(&mut self, word: u64, of: ShapeId) -> u64 {
        from_json(&to_json(word, of).unwrap(), of).unwrap()
    }
}

fn decision() -> ShapeId {
    let id = shape::declare("values_test::Decision", 1);
    let no_trade = VariantShape {
        name: "NoTrade".into(),
        fields: Box::new([FieldShape::new("reason", ShapeId::TEXT)]),
    };
    let variants = [
        VariantShape::unit("Hold"),
        VariantShape::of("Buy", &[ShapeId::INT, ShapeId::MONEY]),
        no_trade,
    ];
    shape::define(
        id,
        Shape::Enum(EnumShape { name: "Decision".into(), variants: Box::new(variants) }),
    );
    id
}

fn colour() -> ShapeId {
    let variants = [VariantShape::unit("Red"), VariantShape::unit("Green")];
    shape::intern(Shape::Enum(EnumShape { name: "Colour".into(), variants: Box::new(variants) }))
}

/// `struct Chain { next : Chain? }`
fn chain() -> (ShapeId, ShapeId) {
    let id = shape::declare("values_test::Chain", 1);
    let next = ShapeId::option(id);
    shape::define(
        id,
        Shape::Record(RecordShape {
            name: Some("Chain".into()),
            fields: Box::new([FieldShape {
                name: "next".into(),
                shape: next,
                doc: "".into(),
                required: false,
                default: None,
            }]),
            is_tool: false,
        }),
    );
    (id, next)
}

fn long_chain(length: usize) -> Owned {
    let (id, next) = chain();
    let mut value = RecordBuf::new(id, &[record::NONE]).into_word();
    for _ in 0..length {
        value = RecordBuf::new(id, &[record::some(next, value)]).into_word();
    }
    Owned::new(value, id)
}

#[test]
fn depth_costs_no_stack() {
    balanced(|| {
        let small_stack = std::thread::Builder::new().stack_size(192 * 1024);
        let work = || {
            let (a, b) = (long_chain(300_000), long_chain(300_000));
            assert_eq!(a, b);
            assert_eq!(compare(a.value(), b.value(), a.shape()), Ordering::Equal);
            assert_eq!(hash(a.value(), a.shape()), hash(b.value(), b.shape()));
            assert!(a.show().starts_with("Chain { next: Some(Chain { next: Some("));
            assert!(to_json(a.value(), a.shape()).unwrap_err().message.contains("deeper"));
            drop(a.clone().share().unwrap());
            drop((a, b.share_whole().unwrap()));
        };
        small_stack.spawn(work).unwrap().join().unwrap();
    });
}

#[test]
fn a_document_at_the_depth_limit_is_read_on_a_small_stack() {
    balanced(|| {
        let (id, _) = chain();
        let document = |depth: usize| {
            let inner = serde_json::Value::Null;
            (0..depth).fold(inner, |value, _| serde_json::json!({ "next": value }))
        };
        let work = move || {
            let read = Owned::new(from_json(&document(60), id).unwrap(), id);
            assert_eq!(to_json(read.value(), id).unwrap(), document(60));
            assert!(from_json(&document(70), id).is_err());
            drop(Owned::new(dyn_from_json(&document(126)), ShapeId::DYN));
        };
        let small_stack = std::thread::Builder::new().stack_size(192 * 1024);
        small_stack.spawn(work).unwrap().join().unwrap();
    });
}

#[test]
fn shows_as_the_language_says() {
    balanced(|| {
        let trade = ShapeId::record(&[("order_id", ShapeId::INT), ("filled", ShapeId::INT)]);
        let shown = |value: Owned| value.show();
        assert_eq!(shown(owned_text("a \"b\"")), "a \"b\"");
        let list = ShapeId::list(ShapeId::TEXT);
        let texts = ListBuf::from_items(list, &[text("a\n"), text("$5 $x")]).into_owned();
        assert_eq!(texts.show(), "[\"a\\n\", \"$5 \\$x\"]");
        assert_eq!(
            shown(RecordBuf::new(trade, &[1, 50]).into_owned()),
            "{ order_id: 1, filled: 50 }"
        );
        let no = record::variant(decision(), 2, &[text("risk too high")]);
        assert_eq!(shown(Owned::new(no, decision())), "Decision.NoTrade(\"risk too high\")");
        let hold = Owned::new(record::unit_variant(0), decision());
        assert_eq!(hold.show(), "Decision.Hold");
        let option = ShapeId::option(ShapeId::INT);
        assert_eq!(shown(Owned::new(record::some(option, 3), option)), "Some(3)");
        assert_eq!(shown(Owned::new(record::NONE, option)), "None");
        for (money, text) in [(100_000, "$0.10"), (25, "$0.000025"), (0, "$0.00")] {
            assert_eq!(show(money, ShapeId::MONEY), text);
        }
        for (number, text) in [(5.0, "5.0"), (0.1, "0.1"), (1e300, "1.0e300"), (1.5e-9, "1.5e-9")] {
            assert_eq!(show(f64::to_bits(number), ShapeId::FLOAT), text);
        }
        for (ns, text) in [
            (3_600_000_000_000, "1h"),
            (5_000_000, "5ms"),
            (90_000_000_000, "90s"),
            (1_500_000_000, "1.5s"),
            (1_234_567, "1.234567ms"),
            (4_991_847_469, "4.991847469s"),
            (7 * 86_400_000_000_000, "7d"),
            (-1, "-1ns"),
        ] {
            assert_eq!(duration(ns), text);
        }
        let map = MapBuf::new(text_map()).set(text("k"), text("v"));
        assert_eq!(shown(map.into_owned()), "{ \"k\": \"v\" }");
        let by_number = MapBuf::new(ShapeId::map(ShapeId::INT, ShapeId::UNIT)).set(1, 0);
        assert_eq!(shown(by_number.into_owned()), "{ (1): () }");
        assert_eq!(shown(Owned::new(0, ShapeId::UNIT)), "()");
        let json = serde_json::json!({"a": [1, null, 2.5, "x"]});
        let dynamic = Owned::new(dyn_from_json(&json), ShapeId::DYN);
        assert_eq!(dynamic.show(), "{ \"a\": [1, null, 2.5, \"x\"] }");
    });
}

#[test]
fn a_field_with_a_default_may_be_left_out() {
    let id = shape::declare("values_test::Trade", 1);
    let quantity = FieldShape {
        required: false,
        default: Some("100".into()),
        ..FieldShape::new("quantity", ShapeId::INT)
    };
    let note = FieldShape {
        required: false,
        default: Some("\"none\"".into()),
        ..FieldShape::new("note", ShapeId::option(ShapeId::TEXT))
    };
    shape::define(
        id,
        Shape::Record(RecordShape {
            name: Some("Trade".into()),
            fields: Box::new([FieldShape::new("symbol", ShapeId::TEXT), quantity, note]),
            is_tool: false,
        }),
    );
    balanced(|| {
        let read = |text: &str| {
            let document = serde_json::from_str(text).unwrap();
            from_json(&document, id).map(|word| Owned::new(word, id).show())
        };
        assert_eq!(
            read(r#"{"symbol": "A"}"#).unwrap(),
            "Trade { symbol: \"A\", quantity: 100, note: Some(\"none\") }"
        );
        assert_eq!(
            read(r#"{"symbol": "A", "quantity": 1, "note": null}"#).unwrap(),
            "Trade { symbol: \"A\", quantity: 1, note: None }"
        );
        assert_eq!(read("{}").unwrap_err().len(), 1);
    });
}

#[test]
fn every_mistake_of_a_document_has_its_path() {
    let trade = ShapeId::record(&[
        ("quantity", ShapeId::INT),
        ("decisions", ShapeId::list(decision())),
        ("note", ShapeId::option(ShapeId::TEXT)),
    ]);
    let document = serde_json::json!({
        "quantity": "many",
        "decisions": [{"kind": "Hold"}, {"kind": "Sell"}, {"kind": "NoTrade"}, "Buy"],
        "odd key": 1,
    });
    let errors = balanced(|| from_json(&document, trade).unwrap_err());
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "$.quantity: expected Int, found \"many\"",
            "$.decisions[1]: expected an object whose \"kind\" is one of \"Hold\", \"Buy\", \"NoTrade\", found an object",
            "$.decisions[2].reason: missing; expected Text",
            "$.decisions[3]: expected an object with \"kind\": \"Buy\" and its fields, found \"Buy\"",
            "$[\"odd key\"]: unexpected field",
        ]
    );
}

#[test]
fn json_forms() {
    balanced(|| {
        let cases = [
            (Owned::new(100_000, ShapeId::MONEY), "0.1"),
            (Owned::new(5_000_000_000, ShapeId::DURATION), "\"5s\""),
            (Owned::new(0, ShapeId::TIME), "\"1970-01-01T00:00:00Z\""),
            (Owned::new(record::unit_variant(1), colour()), "\"Green\""),
            (Owned::new(record::unit_variant(0), decision()), "{\"kind\":\"Hold\"}"),
            (
                Owned::new(record::variant(decision(), 1, &[3, 5]), decision()),
                "{\"kind\":\"Buy\",\"_0\":3,\"_1\":5e-6}",
            ),
            (Owned::new(record::NONE, ShapeId::option(ShapeId::INT)), "null"),
            (ListBuf::vector(&[0.5, 2.0]).into_owned(), "[0.5,2.0]"),
            (BytesBuf::new(b"hi").into_owned(), "\"aGk=\""),
        ];
        for (value, json) in cases {
            assert_eq!(to_json(value.value(), value.shape()).unwrap().to_string(), json);
        }
        assert!(to_json(f64::NAN.to_bits(), ShapeId::FLOAT).is_err());
        let money = |text: &str| {
            from_json(&serde_json::from_str(text).unwrap(), ShapeId::MONEY).map(u64::cast_signed)
        };
        assert_eq!(money("0.1"), Ok(100_000));
        assert_eq!(money("\"$0.10\""), Ok(100_000));
        assert_eq!(money("\"-$1.5\""), Ok(-1_500_000));
        assert!(money("0.0000001").is_err());
        assert_eq!(from_json(&serde_json::json!(3.0), ShapeId::INT), Ok(3));
        assert!(from_json(&serde_json::json!(3.5), ShapeId::INT).is_err());
    });
}

#[test]
fn in_place_when_alone_and_a_copy_when_not() {
    balanced(|| {
        let of = ShapeId::list(ShapeId::INT);
        let list = ListBuf::with_capacity(of, 8).push(1);
        let address = list.borrow().word();
        let list = list.push(2).set(0, 7);
        assert_eq!(list.borrow().word(), address);
        let other = list.clone();
        let list = list.set(0, 8);
        assert_ne!(list.borrow().word(), address);
        assert_eq!((list.borrow().items(), other.borrow().items()), (&[8, 2][..], &[7, 2][..]));
        // Back to one holder after being shared: in place again.
        let other = Owned::new(other.into_word(), of).share_whole().unwrap();
        let address = other.value();
        // SAFETY: a list whose count is handed over.
        let other = unsafe { ListBuf::from_word(other.into_word()) }.set(1, 3);
        assert_eq!(other.borrow().word(), address);
    });
}

#[test]
fn threads_share_what_two_of_them_hold() {
    balanced(|| {
        let of = ShapeId::list(ShapeId::TEXT);
        let inner = owned_text("inner");
        let list = ListBuf::from_items(of, &[inner.clone().into_word(), text("alone")]);
        let list = list.into_owned().share().unwrap();
        std::thread::scope(|scope| {
            // `inner` is held here and inside the list, which now belongs to another thread.
            scope.spawn(move || {
                for _ in 0..10_000 {
                    let copy = list.clone();
                    drop(copy);
                }
                let items = Owned::retained(list.value(), of);
                for _ in 0..10_000 {
                    // SAFETY: a live list of texts.
                    let item =
                        unsafe { ag_runtime::value::list::ListRef::from_word(items.value()) };
                    let first = item.get(0).unwrap();
                    retain(first, ShapeId::TEXT);
                    release(first, ShapeId::TEXT);
                }
            });
            for _ in 0..20_000 {
                drop(inner.clone());
            }
        });
        let global =
            ListBuf::from_items(of, &[text("a"), text("b")]).into_owned().share_whole().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let mine = global.clone();
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        // SAFETY: a live list of texts.
                        let list =
                            unsafe { ag_runtime::value::list::ListRef::from_word(mine.value()) };
                        let item = Owned::retained(list.get(1).unwrap(), ShapeId::TEXT);
                        assert_eq!(item.show(), "b");
                    }
                });
            }
        });
    });
}

#[test]
fn what_is_sent_alone_stays_uncounted_by_atomics() {
    balanced(|| {
        let of = ShapeId::list(ShapeId::TEXT);
        let held = owned_text("held");
        let alone = text("alone");
        let list = ListBuf::from_items(of, &[held.clone().into_word(), alone]).into_owned();
        share(list.value(), of).unwrap();
        // SAFETY: all three are live objects, which begin with a header.
        let header = |word: u64| unsafe { &*(word as *const heap::Header) };
        assert!(!header(list.value()).is_shared());
        assert!(header(held.value()).is_shared());
        assert!(!header(alone).is_shared());
        share_whole(list.value(), of).unwrap();
        assert!(header(list.value()).is_shared() && header(alone).is_shared());
    });
}

#[test]
fn handles_are_things() {
    balanced(|| {
        let of = ShapeId::opaque("Thread");
        let first = std::sync::Arc::new(5u32);
        let a = Owned::new(native::native(of, first.clone()), of);
        let b = Owned::new(native::native(of, first.clone()), of);
        let other = Owned::new(native::native(of, std::sync::Arc::new(5u32)), of);
        assert_eq!(native::payload::<u32>(a.value()).as_deref(), Some(&5));
        assert!(native::payload::<u64>(a.value()).is_none());
        assert_eq!(a, b);
        assert_ne!(a, other);
        assert_eq!(a.show(), "<Thread>");
        let lane = ShapeId::opaque("Lane");
        let echo = Owned::new(text("echo"), lane);
        assert_eq!(echo.show(), "echo");
        assert_eq!(echo, Owned::new(text("echo"), lane));
    });
}

#[test]
fn compares_dyns_by_what_they_say() {
    balanced(|| {
        let dynamic = |json: serde_json::Value| Owned::new(dyn_from_json(&json), ShapeId::DYN);
        let record = ShapeId::record(&[("a", ShapeId::INT)]);
        let fields = RecordBuf::new(record, &[1]).into_word();
        let of_record = Owned::new(DynBuf::new(fields, record).into_word(), ShapeId::DYN);
        assert_eq!(of_record, dynamic(serde_json::json!({"a": 1})));
        assert_eq!(dynamic(serde_json::json!(1)), dynamic(serde_json::json!(1.0)));
        assert_ne!(dynamic(serde_json::json!(1)), dynamic(serde_json::json!("1")));
        assert_eq!(dynamic(serde_json::Value::Null).show(), "null");
    });
}

mod prop {
    pub mod sample {
        pub use proptest::sample::Index;
    }
}

#[test]
fn json_conversions_stop_anywhere_and_leave_nothing() {
    let text =
        r#"{"a":[1,2.5,{"b":"text"},null],"c":{"d":[true,"more"]},"e":18446744073709551615}"#;
    let plain: serde_json::Value = serde_json::from_str(text).unwrap();
    let (mut read_stops, mut write_stops) = (0, 0);
    for steps in 0..200 {
        balanced(|| {
            let mut left = steps;
            let mut poll = || {
                left -= 1;
                left < 0
            };
            let Some(read) = dyn_from_text_polled(text, &mut poll) else {
                read_stops += 1;
                return;
            };
            let read = read.unwrap().into_owned();
            let expected = Owned::new(dyn_from_json(&plain), ShapeId::DYN);
            assert_eq!(read.show(), expected.show());
            match to_json_text_polled(read.value(), ShapeId::DYN, &mut poll) {
                Ok(written) => {
                    assert_eq!(written, to_json(read.value(), ShapeId::DYN).unwrap().to_string());
                }
                Err(unfinished) => {
                    assert_eq!(unfinished, Unfinished::Stopped);
                    write_stops += 1;
                }
            }
        });
    }
    assert!(read_stops > 10 && write_stops > 10 && read_stops + write_stops < 200);
    let wrong = |text: &str| {
        let polled = dyn_from_text_polled(text, &mut || false).unwrap().err().unwrap();
        let plain = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        assert_eq!(polled.to_string(), plain.to_string());
    };
    ["", "[1,", "[1] 2", "{\"a\" 1}", "nul", "1e999", &"[".repeat(200)].into_iter().for_each(wrong);
}
