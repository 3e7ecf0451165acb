//! Counting: retain, release and share, driven by shapes.
//!
//! Never: recurses (a list a million links long is freed in constant stack), touches a scalar.

use crate::value::dying;
use crate::value::heap::Header;
use crate::value::shape::{Shape, ShapeId, shape};
use crate::value::{closure, dynamic, list, map, native, record, text};

/// The header behind a word of a counted shape; `None` for enum values without payload and for nothing.
#[inline]
fn header<'a>(word: u64) -> Option<&'a Header> {
    if word & 1 != 0 || word == 0 {
        return None;
    }
    // SAFETY: by the contract of this module a word of a counted shape that is even and not 0 points to a live
    // object, and every object begins with a header.
    Some(unsafe { &*(word as *const Header) })
}

/// One more holder. Any shape: scalars are left alone.
#[inline]
pub fn retain(word: u64, of: ShapeId) {
    if !of.is_scalar() {
        retain_counted(word);
    }
}

/// One more holder of a value that is known not to be a scalar.
#[inline]
pub fn retain_counted(word: u64) {
    if let Some(header) = header(word) {
        header.retain();
    }
}

/// One holder less; the last one frees the value and what only it held.
#[inline]
pub fn release(word: u64, of: ShapeId) {
    if !of.is_scalar() {
        release_counted(word);
    }
}

/// One holder less of a value that is known not to be a scalar.
#[inline]
pub fn release_counted(word: u64) {
    if header(word).is_some_and(Header::release) {
        dying::destroy(word);
    }
}

/// Gives one holder up; true when it was the last.
pub(super) fn is_last(word: u64) -> bool {
    header(word).is_some_and(Header::release)
}

/// Calls `visit` for each counted word an object holds (odd ones and 0 included), from the child at `next` on and for
/// about `most` of them; `next` is moved on. True when there are no more.
pub(super) fn children(
    object: u64,
    next: &mut usize,
    most: usize,
    visit: &mut dyn FnMut(u64),
) -> bool {
    let Some(header) = header(object) else { return true };
    // SAFETY: in every arm the object is live and has the layout its own shape says.
    unsafe {
        match shape(header.shape()) {
            Shape::List(element) if !element.is_scalar() => {
                let rest = list::ListRef::from_word(object).items().get(*next..).unwrap_or(&[]);
                let part = rest.get(..most).unwrap_or(rest);
                part.iter().copied().for_each(visit);
                *next += part.len();
                return part.len() == rest.len();
            }
            Shape::Map(..) | Shape::Set(_) => {
                return map::MapRef::from_word(object).children(next, most, visit);
            }
            Shape::Tuple(_) | Shape::Record(_) | Shape::Enum(_) => record::children(object, visit),
            Shape::Function(_) => closure::FunctionRef::from_word(object).children(visit),
            Shape::Dyn => {
                let inner = dynamic::DynRef::from_word(object);
                if !inner.inner().is_scalar() {
                    visit(inner.value());
                }
            }
            _ => {}
        }
    }
    true
}

/// # Safety
/// The object is dead and its children were released.
pub(super) unsafe fn free_object(object: u64) {
    let Some(header) = header(object) else { return };
    let pointer = object as *mut Header;
    // SAFETY: each arm frees with the size its module allocated with.
    unsafe {
        let bytes = match shape(header.shape()) {
            Shape::Text => text::size(object),
            Shape::Bytes => text::bytes_size(object),
            Shape::List(_) | Shape::Vector => list::size(object),
            Shape::Map(..) | Shape::Set(_) => map::free_body(object),
            Shape::Function(_) => closure::size(object),
            Shape::Dyn => dynamic::SIZE,
            Shape::Tuple(_) | Shape::Record(_) | Shape::Enum(_) => record::size(object),
            _ => native::free_body(object),
        };
        dying::free(pointer, bytes);
    }
}

/// The value holds a function that must stay on its coroutine. Nothing of it was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stays;

/// Before a value crosses to another coroutine: the part of it that somebody else still holds becomes counted
/// atomically. What the receiver will hold alone stays as it is.
pub fn share(word: u64, of: ShapeId) -> Result<(), Stays> {
    if of.is_scalar() { Ok(()) } else { share_from(word, false) }
}

/// The whole value becomes counted atomically: for globals, which many coroutines read.
pub fn share_whole(word: u64, of: ShapeId) -> Result<(), Stays> {
    if of.is_scalar() { Ok(()) } else { share_from(word, true) }
}

fn share_from(word: u64, whole: bool) -> Result<(), Stays> {
    let mut open = vec![(word, whole)];
    let mut marked: Vec<&Header> = Vec::new();
    while let Some((word, whole)) = open.pop() {
        let Some(header) = header(word) else { continue };
        // All that a shared object holds is shared already.
        if header.is_shared() {
            continue;
        }
        if stays(word, header) {
            // Marks would hide it from the next who looks. They are younger than this walk: nobody else has seen them.
            marked.into_iter().for_each(Header::unmark_shared);
            return Err(Stays);
        }
        let held_elsewhere = whole || header.holders() > 1;
        if held_elsewhere {
            header.mark_shared();
            marked.push(header);
        }
        children(word, &mut 0, usize::MAX, &mut |child| open.push((child, held_elsewhere)));
    }
    Ok(())
}

fn stays(object: u64, header: &Header) -> bool {
    if !matches!(shape(header.shape()), Shape::Function(_)) {
        return false;
    }
    // SAFETY: the object's own shape says that it is a function value, and the caller holds it.
    unsafe { closure::FunctionRef::from_word(object) }.is_tied()
}

/// Whether the caller holds the object alone (and it is therefore safe to change in place).
#[inline]
#[must_use]
pub fn is_unique(word: u64) -> bool {
    header(word).is_some_and(Header::make_unique)
}

/// Whether the caller holds the object alone. A list or map that is shared stays so while it is changed, and what is put
/// into it is shared then: else each change of a global would end in a walk over all of it.
#[inline]
#[must_use]
pub fn is_alone(word: u64) -> bool {
    header(word).is_some_and(Header::is_alone)
}

/// What is put into an object, ready for whoever may read that.
#[inline]
pub(super) fn share_into(object: u64, word: u64, of: ShapeId) {
    if header(object).is_some_and(Header::is_shared) {
        // With a function that must stay in it the object is nobody else's any more. Who changes it has it alone, and what it
        // stands in is told the same when it is put back, up to the global itself, which is refused.
        if share_whole(word, of).is_err()
            && let Some(header) = header(object)
        {
            header.unmark_shared();
        }
    }
}

/// The shape an object was made with.
#[must_use]
pub fn object_shape(word: u64) -> Option<ShapeId> {
    header(word).map(Header::shape)
}
