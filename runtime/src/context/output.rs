//! Output of running code.
//!
//! Never: formats a value; builtins give text, or the value with its shape.

use crate::context::Cx;
use crate::context::sink::{Emission, Stream};

impl Cx {
    pub fn print(&mut self, stream: Stream, text: impl Into<String>) {
        self.emit(Emission::Text { stream, text: text.into() });
    }

    pub fn emit(&mut self, emission: Emission) {
        self.audience.emit(emission);
    }
}
