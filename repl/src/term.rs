//! The terminal: what is painted, and how a line is edited.

mod above;
pub mod ask;
pub mod closed;
mod complete;
pub mod editor;
pub mod external;
mod helper;
pub mod highlight;
mod hint;
mod history;
mod image;
mod indent;
pub mod interrupt;
mod keys;
pub mod live;
pub mod milestones;
pub mod paint;
mod prose;
mod screen;
pub mod sink;
