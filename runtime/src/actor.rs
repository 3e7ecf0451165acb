//! Agents as actors: types, instances, mailboxes, messages, supervision.
//!
//! Never: a lock or a stack for an agent that does nothing, two messages of one agent at a time, a change of state that
//! outlives the Fault of its message.

pub mod activation;
pub mod config;
pub mod deadlock;
pub mod instance;
pub mod kind;
pub mod lifecycle;
pub mod mailbox;
pub mod message;
pub mod peek;
pub mod queues;
pub mod redefine;
pub mod reference;
pub mod refuse;
pub mod request;
pub mod selector;
pub mod slab;
pub mod supervisor;
