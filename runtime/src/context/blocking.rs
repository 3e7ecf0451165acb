//! Work that blocks a thread or takes long: files, searches of huge texts.
//!
//! It runs on a thread of its own while the coroutine gives its worker back. Never: on a worker, or with a value of the
//! program, which counts its holders without atomics.

use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::services::Services;
use std::sync::Arc;

impl Cx {
    /// Does `work` elsewhere and waits for it. An interrupt ends the wait at once; the work goes on unless it looks at what
    /// it is given, which is false once nobody wants the result.
    pub fn blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, Faulted> {
        let world = Arc::clone(&self.world);
        let io = match world.services().map(Services::io) {
            Some(Ok(io)) => io,
            // A world without services is a test of one builtin: nothing else runs in it.
            None => return Ok(work(&|| true)),
            Some(Err(error)) => {
                self.fail(code::INTERNAL, format!("no thread could be started: {error}"));
                return Err(Faulted);
            }
        };
        self.wait(move |completer| {
            io.spawn_blocking(move || {
                let wanted = completer.watch();
                completer.complete(work(&wanted));
            });
        })
    }
}
