//! Helpers on data: literals, templates, conversions, elements.
//!
//! Never: suspends.

use crate::ir::core::Piece;
use ag_runtime::context::Cx;
use ag_runtime::fault::{Fault, Faulted, code};
use ag_runtime::value::count::{is_unique, release, release_counted, retain};
use ag_runtime::value::dynamic::DynBuf;
use ag_runtime::value::json;
use ag_runtime::value::list::{ListBuf, ListRef};
use ag_runtime::value::map::{MapBuf, MapRef};
use ag_runtime::value::prelude;
use ag_runtime::value::record;
use ag_runtime::value::shape::{Shape, ShapeId, shape};
use ag_runtime::value::show;
use ag_runtime::value::template::{self, Part, template_shape};
use ag_runtime::value::text::{TextBuf, TextRef};

pub fn text(text: &str) -> u64 {
    TextBuf::new(text).into_word()
}

pub fn list(of: ShapeId, items: &[u64]) -> u64 {
    ListBuf::from_items(of, items).into_word()
}

pub fn vector(items: &[u64]) -> u64 {
    let floats: Vec<f64> = items.iter().map(|bits| f64::from_bits(*bits)).collect();
    ListBuf::vector(&floats).into_word()
}

pub fn set(of: ShapeId, items: &[u64]) -> u64 {
    let made = MapBuf::with_capacity(of, items.len());
    items.iter().fold(made, |set, item| set.insert(*item)).into_word()
}

/// Keys and values in turn.
pub fn map(of: ShapeId, words: &[u64]) -> u64 {
    let mut made = MapBuf::with_capacity(of, words.len() / 2);
    for pair in words.chunks_exact(2) {
        if let [key, value] = pair {
            made = made.set(*key, *value);
        }
    }
    made.into_word()
}

pub fn template(pieces: &[Piece], holes: &[u64]) -> u64 {
    let mut joined = String::new();
    let mut holes = holes.iter();
    for piece in pieces {
        match piece {
            Piece::Text(text) => joined.push_str(text),
            Piece::Hole(of) => {
                let hole = holes.next().copied().unwrap_or(0);
                joined.push_str(&show::show(hole, *of));
            }
        }
    }
    text(&joined)
}

/// Tags of the parts of a Prompt.
const INSTRUCTION: u32 = 0;
const DATA: u32 = 1;

/// A template whose holes are kept, as a Prompt or a Template.
pub fn kept(of: ShapeId, pieces: &[Piece], holes: &[u64]) -> u64 {
    if of != template_shape() {
        return prompt(pieces, holes);
    }
    let mut holes = holes.iter();
    template::template(pieces.iter().map(|piece| match piece {
        Piece::Text(text) => Part::Text(text),
        Piece::Hole(of) => Part::Inserted { value: holes.next().copied().unwrap_or(0), of: *of },
    }))
}

/// The parts of a template in a Prompt position: its text is instruction, its holes are data (L-126).
fn prompt(pieces: &[Piece], holes: &[u64]) -> u64 {
    let mut holes = holes.iter();
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => prompt_part(INSTRUCTION, text),
        Piece::Hole(of) => prompt_part(DATA, &prompt_hole(holes.next().copied().unwrap_or(0), *of)),
    });
    let parts: Vec<u64> = parts.collect();
    list(prelude::prompt(), &parts)
}

fn prompt_part(tag: u32, part: &str) -> u64 {
    let of = match shape(prelude::prompt()) {
        Shape::List(part) => *part,
        _ => ShapeId::UNIT,
    };
    record::variant(of, tag, &[text(part)])
}

/// Text, numbers, Money and Duration as text, everything else as compact JSON.
fn prompt_hole(hole: u64, of: ShapeId) -> String {
    let plain = matches!(
        shape(of),
        Shape::Text | Shape::Int | Shape::Float | Shape::Bool | Shape::Money | Shape::Duration
    );
    if plain {
        return show::show(hole, of);
    }
    json::to_json_text(hole, of).unwrap_or_else(|_| show::show(hole, of))
}

