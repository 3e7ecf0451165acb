//! Records, tuples and enum payloads: words behind the header.
//!
//! A struct, structural record, tool value or tuple is `{header, fields..}`; an enum value with payload is
//! `{header, tag, fields..}` and one without is the odd word `tag << 1 | 1`. Never: the wrong number of fields.

use crate::value::count::{is_unique, release, release_counted, retain};
use crate::value::handle::handle;
use crate::value::heap::{self, Header};
use crate::value::shape::{FieldShape, Shape, ShapeId, shape};
use std::{ptr, slice};

handle!(
    /// A borrowed record or tuple.
    RecordRef, RecordBuf
);

/// Where compiled code finds the fields of a record or tuple, and the tag and payload of an enum value.
pub const FIELDS_OFFSET: usize = size_of::<Header>();
pub const TAG_OFFSET: usize = size_of::<Header>();
pub const PAYLOAD_OFFSET: usize = size_of::<Header>() + size_of::<u64>();

/// The shapes of a record's or tuple's fields.
#[must_use]
pub fn field_count(of: ShapeId) -> usize {
    match shape(of) {
        Shape::Tuple(items) => items.len(),
        Shape::Record(record) => record.fields.len(),
        _ => 0,
    }
}

#[must_use]
pub fn field_shape(of: ShapeId, index: usize) -> ShapeId {
    let found = match shape(of) {
        Shape::Tuple(items) => items.get(index).copied(),
        Shape::Record(record) => record.fields.get(index).map(|field| field.shape),
        _ => None,
    };
    found.unwrap_or(ShapeId::UNIT)
}

/// What is in the cell of a variable, and its shape. Borrowed.
#[must_use]
pub fn in_cell(word: u64, of: ShapeId) -> (u64, ShapeId) {
    // SAFETY: a value of a tuple's shape is a live record.
    let value = unsafe { RecordRef::from_word(word) }.field(0);
    (value.unwrap_or_default(), field_shape(of, 0))
}

/// The payload fields of a variant.
#[must_use]
pub fn payload(of: ShapeId, tag: u32) -> &'static [FieldShape] {
    match shape(of) {
        Shape::Enum(of) => of.variants.get(tag as usize).map_or(&[], |variant| &variant.fields),
        _ => &[],
    }
}

/// # Safety
/// `object` has `length` initialised words from `offset` on, which nobody changes for `'a`.
unsafe fn words<'a>(object: u64, offset: usize, length: usize) -> &'a [u64] {
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts((object as *const u8).add(offset).cast(), length) }
}

/// A fresh object of `shape` with `words` behind its header.
fn build(of: ShapeId, tag: Option<u32>, fields: &[u64]) -> u64 {
    let offset = if tag.is_some() { PAYLOAD_OFFSET } else { FIELDS_OFFSET };
    let object = heap::allocate(offset + size_of_val(fields), of).cast::<u8>();
    // SAFETY: fresh memory of that size.
    unsafe {
        if let Some(tag) = tag {
            object.add(TAG_OFFSET).cast::<u64>().write(u64::from(tag));
        }
        ptr::copy_nonoverlapping(fields.as_ptr(), object.add(offset).cast(), fields.len());
    }
    object as u64
}

/// # Safety
/// A live record, tuple or enum payload.
pub(super) unsafe fn size(word: u64) -> usize {
    // SAFETY: the caller's promise.
    let of = unsafe { (*(word as *const Header)).shape() };
    match shape(of) {
        Shape::Enum(_) => PAYLOAD_OFFSET + payload(of, tag(word)).len() * size_of::<u64>(),
        _ => FIELDS_OFFSET + field_count(of) * size_of::<u64>(),
    }
}

/// # Safety
/// A live record, tuple or enum payload.
pub(super) unsafe fn children(word: u64, visit: &mut dyn FnMut(u64)) {
    // SAFETY: the caller's promise; layouts are those of the object's own shape.
    unsafe {
        let of = (*(word as *const Header)).shape();
        match shape(of) {
            Shape::Tuple(items) => {
                let fields = words(word, FIELDS_OFFSET, items.len()).iter().zip(items);
                fields.filter(|(_, of)| !of.is_scalar()).for_each(|(&field, _)| visit(field));
            }
            Shape::Record(record) => {
                let fields = words(word, FIELDS_OFFSET, record.fields.len());
                let fields = fields.iter().zip(&record.fields);
                fields.filter(|(_, of)| !of.shape.is_scalar()).for_each(|(&field, _)| visit(field));
            }
            _ => {
                let shapes = payload(of, tag(word));
                let fields = words(word, PAYLOAD_OFFSET, shapes.len()).iter().zip(shapes);
                fields.filter(|(_, of)| !of.shape.is_scalar()).for_each(|(&field, _)| visit(field));
            }
        }
    }
}

