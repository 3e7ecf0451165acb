//! Calls of functions and of function values from native code.
//!
//! Never: leaves an argument behind. A function owns its arguments from the moment of the call, also when it cannot begin.

use crate::code::{FnSlot, OK, Version};
use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::value::closure::FunctionRef;
use crate::value::count::{release, retain};
use crate::value::owned::Owned;
use crate::value::record::{RecordRef, field_shape};
use std::sync::Arc;

/// Native stack that must be left when a function begins: the deepest builtin (JSON printing, sqlite) with room to spare.
const NATIVE_RESERVE: usize = 160 << 10;

/// Captures and arguments that a call of a function value puts on the native stack.
const FEW: usize = 8;

/// Native stack that must be left when compiled code begins: builtins and what they call back have the rest.
pub const MACHINE_RESERVE: usize = 512 << 10;

impl Cx {
    /// Calls a function value with arguments it takes over; the value itself stays the caller's. May suspend.
    pub fn call(&mut self, function: u64, args: &[u64]) -> Result<u64, Faulted> {
        // SAFETY: a caller passes a word of a function shape, which it holds during the call.
        let function = unsafe { FunctionRef::from_word(function) };
        let captures = function.captures().len();
        let all = captures + args.len();
        if all > FEW {
            let mut words = function.captures().to_vec();
            words.extend_from_slice(args);
            self.retain_captures(function);
            return self.call_slot(function.slot(), &words);
        }
        // What is called for every element of a list needs no allocation.
        let mut words = [0; FEW];
        for (word, value) in words.iter_mut().zip(function.captures().iter().chain(args)) {
            *word = *value;
        }
        self.retain_captures(function);
        self.call_slot(function.slot(), words.get(..all).unwrap_or(&[]))
    }

    fn retain_captures(&self, function: FunctionRef<'_>) {
        for (&capture, &shape) in function.captures().iter().zip(function.capture_shapes()) {
            retain(capture, shape);
        }
    }

    /// Calls the version of a function that is in force, with owned arguments (captures first). May suspend.
    pub fn call_slot(&mut self, slot: FnSlot, args: &[u64]) -> Result<u64, Faulted> {
        let Some(version) = self.world.functions().current(slot).cloned() else {
            let name = self.world.functions().name(slot).unwrap_or_else(|| "?".into());
            self.fail(code::BROKEN_DEFINITION, format!("`{name}` has no code that checks"));
            return Err(Faulted);
        };
        self.call_version(&version, args)
    }

    pub fn call_version(&mut self, version: &Arc<Version>, args: &[u64]) -> Result<u64, Faulted> {
        let frame = match self.has_native_room() {
            true => self.registers.enter(args.len()),
            false => std::ptr::null_mut(),
        };
        if frame.is_null() {
            for (&arg, &shape) in args.iter().zip(&version.params) {
                release(arg, shape);
            }
            self.fail_depth();
            return Err(Faulted);
        }
        // SAFETY: the frame has room for the arguments and stays valid until `leave`.
        unsafe { std::ptr::copy_nonoverlapping(args.as_ptr(), frame, args.len()) };
        // SAFETY: the version's entry takes its own code and arguments of its parameters' shapes, which callers pass.
        let status = unsafe { (version.entry)(self, version.code.pointer(), frame) };
        self.registers.leave(frame);
        if status == OK { Ok(self.result) } else { Err(Faulted) }
    }

    /// As `call_slot`, with values that carry their shapes.
    pub(crate) fn call_owned(&mut self, slot: FnSlot, args: Vec<Owned>) -> Result<Owned, Faulted> {
        let version = self.world.functions().current(slot);
        let (shape, wanted) = match &version {
            Some(version) => (Some(version.result), version.params.len()),
            None => (None, args.len()),
        };
        // A configuration that mentions no parameter takes none; what it does not take is released here.
        let words: Vec<u64> = args.into_iter().take(wanted).map(Owned::into_word).collect();
        let value = self.call_slot(slot, &words)?;
        Ok(shape.map_or(Owned::UNIT, |shape| Owned::new(value, shape)))
    }

    /// The items of a tuple, each with one more holder.
    pub(crate) fn tuple_items(&self, tuple: &Owned) -> Vec<Owned> {
        // SAFETY: callers pass a tuple; the handle does not outlive it.
        let words = unsafe { RecordRef::from_word(tuple.value()) }.fields();
        let items = words.iter().enumerate();
        items.map(|(at, &word)| Owned::retained(word, field_shape(tuple.shape(), at))).collect()
    }

    /// Whether the native stack has room for one more function; otherwise the call is R0110 (`fail_depth`).
    #[inline]
    #[must_use]
    pub fn has_native_room(&self) -> bool {
        let here = 0u8;
        (&raw const here as usize) > self.stack_floor + NATIVE_RESERVE
    }

    /// Whether compiled code may begin here; otherwise the interpreter runs it, which takes no native stack for calls.
    #[inline(always)]
    #[must_use]
    pub fn has_machine_room(&self) -> bool {
        let here = 0u8;
        (&raw const here as usize) > self.stack_floor + MACHINE_RESERVE
    }

    #[cold]
    pub fn fail_depth(&mut self) -> crate::code::Status {
        let depth = self.registers.depth();
        self.fail(code::STACK_DEPTH, format!("calls are nested too deeply ({depth} frames)"))
    }
}
