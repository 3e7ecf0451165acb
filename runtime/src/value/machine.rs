//! What this process takes of the machine's memory, and how it gives back what the allocator keeps.
//!
//! Never: guesses. What the system does not tell is `None`.

/// A line of what the system tells about this process.
fn status_bytes(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Gives freed memory that the allocator keeps for later back to the system.
pub fn give_back() {
    // SAFETY: it only looks at what is free, under the allocator's own locks.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// How much memory of its own, without the pages of files, the process takes more for what `work` makes. What is freed already is
/// given back first and last: the allocator's store would hide or feign growth. 0 where the system does not tell.
pub fn grown<R>(work: impl FnOnce() -> R) -> (R, u64) {
    let own = || {
        give_back();
        status_bytes("RssAnon")
    };
    let before = own();
    let result = work();
    let after = own();
    (result, after.zip(before).map_or(0, |(after, before)| after.saturating_sub(before)))
}

/// How much the process shrinks by what `work` lets go; 0 where the system does not tell.
pub fn given_back<R>(work: impl FnOnce() -> R) -> (R, u64) {
    let resident = || {
        give_back();
        status_bytes("VmRSS")
    };
    let before = resident();
    let result = work();
    let after = resident();
    (result, before.zip(after).map_or(0, |(before, after)| before.saturating_sub(after)))
}
