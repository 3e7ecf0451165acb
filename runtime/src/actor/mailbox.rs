//! The mailbox of an agent: bounded, with high and low water, and the flag that says whether the agent is scheduled.
//!
//! Never: blocks a sender; one that has to wait leaves its waker. Order is kept for each sender and level.
//!
//! Protocol: whoever pushes into a mailbox that is not scheduled schedules the agent. The run that holds it keeps the flag
//! while it handles messages, also while one is suspended, and gives it up by `try_rest`, under the same lock as `push`.
//! In a replay the run may wait for the message that was handled next when it was recorded (`Next::Held`); it leaves its
//! waker by `has_news`, and `push` and `stop` wake it.

use crate::actor::kind::AgentType;
use crate::actor::message::Message;
use crate::actor::peek::{Peeked, Waiting};
use crate::actor::queues::{Queues, Rank};
use crate::context::waker::Waker;
use crate::journal::track::Taken;
use parking_lot::Mutex;

/// Capacity and water marks (L-74).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marks {
    pub capacity: u32,
    pub high: u32,
    pub low: u32,
}

impl Marks {
    #[must_use]
    pub fn of(capacity: u32) -> Self {
        let fifth = (capacity / 5).max(1);
        Self { capacity, high: capacity.saturating_sub(fifth).max(1), low: fifth }
    }
}

/// What became of a push.
pub enum Pushed {
    /// It is in; `schedule` says that the pusher has to schedule the agent.
    Queued { schedule: bool },
    /// Above high water, with this many messages; the message comes back.
    Full(Box<Message>, u32),
    /// The agent stopped; the message comes back.
    Gone(Box<Message>),
}

/// What the agent does next.
pub enum Next {
    Message(Box<Message>, Vec<Waker>),
    /// A replay waits for another message than those that are here, of which this many came so far.
    Held(u64),
    Stop,
    Nothing,
}

#[derive(Default)]
pub struct Mailbox {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Of the tenant, 0 if the slot is free.
    generation: u32,
    scheduled: bool,
    stop: bool,
    marks: Option<Marks>,
    queues: Queues<Box<Message>>,
    waiters: Vec<Waker>,
    counts: Counts,
    /// Of recordings and replays; empty where there are none.
    taken: Option<Box<Order>>,
    /// The run that waits for a message of a replay.
    held: Option<Waker>,
}

/// What was handled last.
struct Order {
    rank: Rank,
    last: Vec<Taken>,
}

/// Why no message can be taken.
enum Left {
    None,
    Held,
}

impl Inner {
    /// The next message; in a replay the next that may be handled.
    fn pop(&mut self) -> Result<Box<Message>, Left> {
        let last = self.taken.as_ref().map_or(&[][..], |order| &order.last);
        let follows =
            |message: &Message| message.track.as_ref().and_then(|track| track.follows(last));
        let front = self.queues.front().ok_or(Left::None)?;
        let message = match follows(front) {
            None | Some(true) => self.queues.pop(),
            Some(false) => {
                // What was written down for no message is that it came behind the one of its sender and rank before it.
                let mut held: Vec<(u64, Rank)> = Vec::new();
                self.queues.pop_first(|message| {
                    let from = message.track.as_ref().map_or(0, |track| track.parent());
                    let place = (from, message.rank);
                    let may = follows(message).unwrap_or(!held.contains(&place));
                    if !may {
                        held.push(place);
                    }
                    may
                })
            }
        };
        let message = message.ok_or(Left::Held)?;
        self.note(&message);
        Ok(message)
    }

    fn note(&mut self, message: &Message) {
        let Some(track) = &message.track else { return };
        let fresh = || Box::new(Order { rank: message.rank, last: Vec::new() });
        let order = self.taken.get_or_insert_with(fresh);
        track.take(order.rank == message.rank, &mut order.last);
        order.rank = message.rank;
        if order.last.is_empty() {
            self.taken = None;
        }
    }
}

/// `sent = handled + waiting` at any moment.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    pub sent: u64,
    pub handled: u64,
    pub waiting: u32,
    pub highest: u32,
}

impl Mailbox {
    /// A new agent moves in; its first run, which initialises it, is already scheduled.
    pub fn open(&self, generation: u32, marks: Marks) {
        let inner = Inner { generation, scheduled: true, marks: Some(marks), ..Inner::default() };
        *self.inner.lock() = inner;
    }

    #[must_use]
    pub fn is_open(&self, generation: u32) -> bool {
        self.inner.lock().generation == generation
    }

