//! Bodies of the prelude against plain Rust: results, faults, limits, and nothing left behind when a callback faults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_runtime::builtin::{self, BuiltinId};
use ag_runtime::code::{CodeHandle, FAULT, OK, Status, Version};
use ag_runtime::context::Cx;
use ag_runtime::fault::{Faulted, Origin};
use ag_runtime::rng::Seed;
use ag_runtime::value::closure::FunctionBuf;
use ag_runtime::value::count::{release, retain};
use ag_runtime::value::dying;
use ag_runtime::value::heap;
use ag_runtime::value::list::ListBuf;
use ag_runtime::value::map::MapBuf;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::record;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::value::text::{TextBuf, TextRef};
use ag_runtime::world::options::{Limits, WorldOptions};
use ag_runtime::world::{World, WorldHandle};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};
use std::sync::{Arc, LazyLock, Mutex};

#[path = "prelude/walk.rs"]
mod walk;

const INT: ShapeId = ShapeId::INT;
const TEXT: ShapeId = ShapeId::TEXT;
const BOOL: ShapeId = ShapeId::BOOL;

type Body = dyn Fn(&mut Cx, &[u64]) -> Result<u64, Faulted> + Send + Sync;

struct Native {
    body: Box<Body>,
    params: Vec<ShapeId>,
}

unsafe extern "C" fn native(cx: *mut Cx, code: *const u8, args: *mut u64) -> Status {
    // SAFETY: the code of these versions is a `Native`, called with as many arguments as it has parameters.
    let (cx, native) = unsafe { (&mut *cx, &*code.cast::<Native>()) };
    // SAFETY: as above.
    let args = unsafe { std::slice::from_raw_parts(args, native.params.len()) }.to_vec();
    let result = (native.body)(cx, &args);
    args.iter().zip(&native.params).for_each(|(&arg, &shape)| release(arg, shape));
    match result {
        Ok(value) => {
            cx.result = value;
            OK
        }
        Err(Faulted) => FAULT,
    }
}

/// A context beside the workers, and values made for it.
struct Bench {
    cx: Cx,
}

impl Bench {
    fn new(world: &Arc<World>) -> Self {
        Self { cx: Cx::detached(world) }
    }

    /// A function value with native code.
    fn lambda(
        &self,
        params: &[ShapeId],
        result: ShapeId,
        body: impl Fn(&mut Cx, &[u64]) -> Result<u64, Faulted> + Send + Sync + 'static,
    ) -> Owned {
        let slot = self.cx.world.functions().allocate("lambda");
        let code = Arc::new(Native { body: Box::new(body), params: params.to_vec() });
        self.cx.world.functions().install(
            slot,
            Version {
                name: "lambda".into(),
                origin: Origin::default(),
                entry: native,
                code: CodeHandle::new(code),
                params: params.into(),
                result,
                captures: 0,
            },
        );
        FunctionBuf::new(ShapeId::function(params, result), slot, &[]).into_owned()
    }

    /// Calls a builtin as the interpreter does: what it owns is handed over, the rest is borrowed.
    fn call(&mut self, id: BuiltinId, args: &[&Owned], types: &[ShapeId]) -> Result<u64, String> {
        let row = id.get().unwrap();
        let mut words = Vec::new();
        for (at, arg) in args.iter().enumerate() {
            if row.owns(at) {
                retain(arg.value(), arg.shape());
            }
            words.push(arg.value());
        }
        words.extend(types.iter().map(|of| u64::from(of.0)));
        assert_eq!(words.len(), row.words as usize, "{}", row.name);
        if (row.call)(&raw mut self.cx, words.as_ptr()) == OK {
            return Ok(self.cx.result);
        }
        let fault = self.cx.fault.take().unwrap();
        Err(format!("{}: {}", fault.code, fault.message))
    }

    fn list(&mut self, name: &str, args: &[&Owned], types: &[ShapeId]) -> Result<u64, String> {
        self.call(builtin::member("List", name).unwrap(), args, types)
    }

    fn text(&mut self, name: &str, args: &[&Owned]) -> Result<u64, String> {
        self.call(builtin::member("Text", name).unwrap(), args, &[])
    }

    fn function(&mut self, name: &str, args: &[&Owned], types: &[ShapeId]) -> Result<u64, String> {
        self.call(builtin::function(name).unwrap(), args, types)
    }

