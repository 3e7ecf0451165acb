//! Ctrl-C interrupts what a session runs; it never ends the process.

use ag_kernel::session::Interrupter;

/// Listens for SIGINT on a thread of its own until the process ends. At a prompt the terminal is raw and sends none.
pub fn on_interrupt(interrupter: Interrupter) {
    let body = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                interrupter.interrupt();
            }
        });
    };
    // Without the thread Ctrl-C keeps its usual meaning: worse, but no reason to refuse to run.
    let _ = std::thread::Builder::new().name("ag-interrupt".to_owned()).spawn(body);
}
