//! Helpers on data: literals, templates, conversions, elements.
//!
//! Never: suspends.

use crate::ir::core::Piece;
use ag_runtime::builtin;
use ag_runtime::builtin::declare::Moved;
use ag_runtime::builtin::invariant;
use ag_runtime::builtin::large::{self, Growing};
use ag_runtime::builtin::sequence::Row;
use ag_runtime::builtin::support::poll;
use ag_runtime::context::Cx;
use ag_runtime::fault::{Fault, Faulted, code};
use ag_runtime::value::count::{is_alone, release, retain};
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

pub fn template(cx: &mut Cx, pieces: &[Piece], holes: &[u64]) -> Result<u64, Faulted> {
    let mut joined = Growing::default();
    let mut holes = holes.iter();
    for piece in pieces {
        match piece {
            Piece::Text(text) => joined.push(cx, text)?,
            Piece::Hole(of) => joined.show(cx, holes.next().copied().unwrap_or(0), *of)?,
        }
    }
    Ok(joined.finish().into_word())
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
    let broken = converted.as_ref().ok().and_then(|value| invariant::broken(cx, *value, target));
    if let (Some(broken), Ok(value)) = (broken, &converted) {
        release(*value, target);
        // A limit or an interrupt met on the way is no word about the value.
        if optional && broken.fault.code == code::CONTRACT {
            return Ok(record::NONE);
        }
        cx.raise(broken.fault);
        return Err(Faulted);
    }
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

pub fn list_to_vector(cx: &mut Cx, list: u64) -> Result<u64, Faulted> {
    let items = list_ref(list).items();
    large::list(cx, ShapeId::VECTOR, items, ShapeId::FLOAT).map(ListBuf::into_word)
}

pub fn list_to_set(cx: &mut Cx, of: ShapeId, list: u64) -> Result<u64, Faulted> {
    let row = Row::from(list_ref(list));
    row.set_as(cx, of, &row.items).map(MapBuf::into_word)
}

/// The elements of any sequence as a list; takes the sequence over.
pub fn sequence(cx: &mut Cx, of: ShapeId, result: ShapeId, value: u64) -> Result<u64, Faulted> {
    let made = elements(cx, of, result, value);
    release(value, of);
    made.map(ListBuf::into_word)
}

fn elements(cx: &mut Cx, of: ShapeId, result: ShapeId, value: u64) -> Result<ListBuf, Faulted> {
    let mut made = ListBuf::with_capacity(result, 0);
    match shape(of) {
        Shape::Set(element) => {
            let keys = large::keys(cx, map_ref(value))?;
            return large::list(cx, result, &keys, *element);
        }
        Shape::Map(key_shape, value_shape) => {
            let pair = ShapeId::tuple(&[*key_shape, *value_shape]);
            for (at, (key, value)) in map_ref(value).entries().enumerate() {
                poll(cx, at)?;
                retain(key, *key_shape);
                retain(value, *value_shape);
                made.append(record::tuple(pair, &[key, value]));
            }
        }
        Shape::Vector => return large::list(cx, result, list_ref(value).items(), ShapeId::FLOAT),
        Shape::Text => {
            // SAFETY: the shape says so; the operand lives until the caller releases it.
            let text_ref = unsafe { TextRef::from_word(value) };
            let mut buffer = [0; 4];
            for (at, character) in text_ref.as_str().chars().enumerate() {
                poll(cx, at)?;
                made.append(text(character.encode_utf8(&mut buffer)));
            }
        }
        _ => {}
    }
    Ok(made)
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
    let element = match shape(of) {
        Shape::Map(key, _) => {
            retain(index, *key);
            let map = map_buf(container);
            return large::map_set(cx, map, index, value).map(MapBuf::into_word);
        }
        Shape::List(element) => *element,
        _ => ShapeId::FLOAT,
    };
    let list = list_buf(container);
    let set = place(cx, list.borrow().len(), index)
        .and_then(|at| Ok(large::own_list(cx, list, 0)?.set(at, value)));
    match set {
        Ok(list) => Ok(list.into_word()),
        Err(Faulted) => {
            release(value, element);
            Err(Faulted)
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

pub fn fresh_container(cx: &mut Cx, of: ShapeId, container: u64) -> Result<u64, Faulted> {
    match shape(of) {
        Shape::List(_) | Shape::Vector if !is_alone(container) => {
            large::own_list(cx, list_buf(container), 0).map(ListBuf::into_word)
        }
        _ => Ok(container),
    }
}

/// The list with one more element; takes both over.
pub fn append(cx: &mut Cx, args: &[u64]) -> Result<u64, Faulted> {
    let &[list, item] = args else { return Ok(0) };
    let list = list_buf(list);
    let of = list.borrow().element();
    builtin::list::push(cx, list, Moved(item), of).map(ListBuf::into_word)
}

/// The elements from `first` to before `end`.
pub fn slice(cx: &mut Cx, of: ShapeId, args: &[u64]) -> Result<u64, Faulted> {
    let &[list, first, end] = args else { return Ok(0) };
    let list = list_ref(list);
    let items = list.items().get(first as usize..end as usize).unwrap_or(&[]);
    large::list(cx, of, items, list.element()).map(ListBuf::into_word)
}