    /// The operator of that name with that signature.
    fn operator(
        &mut self,
        name: &str,
        of: &str,
        args: &[&Owned],
        types: &[ShapeId],
    ) -> Result<u64, String> {
        let fits = |id: &&BuiltinId| id.get().unwrap().signature.contains(of);
        let id = *builtin::operators(name).iter().find(fits).unwrap();
        self.call(id, args, types)
    }
}

static ALONE: Mutex<()> = Mutex::new(());

fn balanced<T>(world: &Arc<World>, body: impl FnOnce(&mut Bench) -> T) -> T {
    let before = heap::live();
    let result = body(&mut Bench::new(world));
    // Large memory is given back in the background.
    dying::finish(|| false);
    assert_eq!(heap::live(), before, "objects or bytes stayed");
    result
}

fn with_limits<T>(limits: Limits, body: impl FnOnce(&mut Bench) -> T) -> T {
    let _alone = ALONE.lock().unwrap_or_else(|broken| broken.into_inner());
    let world = World::open(WorldOptions { limits, ..WorldOptions::seeded(Seed(1)) });
    balanced(&world, body)
}

/// In a world that all tests without limits share.
fn bench<T>(body: impl FnOnce(&mut Bench) -> T) -> T {
    static WORLD: LazyLock<WorldHandle> =
        LazyLock::new(|| World::open(WorldOptions::seeded(Seed(1))));
    let _alone = ALONE.lock().unwrap_or_else(|broken| broken.into_inner());
    balanced(&WORLD, body)
}

fn int(value: i64) -> Owned {
    Owned::new(value.cast_unsigned(), INT)
}

fn text(value: &str) -> Owned {
    TextBuf::new(value).into_owned()
}

fn ints(items: &[i64]) -> Owned {
    let items: Vec<u64> = items.iter().map(|item| item.cast_unsigned()).collect();
    ListBuf::from_items(ShapeId::list(INT), &items).into_owned()
}

fn texts(items: &[&str]) -> Owned {
    let items: Vec<u64> = items.iter().map(|item| text(item).into_word()).collect();
    ListBuf::from_items(ShapeId::list(TEXT), &items).into_owned()
}

fn shown(value: Result<u64, String>, of: ShapeId) -> String {
    match value {
        Ok(word) => format!("{:?}", Owned::new(word, of)),
        Err(fault) => fault,
    }
}

