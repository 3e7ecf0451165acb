//! The incremental database: what is an input, and which queries ran.
//!
//! One input a cell, never one a notebook: an edit touches the queries of that cell only. Queries are plain functions in
//! `names` and `types`; this file holds the storage they share. Nothing here does IO.

pub mod workspace;

use std::sync::Arc;

use parking_lot::Mutex;

use crate::stop;
use crate::types::ty::{Name, Ty};

/// What queries need: salsa's storage, and a log of what really ran, for tests and `:stats`.
#[salsa::db]
pub trait Db: salsa::Database {
    /// Says that a query was computed, not reused.
    fn ran(&self, query: &'static str, subject: &dyn Fn() -> String);
}

/// The text of one cell, with what is known of its globals once it has run.
#[salsa::input(debug)]
pub struct CellInput {
    pub text: Arc<str>,
    /// `None` until the cell has run: its globals then have the types inferred for them. Afterwards
    /// they have the types of the values they hold, whatever is redefined later (L-152).
    pub settled: Option<Arc<Vec<GlobalType>>>,
    /// Cell 0: its names refer to each other, whatever the session defines.
    #[returns(copy)]
    pub prelude: bool,
    /// A file that others import, by its name: what it declares is called `risk::f` (L-64).
    pub file: Option<Name>,
    /// What its imports lead to, in the order in which they are written.
    pub imports: Arc<Vec<Imported>>,
}

/// Where an import leads.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Imported {
    /// The file of that name.
    File(Name),
    /// Why there is none.
    Failed(Arc<str>),
}

/// A global that holds a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    pub name: Name,
    pub ty: Ty,
    pub mutable: bool,
}

/// What is live, in the order of execution.
#[salsa::input(singleton, debug)]
pub struct SessionInput {
    #[returns(copy)]
    pub prelude: CellInput,
    pub cells: Arc<Vec<CellInput>>,
    /// `_` and `_N`: the session tells which exist.
    pub results: Arc<Vec<GlobalType>>,
    /// Lanes that the session knows, for L-40.
    pub lanes: Arc<Vec<Name>>,
}

/// The queries that ran since the log was last taken; empty unless switched on.
#[derive(Clone, Default)]
struct RunLog(Arc<Mutex<Option<Vec<String>>>>);

#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
    log: RunLog,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn ran(&self, query: &'static str, subject: &dyn Fn() -> String) {
        stop::look();
        if let Some(log) = self.log.0.lock().as_mut() {
            log.push(format!("{query} {}", subject()));
        }
    }
}

impl Database {
    /// Starts logging which queries run.
    pub fn log_queries(&self) {
        *self.log.0.lock() = Some(Vec::new());
    }

    /// What ran since the last call.
    pub fn take_log(&self) -> Vec<String> {
        self.log.0.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }
}
