//! A walk through the table of builtins with large values: each one that takes long passes safepoints, is stopped by a
//! step limit there, and leaves nothing behind. Counts steps, never time.

use super::{ALONE, BOOL, Bench, INT, TEXT, int, text, with_limits};
use ag_runtime::builtin::{self, BuiltinId};
use ag_runtime::value::count::retain;
use ag_runtime::value::list::ListBuf;
use ag_runtime::value::map::MapBuf;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::value::text::TextBuf;
use ag_runtime::world::options::Limits;

/// Elements of the large values, and steps after which working on them must have passed a safepoint.
const MANY: usize = 150_000;
const FEW_STEPS: u64 = 2_000;

/// What looks at a few elements only, however large the value is (or at as many as another operand is long).
const SHORT: &[(&str, &str)] = &[
    ("List", "len"),
    ("List", "is_empty"),
    ("List", "first"),
    ("List", "last"),
    ("Set", "len"),
    ("Set", "is_empty"),
    ("Set", "first"),
    ("Set", "last"),
    ("Set", "contains"),
    ("Map", "len"),
    ("Map", "get"),
    ("Map", "contains"),
    ("Vector", "len"),
    ("Vector", "is_empty"),
    ("Vector", "first"),
    ("Vector", "last"),
    ("Text", "len"),
    ("Text", "is_empty"),
    ("Text", "starts_with"),
    ("Text", "ends_with"),
    ("Text", "to_int"),
    ("Text", "to_float"),
    ("", "(xs: List<T>, index: Int) -> T"),
    ("", "(t: Text, index: Int) -> Text"),
    ("", "(xs: Vector, index: Int) -> Float"),
    ("", "(m: Map<K, V>, key: K) -> V"),
    ("", "(key: K, m: Map<K, V>) -> Bool"),
    ("", "(value: T, xs: Set<T>) -> Bool"),
];

/// What searches a large text on a thread of its own: the cell waits there, and its end is seen without steps. A virtual
/// clock, as here, has no such threads: there a search is in one piece, in time linear in the text.
const OUTSIDE: &[(&str, &str)] = &[("Text", "matches"), ("Text", "find_all")];

/// Large values of every kind, and small operands that make a builtin go through all of them.
struct Large {
    texts: Owned,
    ints: Owned,
    lists: Owned,
    set: Owned,
    ints_set: Owned,
    map: Owned,
    vector: Owned,
    text: Owned,
}

impl Large {
    fn new() -> Self {
        let (list, numbers) = (ShapeId::list(TEXT), ShapeId::list(INT));
        let (mut texts, mut ints) =
            (ListBuf::with_capacity(list, MANY), ListBuf::with_capacity(numbers, MANY));
        let (mut set, mut ints_set) =
            (MapBuf::new(ShapeId::set(TEXT)), MapBuf::new(ShapeId::set(INT)));
        let mut map = MapBuf::new(ShapeId::map(TEXT, TEXT));
        for at in 0..MANY as u64 {
            let word = || TextBuf::new(&format!("t{at}")).into_word();
            texts.append(word());
            ints.append(at);
            set = set.insert(word());
            ints_set = ints_set.insert(at);
            map = map.set(word(), word());
        }
        let texts = texts.into_owned();
        let both = [texts.clone().into_word(), texts.clone().into_word()];
        Self {
            lists: ListBuf::from_items(ShapeId::list(list), &both).into_owned(),
            texts,
            ints: ints.into_owned(),
            set: set.into_owned(),
            ints_set: ints_set.into_owned(),
            map: map.into_owned(),
            vector: ListBuf::vector(&vec![1.5; MANY]).into_owned(),
            text: text(&"some words ".repeat(MANY)),
        }
    }

    /// An operand for a parameter, by what its signature says.
    fn operand(&self, b: &Bench, row: &builtin::Builtin, name: &str, of: &str) -> Owned {
        let is_num = row.signature.contains("T: Num");
        let is_first = row.signature.contains(&format!("({name}:"));
        let wanted = row.name == "all";
        match of {
            "List<T>" | "List<U>" | "List<Text>" if is_num => self.ints.clone(),
            "List<T>" | "List<U>" | "List<Text>" => self.texts.clone(),
            "List<List<T>>" => self.lists.clone(),
            "Set<T>" if is_num => self.ints_set.clone(),
            "Set<T>" | "Set<Text>" => self.set.clone(),
            "Map<K, V>" => self.map.clone(),
            "Vector" => self.vector.clone(),
            "Text" if is_first && name != "part" || name == "t" => self.text.clone(),
            "Text" if name == "to" || name == "with" => text("y"),
            "Text" => text("absent"),
            "Int" => int(match name {
                "count" => 4,
                "width" | "end" => 10_000_000,
                "step" => 1,
                "start" => 0,
                _ => MANY as i64 / 2,
            }),
            "Float" => Owned::new(0.5f64.to_bits(), ShapeId::FLOAT),
            "Bool" => Owned::new(0, BOOL),
            "(T) -> Bool" => b.lambda(&[TEXT], BOOL, move |_, _| Ok(u64::from(wanted))),
            "(Float) -> Bool" => {
                b.lambda(&[ShapeId::FLOAT], BOOL, move |_, _| Ok(u64::from(wanted)))
            }
            "(Float) -> Float" => {
                b.lambda(&[ShapeId::FLOAT], ShapeId::FLOAT, |_, args| Ok(args[0]))
            }
            "(Float) -> U" | "(Float) -> K" => {
                b.lambda(&[ShapeId::FLOAT], TEXT, |_, _| Ok(text("x").into_word()))
            }
            "(T) -> U" | "(T) -> K" | "(V) -> U" => b.lambda(&[TEXT], TEXT, |_, args| {
                retain(args[0], TEXT);
                Ok(args[0])
            }),
            "(U, T) -> U" | "(U, Float) -> U" => {
                let second = if of.contains("Float") { ShapeId::FLOAT } else { TEXT };
                b.lambda(&[TEXT, second], TEXT, |_, args| {
                    retain(args[0], TEXT);
                    Ok(args[0])
                })
            }
            "T" if matches!(
                row.name,
                "<" | "<=" | ">" | ">=" | "show" | "print" | "eprint" | "json"
            ) =>
            {
                self.texts.clone()
            }
            // A key that is there, and an element that is not.
            "K" => text("t7"),
            "T" if row.receiver == Some("Set") => text("t7"),
            _ => text("absent"),
        }
    }
}