proptest! {
    #[test]
    fn lists_do_what_vecs_do(items in vec(-20i64..20, 0..70), n in 0i64..80) {
        bench(|b| {
            let (xs, list) = (ints(&items), ShapeId::list(INT));
            let mut model = items.clone();
            model.sort_unstable();
            let ascending = Owned::new(0, BOOL);
            prop_assert_eq!(shown(b.list("sort", &[&xs, &ascending], &[INT]), list), format!("{model:?}"));
            model.reverse();
            let descending = Owned::new(1, BOOL);
            prop_assert_eq!(shown(b.list("sort", &[&xs, &descending], &[INT]), list), format!("{model:?}"));

            let mut model = items.clone();
            model.sort_by_key(|x| x.rem_euclid(3));
            let key = b.lambda(&[INT], INT, |_, args| Ok(args[0].cast_signed().rem_euclid(3).cast_unsigned()));
            prop_assert_eq!(shown(b.list("sort_by", &[&xs, &key, &ascending], &[INT, INT]), list), format!("{model:?}"));

            let mut model: Vec<i64> = Vec::new();
            items.iter().for_each(|x| if !model.contains(x) { model.push(*x) });
            prop_assert_eq!(shown(b.list("unique", &[&xs], &[INT]), list), format!("{model:?}"));

            let model: Vec<i64> = items.iter().copied().filter(|x| *x > 0).collect();
            let positive = b.lambda(&[INT], BOOL, |_, args| Ok(u64::from(args[0].cast_signed() > 0)));
            prop_assert_eq!(shown(b.list("filter", &[&xs, &positive], &[INT]), list), format!("{model:?}"));
            prop_assert_eq!(b.list("count", &[&xs, &positive], &[INT]), Ok(model.len() as u64));
            prop_assert_eq!(b.list("any", &[&xs, &positive], &[INT]), Ok(u64::from(!model.is_empty())));
            prop_assert_eq!(b.list("all", &[&xs, &positive], &[INT]), Ok(u64::from(model.len() == items.len())));

            let groups = b.list("group_by", &[&xs, &key], &[INT, INT]);
            let groups = Owned::new(groups.unwrap(), ShapeId::map(INT, list));
            for remainder in 0..3 {
                let model: Vec<i64> = items.iter().copied().filter(|x| x.rem_euclid(3) == remainder).collect();
                // SAFETY: a map, as its shape says.
                let map = unsafe { ag_runtime::value::map::MapRef::from_word(groups.value()) };
                let group = map.get(remainder.cast_unsigned());
                let group = group.map_or("[]".into(), |word| format!("{:?}", Owned::retained(word, list)));
                prop_assert_eq!(group, format!("{model:?}"));
            }

            let model: i64 = items.iter().sum();
            prop_assert_eq!(b.list("sum", &[&xs], &[INT]), Ok(model.cast_unsigned()));
            let taken: Vec<i64> = items.iter().copied().take(n as usize).collect();
            prop_assert_eq!(shown(b.list("take", &[&xs, &int(n)], &[INT]), list), format!("{taken:?}"));
            let dropped: Vec<i64> = items.iter().copied().skip(n as usize).collect();
            prop_assert_eq!(shown(b.list("drop", &[&xs, &int(n)], &[INT]), list), format!("{dropped:?}"));
            let reversed: Vec<i64> = items.iter().copied().rev().collect();
            prop_assert_eq!(shown(b.list("reverse", &[&xs], &[INT]), list), format!("{reversed:?}"));
            let smallest = format!("{:?}", items.iter().min());
            prop_assert_eq!(shown(b.list("min", &[&xs], &[INT]), ShapeId::option(INT)), smallest);
            Ok(())
        })?;
    }

    #[test]
    fn texts_do_what_strs_do(t in "[aé b]{0,12}", part in "[aé ]{1,2}", start in 0i64..14, end in 0i64..14) {
        bench(|b| {
            let (whole, part_text) = (text(&t), text(&part));
            let list = ShapeId::list(TEXT);
            let split: Vec<&str> = t.split(part.as_str()).collect();
            prop_assert_eq!(shown(b.text("split", &[&whole, &part_text]), list), format!("{split:?}"));
            prop_assert_eq!(shown(b.text("upper", &[&whole]), TEXT), format!("{:?}", t.to_uppercase()));
            prop_assert_eq!(shown(b.text("trim", &[&whole]), TEXT), format!("{:?}", t.trim()));
            let replaced = t.replace(&part, "-");
            prop_assert_eq!(shown(b.text("replace", &[&whole, &part_text, &text("-")]), TEXT), format!("{replaced:?}"));
            let position = t.find(&part).map(|at| t[..at].chars().count());
            prop_assert_eq!(shown(b.text("index_of", &[&whole, &part_text]), ShapeId::option(INT)), format!("{position:?}"));
            let characters: String = t.chars().skip(start as usize).take((end - start).max(0) as usize).collect();
            prop_assert_eq!(shown(b.text("slice", &[&whole, &int(start), &int(end)]), TEXT), format!("{characters:?}"));
            let joined = shown(b.operator("+", "(a: Text", &[&whole, &part_text], &[]), TEXT);
            prop_assert_eq!(joined, format!("{:?}", t.clone() + &part));
            Ok(())
        })?;
    }

    #[test]
    fn ranges_end_where_they_should(start in any::<i64>(), length in 0i64..50, step in 1i64..7) {
        bench(|b| {
            let end = start.saturating_add(length);
            let up: Vec<i64> = (start..end).step_by(step as usize).collect();
            let made = b.function("range", &[&int(start), &int(end), &int(step)], &[]);
            prop_assert_eq!(shown(made, ShapeId::list(INT)), format!("{up:?}"));
            let down: Vec<i64> = (0..length).step_by(step as usize).map(|x| -x).collect();
            let made = b.function("range", &[&int(0), &int(-length), &int(-step)], &[]);
            prop_assert_eq!(shown(made, ShapeId::list(INT)), format!("{down:?}"));
            Ok(())
        })?;
    }
}

