//! The one door to the outside: whatever a program takes from it (lane replies, tool results, clock, random, human
//! answers, memory) passes [`effect::EffectJournal`], so that it can be traced, recorded and replayed.

pub mod effect;
pub mod fingerprint;
pub mod line;
pub mod secret;
pub mod tape;
pub mod track;