impl<'a> RecordRef<'a> {
    #[must_use]
    pub fn fields(self) -> &'a [u64] {
        // SAFETY: a handle is a live record of its own shape for its lifetime.
        unsafe { words(self.word(), FIELDS_OFFSET, field_count(self.shape())) }
    }

    #[must_use]
    pub fn field(self, index: usize) -> Option<u64> {
        self.fields().get(index).copied()
    }
}

impl RecordBuf {
    /// Takes the fields over; there must be as many as the shape says.
    #[must_use]
    pub fn new(of: ShapeId, fields: &[u64]) -> Self {
        debug_assert_eq!(fields.len(), field_count(of), "fields of {:?}", shape(of));
        // SAFETY: a fresh record, one count of which is ours.
        unsafe { Self::from_word(build(of, None, fields)) }
    }

    /// The record with another value in a field; takes it over.
    #[must_use]
    pub fn set(self, index: usize, value: u64) -> Self {
        let mut record = self.unique();
        let of = record.borrow().shape();
        if let Some(slot) = record.fields_mut().get_mut(index) {
            let old = std::mem::replace(slot, value);
            release(old, field_shape(of, index));
        }
        record
    }

    fn unique(self) -> Self {
        if is_unique(self.word) {
            return self;
        }
        let source = self.borrow();
        let of = source.shape();
        for (index, &field) in source.fields().iter().enumerate() {
            retain(field, field_shape(of, index));
        }
        Self::new(of, source.fields())
    }

    fn fields_mut(&mut self) -> &mut [u64] {
        let count = field_count(self.borrow().shape());
        // SAFETY: held alone (made so by `unique`), and `&mut self` for as long as the slice lives.
        unsafe {
            slice::from_raw_parts_mut((self.word as *mut u8).add(FIELDS_OFFSET).cast(), count)
        }
    }
}

/// A tuple that takes its items over; Unit if there are none.
#[must_use]
pub fn tuple(of: ShapeId, items: &[u64]) -> u64 {
    if items.is_empty() && !is_tool(of) { 0 } else { RecordBuf::new(of, items).into_word() }
}

/// A tool without fields is an object all the same: its header says which tool it is.
fn is_tool(of: ShapeId) -> bool {
    matches!(shape(of), Shape::Record(record) if record.is_tool)
}

/// An enum value that takes its payload over.
#[must_use]
pub fn variant(of: ShapeId, tag: u32, fields: &[u64]) -> u64 {
    debug_assert_eq!(fields.len(), payload(of, tag).len(), "payload {tag} of {:?}", shape(of));
    if fields.is_empty() { unit_variant(tag) } else { build(of, Some(tag), fields) }
}

/// An enum value without payload.
#[must_use]
pub const fn unit_variant(tag: u32) -> u64 {
    (tag as u64) << 1 | 1
}

/// The tag of an enum value.
#[must_use]
pub fn tag(word: u64) -> u32 {
    if word & 1 == 1 {
        return (word >> 1) as u32;
    }
    // SAFETY: an even enum value points to a live payload object, whose tag stands behind the header.
    unsafe { *((word as *const u8).add(TAG_OFFSET).cast::<u64>()) as u32 }
}

/// The payload of an enum value, borrowed.
#[must_use]
pub fn payload_words<'a>(word: u64, of: ShapeId) -> &'a [u64] {
    let length = payload(of, tag(word)).len();
    if word & 1 == 1 || length == 0 {
        return &[];
    }
    // SAFETY: an even enum value points to a payload object with the fields of its tag.
    unsafe { words(word, PAYLOAD_OFFSET, length) }
}

/// `Some(value)` of an Option shape; takes the value over.
#[must_use]
pub fn some(option: ShapeId, value: u64) -> u64 {
    variant(option, super::shape::SOME, &[value])
}

/// `None`, the same for every Option.
pub const NONE: u64 = unit_variant(super::shape::NONE);

/// What an Option holds, borrowed.
#[must_use]
pub fn option(word: u64, of: ShapeId) -> Option<u64> {
    payload_words(word, of).first().copied()
}

/// Takes the single payload word out of an enum value that is consumed.
#[must_use]
pub fn into_payload(word: u64, of: ShapeId) -> Option<u64> {
    let value = payload_words(word, of).first().copied()?;
    let field = payload(of, tag(word)).first()?.shape;
    retain(value, field);
    release_counted(word);
    Some(value)
}