#[test]
fn a_callback_that_faults_leaves_nothing_behind() {
    bench(|b| {
        let xs = texts(&["a", "b", "c", "d"]);
        let fails_at = |b: &Bench, result: ShapeId, last: &'static str| {
            b.lambda(&[TEXT], result, move |cx, args| {
                // SAFETY: the parameter is a Text.
                let value = unsafe { TextRef::from_word(args[0]) };
                if value.as_str() == last {
                    cx.fail("R0401", "no more");
                    return Err(Faulted);
                }
                Ok(if result == TEXT { value.to_owned().into_word() } else { 0 })
            })
        };
        let (to_text, to_bool) = (fails_at(b, TEXT, "c"), fails_at(b, BOOL, "c"));
        let ascending = Owned::new(0, BOOL);
        let faulted = || Err("R0401: no more".to_owned());
        assert_eq!(b.list("map", &[&xs, &to_text], &[TEXT, TEXT]), faulted());
        assert_eq!(b.list("each", &[&xs, &to_text], &[TEXT, TEXT]), faulted());
        assert_eq!(b.list("sort_by", &[&xs, &to_text, &ascending], &[TEXT, TEXT]), faulted());
        assert_eq!(b.list("group_by", &[&xs, &to_text], &[TEXT, TEXT]), faulted());
        for name in ["filter", "count", "any", "find"] {
            assert_eq!(b.list(name, &[&xs, &to_bool], &[TEXT]), faulted(), "{name}");
        }
        let joins = b.lambda(&[TEXT, TEXT], TEXT, |cx, args| {
            // SAFETY: both parameters are Texts.
            let (sum, value) =
                unsafe { (TextRef::from_word(args[0]), TextRef::from_word(args[1])) };
            if value.as_str() == "c" {
                cx.fail("R0401", "no more");
                return Err(Faulted);
            }
            Ok(sum.to_owned().append(value.as_str()).into_word())
        });
        assert_eq!(b.list("fold", &[&xs, &text("-"), &joins], &[TEXT, TEXT]), faulted());
        let some = ShapeId::option(TEXT);
        let option = Owned::new(record::some(some, text("c").into_word()), some);
        let map = builtin::member("Option", "map").unwrap();
        assert_eq!(b.call(map, &[&option, &to_text], &[TEXT, TEXT]), faulted());
        let of = ShapeId::map(TEXT, TEXT);
        let m = MapBuf::new(of).set(text("k").into_word(), text("b").into_word());
        let m = m.set(text("l").into_word(), text("c").into_word()).into_owned();
        let map_values = builtin::member("Map", "map_values").unwrap();
        assert_eq!(b.call(map_values, &[&m, &to_text], &[TEXT, TEXT, TEXT]), faulted());
    });
}

#[test]
fn faults_show_the_values() {
    bench(|b| {
        let xs = ints(&[1, 2]);
        let list = ShapeId::list(INT);
        let mut faults = Vec::new();
        let mut expect = |result: Result<u64, String>| faults.push(result.unwrap_err());
        expect(b.operator("[]", "(xs: List", &[&xs, &int(5)], &[INT]));
        expect(b.operator("[]", "(t: Text", &[&text("abc"), &int(-1)], &[]));
        expect(b.operator("[]=", "(xs: List", &[&xs, &int(2), &int(0)], &[INT]));
        expect(b.list("insert", &[&xs, &int(3), &int(0)], &[INT]));
        expect(b.list("remove", &[&xs, &int(2)], &[INT]));
        expect(b.list("pop", &[&ints(&[])], &[INT]));
        expect(b.list("sum", &[&ints(&[i64::MAX, 1])], &[INT]));
        expect(b.function("abs", &[&int(i64::MIN)], &[INT]));
        expect(b.function("pow", &[&int(10), &int(30)], &[INT]));
        expect(b.function("pow", &[&int(10), &int(-1)], &[INT]));
        expect(b.function("shift_left", &[&int(1), &int(64)], &[]));
        expect(b.function("round", &[&Owned::new(f64::NAN.to_bits(), ShapeId::FLOAT)], &[]));
        expect(b.text("repeat", &[&text("x"), &int(-1)]));
        let money = |micros: i64| Owned::new(micros.cast_unsigned(), ShapeId::MONEY);
        expect(b.operator("/", "(a: Money, n", &[&money(100_000), &int(0)], &[]));
        expect(b.operator("*", "(a: Money, n", &[&money(i64::MAX), &int(2)], &[]));
        let m = MapBuf::new(ShapeId::map(TEXT, INT)).set(text("a").into_word(), 1).into_owned();
        expect(b.operator("[]", "(m: Map", &[&m, &text("b")], &[TEXT, INT]));
        let none = Owned::new(record::NONE, ShapeId::option(INT));
        expect(b.call(builtin::member("Option", "value").unwrap(), &[&none], &[INT]));
        let error = ShapeId::result(INT, TEXT);
        let error = Owned::new(record::variant(error, 1, &[text("down").into_word()]), error);
        expect(b.call(builtin::member("Result", "value").unwrap(), &[&error], &[INT, TEXT]));
        let time = Owned::new(0, ShapeId::TIME);
        expect(b.call(builtin::member("Time", "format").unwrap(), &[&time, &text("%Q")], &[]));
        expect(b.function(
            "json",
            &[&Owned::new(f64::NAN.to_bits(), ShapeId::FLOAT)],
            &[ShapeId::FLOAT],
        ));
        assert_eq!(
            faults,
            [
                "R0104: index 5 is outside a list of 2 elements",
                "R0104: index -1 is outside a text of 3 characters; positions count from 0, and `t[t.len - 1]` is the last character",
                "R0104: index 2 is outside a list of 2 elements",
                "R0104: position 3 is outside 0..=2, where one can insert",
                "R0104: index 2 is outside a list of 2 elements",
                "R0104: an empty list has no last element to remove",
                "R0101: `9223372036854775807 + 1` is outside the range of Int",
                "R0101: `abs(-9223372036854775808)` is outside the range of Int",
                "R0101: `pow(10, 30)` is outside the range of Int",
                "R0103: `pow(10, -1)` has no whole value",
                "R0103: a shift is by 0 to 63 places, not 64",
                "R0103: `round(NaN)` is no Int",
                "R0103: the number of copies must not be negative: -1",
                "R0102: `$0.10 / 0` divides by zero",
                "R0101: `$9223372036854.775807 * 2` is outside the range of Money",
                "R0105: no key \"b\" in the map (\"a\")",
                "R0106: `.value` of None (of type Int?)",
                "R0106: `.value` of Err(\"down\")",
                "R0103: `%Q` means nothing in a time's pattern",
                "R0103: no JSON of this value: $: NaN has no JSON form",
            ]
        );
        assert_eq!(shown(b.list("take", &[&xs, &int(1)], &[INT]), list), "[1]");
    });
}

