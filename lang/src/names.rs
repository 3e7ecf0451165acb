//! Which definition a name means: the names a cell declares, the session's scope, and the resolution of one name.

pub mod cell;
pub mod import;
pub mod mention;

pub mod scope;
