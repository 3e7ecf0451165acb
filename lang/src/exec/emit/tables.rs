//! The tables beside the instructions, filled while they are selected.
//!
//! Never: holds an entry twice where it can be shared.

use crate::exec::bytecode::{ClosureOf, FaultPoint};
use crate::exec::helper::Helper;
use crate::ir::core::{BlockId, Word};
use crate::source::Span;
use crate::types::ty::Name;
use ag_runtime::builtin::Call;
use ag_runtime::code::FnSlot;
use ag_runtime::value::count::share_whole;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::ShapeId;
use ag_runtime::value::text::TextBuf;
use rustc_hash::FxHashMap;

#[derive(Default)]
pub struct Tables {
    pub constants: Vec<u64>,
    pub kept: Vec<Owned>,
    pub calls: Vec<FnSlot>,
    pub natives: Vec<Call>,
    pub helpers: Vec<Helper>,
    pub closures: Vec<ClosureOf>,
    pub faults: Vec<FaultPoint>,
    pub cleanups: Vec<u16>,
    pub arguments: u32,
    /// The blocks that fault points go on to, until their places are known.
    handlers: Vec<Option<BlockId>>,
    words: FxHashMap<u64, u32>,
    texts: FxHashMap<Name, u32>,
    slots: FxHashMap<FnSlot, u16>,
    runs: FxHashMap<Vec<u16>, u32>,
}

impl Tables {
    /// A word that will be asked for.
    pub fn name(&mut self, word: u64) {
        self.word(word);
    }

    pub fn word(&mut self, word: u64) -> u32 {
        if let Some(index) = self.words.get(&word) {
            return *index;
        }
        let index = self.constants.len() as u32;
        self.constants.push(word);
        self.words.insert(word, index);
        index
    }

    /// A text of the source: kept by the code, counted atomically because any coroutine may run the code.
    pub fn text(&mut self, text: &Name) -> u32 {
        if let Some(index) = self.texts.get(text) {
            return *index;
        }
        let value = Owned::new(TextBuf::new(text).into_word(), ShapeId::TEXT);
        // A text holds no function that would have to stay.
        let _ = share_whole(value.value(), ShapeId::TEXT);
        let index = self.constants.len() as u32;
        self.constants.push(value.value());
        self.kept.push(value);
        self.texts.insert(text.clone(), index);
        index
    }

    pub fn call(&mut self, slot: FnSlot) -> Option<u16> {
        if let Some(index) = self.slots.get(&slot) {
            return Some(*index);
        }
        let index = u16::try_from(self.calls.len()).ok()?;
        self.calls.push(slot);
        self.slots.insert(slot, index);
        Some(index)
    }

    pub fn native(&mut self, call: Call) -> Option<u16> {
        let same = |known: &Call| std::ptr::fn_addr_eq(*known, call);
        let index = match self.natives.iter().position(same) {
            Some(index) => index,
            None => {
                self.natives.push(call);
                self.natives.len() - 1
            }
        };
        u16::try_from(index).ok()
    }

    pub fn helper(&mut self, helper: Helper) -> Option<u16> {
        let index = match self.helpers.iter().position(|known| *known == helper) {
            Some(index) => index,
            None => {
                self.helpers.push(helper);
                self.helpers.len() - 1
            }
        };
        u16::try_from(index).ok()
    }

    pub fn closure(&mut self, closure: ClosureOf) -> Option<u16> {
        let index = self.closures.len();
        self.closures.push(closure);
        u16::try_from(index).ok()
    }

    pub fn note_fault(
        &mut self,
        at: u32,
        span: Span,
        mut cleanup: Vec<u16>,
        kept: &[u16],
        handler: Option<BlockId>,
        word: Word,
    ) {
        let (cleanup_len, kept_len) = (cleanup.len() as u32, kept.len() as u32);
        cleanup.extend(kept);
        let cleanup = match self.runs.get(&cleanup) {
            Some(start) => *start,
            None => {
                let start = self.cleanups.len() as u32;
                self.cleanups.extend(&cleanup);
                self.runs.insert(cleanup, start);
                start
            }
        };
        let (start, end) = (span.start, span.end);
        let point =
            FaultPoint { at, start, end, cleanup, cleanup_len, kept_len, handler: None, word };
        self.faults.push(point);
        self.handlers.push(handler);
    }

    pub fn resolve_handlers(&mut self, place: impl Fn(BlockId) -> Option<u32>) {
        for (point, handler) in self.faults.iter_mut().zip(&self.handlers) {
            point.handler = handler.and_then(&place);
        }
    }
}
