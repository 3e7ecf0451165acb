//! Channels: a queue of a fixed capacity between coroutines.
//!
//! Never: loses an item or a wake-up, or grows beyond its capacity. Who finds it full (empty) waits, and is woken when there is
//! room (an item). A wake-up is for one waiter; one that was woken and goes away without using it hands it on.

use crate::context::Cx;
use crate::context::waker::Waker;
use crate::fault::{Faulted, code};
use crate::value::owned::Owned;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

pub struct Channel {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: VecDeque<Owned>,
    is_closed: bool,
    senders: Waiters,
    receivers: Waiters,
}

/// First come, first woken.
#[derive(Default)]
struct Waiters(VecDeque<Waker>);

impl Waiters {
    fn add(&mut self, waker: &Waker) {
        if !self.0.iter().any(|known| known.is_same(waker)) {
            self.0.push_back(waker.clone());
        }
    }

    /// False if it was not there: it has been woken.
    fn remove(&mut self, waker: &Waker) -> bool {
        let before = self.0.len();
        self.0.retain(|known| !known.is_same(waker));
        self.0.len() < before
    }
}

/// What became of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    Taken,
    Full,
    Closed,
}

impl Channel {
    #[must_use]
    pub fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { capacity, state: Mutex::default() })
    }

    /// Puts the item in if there is room. Otherwise it stays, and `waker` is woken when there may be.
    fn offer(&self, item: &mut Option<Owned>, waker: Option<&Waker>) -> Offer {
        let mut state = self.state.lock();
        if state.is_closed {
            return Offer::Closed;
        }
        if state.items.len() >= self.capacity {
            waker.into_iter().for_each(|waker| state.senders.add(waker));
            return Offer::Full;
        }
        state.items.extend(item.take());
        let receiver = state.receivers.0.pop_front();
        drop(state);
        receiver.iter().for_each(Waker::wake);
        Offer::Taken
    }

    /// The next item; the inner `None` when the channel is closed and empty.
    fn take(&self, waker: &Waker) -> Option<Option<Owned>> {
        let mut state = self.state.lock();
        let Some(item) = state.items.pop_front() else {
            if state.is_closed {
                return Some(None);
            }
            state.receivers.add(waker);
            return None;
        };
        let sender = state.senders.0.pop_front();
        drop(state);
        sender.iter().for_each(Waker::wake);
        Some(Some(item))
    }

    /// How many items are in it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.lock().items.len()
    }

    pub fn close(&self) {
        let (senders, receivers) = {
            let mut state = self.state.lock();
            state.is_closed = true;
            (std::mem::take(&mut state.senders), std::mem::take(&mut state.receivers))
        };
        senders.0.iter().chain(&receivers.0).for_each(Waker::wake);
    }

    /// A sender that does not wait any more. If it had been woken, the next one is.
    fn forget_sender(&self, waker: &Waker) {
        let mut state = self.state.lock();
        if state.senders.remove(waker) || state.items.len() >= self.capacity {
            return;
        }
        let next = state.senders.0.pop_front();
        drop(state);
        next.iter().for_each(Waker::wake);
    }

    fn forget_receiver(&self, waker: &Waker) {
        let mut state = self.state.lock();
        if state.receivers.remove(waker) || state.items.is_empty() {
            return;
        }
        let next = state.receivers.0.pop_front();
        drop(state);
        next.iter().for_each(Waker::wake);
    }
}

impl Cx {
    /// Waits while the channel is full; R0705 when it is closed.
    pub fn channel_send(&mut self, channel: &Channel, item: Owned) -> Result<(), Faulted> {
        let mut item = Some(self.crossing(item)?);
        let sent = self.poll_until(|waker| match channel.offer(&mut item, Some(waker)) {
            Offer::Full => None,
            done => Some(done),
        });
        match sent {
            Ok(Offer::Closed) => self.send_on_closed(),
            Ok(_) => Ok(()),
            Err(Faulted) => {
                channel.forget_sender(&self.waker());
                Err(Faulted)
            }
        }
    }

    /// As `channel_send` without waiting: how many items are in the way, if it is full.
    pub fn channel_try_send(
        &mut self,
        channel: &Channel,
        item: Owned,
    ) -> Result<Result<(), usize>, Faulted> {
        let item = self.crossing(item)?;
        match channel.offer(&mut Some(item), None) {
            Offer::Taken => Ok(Ok(())),
            Offer::Full => Ok(Err(channel.waiting())),
            Offer::Closed => self.send_on_closed().map(Ok),
        }
    }

    fn send_on_closed(&mut self) -> Result<(), Faulted> {
        self.fail(
            code::CHANNEL_CLOSED,
            "the channel is closed: nothing can be sent on it any more",
        );
        Err(Faulted)
    }

    /// The next item, or `None` when the channel is closed and empty.
    pub fn channel_recv(&mut self, channel: &Channel) -> Result<Option<Owned>, Faulted> {
        let item = self.poll_until(|waker| channel.take(waker));
        if item.is_err() {
            channel.forget_receiver(&self.waker());
        }
        item
    }
}
