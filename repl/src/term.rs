//! The terminal: what is painted, and how a line is edited.

pub mod ask;
pub mod editor;
pub mod helper;
pub mod highlight;
pub mod interrupt;
pub mod live;
pub mod milestones;
pub mod paint;
pub mod sink;
