//! A piece of work somebody may wait for or cancel: a cell, a task, a request, a block under a time limit.
//!
//! Works form a tree by who asked for them; cancelling one cancels what it asked for. Never: runs anything, and never
//! registers a child with its parent: whether a work is cancelled is found by walking up, so asking costs no lock and no list.
//! A chain of agents that wait for each other is as deep as it is long, so no walk is done twice: what it found is kept in
//! every work it passed, until something is cancelled anew. No walk recurses either, it would need a stack as deep.
//!
//! Protocol: `finish` is called once, by the coroutine that performs the work or by whoever refuses it. Waiters register
//! a waker under the lock that `finish` takes, so none is lost.

use crate::context::sink::{Audience, Emission};
use crate::context::waker::Waker;
use crate::fault::{Fault, code};
use crate::sched::control::Control;
use crate::value::owned::Owned;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// How often anything was cancelled in this process. Raised after the mark is set; who reads it before looking at marks
/// sees all that it counts.
static CANCELLATIONS: AtomicU64 = AtomicU64::new(1);

/// Why something was cancelled: the code and message of the Fault it ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: &'static str,
    pub message: Arc<str>,
}

impl Reason {
    pub fn new(code: &'static str, message: &str) -> Self {
        Self { code, message: message.into() }
    }

    #[must_use]
    pub fn fault(&self) -> Box<Fault> {
        Box::new(Fault::new(self.code, self.message.as_ref()))
    }
}

pub type Outcome = Result<Owned, Box<Fault>>;

/// What kind of work it is, where that matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Plain,
    /// A block under a time limit.
    Limit,
    /// A block with a lease, which may be lost.
    Lease,
}

pub struct Work {
    /// What this is called where a Fault nobody awaits is shown.
    name: Arc<str>,
    audience: Audience,
    /// The agent that is asked, packed, or 0: an edge of the waits-for graph.
    performer: u64,
    kind: Kind,
    /// The nearest block under a time limit above this work.
    limit: Option<Arc<Work>>,
    // Written by `cancel` and by `reason`, which carries it down (any thread), read by `reason`. The reason itself is
    // under the lock.
    cancelled: AtomicBool,
    // The count of cancellations at which neither this nor anything above was cancelled. Written and read by `reason`.
    clear_at: AtomicU64,
    // Written by `finish`; read when the parents of new works are chosen, where a stale answer only costs memory.
    finished: AtomicBool,
    state: Mutex<State>,
}

struct State {
    parent: Option<Arc<Work>>,
    reason: Option<Reason>,
    /// The coroutine that began it, to be told first. It may serve something else by now, and then only looks once more.
    home: Weak<Control>,
    outcome: Option<Outcome>,
    /// Somebody performs it.
    begun: bool,
    /// Whether somebody has seen the outcome; an unseen Fault is shown when the last handle goes.
    seen: bool,
    waiters: Vec<Waker>,
    /// Agents that wait somewhere inside of a block under a limit, packed: to be woken when it is left.
    inside: BTreeMap<u64, Waker>,
    pause: Pause,
}

/// Time of a block under a limit that does not count, on the clock's `monotonic_ns`.
#[derive(Default)]
struct Pause {
    /// How many wait for a person inside, and since when.
    count: u32,
    since_ns: u64,
    /// What earlier ones took.
    passed_ns: u64,
}

impl Work {
    pub fn new(
        name: Arc<str>,
        audience: Audience,
        parent: Option<&Arc<Work>>,
        performer: u64,
    ) -> Arc<Self> {
        Self::build(name, audience, parent, performer, Kind::Plain)
    }

    /// A block that will be cancelled by a timer; it has no outcome.
    pub(crate) fn time_limit(audience: Audience, parent: Option<&Arc<Work>>) -> Arc<Self> {
        Self::build("time limit".into(), audience, parent, 0, Kind::Limit)
    }

