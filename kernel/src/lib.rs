//! The session of `ag`, what it shows, and its Jupyter kernel.
//!
//! The only Session and the only rendering to MIME and terminal live here; terminal and notebook show the same `Output` values.

pub mod jupyter;
pub mod output;
pub mod render;
pub mod session;
