//! The money journal on disk: an append-only file of checksummed lines that several processes may share.
//!
//! Protocol: whoever appends holds the file lock, first reads what others have appended since, then writes one line with
//! one write. A line cut by a crash can only be the last; the next one to take the lock moves it aside (`.torn`). Any other bad
//! line is damage: the file is left alone and every use refuses. A journal that was deleted or
//! moved while in use takes nothing more: what it took would be lost. Never: what records mean.

use crate::ledger::error::LedgerError;
use crate::ledger::record::{Entry, LineError, Record, VERSION};
use crate::place::FileId;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long one append may wait for another process. Appends take microseconds; this bounds a stopped process.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Everything before this offset has been read and is whole.
    known_len: u64,
    next_number: u64,
    /// Where a cut line was put, if one was found.
    torn: Option<PathBuf>,
}

impl Journal {
    /// Opens or creates the journal; nothing is read before [`Journal::lock`].
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let file = file.map_err(|e| broken(path, &e))?;
        Ok(Self { file, path: path.to_owned(), known_len: 0, next_number: 0, torn: None })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle for flushing, so that a flush does not keep others from appending.
    pub fn flush_handle(&self) -> Result<File, LedgerError> {
        self.file.try_clone().map_err(|e| broken(&self.path, &e))
    }

    #[must_use]
    pub fn torn(&self) -> Option<&Path> {
        self.torn.as_deref()
    }

    /// Takes the file lock and reads what is new: the entries others have appended since the last time.
    pub fn lock(&mut self, now_ns: u64) -> Result<(Locked<'_>, Vec<Entry>), LedgerError> {
        lock_file(&self.file, &self.path)?;
        let mut locked = Locked { journal: self };
        let mut entries = locked.journal.catch_up()?;
        if locked.journal.next_number == 0 {
            let entry = locked.append(now_ns, Record::Format { version: VERSION })?;
            entries.push(entry);
        }
        Ok((locked, entries))
    }

    fn catch_up(&mut self) -> Result<Vec<Entry>, LedgerError> {
        let data = self.file.metadata().map_err(|e| broken(&self.path, &e))?;
        if FileId::of(&data) != FileId::at(&self.path) {
            return Err(LedgerError::Gone { path: self.path.clone() });
        }
        let len = data.len();
        if len == self.known_len {
            return Ok(Vec::new());
        }
        if len < self.known_len {
            return Err(LedgerError::Corrupt { path: self.path.clone(), line: self.next_number });
        }
        let mut bytes = Vec::new();
        let mut from = &self.file;
        from.seek(SeekFrom::Start(self.known_len)).map_err(|e| broken(&self.path, &e))?;
        from.read_to_end(&mut bytes).map_err(|e| broken(&self.path, &e))?;
        let scan = scan(&bytes, self.next_number);
        self.check(&scan)?;
        if scan.whole_len < bytes.len() {
            self.set_aside(bytes.get(scan.whole_len..).unwrap_or_default(), scan.whole_len as u64)?;
        }
        self.known_len += scan.whole_len as u64;
        if scan.newline_missing {
            self.write_all(b"\n")?;
        }
        self.next_number += scan.entries.len() as u64;
        Ok(scan.entries)
    }

    fn check(&self, scan: &Scan) -> Result<(), LedgerError> {
        if let Some(line) = scan.bad_line {
            return Err(LedgerError::Corrupt { path: self.path.clone(), line });
        }
        let newer = LedgerError::Newer { path: self.path.clone() };
        if scan.newer {
            return Err(newer);
        }
        match scan.entries.first() {
            Some(first) if self.next_number == 0 => match first.record {
                Record::Format { version } if version > VERSION => Err(newer),
                Record::Format { .. } => Ok(()),
                _ => Err(LedgerError::Corrupt { path: self.path.clone(), line: 0 }),
            },
            _ => Ok(()),
        }
    }

    /// Keeps a cut tail beside the journal, then cuts it off.
    fn set_aside(&mut self, tail: &[u8], at: u64) -> Result<(), LedgerError> {
        let keep_len = self.known_len + at;
        let torn = self.path.with_extension(format!("{keep_len}.torn"));
        std::fs::write(&torn, tail).map_err(|e| broken(&torn, &e))?;
        self.file.set_len(keep_len).map_err(|e| broken(&self.path, &e))?;
        self.torn = Some(torn);
        Ok(())
    }

