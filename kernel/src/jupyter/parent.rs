//! Ends the kernel when the process that started it is gone: a killed Jupyter server sends no shutdown.

use std::os::unix::process::parent_id;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::jupyter::Kernel;

const PERIOD: Duration = Duration::from_secs(1);

pub async fn watch(kernel: Arc<Kernel>) {
    let named =
        std::env::var("JPY_PARENT_PID").ok().and_then(|text| text.trim().parse::<u32>().ok());
    let Some(parent) = named.filter(|pid| *pid > 1) else { return };
    let is_direct = parent_id() == parent;
    let process = format!("/proc/{parent}");
    if !is_direct && !Path::new("/proc/self").exists() {
        // Only the process table can tell, and this system has none to read.
        return;
    }
    loop {
        tokio::time::sleep(PERIOD).await;
        // Under a wrapper (`conda run`) the named process is not the direct parent: then only its existence tells.
        let is_gone = if is_direct { parent_id() != parent } else { !Path::new(&process).exists() };
        if is_gone {
            return kernel.leave.notify_one();
        }
    }
}
