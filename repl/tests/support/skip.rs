//! How a test says that it cannot run here: printed, listed at the end of `make test`, and a failure in CI.

use std::io::Write;

/// Returns normally so that the caller can leave the test; with `CI=true` it does not return.
pub fn skip(test: &str, reason: &str) {
    let line = format!("{test}: {reason}");
    eprintln!("skipped: {line}");
    if let Some(list) = std::env::var_os("AG_SKIPS") {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
        writeln!(file, "{line}").unwrap();
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "in CI a skip is a failure: {line}");
}
