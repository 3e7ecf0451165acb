//! The home and the memory stores: can they be written, by which version were they, who holds them.

use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ag_runtime::ledger::record::VERSION as JOURNAL_VERSION;
use ag_runtime::memory::session::FILE;
use ag_runtime::memory::store::{VERSION as STORE_VERSION, version_of};
use serde_json::Value;

use super::{Finding, State};

/// Less than this and a session may meet R1001 soon.
const LITTLE_KIB: u64 = 100 << 10;

pub fn findings(data: &Path, stores: &Path) -> Vec<Finding> {
    let mut found = vec![home(data)];
    found.extend(journal(&data.join("ledger.jsonl")));
    found.push(memory(stores));
    found.extend(disk(data));
    found
}

fn home(data: &Path) -> Finding {
    let place = data.display();
    let existing = data.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let probe = existing.join(format!(".ag-doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, "");
    let _ = std::fs::remove_file(&probe);
    match written {
        Err(error) => {
            Finding::new("home", State::Broken, format!("{place} cannot be written: {error}"))
                .command("AG_HOME=DIR ag, or ag --home DIR")
        }
        Ok(()) if existing != data => {
            Finding::new("home", State::Fine, format!("{place} (made by the first session)"))
        }
        Ok(()) => Finding::new("home", State::Fine, format!("{place}, {} KiB", bytes(data) / 1024)),
    }
}

/// Of all files below; what cannot be read counts nothing.
fn bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// The money journal, if there is one.
fn journal(path: &Path) -> Option<Finding> {
    let file = File::open(path).ok()?;
    let held = match file.try_lock() {
        Ok(()) => {
            let _ = file.unlock();
            String::new()
        }
        Err(TryLockError::WouldBlock) => {
            format!(", locked at this moment{}", holder(&file).unwrap_or_default())
        }
        Err(TryLockError::Error(_)) => String::new(),
    };
    let place = path.display();
    let mut first = String::new();
    let read = BufReader::new(&file).read_line(&mut first);
    if read.is_ok() && first.is_empty() {
        return Some(Finding::new("journal", State::Fine, format!("{place}, empty{held}")));
    }
    let record: Option<Value> =
        first.split_once(' ').and_then(|(_, json)| serde_json::from_str(json).ok());
    let version = record.and_then(|record| record.get("version")?.as_u64());
    let aside = format!("mv {place} {place}.aside");
    Some(match version {
        Some(version) if version <= JOURNAL_VERSION => {
            Finding::new("journal", State::Fine, format!("{place}, version {version}{held}"))
        }
        Some(version) => Finding::new(
            "journal",
            State::Broken,
            format!("{place} is of version {version}, newer than {JOURNAL_VERSION} (R1003)"),
        )
        .command(aside),
        None => Finding::new("journal", State::Broken, format!("{place} is damaged (R1002)"))
            .command(aside),
    })
}

/// The process that holds the file's lock, as the system tells.
fn holder(file: &File) -> Option<String> {
    let inode = format!(":{}", file.metadata().ok()?.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let line = locks.lines().find(|line| {
        line.split_whitespace().any(|word| word.ends_with(&inode)) && !line.contains("->")
    })?;
    let pid = line.split_whitespace().nth(4)?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!(" by process {pid} ({})", name.trim()))
}

fn memory(stores: &Path) -> Finding {
    let path = stores.join(FILE);
    let place = path.display();
    if !path.exists() {
        let text = format!("{place} (made by the first memory)");
        return Finding::new("memory", State::Fine, text);
    }
    let problem = match version_of(&path) {
        Some(version) if version <= STORE_VERSION => {
            return Finding::new("memory", State::Fine, format!("{place}, version {version}"));
        }
        Some(version) => format!("is of version {version}, newer than {STORE_VERSION} (R1003)"),
        None => "is no memory store, or damaged (R1002)".to_owned(),
    };
    Finding::new("memory", State::Broken, format!("{place} {problem}"))
        .command(format!("mv {place} {place}.aside"))
}

/// As `df` says, where there is one.
fn disk(data: &Path) -> Option<Finding> {
    let existing = data.ancestors().find(|folder| folder.is_dir())?;
    let output = Command::new("df").arg("-Pk").arg(existing).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let free_kib: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    let shown = format!("{} MiB free at {}", free_kib / 1024, existing.display());
    Some(match free_kib < LITTLE_KIB {
        true => Finding::new("disk", State::Broken, format!("{shown}: too little (R1001)"))
            .command("AG_HOME=DIR ag, with a DIR on another disk"),
        false => Finding::new("disk", State::Fine, shown),
    })
}
