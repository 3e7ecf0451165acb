//! Which processes are alive, and what to do with the reservations of those that are not.
//!
//! Each run holds the lock of `runs/<number>.lock` as long as its process lives; the operating system lets go of it when
//! the process dies, however it dies. Never: deciding by process ids or by age.

use crate::ledger::error::LedgerError;
use crate::ledger::journal::{Locked, broken};
use crate::ledger::money::MicroUsd;
use crate::ledger::record::{Record, Settlement};
use crate::ledger::state::State;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Proof that this process lives; dropping it (or dying) ends the run.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    path: PathBuf,
}

impl RunLock {
    /// Called while the journal is locked, so that nobody takes the new file for a dead run's.
    pub fn take(folder: &Path, run: u64) -> Result<Self, LedgerError> {
        let path = path_of(folder, run);
        let runs = folder.join("runs");
        std::fs::create_dir_all(&runs).map_err(|e| broken(&runs, &e))?;
        let file = File::create(&path).map_err(|e| broken(&path, &e))?;
        file.try_lock().map_err(|_| LedgerError::Locked { path: path.clone() })?;
        Ok(Self { file, path })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Removed first: while it exists its lock tells the truth. A leftover file is harmless.
        let _ = std::fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn path_of(folder: &Path, run: u64) -> PathBuf {
    folder.join("runs").join(format!("{run}.lock"))
}

/// Closes what dead runs left open: a reservation without a mark is released, one with it is charged in full.
/// Gives how many were charged and how much.
pub fn recover(
    folder: &Path,
    file: &mut Locked<'_>,
    state: &mut State,
    now_ns: u64,
) -> Result<(u64, MicroUsd), LedgerError> {
    let mut left: Vec<(u64, u64, MicroUsd, bool)> = state
        .open_reservations()
        .map(|(number, open)| (number, open.run, open.amount, open.is_dispatched))
        .collect();
    left.sort_unstable();
    let mut charged = (0, MicroUsd::ZERO);
    for (reservation, run, amount, is_dispatched) in left {
        if is_alive(&path_of(folder, run)) {
            continue;
        }
        let record = if is_dispatched {
            let settlement = Settlement { charged: amount, ..Settlement::default() };
            charged = (charged.0 + 1, charged.1.checked_add(amount).unwrap_or(MicroUsd::MAX));
            Record::Settle { reservation, settlement, uncertain: true }
        } else {
            Record::Release { reservation }
        };
        state.apply(&file.append(now_ns, record)?);
    }
    Ok(charged)
}

/// True if some process holds the run's lock.
fn is_alive(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    }
}
