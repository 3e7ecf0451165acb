//! The pool of coroutine stacks: one address range for 64 stacks, committed by the kernel page by page as they are used.
//!
//! Never: grows a stack, or gives memory back before the world ends (a slab's pages are reused, not returned).
//! The lowest page of each stack is a guard. `MADV_GUARD_INSTALL` (Linux 6.13) makes one without splitting the mapping;
//! where the kernel lacks it `mprotect` does, which the kernel's limit of mappings bounds at about 32,000 stacks.

use corosensei::stack::{Stack, StackPointer};
use parking_lot::Mutex;
use std::ptr::null_mut;
use std::sync::Arc;

/// Virtual size of one stack. Only touched pages cost memory, so this bounds native recursion, not memory:
/// an unoptimised builtin that calls a lambda takes about 2 KiB a level, sqlite and JSON printing up to 100 KiB in all.
pub const STACK_BYTES: usize = 1 << 20;
const STACKS_PER_SLAB: usize = 64;
const GUARD_BYTES: usize = 4096;
/// Not in libc 0.2: `include/uapi/asm-generic/mman-common.h`.
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// The kernel refused to map memory for stacks.
#[derive(Debug)]
pub struct OutOfStacks;

/// Hands out stacks and takes them back, last in first out so that warm pages are used again.
#[derive(Default)]
pub struct StackPool {
    free: Mutex<Vec<PooledStack>>,
}

impl StackPool {
    pub fn take(&self) -> Result<PooledStack, OutOfStacks> {
        let mut free = self.free.lock();
        if let Some(stack) = free.pop() {
            return Ok(stack);
        }
        let slab = Arc::new(Slab::map_some()?);
        // Reversed, so that the lowest stack goes out first.
        free.extend((1..slab.stacks).rev().map(|index| PooledStack::new(&slab, index)));
        Ok(PooledStack::new(&slab, 0))
    }

    pub fn give_back(&self, stack: PooledStack) {
        self.free.lock().push(stack);
    }
}

/// One mapping of up to 64 stacks; unmapped when the last of them is dropped.
struct Slab {
    base: usize,
    stacks: usize,
}

impl Slab {
    /// As many stacks as the system has address space for (`ulimit -v`).
    fn map_some() -> Result<Self, OutOfStacks> {
        let fewer = std::iter::successors(Some(STACKS_PER_SLAB), |stacks| {
            Some(stacks / 4).filter(|stacks| *stacks > 0)
        });
        fewer.map(Self::map).find(Result::is_ok).unwrap_or(Err(OutOfStacks))
    }

    fn map(stacks: usize) -> Result<Self, OutOfStacks> {
        let length = STACK_BYTES * stacks;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe {
            libc::mmap(null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        if base == libc::MAP_FAILED {
            return Err(OutOfStacks);
        }
        let slab = Self { base: base as usize, stacks };
        // A huge page would commit two whole stacks at the first touch. Advice: failure is harmless.
        // SAFETY: the range is the mapping just made.
        unsafe { libc::madvise(base, length, libc::MADV_NOHUGEPAGE) };
        for index in 0..stacks {
            slab.guard(index)?;
        }
        Ok(slab)
    }

    fn guard(&self, index: usize) -> Result<(), OutOfStacks> {
        let page = (self.base + index * STACK_BYTES) as *mut libc::c_void;
        // SAFETY: the page lies in this mapping and no stack is in use yet.
        let installed = unsafe {
            libc::madvise(page, GUARD_BYTES, MADV_GUARD_INSTALL) == 0
                || libc::mprotect(page, GUARD_BYTES, libc::PROT_NONE) == 0
        };
        if installed { Ok(()) } else { Err(OutOfStacks) }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: every stack holds the slab, so none is in use; the range is the mapping made in `map`.
        unsafe { libc::munmap(self.base as *mut libc::c_void, STACK_BYTES * self.stacks) };
    }
}

/// One stack of a slab, exclusively owned.
pub struct PooledStack {
    low: usize,
    _slab: Arc<Slab>,
}

impl PooledStack {
    fn new(slab: &Arc<Slab>, index: usize) -> Self {
        Self { low: slab.base + index * STACK_BYTES, _slab: Arc::clone(slab) }
    }

    /// The lowest address code may use.
    pub fn floor(&self) -> usize {
        self.low + GUARD_BYTES
    }
}

fn pointer(address: usize) -> StackPointer {
    // Addresses of a successful mapping are never 0; `MIN` keeps this total without a panic.
    StackPointer::new(address).unwrap_or(StackPointer::MIN)
}

// SAFETY: the range [low, low + STACK_BYTES) is mapped, page aligned, exclusively owned, and its lowest page is a guard.
unsafe impl Stack for PooledStack {
    fn base(&self) -> StackPointer {
        pointer(self.low + STACK_BYTES)
    }

    fn limit(&self) -> StackPointer {
        pointer(self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::{STACK_BYTES, StackPool};
    use corosensei::stack::Stack;

    #[test]
    fn stacks_do_not_overlap_and_come_back_warm() {
        let pool = StackPool::default();
        let first = pool.take().unwrap();
        let second = pool.take().unwrap();
        assert_eq!(first.base().get() - first.limit().get(), STACK_BYTES);
        assert!(first.base() <= second.limit() || second.base() <= first.limit());
        let address = second.base();
        pool.give_back(second);
        assert_eq!(pool.take().unwrap().base(), address);
    }
}