    /// A block that is cancelled when its lease is lost; it has no outcome.
    pub(crate) fn lease(
        name: Arc<str>,
        audience: Audience,
        parent: Option<&Arc<Work>>,
    ) -> Arc<Self> {
        Self::build(name, audience, parent, 0, Kind::Lease)
    }

    fn build(
        name: Arc<str>,
        audience: Audience,
        parent: Option<&Arc<Work>>,
        performer: u64,
        kind: Kind,
    ) -> Arc<Self> {
        let parent = parent.and_then(unfinished);
        let limit = parent.as_ref().and_then(nearest_limit);
        let state = State {
            parent,
            reason: None,
            home: Weak::new(),
            outcome: None,
            begun: false,
            seen: false,
            waiters: Vec::new(),
            inside: BTreeMap::new(),
            pause: Pause::default(),
        };
        Arc::new(Self {
            name,
            audience,
            performer,
            kind,
            limit,
            cancelled: AtomicBool::new(false),
            clear_at: AtomicU64::new(0),
            finished: AtomicBool::new(false),
            state: Mutex::new(state),
        })
    }

    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    #[must_use]
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Marks this work, once; returns whether it was unmarked and unfinished. Waking the coroutines that serve it is
    /// the scheduler's part (`World::cancel`).
    pub(crate) fn mark_cancelled(&self, reason: &Reason) -> bool {
        let mut state = self.state.lock();
        if state.reason.is_some() || self.finished.load(Ordering::Relaxed) {
            return false;
        }
        self.carry(&mut state, reason);
        CANCELLATIONS.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn carry(&self, state: &mut State, reason: &Reason) {
        if state.reason.is_none() {
            state.reason = Some(reason.clone());
        }
        // Release pairs with Acquire in `reason`.
        self.cancelled.store(true, Ordering::Release);
    }

    /// `control` performs this from now on; who began it stays the one to be told first.
    pub(crate) fn perform_on(&self, control: &Arc<Control>) {
        let home = &mut self.state.lock().home;
        if home.strong_count() == 0 {
            *home = Arc::downgrade(control);
        }
    }

    pub(crate) fn home(&self) -> Option<Arc<Control>> {
        self.state.lock().home.upgrade()
    }

    /// The reason this work or one it was asked for by is cancelled.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        let now = CANCELLATIONS.load(Ordering::SeqCst);
        if let Some(known) = self.known_reason(now) {
            return known;
        }
        let mut above = self.parent();
        let found = loop {
            let Some(work) = above else { break None };
            if let Some(known) = work.known_reason(now) {
                break known;
            }
            above = work.parent();
        };
        self.keep_found(now, found.as_ref());
        let mut above = self.parent();
        while let Some(work) = above.filter(|work| work.known_reason(now).is_none()) {
            work.keep_found(now, found.as_ref());
            above = work.parent();
        }
        found
    }

    /// What is known without walking up, at this count of cancellations.
    fn known_reason(&self, now: u64) -> Option<Option<Reason>> {
        #[cfg(test)]
        tests::LOOKED.with(|looked| looked.set(looked.get() + 1));
        if self.cancelled.load(Ordering::Acquire) {
            return Some(self.state.lock().reason.clone());
        }
        (self.clear_at.load(Ordering::Acquire) >= now).then_some(None)
    }

    /// A walk at this count came past: what is above this work, found or not, holds for it.
    fn keep_found(&self, now: u64, found: Option<&Reason>) {
        match found {
            Some(reason) => self.carry(&mut self.state.lock(), reason),
            None => {
                self.clear_at.fetch_max(now, Ordering::AcqRel);
            }
        }
    }

    fn parent(&self) -> Option<Arc<Work>> {
        self.state.lock().parent.clone()
    }

    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    #[must_use]
    pub(crate) fn performer(&self) -> u64 {
        self.performer
    }

