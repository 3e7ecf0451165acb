//! The lanes and how the last one was chosen (`:lanes`), as plain data.

use ag_runtime::lane::registry::{Decision, LaneRow};

#[derive(Debug, Clone, Default)]
pub struct LanesView {
    pub lanes: Vec<LaneRow>,
    pub last: Option<Decision>,
}