/// Names and types of the parameters of a signature, and its type variables in order.
fn parameters(signature: &str) -> (Vec<(String, String)>, Vec<char>) {
    let mut variables: Vec<char> = Vec::new();
    let words = signature.split(|c: char| !c.is_alphanumeric());
    for variable in words.filter(|word| word.len() == 1).filter_map(|word| word.chars().next()) {
        if variable.is_ascii_uppercase() && !variables.contains(&variable) {
            variables.push(variable);
        }
    }
    let open = signature.find('(').unwrap();
    let (mut depth, mut params, mut current) = (0, Vec::new(), String::new());
    for c in signature[open..].replace("->", "\u{1}").chars() {
        match c {
            '(' | '<' | '{' => depth += 1,
            ')' | '>' | '}' => depth -= 1,
            _ => {}
        }
        match c {
            '(' if depth == 1 && current.is_empty() => {}
            ')' if depth == 0 => break,
            ',' if depth == 1 => params.push(std::mem::take(&mut current)),
            c => current.push(c),
        }
    }
    params.extend((!current.trim().is_empty()).then_some(current));
    let split = |param: String| {
        let (name, of) = param.split_once(':').unwrap();
        let of = of.split(" = ").next().unwrap();
        (name.trim().to_owned(), of.trim().replace('\u{1}', "->"))
    };
    (params.into_iter().map(split).collect(), variables)
}

#[test]
fn every_builtin_that_takes_long_passes_safepoints() {
    let large = {
        let _alone = ALONE.lock().unwrap_or_else(|broken| broken.into_inner());
        // Never freed: another test may be counting.
        std::mem::ManuallyDrop::new(Large::new())
    };
    let mut walked = 0;
    for (at, row) in builtin::table().iter().enumerate() {
        let (params, variables) = parameters(row.signature);
        let kinds = ["List<", "Set<", "Map<", "Vector", "Text"];
        let takes = |kind: &&str| {
            params.first().is_some_and(|(_, of)| of.starts_with(*kind))
                || params.get(1).is_some_and(|(_, of)| row.name == "in" && of.starts_with(*kind))
        };
        let is_function =
            matches!(row.name, "show" | "print" | "eprint" | "json" | "range" | "bytes");
        let is_order = matches!(row.name, "<" | "<=" | ">" | ">=");
        let is_member = row.receiver.is_some() || row.kind == builtin::Kind::Operator;
        let meant = is_function || is_order || (is_member && kinds.iter().any(takes));
        let key = (
            row.receiver.unwrap_or(""),
            if row.receiver.is_some() { row.name } else { row.signature },
        );
        if !meant || !row.supported || SHORT.contains(&key) || OUTSIDE.contains(&key) {
            continue;
        }
        walked += 1;
        with_limits(Limits { steps: FEW_STEPS, ..Limits::default() }, |b| {
            let args: Vec<Owned> =
                params.iter().map(|(name, of)| large.operand(b, row, name, of)).collect();
            let borrowed: Vec<&Owned> = args.iter().collect();
            let is_num = row.signature.contains("T: Num");
            let is_whole = is_order || is_function;
            let types: Vec<ShapeId> = variables
                .iter()
                .map(|variable| match variable {
                    'T' if is_num => INT,
                    'T' if is_whole => ShapeId::list(TEXT),
                    _ => TEXT,
                })
                .collect();
            let what = format!("{} {} {}", row.receiver.unwrap_or(""), row.name, row.signature);
            let outcome = b.call(BuiltinId(at as u16), &borrowed, &types);
            let fault = outcome.err().unwrap_or_else(|| panic!("no safepoint in {what}"));
            assert!(fault.starts_with("R0109: "), "{what}: {fault}");
        });
    }
    assert!(walked > 80, "{walked} builtins were walked");
}