    /// Appends whole or not at all.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        let result = (&self.file).write_all(bytes);
        if let Err(error) = result {
            // Part of the line may be there. If it cannot be cut off now, the next reader sets it aside.
            let _ = self.file.set_len(self.known_len);
            return Err(broken(&self.path, &error));
        }
        self.known_len += bytes.len() as u64;
        Ok(())
    }
}

/// The journal while its file lock is held.
#[derive(Debug)]
pub struct Locked<'a> {
    journal: &'a mut Journal,
}

impl Locked<'_> {
    /// Writes one record and gives it its number.
    pub fn append(&mut self, at_ns: u64, record: Record) -> Result<Entry, LedgerError> {
        let entry = Entry { number: self.journal.next_number, at_ns, record };
        self.journal.write_all(entry.to_line().as_bytes())?;
        self.journal.next_number += 1;
        Ok(entry)
    }

    /// The number the next record will have.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.journal.next_number
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing the file unlocks it too; there is nothing better to do with an error here.
        let _ = self.journal.file.unlock();
    }
}

fn lock_file(file: &File, path: &Path) -> Result<(), LedgerError> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if start.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(Duration::from_micros(200));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Locked { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(broken(path, &error)),
        }
    }
}

/// What a stretch of the file holds.
struct Scan {
    entries: Vec<Entry>,
    /// Bytes up to the end of the last good line.
    whole_len: usize,
    /// The last good line lost only its newline.
    newline_missing: bool,
    /// A damaged line with a good one after it.
    bad_line: Option<u64>,
    newer: bool,
}

fn scan(bytes: &[u8], first_number: u64) -> Scan {
    let mut found = Scan {
        entries: Vec::new(),
        whole_len: 0,
        newline_missing: false,
        bad_line: None,
        newer: false,
    };
    let mut offset = 0;
    let mut damaged_at = None;
    for (number, line) in (first_number..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
        let body = line.strip_suffix(b"\n");
        match Entry::from_line(body.unwrap_or(line)) {
            Ok(entry) if damaged_at.is_none() && entry.number == number => {
                found.entries.push(entry);
                found.whole_len = offset + line.len();
                found.newline_missing = body.is_none();
            }
            Ok(_) => found.bad_line = found.bad_line.or(damaged_at).or(Some(number)),
            Err(LineError::Newer) if damaged_at.is_none() => found.newer = true,
            Err(_) => damaged_at = damaged_at.or(Some(number)),
        }
        offset += line.len();
    }
    let tail = bytes.get(found.whole_len..).unwrap_or_default();
    if found.bad_line.is_none()
        && damaged_at.is_some()
        && !is_cut(tail, found.entries.len() as u64 + first_number)
    {
        found.bad_line = damaged_at;
    }
    found
}

/// Whether a crash can have left this behind the last good line: the beginning of one line, or room that was never written.
/// Before the first line there is only the beginning of the line that says the format.
fn is_cut(tail: &[u8], number: u64) -> bool {
    let line = Entry { number, at_ns: 0, record: Record::Format { version: VERSION } }.to_line();
    let is_beginning = match (number, tail.get(CHECKSUM..)) {
        (0, Some(begun)) => {
            let wanted = line.as_bytes().get(CHECKSUM..).unwrap_or_default();
            let known = wanted.iter().position(u8::is_ascii_digit).unwrap_or(0);
            tail.len() < 2 * line.len() && begun.iter().zip(wanted).take(known).all(|(a, b)| a == b)
        }
        _ => true,
    };
    let has_sum = tail.iter().take(CHECKSUM - 1).all(u8::is_ascii_hexdigit);
    (has_sum && is_beginning && !tail.contains(&b'\n')) || tail.iter().all(|byte| *byte == 0)
}

/// What stands before the body of a line: the checksum and a blank.
const CHECKSUM: usize = 9;

/// The right refusal for an error of the file system.
pub(in crate::ledger) fn broken(path: &Path, error: &std::io::Error) -> LedgerError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            LedgerError::DiskFull { path }
        }
        _ => LedgerError::Unwritable { path, reason: error.to_string() },
    }
}
