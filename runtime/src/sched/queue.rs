//! Run queues: one a worker, with a slot for the newest, and a shared one for what comes from outside.
//!
//! Never: blocks for longer than a push or a pop. The newest slot is private to its worker: what was just woken runs next
//! while its data is warm; others may steal only from the queue behind it.

use crate::actor::kind::Priority;
use crate::actor::queues::LEVEL_NS;
use crate::actor::reference::AgentRef;
use crate::coord::work::Reason;
use crate::fault::code;
use crate::sched::control::Control;
use crate::sched::coroutine::Job;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

pub enum Runnable {
    Start(Job),
    Resume(Arc<Control>),
}

impl Runnable {
    /// At the end of a world: a cell or task that never began still has somebody waiting for it.
    pub fn refuse(self) {
        self.end(Reason::new(code::AGENT_STOPPED, "the session is closing"));
    }

    /// Ends a cell or task that never began.
    pub fn end(self, reason: Reason) {
        if let Self::Start(Job::Task(start)) = self {
            start.work.finish(Err(reason.fault()));
        }
    }
}

/// The newest slot may hold a chain of agents that wake each other: after this many in a row the queue has its turn.
const NEWEST_IN_A_ROW: u32 = 64;

#[derive(Default)]
pub struct LocalQueue {
    inner: Mutex<Local>,
}

#[derive(Default)]
struct Local {
    newest: Option<Entry>,
    streak: u32,
    queue: VecDeque<Entry>,
    /// Agents whose first message is not of the normal level: mostly none.
    high: VecDeque<Entry>,
    low: VecDeque<Entry>,
}

/// The key orders levels: when the message was sent, and 10 ms for each level below the highest. What has begun goes on first.
struct Entry {
    key_ns: u64,
    runnable: Runnable,
}

impl Entry {
    fn begun(runnable: Runnable) -> Self {
        Self { key_ns: 0, runnable }
    }
}

impl Local {
    fn put(&mut self, entry: Entry) -> bool {
        if let Some(older) = self.newest.replace(entry) {
            self.queue.push_back(older);
        }
        self.has_more()
    }

    fn has_more(&self) -> bool {
        !(self.queue.is_empty() && self.high.is_empty() && self.low.is_empty())
    }

    fn pop(&mut self) -> Option<Entry> {
        if !(self.high.is_empty() && self.low.is_empty()) {
            return self.pop_by_level();
        }
        if self.streak < NEWEST_IN_A_ROW
            && let Some(newest) = self.newest.take()
        {
            self.streak += 1;
            return Some(newest);
        }
        self.streak = 0;
        self.queue.pop_front().or_else(|| self.newest.take())
    }

    /// The lowest key; of equal ones the higher level.
    fn pop_by_level(&mut self) -> Option<Entry> {
        if let Some(newest) = self.newest.take() {
            self.queue.push_back(newest);
        }
        self.streak = 0;
        let levels = [&mut self.high, &mut self.queue, &mut self.low].into_iter();
        let keyed = levels.filter_map(|level| Some((level.front()?.key_ns, level)));
        let (_, level) = keyed.min_by_key(|(key_ns, _)| *key_ns)?;
        level.pop_front()
    }
}

impl LocalQueue {
    /// Puts `runnable` into the newest slot; true if something others could take waits behind it.
    pub fn push(&self, runnable: Runnable) -> bool {
        self.inner.lock().put(Entry::begun(runnable))
    }

    pub fn push_back(&self, runnable: Runnable) {
        self.inner.lock().queue.push_back(Entry::begun(runnable));
    }

    /// An agent got a message of this level; as `push`.
    pub fn push_message(&self, agent: AgentRef, level: Priority, sent_ns: u64) -> bool {
        let below = match level {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        };
        let key_ns = sent_ns.saturating_add(below * LEVEL_NS);
        let entry = Entry { key_ns, runnable: Runnable::Start(Job::Agent(agent)) };
        let mut local = self.inner.lock();
        match level {
            Priority::High => local.high.push_back(entry),
            Priority::Normal => return local.put(entry),
            Priority::Low => local.low.push_back(entry),
        }
        true
    }

    pub fn pop(&self) -> Option<Runnable> {
        self.inner.lock().pop().map(|entry| entry.runnable)
    }

    /// Moves the newest to where others can take it, before its worker goes on with something long.
    pub fn flush(&self) -> bool {
        let mut local = self.inner.lock();
        if let Some(newest) = local.newest.take() {
            local.queue.push_back(newest);
        }
        local.has_more()
    }

    /// Half of the queue, the oldest first: one to run and the rest for the thief's own queue.
    pub fn steal_into(&self, thief: &Self) -> Option<Runnable> {
        let stolen: Vec<Entry> = {
            let mut local = self.inner.lock();
            if let Some(urgent) = local.high.pop_front() {
                return Some(urgent.runnable);
            }
            let half = local.queue.len().div_ceil(2);
            match half {
                0 => local.low.pop_front().into_iter().collect(),
                _ => local.queue.drain(..half).collect(),
            }
        };
        let mut stolen = stolen.into_iter();
        let first = stolen.next()?;
        thief.inner.lock().queue.extend(stolen);
        Some(first.runnable)
    }

    pub fn is_empty(&self) -> bool {
        let local = self.inner.lock();
        local.newest.is_none() && !local.has_more()
    }

    pub fn has_stealable(&self) -> bool {
        self.inner.lock().has_more()
    }

    pub fn drain(&self) -> Vec<Runnable> {
        let Local { newest, queue, high, low, .. } = std::mem::take(&mut *self.inner.lock());
        let all = newest.into_iter().chain(queue).chain(high).chain(low);
        all.map(|entry| entry.runnable).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{LEVEL_NS, LocalQueue, Runnable};
    use crate::actor::kind::Priority;
    use crate::actor::reference::AgentRef;
    use crate::sched::coroutine::Job;

    fn order(queue: &LocalQueue) -> Vec<u32> {
        let next = || match queue.pop()? {
            Runnable::Start(Job::Agent(agent)) => Some(agent.slot),
            _ => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn levels_are_strict_until_one_has_waited_ten_milliseconds() {
        let queue = LocalQueue::default();
        let send = |slot, level, sent_ns| {
            queue.push_message(AgentRef { slot, generation: 1 }, level, sent_ns);
        };
        send(1, Priority::Low, 0);
        send(2, Priority::Normal, 1);
        send(3, Priority::High, 2);
        send(4, Priority::High, 3);
        assert_eq!(order(&queue), [3, 4, 2, 1]);
        send(1, Priority::Low, 0);
        send(2, Priority::Normal, LEVEL_NS + 1);
        send(3, Priority::High, 2 * LEVEL_NS + 2);
        assert_eq!(order(&queue), [1, 2, 3]);
    }

    #[test]
    fn thieves_take_the_highest_level_first_and_the_lowest_too() {
        let (queue, thief) = (LocalQueue::default(), LocalQueue::default());
        let agent = |slot| AgentRef { slot, generation: 1 };
        queue.push_message(agent(1), Priority::Low, 0);
        queue.push_message(agent(2), Priority::High, 0);
        let mut stolen = Vec::new();
        while let Some(Runnable::Start(Job::Agent(agent))) = queue.steal_into(&thief) {
            stolen.push(agent.slot);
        }
        assert_eq!(stolen, [2, 1]);
        assert!(queue.is_empty() && thief.is_empty());
    }
}
