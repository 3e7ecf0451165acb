//! Frees code that calls no longer reach and no coroutine can be running.
//!
//! Never: frees what a sleeping coroutine began with.

use ag_runtime::world::World;

/// Versions that may wait before it is worth a look at all coroutines.
const ENOUGH: usize = 64;

/// For the engine only, under its lock: it is the one place outside of coroutines that looks versions up.
pub fn reclaim(world: &World) {
    let table = world.functions();
    if table.retired() < ENOUGH {
        return;
    }
    let oldest = world.scheduler().oldest_epoch();
    // SAFETY: the scheduler knows all coroutines; outside of them only the engine looks at the table, and it holds
    // its lock and no reference here.
    unsafe { table.reclaim(oldest) };
}