#[test]
fn what_would_not_fit_is_a_fault_and_not_an_abort() {
    with_limits(Limits { memory_bytes: 1 << 20, ..Limits::default() }, |b| {
        let fits = |result: Result<u64, String>| result.unwrap_err().starts_with("R0113: ");
        assert!(fits(b.function("range", &[&int(0), &int(i64::MAX), &int(1)], &[])));
        assert!(fits(b.text("repeat", &[&text("ab"), &int(i64::MAX)])));
        assert!(fits(
            b.text("pad", &[&text("a"), &int(1 << 40), &text(" "), &Owned::new(0, BOOL)])
        ));
        let mut doubled = text(&"x".repeat(1000));
        let fault = loop {
            match b.operator("+", "(a: Text", &[&doubled, &doubled], &[]) {
                Ok(word) => doubled = Owned::new(word, TEXT),
                Err(fault) => break fault,
            }
        };
        assert!(fault.starts_with("R0113: "), "{fault}");
    });
    // Without a limit of the program's, the machine's memory is one.
    let huge = bench(|b| b.function("range", &[&int(0), &int(i64::MAX), &int(1)], &[]));
    assert!(huge.unwrap_err().starts_with("R0113: "));
}

#[test]
fn long_work_passes_safepoints() {
    with_limits(Limits { steps: 1_000_000, ..Limits::default() }, |b| {
        // Sorting twenty thousand elements is about two hundred thousand steps.
        let step = int(1);
        let many = b.function("range", &[&int(0), &int(20_000), &step], &[]).unwrap();
        let many = Owned::new(many, ShapeId::list(INT));
        let mut rounds = 0;
        let ascending = Owned::new(0, BOOL);
        let fault = loop {
            rounds += 1;
            match b.list("sort", &[&many, &ascending], &[INT]) {
                Ok(word) => release(word, ShapeId::list(INT)),
                Err(fault) => break fault,
            }
            assert!(rounds < 20, "sorting never passes a safepoint");
        };
        assert!(fault.starts_with("R0109: "), "{fault}");
    });
}

#[test]
fn pushing_to_a_list_held_alone_does_not_copy() {
    bench(|b| {
        let push = builtin::member("List", "push").unwrap().get().unwrap();
        assert!(push.owns(0) && push.owns(1) && !push.owns(2));
        let mut list = ListBuf::with_capacity(ShapeId::list(INT), 64).into_word();
        for value in 0..64u64 {
            let args = [list, value, u64::from(INT.0)];
            assert_eq!((push.call)(&raw mut b.cx, args.as_ptr()), OK);
            assert_eq!(b.cx.result, list);
            list = b.cx.result;
        }
        drop(Owned::new(list, ShapeId::list(INT)));
    });
}