/// A text that is one whole part.
pub fn text_to_kept(of: ShapeId, text: u64) -> u64 {
    let text = show::show(text, ShapeId::TEXT);
    if of == template_shape() {
        return template::template([Part::Text(&text)]);
    }
    let part = prompt_part(INSTRUCTION, &text);
    list(prelude::prompt(), &[part])
}

pub fn to_dyn(of: ShapeId, value: u64) -> u64 {
    if of == ShapeId::DYN { value } else { DynBuf::new(value, of).into_word() }
}

/// `d as T`: the value checked against the schema (R0108), `d as? T`: an Option.
pub fn from_dyn(
    cx: &mut Cx,
    target: ShapeId,
    optional: bool,
    result: ShapeId,
    value: u64,
) -> Result<u64, Faulted> {
    let converted = match json::to_json(value, ShapeId::DYN) {
        Ok(json) => json::from_json(&json, target),
        Err(error) => Err(vec![error]),
    };
    match converted {
        Ok(value) if optional => Ok(record::some(result, value)),
        Ok(value) => Ok(value),
        Err(_) if optional => Ok(record::NONE),
        Err(errors) => {
            let lines: Vec<String> =
                errors.iter().map(|error| format!("{}: {}", error.path, error.message)).collect();
            let name = show::type_name(target);
            let message = format!("the value does not fit {name}: {}", lines.join("; "));
            cx.raise(Box::new(Fault::new(code::CAST, message)));
            Err(Faulted)
        }
    }
}

fn list_ref<'a>(word: u64) -> ListRef<'a> {
    // SAFETY: helpers on lists are selected for lists and Vectors only, borrowed for the call.
    unsafe { ListRef::from_word(word) }
}

fn list_buf(word: u64) -> ListBuf {
    // SAFETY: as `list_ref`; the helper owns the operand.
    unsafe { ListBuf::from_word(word) }
}

fn map_ref<'a>(word: u64) -> MapRef<'a> {
    // SAFETY: helpers on maps are selected for Maps and Sets only, borrowed for the call.
    unsafe { MapRef::from_word(word) }
}

fn map_buf(word: u64) -> MapBuf {
    // SAFETY: as `map_ref`; the helper owns the operand.
    unsafe { MapBuf::from_word(word) }
}

pub fn list_to_vector(list: u64) -> u64 {
    ListBuf::vector(list_ref(list).floats()).into_word()
}

pub fn list_to_set(of: ShapeId, list: u64) -> u64 {
    let list = list_ref(list);
    let element = list.element();
    let mut made = MapBuf::with_capacity(of, list.len());
    for item in list.items() {
        retain(*item, element);
        made = made.insert(*item);
    }
    made.into_word()
}

/// The elements of any sequence as a list; takes the sequence over.
pub fn sequence(of: ShapeId, result: ShapeId, value: u64) -> u64 {
    let mut made = ListBuf::with_capacity(result, 0);
    match shape(of) {
        Shape::Set(element) => {
            for key in map_ref(value).keys() {
                retain(key, *element);
                made.append(key);
            }
        }
        Shape::Map(key_shape, value_shape) => {
            let pair = ShapeId::tuple(&[*key_shape, *value_shape]);
            for (key, value) in map_ref(value).entries() {
                retain(key, *key_shape);
                retain(value, *value_shape);
                made.append(record::tuple(pair, &[key, value]));
            }
        }
        Shape::Vector => made.extend(list_ref(value).items()),
        Shape::Text => {
            // SAFETY: the shape says so; the operand lives until it is released below.
            let text_ref = unsafe { TextRef::from_word(value) };
            let mut buffer = [0; 4];
            for character in text_ref.as_str().chars() {
                made.append(text(character.encode_utf8(&mut buffer)));
            }
        }
        _ => {}
    }
    release(value, of);
    made.into_word()
}