    /// The nearest block under a time limit at or above this work that was not left: what it waits for ends by itself.
    pub(crate) fn open_limit(&self) -> Option<&Self> {
        std::iter::successors(Some(self), |work| work.limit.as_deref())
            .find(|work| work.is_open_limit())
    }

    /// Wakes the agent that waits when this block is left; false if it was already.
    pub(crate) fn wake_when_left(&self, agent: u64, waker: Waker) -> bool {
        let mut state = self.state.lock();
        let is_open = self.is_open_limit();
        if is_open {
            state.inside.insert(agent, waker);
        }
        is_open
    }

    pub(crate) fn forget_inside(&self, agent: u64) {
        self.state.lock().inside.remove(&agent);
    }

    fn is_open_limit(&self) -> bool {
        self.kind == Kind::Limit && !self.is_finished()
    }

    /// This is a block whose time limit has passed or whose lease was lost, and what the block stands in is not cancelled.
    pub(crate) fn is_only_block_over(&self) -> bool {
        if self.kind == Kind::Plain || self.reason().is_none() {
            return false;
        }
        let around = std::iter::successors(self.parent(), |work| match work.kind {
            Kind::Limit | Kind::Lease => work.parent(),
            Kind::Plain => None,
        });
        around.filter(|work| work.kind == Kind::Plain).all(|work| work.reason().is_none())
    }

    /// Somebody inside waits for a person from now on: the limits it stands under do not count that time (L-96).
    pub(crate) fn begin_pause(self: &Arc<Self>, now_ns: u64) -> Vec<Arc<Self>> {
        let above = std::iter::successors(Some(Arc::clone(self)), |work| work.parent());
        let limits: Vec<Arc<Self>> =
            above.filter(|work| work.kind == Kind::Limit && !work.is_finished()).collect();
        for limit in &limits {
            let pause = &mut limit.state.lock().pause;
            if pause.count == 0 {
                pause.since_ns = now_ns;
            }
            pause.count += 1;
        }
        limits
    }

    pub(crate) fn end_pause(&self, now_ns: u64) {
        let pause = &mut self.state.lock().pause;
        pause.count = pause.count.saturating_sub(1);
        if pause.count == 0 {
            pause.passed_ns += now_ns.saturating_sub(pause.since_ns);
        }
    }

    /// The time that has not counted so far, and whether more is passing.
    pub(crate) fn paused_ns(&self, now_ns: u64) -> (u64, bool) {
        let pause = &self.state.lock().pause;
        let is_paused = pause.count > 0;
        let now = if is_paused { now_ns.saturating_sub(pause.since_ns) } else { 0 };
        (pause.passed_ns + now, is_paused)
    }

    /// The block was left: what was asked for inside and goes on is no longer bound by its time limit.
    pub(crate) fn close_block(&self) {
        let inside = {
            let mut state = self.state.lock();
            self.finished.store(true, Ordering::Release);
            std::mem::take(&mut state.inside)
        };
        inside.values().for_each(Waker::wake);
    }

    /// Its performer starts; false if it has been ended already, and is not to be performed.
    pub(crate) fn begin(&self) -> bool {
        let mut state = self.state.lock();
        state.begun = true;
        state.outcome.is_none()
    }

    /// Ends cancelled work that nobody has begun, instead of leaving it to its performer, who may be busy for long.
    pub(crate) fn end_unbegun(&self, reason: &Reason) {
        let waiters = {
            let mut state = self.state.lock();
            if state.begun || state.outcome.is_some() {
                return;
            }
            state.seen = true;
            state.outcome = Some(Err(reason.fault()));
            self.finished.store(true, Ordering::Release);
            std::mem::take(&mut state.waiters)
        };
        waiters.iter().for_each(Waker::wake);
    }

