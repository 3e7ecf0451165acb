//! A worker thread: takes what is runnable, runs it until it pauses, and parks when there is nothing.
//!
//! Never: waits for anything but work. The order is: own newest, own queue, from outside, stolen from others.

use crate::sched::coroutine;
use crate::sched::current;
use crate::sched::queue::Runnable;
use crate::sched::scheduler::Scheduler;
use crate::world::World;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Every so many jobs a worker looks outside first, so that a busy one starves nobody (a prime, as in tokio).
const OUTSIDE_EVERY: u32 = 61;

/// The life of worker number `worker`.
pub fn run(world: &Arc<World>, worker: usize) {
    let scheduler = Arc::clone(world.scheduler());
    current::become_worker(&scheduler, worker);
    if let Some(seat) = scheduler.seat(worker) {
        let _ = seat.thread.set(thread::current());
    }
    let mut tick = 0u32;
    while !scheduler.is_stopping() {
        scheduler.go_on_looking();
        if tick.is_multiple_of(OUTSIDE_EVERY) {
            scheduler.fire_due();
        }
        match next(&scheduler, worker, tick) {
            Some(runnable) => {
                // Jobs count, wake-ups do not: how many there are of those depends on the machine.
                tick = tick.wrapping_add(1);
                scheduler.count_run();
                dispatch(world, runnable);
            }
            None if scheduler.is_stuck() && world.end_stuck() => {}
            None => rest(&scheduler, worker),
        }
    }
}

fn dispatch(world: &Arc<World>, runnable: Runnable) {
    match runnable {
        Runnable::Start(job) => coroutine::start(world, job),
        Runnable::Resume(control) => coroutine::resume(world, control),
    }
}

fn next(scheduler: &Scheduler, worker: usize, tick: u32) -> Option<Runnable> {
    let seat = scheduler.seat(worker)?;
    if scheduler.is_frozen() {
        return scheduler.pop_root();
    }
    if tick.is_multiple_of(OUTSIDE_EVERY)
        && scheduler.may_come_between()
        && let Some(runnable) = scheduler.pop_injected()
    {
        return Some(runnable);
    }
    seat.queue
        .pop()
        .or_else(|| scheduler.pop_injected())
        .or_else(|| steal(scheduler, worker))
        .or_else(|| scheduler.pop_root())
}

fn steal(scheduler: &Scheduler, worker: usize) -> Option<Runnable> {
    let seats = scheduler.seats();
    let own = scheduler.seat(worker)?;
    let others = (1..seats.len()).filter_map(|step| seats.get((worker + step) % seats.len()));
    others
        .filter(|seat| seat.queue.has_stealable())
        .find_map(|seat| seat.queue.steal_into(&own.queue))
}

fn rest(scheduler: &Scheduler, worker: usize) {
    if scheduler.fire_due() || scheduler.pass_time() {
        return;
    }
    scheduler.set_idle(worker);
    // Once more, now that pushers can see this worker idle.
    if scheduler.has_runnable() || scheduler.is_stopping() {
        scheduler.clear_idle(worker);
        return;
    }
    scheduler.tell_rest();
    match scheduler.sleep_ns() {
        Some(0) => {}
        Some(nanos) => thread::park_timeout(Duration::from_nanos(nanos)),
        None => thread::park(),
    }
    scheduler.clear_idle(worker);
}
