//! The scheduler: many coroutines on few worker threads. No thread an agent, no worker that waits.

pub mod compute;
pub mod control;
pub mod coroutine;
pub mod current;
pub mod queue;
mod rest;
pub mod scheduler;
pub mod stack;
pub mod sweep;
pub mod timer;
pub mod worker;