    /// Ends the work; later calls are ignored (a task that was cancelled while it waited may still be run out).
    pub fn finish(&self, outcome: Outcome) {
        // A cancellation is no news to whoever cancelled.
        let was_cancelled = self.reason().is_some();
        let waiters = {
            let mut state = self.state.lock();
            if state.outcome.is_some() {
                return;
            }
            state.seen |= was_cancelled;
            if let Err(fault) = &outcome
                && fault.code == code::DEADLOCK
                && state.reason.is_none()
            {
                // What a deadlock ended takes back what it asked for, or that would close the next cycle.
                self.carry(&mut state, &Reason::new(fault.code, &fault.message));
                CANCELLATIONS.fetch_add(1, Ordering::SeqCst);
            }
            state.outcome = Some(outcome);
            self.finished.store(true, Ordering::Release);
            std::mem::take(&mut state.waiters)
        };
        for waiter in waiters {
            waiter.wake();
        }
    }

    /// The outcome if there is one; otherwise `waker` is woken when there is.
    pub fn poll(&self, waker: &Waker) -> Option<Outcome> {
        let mut state = self.state.lock();
        if let Some(outcome) = &state.outcome {
            let outcome = outcome.clone();
            state.seen = true;
            return Some(outcome);
        }
        if !state.waiters.iter().any(|known| known.is_same(waker)) {
            state.waiters.push(waker.clone());
        }
        None
    }

    /// The outcome if there is one. Whoever takes a Fault this way is the one who shows it.
    #[must_use]
    pub fn peek(&self) -> Option<Outcome> {
        let mut state = self.state.lock();
        state.seen |= state.outcome.is_some();
        state.outcome.clone()
    }

    /// Stops waiting: after a cancellation or when another future won.
    pub(crate) fn forget_waiter(&self, waker: &Waker) {
        self.state.lock().waiters.retain(|known| !known.is_same(waker));
    }

    /// For the one who began this work and has its value: a Future in the value may be of work that hangs below this one,
    /// and the two would keep each other for ever.
    pub(crate) fn forget_value(&self) {
        let mut state = self.state.lock();
        let value = match &mut state.outcome {
            Some(Ok(value)) => std::mem::replace(value, Owned::UNIT),
            _ => Owned::UNIT,
        };
        // What dies with it may look at this work.
        drop(state);
        drop(value);
    }

    /// Nobody is going to look at the outcome, and that is right: the loser of a race, the end of a session.
    pub fn ignore(&self) {
        self.state.lock().seen = true;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        if let Some(Err(fault)) = state.outcome.take()
            && !state.seen
        {
            let source = Arc::clone(&self.name);
            self.audience.emit(Emission::Fault { source, fault });
        }
        // One after the other: dropping them inside each other would need a stack as deep as the chain.
        let mut last: Vec<Work> = self.take_above().collect();
        while let Some(mut work) = last.pop() {
            last.extend(work.take_above());
        }
    }
}

impl Work {
    /// What is above it and was held by this work alone.
    fn take_above(&mut self) -> impl Iterator<Item = Work> + use<> {
        let above = [self.state.get_mut().parent.take(), self.limit.take()];
        above.into_iter().flatten().filter_map(Arc::into_inner)
    }
}

/// The nearest block under a time limit at or above this work that was not left.
fn nearest_limit(work: &Arc<Work>) -> Option<Arc<Work>> {
    let above = std::iter::successors(Some(work), |work| work.limit.as_ref());
    above.into_iter().find(|work| work.is_open_limit()).cloned()
}

/// The nearest work at or above this one that has not ended: so that agents answering each other for ever do not
/// build an endless chain.
fn unfinished(work: &Arc<Work>) -> Option<Arc<Work>> {
    let mut current = Some(Arc::clone(work));
    while let Some(work) = current {
        if !work.is_finished() || work.cancelled.load(Ordering::Acquire) {
            let above = work.parent();
            if let Some(above) = &above
                && above.is_finished()
                && !above.cancelled.load(Ordering::Acquire)
            {
                let better = unfinished(above);
                work.state.lock().parent = better;
            }
            return Some(work);
        }
        current = work.parent();
    }
    None
}

#[cfg(test)]
mod tests;
