//! Memory with machine code, and the calls into it.
//!
//! Never: frees code that a frame still runs; the function table keeps what owns it (`FunctionTable::reclaim`).

use crate::exec::jit::{Refused, host, stubs};
use ag_runtime::code::Status;
use ag_runtime::context::Cx;
use cranelift_codegen::ir::{AbiParam, InstBuilder, MemFlagsData, Signature, types};
use cranelift_codegen::isa::CallConv;
use cranelift_jit::JITModule;
use parking_lot::Mutex;
use std::mem::{ManuallyDrop, offset_of};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The code of one function from one start on.
pub struct Unit {
    module: Mutex<ManuallyDrop<JITModule>>,
    start: usize,
    bytes: usize,
}

/// Units alive in the process.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Each unit has pages of its own, and a process has room for some 65,000 mappings, which stacks need, too.
const MOST_UNITS: usize = 8_192;

/// Whether there is room for one more unit.
pub fn has_room() -> bool {
    LIVE.load(Ordering::Relaxed) < MOST_UNITS
}

/// Units alive in the process.
pub fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

impl Unit {
    pub fn new(module: JITModule, start: *const u8, bytes: usize) -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        let start = start.expose_provenance();
        Self { module: Mutex::new(ManuallyDrop::new(module)), start, bytes }
    }

    pub fn start(&self) -> *const u8 {
        std::ptr::with_exposed_provenance(self.start)
    }

    /// Machine code, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
        let module = self.module.get_mut();
        // SAFETY: dropped once; whoever drops the unit's owner knows that no frame runs it (module comment).
        unsafe { ManuallyDrop::take(module).free_memory() };
    }
}

/// A loop's code: goes on in the frame whose registers it is given, and leaves it.
pub type LoopEntry = unsafe extern "C" fn(cx: *mut Cx, registers: *mut u64) -> Status;

/// # Safety
/// `start` is a unit compiled from a loop.
pub unsafe fn loop_entry(start: *const u8) -> LoopEntry {
    // SAFETY: the signature that `body` gives to code compiled from a loop.
    unsafe { std::mem::transmute::<*const u8, LoopEntry>(start) }
}

/// Takes arguments from memory and puts the result into `cx.result`: what native code calls.
pub type Bridge = unsafe extern "C" fn(cx: *mut Cx, start: *const u8, args: *const u64) -> Status;

/// Arguments that compiled functions may have.
pub const MOST_PARAMS: usize = 32;

/// The bridge to compiled functions of so many parameters; made at the first use.
pub fn bridge(params: usize) -> Result<Bridge, Refused> {
    static BRIDGES: [OnceLock<Result<Unit, Refused>>; MOST_PARAMS + 1] =
        [const { OnceLock::new() }; MOST_PARAMS + 1];
    let cell = BRIDGES.get(params).ok_or(Refused::TooLong)?;
    let unit = cell.get_or_init(|| make_bridge(params)).as_ref().map_err(Clone::clone)?;
    // SAFETY: the signature given in `make_bridge`.
    Ok(unsafe { std::mem::transmute::<*const u8, Bridge>(unit.start()) })
}

fn make_bridge(params: usize) -> Result<Unit, Refused> {
    host::define(|b, call_conv| {
        let mut inner = Signature::new(call_conv);
        inner.params = vec![AbiParam::new(types::I64); params + 1];
        inner.returns = vec![AbiParam::new(types::I32), AbiParam::new(types::I64)];
        b.func.signature.call_conv = call_conv;
        b.func.signature.params = vec![AbiParam::new(types::I64); 3];
        b.func.signature.returns = vec![AbiParam::new(types::I32)];
        let inner = b.import_signature(inner);
        let block = b.create_block();
        b.append_block_params_for_function_params(block);
        b.switch_to_block(block);
        b.seal_block(block);
        if let [cx, start, args] = *b.block_params(block) {
            let flags = MemFlagsData::trusted();
            let mut all = vec![cx];
            for at in 0..params {
                all.push(b.ins().load(types::I64, flags, args, (at * 8) as i32));
            }
            let call = b.ins().call_indirect(inner, start, &all);
            if let [status, value] = *b.inst_results(call) {
                b.ins().store(flags, value, cx, offset_of!(Cx, result) as i32);
                b.ins().return_(&[status]);
            }
        }
    })
}

/// Functions of ours that compiled code calls in the middle of loops, behind code that saves all machine registers: a plain
/// call there would make the loop itself save what is in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    Safepoint,
    Retain,
    Release,
}

impl Kept {
    const ALL: [Self; 3] = [Self::Safepoint, Self::Retain, Self::Release];

    fn function(self) -> *const u8 {
        match self {
            Self::Safepoint => stubs::safepoint as *const u8,
            Self::Retain => stubs::retain as *const u8,
            Self::Release => stubs::release as *const u8,
        }
    }

    /// Where its code is. [`make_kept`] has succeeded.
    pub fn address(self) -> *const u8 {
        let made = KEPT.get().and_then(|made| made.as_ref().ok());
        let at = Self::ALL.iter().position(|kept| *kept == self);
        let unit = made.zip(at).and_then(|(made, at)| made.get(at));
        unit.map_or(std::ptr::null(), Unit::start)
    }
}

static KEPT: OnceLock<Result<Vec<Unit>, Refused>> = OnceLock::new();

/// Makes the code of [`Kept`], once a process.
pub fn make_kept() -> Result<(), Refused> {
    let make = || Kept::ALL.into_iter().map(make_one).collect();
    KEPT.get_or_init(make).as_ref().map(|_| ()).map_err(Clone::clone)
}

fn make_one(kept: Kept) -> Result<Unit, Refused> {
    host::define(|b, call_conv| {
        let mut inner = Signature::new(call_conv);
        inner.params = vec![AbiParam::new(types::I64)];
        // This convention has no return values.
        b.func.signature = inner.clone();
        b.func.signature.call_conv = CallConv::PreserveAll;
        let inner = b.import_signature(inner);
        let block = b.create_block();
        b.append_block_params_for_function_params(block);
        b.switch_to_block(block);
        b.seal_block(block);
        let args = b.block_params(block).to_vec();
        let function = kept.function().expose_provenance() as i64;
        let function = b.ins().iconst(types::I64, function);
        b.ins().call_indirect(inner, function, &args);
        b.ins().return_(&[]);
    })
}