    /// Puts a message in. With a waker the sender waits for low water if there is no room.
    pub fn push(&self, generation: u32, message: Box<Message>, waker: Option<&Waker>) -> Pushed {
        let mut inner = self.inner.lock();
        if inner.generation != generation || inner.stop {
            return Pushed::Gone(message);
        }
        let waiting = inner.counts.waiting;
        let marks = inner.marks.unwrap_or(Marks::of(crate::actor::kind::MAILBOX));
        let bound = if message.rank == Rank::Alert { marks.capacity } else { marks.high };
        if waiting >= bound {
            if let Some(waker) = waker
                && !inner.waiters.iter().any(|known| known.is_same(waker))
            {
                inner.waiters.push(waker.clone());
            }
            return Pushed::Full(message, waiting);
        }
        inner.queues.push(message.rank, message.sent_ns, message);
        inner.counts.sent += 1;
        inner.counts.waiting += 1;
        inner.counts.highest = inner.counts.highest.max(inner.counts.waiting);
        let schedule = !std::mem::replace(&mut inner.scheduled, true);
        let held = inner.held.take();
        drop(inner);
        held.iter().for_each(Waker::wake);
        Pushed::Queued { schedule }
    }

    /// Asks the agent to stop after its current message. True if the caller has to schedule it.
    pub fn stop(&self, generation: u32) -> bool {
        let mut inner = self.inner.lock();
        if inner.generation != generation || inner.stop {
            return false;
        }
        inner.stop = true;
        let schedule = !std::mem::replace(&mut inner.scheduled, true);
        let held = inner.held.take();
        drop(inner);
        held.iter().for_each(Waker::wake);
        schedule
    }

    #[must_use]
    pub fn is_stopping(&self, generation: u32) -> bool {
        let inner = self.inner.lock();
        inner.generation == generation && inner.stop
    }

    /// The next thing to do, for the run that holds the agent. At low water it hands out the senders that wait for room.
    pub fn next(&self) -> Next {
        let mut inner = self.inner.lock();
        if inner.stop {
            return Next::Stop;
        }
        let message = match inner.pop() {
            Ok(message) => message,
            Err(Left::None) => return Next::Nothing,
            Err(Left::Held) => return Next::Held(inner.counts.sent),
        };
        inner.counts.waiting -= 1;
        inner.counts.handled += 1;
        let low = inner.marks.map_or(0, |marks| marks.low);
        let woken = match inner.counts.waiting <= low {
            true => std::mem::take(&mut inner.waiters),
            false => Vec::new(),
        };
        Next::Message(message, woken)
    }

    /// Whether anything came since there were so many messages; if not, the run is woken when it does.
    #[must_use]
    pub fn has_news(&self, since: u64, waker: &Waker) -> bool {
        let mut inner = self.inner.lock();
        let is_new = inner.stop || inner.counts.sent != since;
        inner.held = (!is_new).then(|| waker.clone());
        is_new
    }

    /// The message that a replay waits for does not come: the others are handled as they are.
    pub fn give_order_up(&self) {
        let inner = self.inner.lock();
        let tracks = inner.queues.iter().filter_map(|message| message.track.as_ref());
        tracks.for_each(|track| track.give_order_up());
    }

    /// Ends a run if nothing came meanwhile; otherwise the run goes on.
    pub fn try_rest(&self) -> bool {
        let mut inner = self.inner.lock();
        if inner.stop || !inner.queues.is_empty() {
            return false;
        }
        inner.scheduled = false;
        true
    }

    /// The agent moved out: gives back what was queued (counted as handled: each is answered) and who waits for room.
    pub fn close(&self) -> (Vec<Box<Message>>, Vec<Waker>, Counts) {
        let mut inner = std::mem::take(&mut *self.inner.lock());
        let mut left = Vec::with_capacity(inner.queues.len());
        while let Some(message) = inner.queues.pop() {
            left.push(message);
        }
        inner.counts.handled += left.len() as u64;
        inner.counts.waiting = 0;
        (left, inner.waiters, inner.counts)
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner.lock().counts
    }

    /// What waits, for a person who looks: the next messages to be handled, at most `limit`.
    #[must_use]
    pub fn peek(&self, generation: u32, limit: usize) -> Option<Peeked> {
        let inner = self.inner.lock();
        let marks = inner.marks.filter(|_| inner.generation == generation)?;
        let next = inner.queues.in_order().into_iter().take(limit);
        // Under the lock, as a message that was handed out may change; no value is counted here.
        let waiting = next.map(|message| Waiting::of(message)).collect();
        Some(Peeked { marks, counts: inner.counts, waiting })
    }

    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        self.inner.lock().scheduled
    }

    /// Whether `kind` could handle every queued message (L-78).
    #[must_use]
    pub fn fits(&self, kind: &AgentType) -> bool {
        let inner = self.inner.lock();
        inner.queues.iter().all(|message| crate::actor::redefine::accepts(kind, message))
    }

    #[must_use]
    pub fn holds_request(&self) -> bool {
        self.inner.lock().queues.iter().any(|message| message.reply.is_some())
    }

    /// Whether a sender still waits here for room.
    #[must_use]
    pub fn makes_wait(&self, generation: u32, waker: &Waker) -> bool {
        let inner = self.inner.lock();
        inner.generation == generation && inner.waiters.iter().any(|known| known.is_same(waker))
    }

    pub fn forget_waiter(&self, waker: &Waker) {
        self.inner.lock().waiters.retain(|known| !known.is_same(waker));
    }

    pub fn set_marks(&self, marks: Marks) {
        self.inner.lock().marks = Some(marks);
    }
}

