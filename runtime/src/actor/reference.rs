//! A reference to an agent: the slot it lives in and which of the slot's tenants it is.
//!
//! Never: keeps the agent alive. A reference to one that stopped is caught by its generation.

/// Packed into one word: generation in the upper half, never 0, so no reference is the word 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AgentRef {
    pub slot: u32,
    pub generation: u32,
}

impl AgentRef {
    #[must_use]
    pub fn pack(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// `None` for the word 0, which means no agent.
    #[must_use]
    pub fn unpack(word: u64) -> Option<Self> {
        (word != 0).then_some(Self { slot: word as u32, generation: (word >> 32) as u32 })
    }
}
