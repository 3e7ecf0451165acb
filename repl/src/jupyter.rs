//! What Jupyter on this machine says of itself.
//!
//! It is asked rather than guessed: where it looks first depends on how it was installed and on its own settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program that the person's shell would start.
pub fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("jupyter")).find(|file| file.is_file())
}

/// The folders in which it looks for kernels and extensions, the first found counts; none if it does not answer.
pub fn data_folders(program: &Path) -> Option<Vec<PathBuf>> {
    let paths: Value = serde_json::from_str(&said(program, &["--paths", "--json"])?).ok()?;
    let folders = paths.get("data")?.as_array()?.iter();
    folders.map(|folder| folder.as_str().map(PathBuf::from)).collect()
}

/// What a program prints when it is asked; nothing if it fails or takes longer than anybody waits.
pub fn said(program: &Path, arguments: &[&str]) -> Option<String> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(None) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
    std::io::read_to_string(child.stdout.take()?).ok()
}