#[cfg(test)]
mod tests {
    use super::{Mailbox, Marks, Next, Pushed};
    use crate::actor::kind::Priority;
    use crate::actor::message::Message;
    use crate::actor::queues::Rank;
    use crate::actor::selector::Selector;
    use crate::telemetry::event::MessageId;
    use proptest::collection::vec;
    use proptest::{prop_assert, prop_assert_eq, proptest};
    use std::collections::VecDeque;

    fn message(number: u64, rank: Rank) -> Box<Message> {
        Box::new(Message {
            id: MessageId::new(number),
            cause: MessageId::NONE,
            born: 1,
            sender: None,
            selector: Selector(0),
            payload: Vec::new(),
            reply: None,
            limits: None,
            track: None,
            rank,
            sent_ns: 0,
            relay: None,
        })
    }

    const NORMAL: Rank = Rank::Level(Priority::Normal);

    proptest! {
        /// Against a plain list: marks, order, the schedule flag and `sent = handled + waiting`.
        #[test]
        fn a_mailbox_is_a_bounded_queue_with_a_flag(
            capacity in 10u32..40,
            steps in vec(0u8..10, 0..300),
        ) {
            let marks = Marks::of(capacity);
            prop_assert!(marks.low < marks.high && marks.high < marks.capacity);
            let mailbox = Mailbox::default();
            mailbox.open(1, marks);
            let mut model: VecDeque<u64> = VecDeque::new();
            // A new agent's first run is scheduled already.
            let mut scheduled = true;
            let mut handled = 0;
            for (number, step) in steps.into_iter().enumerate() {
                let number = number as u64 + 1;
                match step {
                    0..=5 => match mailbox.push(1, message(number, NORMAL), None) {
                        Pushed::Queued { schedule } => {
                            prop_assert!((model.len() as u32) < marks.high);
                            prop_assert_eq!(schedule, !scheduled);
                            scheduled = true;
                            model.push_back(number);
                        }
                        Pushed::Full(_, waiting) => {
                            prop_assert_eq!(waiting, model.len() as u32);
                            prop_assert!(waiting >= marks.high);
                        }
                        Pushed::Gone(_) => prop_assert!(false, "it lives"),
                    },
                    _ if !scheduled => {}
                    6..=8 => match mailbox.next() {
                        Next::Message(message, _) => {
                            handled += 1;
                            prop_assert_eq!(Some(message.id.number()), model.pop_front());
                        }
                        Next::Nothing => prop_assert!(model.is_empty()),
                        Next::Held(_) => prop_assert!(false, "no replay"),
                        Next::Stop => prop_assert!(false, "nobody stopped it"),
                    },
                    _ => {
                        let rested = mailbox.try_rest();
                        prop_assert_eq!(rested, model.is_empty());
                        scheduled = !rested;
                    }
                }
                let counts = mailbox.counts();
                prop_assert_eq!(counts.handled, handled);
                prop_assert_eq!(counts.sent, counts.handled + u64::from(counts.waiting));
                prop_assert_eq!(counts.waiting as usize, model.len());
                prop_assert_eq!(mailbox.is_scheduled(), scheduled);
            }
        }
    }

    #[test]
    fn alerts_have_the_room_above_high_water() {
        let mailbox = Mailbox::default();
        let marks = Marks::of(10);
        mailbox.open(1, marks);
        for number in 0..8 {
            assert!(matches!(
                mailbox.push(1, message(number, NORMAL), None),
                Pushed::Queued { .. }
            ));
        }
        assert!(matches!(mailbox.push(1, message(8, NORMAL), None), Pushed::Full(_, 8)));
        for number in 8..10 {
            assert!(matches!(
                mailbox.push(1, message(number, Rank::Alert), None),
                Pushed::Queued { .. }
            ));
        }
        assert!(matches!(mailbox.push(1, message(10, Rank::Alert), None), Pushed::Full(_, 10)));
        assert!(matches!(mailbox.next(), Next::Message(first, _) if first.id.number() == 8));
    }

    #[test]
    fn a_stale_reference_is_told_and_a_stopped_agent_takes_nothing() {
        let mailbox = Mailbox::default();
        mailbox.open(2, Marks::of(10));
        assert!(matches!(mailbox.push(1, message(1, NORMAL), None), Pushed::Gone(_)));
        assert!(matches!(
            mailbox.push(2, message(1, NORMAL), None),
            Pushed::Queued { schedule: false }
        ));
        assert!(!mailbox.stop(2), "its first run is scheduled and will see it");
        assert!(matches!(mailbox.push(2, message(2, NORMAL), None), Pushed::Gone(_)));
        assert!(matches!(mailbox.next(), Next::Stop));
        let (left, _, counts) = mailbox.close();
        assert_eq!((left.len(), counts.sent, counts.handled), (1, 1, 1));
    }
}
