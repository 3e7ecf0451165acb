//! A template whose inserted values are kept apart from its text, until somebody knows how they must be escaped.
//!
//! A list that alternates: text, value, text, .., text; each value with its shape. Never: rendered here.

use crate::value::count::retain;
use crate::value::dynamic::{DynBuf, DynRef};
use crate::value::list::{ListBuf, ListRef};
use crate::value::shape::ShapeId;
use crate::value::text::{TextBuf, TextRef};
use std::sync::LazyLock;

/// The name of the type.
pub const NAME: &str = "Template";

/// The shape of `Template`. Its objects are lists of Dyn.
#[must_use]
pub fn template_shape() -> ShapeId {
    static ID: LazyLock<ShapeId> = LazyLock::new(|| ShapeId::opaque(NAME));
    *ID
}

/// One part of a template.
pub enum Part<'a> {
    Text(&'a str),
    Inserted { value: u64, of: ShapeId },
}

/// Parts in their order; borrows the inserted values.
#[must_use]
pub fn template<'a>(parts: impl IntoIterator<Item = Part<'a>>) -> u64 {
    let mut list = ListBuf::with_capacity(ShapeId::list(ShapeId::DYN), 4);
    let mut text = String::new();
    let written = |text: &str| DynBuf::new(TextBuf::new(text).into_word(), ShapeId::TEXT);
    for part in parts {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::Inserted { value, of } => {
                list.append(written(&std::mem::take(&mut text)).into_word());
                retain(value, of);
                list.append(DynBuf::new(value, of).into_word());
            }
        }
    }
    list.append(written(&text).into_word());
    list.into_word()
}

/// The parts of a template.
///
/// # Safety
/// The word is a live value of the template's shape.
pub unsafe fn parts<'a>(word: u64) -> impl Iterator<Item = Part<'a>> {
    // SAFETY: the caller's promise; `template` makes lists of Dyn only.
    let list = unsafe { ListRef::from_word(word) };
    list.items().iter().enumerate().map(|(at, &item)| {
        // SAFETY: an element of that list, and in the even places a Text.
        let inner = unsafe { DynRef::from_word(item) };
        if at % 2 == 0 {
            // SAFETY: as above.
            Part::Text(unsafe { TextRef::from_word(inner.value()) }.as_str())
        } else {
            Part::Inserted { value: inner.value(), of: inner.inner() }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Part, parts, template, template_shape};
    use crate::value::count::release;
    use crate::value::shape::ShapeId;
    use crate::value::show::show;

    #[test]
    fn texts_and_values_alternate() {
        let two = Part::Inserted { value: 2, of: ShapeId::INT };
        let three = Part::Inserted { value: 3, of: ShapeId::INT };
        let word = template([Part::Text("a"), Part::Text("b"), two, three]);
        // SAFETY: made above.
        let told = unsafe { parts(word) }.map(|part| match part {
            Part::Text(text) => format!("{text:?}"),
            Part::Inserted { value, of } => show(value, of),
        });
        assert_eq!(told.collect::<Vec<_>>(), ["\"ab\"", "2", "\"\"", "3", "\"\""]);
        release(word, template_shape());
    }
}
