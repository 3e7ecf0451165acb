//! What is on disk: the journal read line by line, the store read by plain SQLite. No code that could repair either.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ag_runtime::ledger::record::{Entry, Record};
use rusqlite::{Connection, OpenFlags};

/// A reservation and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub run: u64,
    pub agent: String,
    pub held: i64,
    pub fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Reserved,
    Dispatched,
    Released,
    Settled { cost: i64, uncertain: bool },
}

#[derive(Debug, Default)]
pub struct Journal {
    /// The bytes of all whole lines.
    pub whole: Vec<u8>,
    pub entries: Vec<Entry>,
    /// By the number of their reservation.
    pub calls: BTreeMap<u64, Call>,
    /// The last run of each process number.
    runs: HashMap<u32, u64>,
}

impl Journal {
    pub fn of(home: &Path) -> Journal {
        std::fs::read(home.join("ledger.jsonl"))
            .map(|bytes| Journal::read(&bytes))
            .unwrap_or_default()
    }

    pub fn read(bytes: &[u8]) -> Journal {
        let mut journal = Journal::default();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        for line in lines.filter(|line| line.ends_with(b"\n")) {
            let entry = Entry::from_line(&line[..line.len() - 1]);
            journal.take(entry.expect("a whole line is never damaged"));
            journal.whole.extend_from_slice(line);
        }
        journal
    }

    fn take(&mut self, entry: Entry) {
        let mut becomes = |number: u64, fate| self.calls.get_mut(&number).unwrap().fate = fate;
        match &entry.record {
            Record::Open { pid } => drop(self.runs.insert(*pid, entry.number)),
            Record::Reserve { run, amount, call, .. } => {
                let agent = call.agent.to_string();
                let call = Call { run: *run, agent, held: amount.micros(), fate: Fate::Reserved };
                self.calls.insert(entry.number, call);
            }
            Record::Dispatch { reservation } => becomes(*reservation, Fate::Dispatched),
            Record::Release { reservation } => becomes(*reservation, Fate::Released),
            Record::Settle { reservation, settlement, uncertain } => {
                let (cost, uncertain) = (settlement.charged.micros(), *uncertain);
                becomes(*reservation, Fate::Settled { cost, uncertain });
            }
            Record::Format { .. } | Record::Alert { .. } | Record::Grant { .. } => {}
        }
        self.entries.push(entry);
    }

    /// The run of the process that had this number last; none if it ended before it opened the journal.
    pub fn run_of(&self, pid: u32) -> Option<u64> {
        self.runs.get(&pid).copied()
    }

    /// What each settled call of a run cost; of one agent's only if it is named.
    pub fn settled_by(&self, run: u64, agent: Option<&str>) -> Vec<i64> {
        let of_run = self.calls.values().filter(|call| call.run == run);
        let of_agent = of_run.filter(|call| agent.is_none_or(|agent| call.agent == agent));
        let cost = |call: &Call| match call.fate {
            Fate::Settled { cost, uncertain: false } => Some(cost),
            _ => None,
        };
        of_agent.filter_map(cost).collect()
    }

    /// What all calls have been charged, the uncertain ones in full.
    pub fn charged(&self) -> i64 {
        let cost = |call: &Call| match call.fate {
            Fate::Settled { cost, .. } => cost,
            _ => 0,
        };
        self.calls.values().map(cost).sum()
    }

    /// What recovery must make of the calls (L-95), when none of the processes lives.
    pub fn recovered(&self) -> BTreeMap<u64, Call> {
        let mut calls = self.calls.clone();
        for call in calls.values_mut() {
            call.fate = match call.fate {
                Fate::Reserved => Fate::Released,
                Fate::Dispatched => Fate::Settled { cost: call.held, uncertain: true },
                done => done,
            };
        }
        calls
    }
}

/// The text of each episode by its id.
pub fn episodes(home: &Path) -> HashMap<String, String> {
    let file = home.join("mem.agdb");
    if !file.exists() {
        return HashMap::new();
    }
    let store = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let check: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "the store is whole");
    let mut select = store.prepare("SELECT id, context_text FROM episode").unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        Ok((format!("ep{}", row.get::<_, i64>(0)?), row.get::<_, String>(1)?))
    };
    select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}
