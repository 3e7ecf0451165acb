//! Leases: the right to a named resource, for one at a time and not for ever (`@with_lease`, `critical_section`).
//!
//! A lease has a fencing token that grows with every holder, and lives for its ttl unless it is renewed, which a timer does
//! at half of it while the block runs. A process that was stopped for longer than the ttl finds on its return that the lease
//! is gone: the block ends with R0707, and what it would still release is another's, which the token tells. Never: two holders
//! whose leases are alive, or a waiter that is overtaken by one that came later.
//!
//! Protocol: all of one table is under one lock, held for a lookup. Whoever gives a lease up wakes the first waiter; one that
//! goes away without having taken it wakes the next.

use crate::actor::deadlock::On;
use crate::context::Cx;
use crate::context::scope::Scope;
use crate::context::waker::Waker;
use crate::coord::work::{Reason, Work};
use crate::fault::{Fault, Faulted, code};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::sched::timer::{Action, TimerId};
use crate::telemetry::event::Kind;
use crate::world::World;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// All leases of a world.
#[derive(Default)]
pub struct LeaseTable {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    last_fence: u64,
    resources: FxHashMap<Arc<str>, Resource>,
}

#[derive(Default)]
struct Resource {
    held: Option<Held>,
    waiters: VecDeque<Waker>,
}

struct Held {
    fence: u64,
    holder: Holder,
    /// `None`: until it is given up.
    expires_ns: Option<u64>,
}

/// Who has a lease: an agent, packed (0 for a cell or task), and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub agent: u64,
    pub name: Arc<str>,
    /// The message, cell or task inside which it was taken.
    pub message: u64,
}

/// What became of an attempt.
pub enum Taken {
    /// With this fencing token.
    Yes(u64),
    /// It is this one's, or earlier waiters come first. The waker is in the line now, if one was given.
    HeldBy { holder: Option<Holder>, fence: u64 },
}

impl LeaseTable {
    /// Takes a lease that nobody has, or whose time is over, if nobody came earlier.
    pub fn take(
        &self,
        resource: &Arc<str>,
        holder: &Holder,
        now_ns: u64,
        ttl_ns: Option<u64>,
        waker: Option<&Waker>,
    ) -> Taken {
        let mut inner = self.inner.lock();
        let fence = inner.last_fence + 1;
        let place = inner.resources.entry(Arc::clone(resource)).or_default();
        let is_alive = |held: &Held| held.expires_ns.is_none_or(|expires_ns| now_ns < expires_ns);
        let alive = place.held.as_ref().filter(|held| is_alive(held));
        let turn =
            place.waiters.front().is_none_or(|first| waker.is_some_and(|w| first.is_same(w)));
        if alive.is_none() && turn {
            place.waiters.retain(|known| !waker.is_some_and(|waker| known.is_same(waker)));
            let expires_ns = ttl_ns.map(|ttl_ns| now_ns.saturating_add(ttl_ns));
            place.held = Some(Held { fence, holder: holder.clone(), expires_ns });
            inner.last_fence = fence;
            return Taken::Yes(fence);
        }
        let told = alive.map(|held| (held.holder.clone(), held.fence));
        if let Some(waker) = waker
            && !place.waiters.iter().any(|known| known.is_same(waker))
        {
            place.waiters.push_back(waker.clone());
        }
        let (holder, fence) = told.unzip();
        Taken::HeldBy { holder, fence: fence.unwrap_or(0) }
    }

    /// Whether the lease with this token is alive; if so it lives for another ttl.
    pub fn renew(&self, resource: &str, fence: u64, now_ns: u64, ttl_ns: u64) -> bool {
        let mut inner = self.inner.lock();
        let held = inner.resources.get_mut(resource).and_then(|place| place.held.as_mut());
        match held.filter(|held| held.fence == fence) {
            Some(Held { expires_ns: Some(expires_ns), .. }) if now_ns < *expires_ns => {
                *expires_ns = now_ns.saturating_add(ttl_ns);
                true
            }
            _ => false,
        }
    }

    /// Gives up the lease with this token; false if it was over before. A later holder is not touched.
    pub fn give_up(&self, resource: &str, fence: u64, now_ns: u64) -> bool {
        let mut inner = self.inner.lock();
        let Some(place) = inner.resources.get_mut(resource) else { return false };
        let own = place.held.as_ref().filter(|held| held.fence == fence);
        let Some(own) = own else { return false };
        let was_alive = own.expires_ns.is_none_or(|expires_ns| now_ns < expires_ns);
        place.held = None;
        Self::pass_on(&mut inner, resource);
        was_alive
    }

    /// A waiter goes away without the lease.
    pub fn forget(&self, resource: &str, waker: &Waker) {
        let mut inner = self.inner.lock();
        let Some(place) = inner.resources.get_mut(resource) else { return };
        place.waiters.retain(|known| !known.is_same(waker));
        if place.held.is_none() {
            Self::pass_on(&mut inner, resource);
        }
    }

    fn pass_on(inner: &mut Inner, resource: &str) {
        match inner.resources.get(resource).and_then(|place| place.waiters.front()) {
            Some(next) => next.wake(),
            None => {
                inner.resources.remove(resource);
            }
        }
    }