/// The place of an index in a list, or R0104.
fn place(cx: &mut Cx, len: usize, index: u64) -> Result<usize, Faulted> {
    let index = index as i64;
    match usize::try_from(index) {
        Ok(at) if at < len => Ok(at),
        _ => {
            let message = format!("index {index} is outside a list of {len}");
            let data = serde_json::json!({ "index": index, "len": len });
            cx.raise(Box::new(Fault::new(code::INDEX, message).with_data(data)));
            Err(Faulted)
        }
    }
}

/// `container[index] = value`: takes container and value, gives the container.
pub fn set_index(cx: &mut Cx, of: ShapeId, args: &[u64]) -> Result<u64, Faulted> {
    let &[container, index, value] = args else { return Ok(0) };
    match shape(of) {
        Shape::Map(key, _) => {
            retain(index, *key);
            Ok(map_buf(container).set(index, value).into_word())
        }
        Shape::List(element) => {
            let len = list_ref(container).len();
            match place(cx, len, index) {
                Ok(at) => Ok(list_buf(container).set(at, value).into_word()),
                Err(Faulted) => {
                    release_counted(container);
                    release(value, *element);
                    Err(Faulted)
                }
            }
        }
        _ => {
            let len = list_ref(container).len();
            let at = place(cx, len, index).inspect_err(|_| release_counted(container))?;
            Ok(list_buf(container).set(at, value).into_word())
        }
    }
}

/// `container[index]` with one more holder, or R0104, R0105.
pub fn get_index(cx: &mut Cx, of: ShapeId, args: &[u64]) -> Result<u64, Faulted> {
    let &[container, index] = args else { return Ok(0) };
    if let Shape::Map(key, value) = shape(of) {
        let Some(found) = map_ref(container).get(index) else {
            let shown = show::quoted(index, *key);
            cx.raise(Box::new(Fault::new(code::KEY, format!("there is no key {shown}"))));
            return Err(Faulted);
        };
        retain(found, *value);
        return Ok(found);
    }
    let list = list_ref(container);
    let at = place(cx, list.len(), index)?;
    let found = list.get(at).unwrap_or(0);
    retain(found, list.element());
    Ok(found)
}

/// Moves an element out of a container held alone; the hole is filled by the `SetIndex` that follows. In a Map
/// it stays until it is replaced: one more holder, so that a change inside copies that part.
pub fn take_index(cx: &mut Cx, of: ShapeId, args: &[u64]) -> Result<u64, Faulted> {
    let &[container, index] = args else { return Ok(0) };
    if !matches!(shape(of), Shape::List(_)) {
        return get_index(cx, of, args);
    }
    let at = place(cx, list_ref(container).len(), index)?;
    // The register stays the container's holder: the handle is forgotten, not dropped.
    let mut list = std::mem::ManuallyDrop::new(list_buf(container));
    Ok(list.items_mut().get_mut(at).map_or(0, |slot| std::mem::replace(slot, 0)))
}

pub fn fresh_container(of: ShapeId, container: u64) -> u64 {
    match shape(of) {
        Shape::List(_) | Shape::Vector if !is_unique(container) => {
            list_buf(container).unique().into_word()
        }
        _ => container,
    }
}

/// The list with one more element; takes both over.
pub fn append(args: &[u64]) -> u64 {
    let &[list, item] = args else { return 0 };
    list_buf(list).push(item).into_word()
}

/// The elements from `first` to before `end`.
pub fn slice(of: ShapeId, args: &[u64]) -> u64 {
    let &[list, first, end] = args else { return 0 };
    let list = list_ref(list);
    let items = list.items().get(first as usize..end as usize).unwrap_or(&[]);
    for item in items {
        retain(*item, list.element());
    }
    ListBuf::from_items(of, items).into_word()
}
