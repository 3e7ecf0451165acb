//! Helpers that act on agents and lanes through the context.
//!
//! Never: waits by blocking a thread; the context gives the worker back.

use ag_runtime::actor::kind::TypeId;
use ag_runtime::actor::selector::Selector;
use ag_runtime::actor::supervisor::Supervise;
use ag_runtime::builtin::must;
use ag_runtime::context::Cx;
use ag_runtime::fault::{Faulted, code};
use ag_runtime::value::owned::Owned;
use ag_runtime::value::record;
use ag_runtime::value::shape::{ERR, OK, Shape, ShapeId, shape};

pub fn spawn(cx: &mut Cx, kind: TypeId, shapes: &[ShapeId], args: &[u64]) -> Result<u64, Faulted> {
    let mut inputs = owned(shapes, args);
    let supervise = match inputs.pop() {
        Some(value) => supervision(cx, &value)?,
        None => Supervise::default(),
    };
    Ok(cx.spawn(kind, inputs, supervise)?.pack())
}

pub fn owned(shapes: &[ShapeId], words: &[u64]) -> Vec<Owned> {
    words.iter().zip(shapes).map(|(word, of)| Owned::new(*word, *of)).collect()
}

/// `Stop`, `Restart(max, within)` or `Escalate`, by the name of the variant.
pub fn supervision(cx: &mut Cx, value: &Owned) -> Result<Supervise, Faulted> {
    let tag = record::tag(value.value());
    let Shape::Enum(of) = shape(value.shape()) else { return Ok(Supervise::default()) };
    Ok(match of.variants.get(tag as usize).map(|variant| &*variant.name) {
        Some("Stop") => Supervise::Stop,
        Some("Restart") => {
            let words = record::payload_words(value.value(), value.shape());
            let word = |at: usize| words.get(at).copied().unwrap_or(0).cast_signed();
            must::check_restart(cx, word(0), word(1))?;
            let max = u32::try_from(word(0)).unwrap_or(u32::MAX);
            Supervise::Restart { max, within_ns: u64::try_from(word(1)).unwrap_or(0) }
        }
        _ => Supervise::Escalate,
    })
}

pub fn request(
    cx: &mut Cx,
    selector: Selector,
    shapes: &[ShapeId],
    future: ShapeId,
    args: &[u64],
) -> Result<u64, Faulted> {
    let Some((target, words)) = args.split_first() else { return Ok(0) };
    cx.request(*target, selector, owned(shapes, words), future)
}

/// Gives `Ok(())` or `Err(Backpressure(len))`.
pub fn signal(
    cx: &mut Cx,
    selector: Selector,
    shapes: &[ShapeId],
    result: ShapeId,
    args: &[u64],
) -> Result<u64, Faulted> {
    let Some((target, words)) = args.split_first() else { return Ok(0) };
    match cx.signal(*target, selector, owned(shapes, words))? {
        Ok(()) => Ok(record::variant(result, OK, &[0])),
        Err(full) => {
            let error =
                record::payload(result, ERR).first().map_or(ShapeId::UNIT, |field| field.shape);
            let full = record::tuple(error, &[u64::from(full.0)]);
            Ok(record::variant(result, ERR, &[full]))
        }
    }
}

pub fn self_ref(cx: &mut Cx) -> Result<u64, Faulted> {
    match cx.self_ref() {
        Some(own) => Ok(own.pack()),
        None => {
            cx.fail(code::INTERNAL, "`self` outside an agent");
            Err(Faulted)
        }
    }
}