    /// Whether this is still the token of the holder, whose time may be over.
    #[must_use]
    pub fn is_held(&self, resource: &str, fence: u64) -> bool {
        self.is_alive(resource, fence, 0)
    }

    /// Whether the lease with this token has not expired.
    #[must_use]
    pub fn is_alive(&self, resource: &str, fence: u64, now_ns: u64) -> bool {
        let inner = self.inner.lock();
        let held = inner.resources.get(resource).and_then(|place| place.held.as_ref());
        held.is_some_and(|held| {
            held.fence == fence && held.expires_ns.is_none_or(|expires_ns| now_ns < expires_ns)
        })
    }
}

impl Cx {
    fn holder(&self) -> Holder {
        let agent = self.serving.agent.map_or(0, crate::actor::reference::AgentRef::pack);
        let name = Arc::clone(&self.serving.name);
        Holder { agent, name, message: self.serving.message.number() }
    }

    /// Opens `@with_lease`: gives the depth to close it with.
    pub fn open_lease(
        &mut self,
        resource: &str,
        ttl_ns: i64,
        wait_ns: i64,
    ) -> Result<usize, Faulted> {
        let Ok(ttl_ns @ 1..) = u64::try_from(ttl_ns) else {
            self.fail(code::INVALID_CONVERSION, "a lease needs a ttl longer than 0s");
            return Err(Faulted);
        };
        let world = Arc::clone(&self.world);
        let resource: Arc<str> = resource.into();
        let print = Fingerprint::of_json(&json!({ "resource": &*resource, "ttl": ttl_ns }));
        let pending = world.effects().begin("lease", print);
        match self.take_lease(&resource, ttl_ns, u64::try_from(wait_ns).unwrap_or(0)) {
            Ok(fence) => {
                pending.done(Payload::free(json!({ "fence": fence })));
                Ok(self.hold_lease(resource, fence, ttl_ns))
            }
            Err(Faulted) => {
                let why = self.fault.as_ref().map_or_else(String::new, |fault| fault.to_string());
                pending.failed(&why);
                Err(Faulted)
            }
        }
    }

    /// Waits at most so long for a lease that another holds.
    fn take_lease(
        &mut self,
        resource: &Arc<str>,
        ttl_ns: u64,
        wait_ns: u64,
    ) -> Result<u64, Faulted> {
        let world = Arc::clone(&self.world);
        let (me, waker) = (self.holder(), self.waker());
        let until_ns = world.clock().monotonic_ns().saturating_add(wait_ns);
        let waits = wait_ns > 0;
        let mut timer = None;
        let taken = loop {
            let now_ns = world.clock().monotonic_ns();
            let in_line = waits.then_some(&waker);
            match world.leases().take(resource, &me, now_ns, Some(ttl_ns), in_line) {
                Taken::Yes(fence) => break Ok(fence),
                Taken::HeldBy { holder, .. } => {
                    let own = holder.as_ref().is_some_and(|h| *h == me);
                    if own || !waits || now_ns >= until_ns {
                        break Err(self.lease_held(resource, holder.as_ref(), own));
                    }
                }
            }
            timer.get_or_insert_with(|| {
                world.scheduler().set_timer(until_ns, Action::Wake(waker.clone()))
            });
            self.record(Kind::LeaseWait);
            if self.sleep_once().is_err() {
                break Err(Faulted);
            }
        };
        if let Some(timer) = timer {
            world.scheduler().timers().cancel(timer);
        }
        if taken.is_err() && waits {
            world.leases().forget(resource, &waker);
        }
        taken
    }

    fn lease_held(&mut self, resource: &str, holder: Option<&Holder>, own: bool) -> Faulted {
        let by = match holder {
            _ if own => "this very message".to_owned(),
            Some(holder) => format!("`{}`", holder.name),
            None => "others that came earlier".to_owned(),
        };
        let message = format!("the lease `{resource}` is held by {by}");
        let data = json!({ "resource": resource, "holder": holder.map(|h| &*h.name) });
        self.raise(Box::new(Fault::new(code::LEASE_HELD, message).with_data(data)));
        Faulted
    }

    /// The block begins: what it asks for ends with the lease, should that be lost.
    fn hold_lease(&mut self, resource: Arc<str>, fence: u64, ttl_ns: u64) -> usize {
        let name = Arc::clone(&resource);
        let work = Work::lease(name, self.audience.clone(), self.work.as_ref());
        let timer = LeaseTimer::default();
        let renewal =
            Renewal { work: Arc::downgrade(&work), resource: Arc::clone(&resource), fence, ttl_ns };
        self.world.renew_later(renewal, &work, &timer);
        let outer = self.set_work(Some(Arc::clone(&work)));
        self.open_scope(Box::new(Leased { resource, fence, work, outer, timer }))
    }

