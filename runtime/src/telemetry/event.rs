//! Events of the trace: 16 bytes each.
//!
//! Never: text or values; names are looked up when a snapshot is taken.

/// What happened. The numbers are the encoding in the ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// `actor` came to be; `message` is what it was spawned in.
    Spawn = 1,
    /// Precedes a `Send`: who sends, and in which message.
    Cause = 2,
    /// `message` was put into the mailbox of `actor`.
    Send = 3,
    /// `actor` begins to handle `message` (for a cell or task: begins).
    Begin = 4,
    End = 5,
    /// The coroutine left its worker inside `message`, and came back.
    Suspend = 6,
    Resume = 7,
    LaneBegin = 8,
    LaneEnd = 9,
    MemoryRead = 10,
    MemoryWrite = 11,
    Skill = 12,
    Fault = 13,
    Stop = 14,
    /// Follows a `Send`: `actor` is the selector of the behavior asked for.
    Name = 15,
    /// `actor` answered `message`.
    Reply = 16,
    /// The coroutine left its worker to others though it could go on; `Resume` follows.
    GiveWay = 17,
    /// `actor` has to wait for a lease; `Suspend` follows.
    LeaseWait = 18,
}

impl Kind {
    const ALL: [Self; 18] = [
        Self::Spawn,
        Self::Cause,
        Self::Send,
        Self::Begin,
        Self::End,
        Self::Suspend,
        Self::Resume,
        Self::LaneBegin,
        Self::LaneEnd,
        Self::MemoryRead,
        Self::MemoryWrite,
        Self::Skill,
        Self::Fault,
        Self::Stop,
        Self::Name,
        Self::Reply,
        Self::GiveWay,
        Self::LeaseWait,
    ];

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == code)
    }
}

/// An agent, cell or task. 24 bits: the ids of eight million agents differ, and of as many cells and tasks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Actor(u32);

impl Actor {
    pub const NONE: Self = Self(0);
    const BITS: u32 = 24;
    /// Set in the ids of cells and tasks.
    const RUN: u32 = 1 << (Self::BITS - 1);

    #[must_use]
    pub fn agent(number: u32) -> Self {
        Self(number & (Self::RUN - 1))
    }

    #[must_use]
    pub fn run(number: u32) -> Self {
        Self(Self::RUN | number & (Self::RUN - 1))
    }

    #[must_use]
    pub fn new(number: u32) -> Self {
        Self(number & ((1 << Self::BITS) - 1))
    }

    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A message, or the run of a cell or task. 40 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId(u64);

impl MessageId {
    pub const NONE: Self = Self(0);
    const BITS: u32 = 40;

    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number & ((1 << Self::BITS) - 1))
    }

    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// Since the world was opened; 56 bits are two years.
    pub time_ns: u64,
    pub kind: Kind,
    pub actor: Actor,
    pub message: MessageId,
}

impl Event {
    #[must_use]
    pub fn encode(self) -> [u64; 2] {
        let first = self.time_ns << 8 | u64::from(self.kind as u8);
        [first, u64::from(self.actor.0) << MessageId::BITS | self.message.0]
    }

    /// `None` for words that are no event (never written, or overwritten while they were read).
    #[must_use]
    pub fn decode([first, second]: [u64; 2]) -> Option<Self> {
        let kind = Kind::from_code((first & 0xff) as u8)?;
        let actor = Actor((second >> MessageId::BITS) as u32);
        Some(Self { time_ns: first >> 8, kind, actor, message: MessageId::new(second) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, Event, Kind, MessageId};
    use proptest::{prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn agents_and_runs_never_share_an_id(agent: u32, run: u32) {
            proptest::prop_assert_ne!(Actor::agent(agent), Actor::run(run));
            prop_assert_eq!(Actor::new(Actor::run(run).number()), Actor::run(run));
        }

        #[test]
        fn an_event_survives_its_encoding(
            time_ns in 0u64..1 << 56, code in 1u8..18, actor in 0u32..1 << 24, message in 0u64..1 << 40,
        ) {
            let kind = Kind::from_code(code).unwrap();
            let event =
                Event { time_ns, kind, actor: Actor::new(actor), message: MessageId::new(message) };
            prop_assert_eq!(Event::decode(event.encode()), Some(event));
        }
    }

    #[test]
    fn empty_words_are_no_event() {
        assert_eq!(Event::decode([0, 0]), None);
    }
}
