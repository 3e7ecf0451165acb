//! Ctrl-C interrupts what a session runs; it never ends the process.

use ag_kernel::session::Interrupter;
use tokio::signal::unix::{SignalKind, signal};

/// Takes SIGINT over before it returns, and passes it on from a thread of its own until the process ends. At a prompt the
/// terminal is raw and sends none. Where it cannot be taken over Ctrl-C keeps its usual meaning: worse, but no reason
/// to refuse to run.
pub fn on_interrupt(interrupter: Interrupter) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let taken = {
        let _inside = runtime.enter();
        signal(SignalKind::interrupt())
    };
    let Ok(mut interrupts) = taken else { return };
    let body = move || {
        runtime.block_on(async {
            while interrupts.recv().await.is_some() {
                interrupter.interrupt();
            }
        });
    };
    let _ = std::thread::Builder::new().name("ag-interrupt".to_owned()).spawn(body);
}
