//! Coordination between coroutines: pieces of work that are waited for and cancelled, several at once.

pub mod channel;
pub mod parallel;
pub mod race;
pub mod work;
