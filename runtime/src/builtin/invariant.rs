//! Invariants of values that come from outside: what `as` and the lanes decode is made of no struct literal, so its structs
//! are checked here (L-140, L-121).
//!
//! Never: decides what an invariant says; the engine names the function of each struct's shape.

use crate::code::FnSlot;
use crate::context::Cx;
use crate::fault::Fault;
use crate::value::count::retain;
use crate::value::list::ListRef;
use crate::value::map::MapRef;
use crate::value::record::{RecordRef, payload, payload_words, tag};
use crate::value::shape::{Shape, ShapeId, option_of, shape};
use parking_lot::RwLock;
use rustc_hash::{FxHashMap, FxHashSet};

/// The functions that check structs, by shape. A changed invariant makes another type, so another shape.
#[derive(Default)]
pub struct Invariants {
    by_shape: RwLock<FxHashMap<ShapeId, FnSlot>>,
}

impl Invariants {
    pub fn install(&self, of: ShapeId, check: FnSlot) {
        self.by_shape.write().insert(of, check);
    }

    /// The function that checks values of a struct's shape, if it has an invariant.
    #[must_use]
    pub fn check_of(&self, of: ShapeId) -> Option<FnSlot> {
        self.by_shape.read().get(&of).copied()
    }

    /// The checks that values of a shape may need; nothing for most.
    fn within(&self, of: ShapeId) -> FxHashMap<ShapeId, FnSlot> {
        let known = self.by_shape.read();
        if known.is_empty() {
            return FxHashMap::default();
        }
        let mut seen = FxHashSet::default();
        let mut todo = vec![of];
        let mut found = FxHashMap::default();
        while let Some(next) = todo.pop() {
            if !seen.insert(next) {
                continue;
            }
            found.extend(known.get(&next).map(|slot| (next, *slot)));
            todo.extend(parts(next));
        }
        found
    }
}

/// A value inside that breaks an invariant, and where it stands.
pub struct Broken {
    pub path: String,
    pub fault: Box<Fault>,
}

/// The shapes that values of a shape are made of.
fn parts(of: ShapeId) -> Vec<ShapeId> {
    match shape(of) {
        Shape::List(item) | Shape::Set(item) => vec![*item],
        Shape::Map(key, value) => vec![*key, *value],
        Shape::Tuple(items) => items.to_vec(),
        Shape::Record(record) => record.fields.iter().map(|field| field.shape).collect(),
        Shape::Enum(of) => {
            of.variants.iter().flat_map(|v| v.fields.iter()).map(|field| field.shape).collect()
        }
        _ => Vec::new(),
    }
}

/// The first part of a value, innermost first, that breaks an invariant. The value is borrowed.
pub fn broken(cx: &mut Cx, value: u64, of: ShapeId) -> Option<Broken> {
    let checks = cx.world.invariants().within(of);
    if checks.is_empty() {
        return None;
    }
    let mut path = String::from("$");
    Walk { checks: &checks, path: &mut path }
        .value(cx, value, of)
        .map(|fault| Broken { path, fault })
}

struct Walk<'w> {
    checks: &'w FxHashMap<ShapeId, FnSlot>,
    /// Where the walk is; where it stopped if something is wrong.
    path: &'w mut String,
}

impl Walk<'_> {
    /// Recursion is as deep as the document was, which reading bounds.
    fn value(&mut self, cx: &mut Cx, value: u64, of: ShapeId) -> Option<Box<Fault>> {
        if let Some(fault) = self.inside(cx, value, of) {
            return Some(fault);
        }
        let check = *self.checks.get(&of)?;
        retain(value, of);
        match cx.call_slot(check, &[value]) {
            Ok(_) => None,
            Err(_) => Some(cx.take_fault()),
        }
    }

    fn inside(&mut self, cx: &mut Cx, value: u64, of: ShapeId) -> Option<Box<Fault>> {
        match shape(of) {
            Shape::List(item) => {
                // SAFETY: a value of a List shape is a live list, borrowed for this call.
                let items = unsafe { ListRef::from_word(value) }.items();
                let items = items.iter().enumerate();
                self.each(cx, items.map(|(at, word)| (format!("[{at}]"), *word, *item)))
            }
            Shape::Set(item) => {
                // SAFETY: a value of a Set shape is a live map, borrowed for this call.
                let keys = unsafe { MapRef::from_word(value) }.keys();
                self.each(cx, keys.enumerate().map(|(at, word)| (format!("[{at}]"), word, *item)))
            }
            Shape::Map(key, item) => {
                // SAFETY: a value of a Map shape is a live map, borrowed for this call.
                let entries = unsafe { MapRef::from_word(value) }.entries();
                let both = entries.enumerate().flat_map(|(at, (k, v))| {
                    [(format!("[{at}].key"), k, *key), (format!("[{at}]"), v, *item)]
                });
                self.each(cx, both)
            }
            Shape::Tuple(items) => {
                // SAFETY: a value of a tuple shape is a live record, borrowed for this call.
                let words = unsafe { RecordRef::from_word(value) }.fields();
                let parts = words.iter().zip(items.iter()).enumerate();
                self.each(cx, parts.map(|(at, (word, item))| (format!("[{at}]"), *word, *item)))
            }
            Shape::Record(record) => {
                // SAFETY: a value of a record shape is a live record, borrowed for this call.
                let words = unsafe { RecordRef::from_word(value) }.fields();
                let parts = words.iter().zip(record.fields.iter());
                self.each(cx, parts.map(|(word, f)| (format!(".{}", f.name), *word, f.shape)))
            }
            Shape::Enum(_) => {
                let is_option = option_of(of).is_some();
                let parts = payload_words(value, of).iter().zip(payload(of, tag(value)));
                let step = |name: &str| if is_option { String::new() } else { format!(".{name}") };
                self.each(cx, parts.map(|(word, f)| (step(&f.name), *word, f.shape)))
            }
            _ => None,
        }
    }

    fn each(
        &mut self,
        cx: &mut Cx,
        parts: impl Iterator<Item = (String, u64, ShapeId)>,
    ) -> Option<Box<Fault>> {
        for (step, word, of) in parts {
            let length = self.path.len();
            self.path.push_str(&step);
            if let Some(fault) = self.value(cx, word, of) {
                return Some(fault);
            }
            self.path.truncate(length);
        }
        None
    }
}
