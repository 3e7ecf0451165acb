//! From tree to typed tree: what names mean, the types of bodies, and everything a cell's check reports.

mod assemble;
pub mod attribute;
pub mod bounds;
pub mod builtins;
pub mod capability;
pub mod check;
mod constant;
pub mod contracted;
pub mod declare;
pub mod def;
pub mod effects;
pub mod escape;
pub mod exhaustive;
pub mod fingerprint;
pub mod generated;
pub mod generic;
pub mod hints;
pub mod infer;
pub mod lane_item;
pub mod report;
pub mod resolve;
pub mod restrict;
pub mod rule;

pub mod shape;
pub mod speculative;
pub mod start;
pub mod step;
pub mod summary;
pub mod test_item;
pub mod tool;
pub mod ty;
pub mod unify;