    /// Leaves the block of a lease in the ordinary way. R0707 if the lease was over before its end.
    pub fn close_lease(&mut self, depth: usize) -> Result<(), Faulted> {
        // Whoever was cancelled inside, because of the lease or not, ends with that Fault.
        let cancelled = self.is_cancelled().then(|| self.cancel_reason().fault());
        let lease = self.scopes.get(depth).and_then(|scope| scope.lease());
        let now_ns = self.world.clock().monotonic_ns();
        let expired =
            lease.filter(|(name, fence)| !self.world.leases().is_alive(name, *fence, now_ns));
        let expired = expired.map(|(resource, _)| {
            Box::new(Fault::new(code::LEASE_EXPIRED, expired_message(&resource)))
        });
        self.close_scopes(depth);
        match cancelled.or(expired) {
            Some(fault) => {
                self.raise(fault);
                Err(Faulted)
            }
            None => Ok(()),
        }
    }

    /// A `critical_section` begins: waits, without limit, for the lease of its type (L-77). A cycle of waits is R0710.
    pub(crate) fn enter_section(&mut self, kind: &Arc<str>) -> Result<(), Faulted> {
        let world = Arc::clone(&self.world);
        let resource: Arc<str> = format!("critical_section {kind}").into();
        let print = Fingerprint::of_json(&json!({ "resource": &*resource }));
        let pending = world.effects().begin("lease", print);
        let (me, waker) = (self.holder(), self.waker());
        let mut waited = false;
        let taken = loop {
            let now_ns = world.clock().monotonic_ns();
            match world.leases().take(&resource, &me, now_ns, None, Some(&waker)) {
                Taken::Yes(fence) => break Ok(fence),
                Taken::HeldBy { holder, fence } => {
                    // Whoever comes first may be another than before.
                    if let Some(holder) = holder {
                        waited = true;
                        let on = On::Lease(Arc::clone(&resource), fence);
                        if self.begin_waiting(holder.agent, on).is_err() {
                            break Err(Faulted);
                        }
                    }
                }
            }
            self.record(Kind::LeaseWait);
            if self.sleep_once().is_err() {
                break Err(Faulted);
            }
        };
        if waited {
            self.stop_waiting();
        }
        match taken {
            Ok(fence) => {
                pending.done(Payload::free(json!({ "fence": fence })));
                self.open_scope(Box::new(Section { resource, fence }));
                Ok(())
            }
            Err(Faulted) => {
                world.leases().forget(&resource, &waker);
                pending.failed(&"not entered");
                Err(Faulted)
            }
        }
    }
}

fn expired_message(resource: &str) -> String {
    format!("the lease `{resource}` expired before its block ended")
}

/// The timer of the next renewal; empty once the block was left.
type LeaseTimer = Arc<Mutex<Option<TimerId>>>;

struct Renewal {
    work: Weak<Work>,
    resource: Arc<str>,
    fence: u64,
    ttl_ns: u64,
}

impl World {
    fn renew_later(self: &Arc<Self>, renewal: Renewal, work: &Work, timer: &LeaseTimer) {
        let at_ns = self.clock().monotonic_ns().saturating_add((renewal.ttl_ns / 2).max(1));
        let (world, slot) = (Arc::downgrade(self), Arc::clone(timer));
        let call = move || {
            if let (Some(world), Some(work)) = (world.upgrade(), renewal.work.upgrade()) {
                world.renew(renewal, &work, &slot);
            }
        };
        // Whoever leaves the block closes it first and then takes the timer.
        let mut timer = timer.lock();
        if !work.is_finished() {
            *timer = Some(self.scheduler().set_timer(at_ns, Action::Call(Box::new(call))));
        }
    }

    fn renew(self: &Arc<Self>, renewal: Renewal, work: &Work, timer: &LeaseTimer) {
        let now_ns = self.clock().monotonic_ns();
        let Renewal { resource, fence, ttl_ns, .. } = &renewal;
        if self.leases().renew(resource, *fence, now_ns, *ttl_ns) {
            return self.renew_later(renewal, work, timer);
        }
        let reason = Reason::new(code::LEASE_EXPIRED, &expired_message(resource));
        self.cancel(work, &reason);
        self.leases().give_up(resource, *fence, now_ns);
    }
}

/// A block with a lease.
struct Leased {
    resource: Arc<str>,
    fence: u64,
    work: Arc<Work>,
    outer: Option<Arc<Work>>,
    timer: LeaseTimer,
}

impl Scope for Leased {
    fn close(self: Box<Self>, cx: &mut Cx) {
        self.work.close_block();
        if let Some(timer) = self.timer.lock().take() {
            cx.world.scheduler().timers().cancel(timer);
        }
        let now_ns = cx.world.clock().monotonic_ns();
        cx.world.leases().give_up(&self.resource, self.fence, now_ns);
        cx.set_work(self.outer);
    }

    fn lease(&self) -> Option<(Arc<str>, u64)> {
        Some((Arc::clone(&self.resource), self.fence))
    }
}

/// A critical section: kept until it is left, because all that may hold it run in this process.
struct Section {
    resource: Arc<str>,
    fence: u64,
}

impl Scope for Section {
    fn close(self: Box<Self>, cx: &mut Cx) {
        let now_ns = cx.world.clock().monotonic_ns();
        cx.world.leases().give_up(&self.resource, self.fence, now_ns);
    }
}
