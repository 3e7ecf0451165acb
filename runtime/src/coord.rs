//! Coordination between coroutines: pieces of work that are waited for and cancelled.

pub mod work;
