//! The thread that models compute on: loads a model at its first use, answers one call after the other, and lets the model go
//! when nobody has asked for a while.
//!
//! Calls wait in a queue; one that was given up is passed over. Never: a scheduler's worker, more than one model in memory.

use crate::lane::local::generate::{Ask, Stop, Told, Trouble, answer};
use crate::lane::local::model::Model;
use crate::lane::local::tokens::Words;
use crate::models::catalog::Model as Entry;
use crate::models::{ModelError, ModelsFolder};
use crate::value::machine::{give_back, grown};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a model stays in memory without a call.
const IDLE: Duration = Duration::from_secs(300);

/// What is known of the model from outside.
#[derive(Default)]
pub struct State {
    pub words: Option<Arc<Words>>,
    /// What the process grew by when the model was loaded, without the library, which stays, and the caches kept since.
    pub bytes: u64,
}

/// Makes the question out of the loaded model's words.
pub type Prepare = Box<dyn FnOnce(&Words) -> Result<Ask, Trouble> + Send>;

pub enum Job {
    Answer {
        prepare: Prepare,
        stop: Arc<Stop>,
        done: oneshot::Sender<Result<Told, Trouble>>,
    },
    /// Lets the model go; the end of the channel says that it is gone.
    Unload {
        done: Sender<()>,
    },
}

/// The way to the thread, which starts with the first job and ends with this.
pub struct Compute {
    folder: ModelsFolder,
    entry: &'static Entry,
    state: Arc<Mutex<State>>,
    jobs: Mutex<Option<Sender<Job>>>,
}

impl Compute {
    #[must_use]
    pub fn new(folder: ModelsFolder, entry: &'static Entry) -> Self {
        Self { folder, entry, state: Arc::default(), jobs: Mutex::new(None) }
    }

    #[must_use]
    pub fn words(&self) -> Option<Arc<Words>> {
        self.state.lock().words.clone()
    }

    /// What the loaded model takes; `None` while none is.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        let state = self.state.lock();
        state.words.as_ref().map(|_| state.bytes)
    }

    /// Queues a job. `None` if no thread can be had.
    pub fn send(&self, job: Job) -> Option<()> {
        let mut jobs = self.jobs.lock();
        let job = match jobs.as_ref() {
            Some(sender) => match sender.send(job) {
                Ok(()) => return Some(()),
                Err(refused) => refused.0,
            },
            None => job,
        };
        let (sender, receiver) = channel();
        let worker = Worker {
            folder: self.folder.clone(),
            entry: self.entry,
            state: Arc::clone(&self.state),
        };
        let thread = std::thread::Builder::new().name("ag-model".to_owned());
        thread.spawn(move || worker.run(&receiver)).ok()?;
        sender.send(job).ok()?;
        *jobs = Some(sender);
        Some(())
    }

    /// Lets the model go and waits until it is gone. False if none was loaded.
    pub fn unload(&self) -> bool {
        if self.memory_bytes().is_none() {
            return false;
        }
        let (done, gone) = channel();
        let is_sent = self.send(Job::Unload { done }).is_some();
        let _ = gone.recv();
        is_sent
    }
}

struct Worker {
    folder: ModelsFolder,
    entry: &'static Entry,
    state: Arc<Mutex<State>>,
}

impl Worker {
    fn run(&self, jobs: &Receiver<Job>) {
        let mut model: Option<Loaded> = None;
        loop {
            let job = match &model {
                Some(_) => jobs.recv_timeout(IDLE),
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match job {
                Ok(Job::Answer { prepare, stop, done }) => {
                    let told = self.answer(&mut model, prepare, &stop);
                    if let Some(loaded) = &model {
                        self.state.lock().bytes = loaded.bytes + loaded.model.cache_bytes();
                    }
                    // Whoever asked may be gone.
                    let _ = done.send(told);
                }
                Ok(Job::Unload { done }) => {
                    self.let_go(&mut model);
                    drop(done);
                }
                Err(RecvTimeoutError::Timeout) => self.let_go(&mut model),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.let_go(&mut model);
    }

    fn answer(
        &self,
        model: &mut Option<Loaded>,
        prepare: Prepare,
        stop: &Stop,
    ) -> Result<Told, Trouble> {
        if stop.is_set() {
            return Err(Trouble::Stopped);
        }
        let Loaded { model, .. } = match model {
            Some(loaded) => loaded,
            None => model.insert(self.load()?),
        };
        let ask = prepare(&model.words)?;
        answer(model, &ask, stop)
    }

    fn load(&self) -> Result<Loaded, ModelError> {
        let (model, own) = grown(|| Model::load(&self.folder, self.entry));
        let model = model?;
        let bytes = own + model.mapped_bytes();
        *self.state.lock() = State { words: Some(Arc::clone(&model.words)), bytes };
        Ok(Loaded { model, bytes })
    }

    fn let_go(&self, model: &mut Option<Loaded>) {
        *self.state.lock() = State::default();
        if model.take().is_some() {
            give_back();
        }
    }
}

struct Loaded {
    model: Model,
    /// What it takes without caches.
    bytes: u64,
}
