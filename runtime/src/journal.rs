//! The one door to the outside: whatever a program takes from it (lane replies, tool results, clock, random, human
//! answers, memory) passes [`effect::EffectJournal`], so that it can be traced, and recorded and replayed later.

pub mod effect;
pub mod fingerprint;
