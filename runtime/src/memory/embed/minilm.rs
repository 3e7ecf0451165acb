//! all-MiniLM-L6-v2 in 8 bits: near vectors for texts that mean the same.
//!
//! It runs on a thread of its own, because a coroutine's stack is small; the thread loads the model at the first text and lets it
//! go when none has come for a while. Never: a network, texts longer than the model was trained for (their beginning counts).

use crate::memory::embed::DIM;
use crate::models::catalog::{EMBEDDER, Model, TOKENIZER};
use crate::models::onnx::{environment, wrong};
use crate::models::{ModelError, ModelsFolder};
use crate::value::machine::{give_back, grown};
use ort::session::Session;
use ort::value::Tensor;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokenizers::{Tokenizer, TruncationParams};

/// The name vectors are stored under.
pub const NAME: &str = "all-MiniLM-L6-v2-int8";
/// The name of the model in the catalogue.
pub const MODEL: &str = "minilm";

const IDLE: Duration = Duration::from_secs(300);
const TOKENS: usize = 256;

/// Called once, from the model's thread.
pub type Done = Box<dyn FnOnce(Result<Vec<f32>, ModelError>) + Send>;

enum Job {
    Embed {
        text: String,
        done: Done,
    },
    /// Lets the model go; the end of the channel says that it is gone.
    Unload {
        done: Sender<()>,
    },
}

/// What the loaded model takes. Written by the model's thread only; nothing is ordered by it.
#[derive(Default)]
struct Held(AtomicU64);

impl Held {
    /// Where the system does not say how much memory a process has, a loaded model still counts as one.
    fn set(&self, bytes: u64) {
        self.0.store(bytes.max(1), Ordering::Relaxed);
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }
}

pub struct MiniLm {
    folder: ModelsFolder,
    jobs: Mutex<Option<Sender<Job>>>,
    held: Arc<Held>,
}

impl MiniLm {
    /// The embedder, if its model is installed there. Nothing is loaded yet.
    #[must_use]
    pub fn installed(folder: &ModelsFolder) -> Option<Self> {
        let model = Model::named(MODEL)?;
        folder.has(model).then(|| Self {
            folder: folder.clone(),
            jobs: Mutex::new(None),
            held: Arc::default(),
        })
    }

    /// What the loaded model takes; `None` while none is.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        self.held.get()
    }

    /// Lets the model go and waits until it is gone; the next text loads it again. False if none was loaded.
    pub fn unload(&self) -> bool {
        if self.memory_bytes().is_none() {
            return false;
        }
        let (done, gone) = channel();
        let is_sent = {
            let jobs = self.jobs.lock();
            jobs.as_ref().is_some_and(|sender| sender.send(Job::Unload { done }).is_ok())
        };
        let _ = gone.recv();
        is_sent
    }

    /// Queues a text.
    pub fn embed(&self, text: &str, done: Done) {
        let mut jobs = self.jobs.lock();
        let mut job = Job::Embed { text: text.to_owned(), done };
        if let Some(sender) = jobs.as_ref() {
            match sender.send(job) {
                Ok(()) => return,
                Err(refused) => job = refused.0,
            }
        }
        let (sender, receiver) = channel();
        let (folder, held) = (self.folder.clone(), Arc::clone(&self.held));
        let thread = std::thread::Builder::new().name("ag-embed".to_owned());
        match thread.spawn(move || run(&folder, &held, &receiver)) {
            Ok(_) => {
                // The receiver is alive: the thread waits for it.
                if let Err(refused) = sender.send(job) {
                    refuse(refused.0, gone(&self.folder));
                }
                *jobs = Some(sender);
            }
            Err(error) => refuse(job, wrong(self.folder.path(), error)),
        }
    }
}

fn gone(folder: &ModelsFolder) -> ModelError {
    wrong(folder.path(), "the embedder's thread has ended")
}

fn refuse(job: Job, error: ModelError) {
    if let Job::Embed { done, .. } = job {
        done(Err(error));
    }
}

fn run(folder: &ModelsFolder, held: &Held, jobs: &Receiver<Job>) {
    let mut loaded: Option<Loaded> = None;
    loop {
        let job = match &loaded {
            Some(_) => jobs.recv_timeout(IDLE),
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match job {
            Ok(Job::Embed { text, done }) => done(embed(&mut loaded, (folder, held), &text)),
            Ok(Job::Unload { done }) => {
                let_go(&mut loaded, held);
                drop(done);
            }
            Err(RecvTimeoutError::Timeout) => let_go(&mut loaded, held),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let_go(&mut loaded, held);
}

fn let_go(loaded: &mut Option<Loaded>, held: &Held) {
    if loaded.take().is_some() {
        give_back();
    }
    held.clear();
}

fn embed(
    loaded: &mut Option<Loaded>,
    (folder, held): (&ModelsFolder, &Held),
    text: &str,
) -> Result<Vec<f32>, ModelError> {
    let model = match loaded {
        Some(model) => model,
        None => {
            let (model, bytes) = grown(|| Loaded::load(folder));
            let model = loaded.insert(model?);
            held.set(bytes);
            model
        }
    };
    model.embed(text)
}

struct Loaded {
    session: Session,
    tokenizer: Tokenizer,
    path: PathBuf,
}

impl Loaded {
    fn load(folder: &ModelsFolder) -> Result<Self, ModelError> {
        let unknown = || ModelError::Unknown { name: MODEL.to_owned() };
        let entry = Model::named(MODEL).ok_or_else(unknown)?;
        let file = |name: &str| folder.checked(entry.part_with(name).ok_or_else(unknown)?, name);
        let (path, words) = (file(EMBEDDER)?, file(TOKENIZER)?);
        let environment = environment(folder, entry)?;
        let fail = |error: ort::Error| wrong(&path, error);
        let session = Session::builder(&environment)
            .and_then(|builder| Ok(builder.with_intra_threads(1)?.with_intra_op_spinning(false)?))
            .map_err(fail)?
            .commit_from_file(&path)
            .map_err(fail)?;
        Ok(Self { session, tokenizer: tokenizer(&words)?, path })
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, ModelError> {
        let encoded = self.tokenizer.encode(text, true);
        let encoded = encoded.map_err(|error| wrong(&self.path, error))?;
        let ids: Vec<i64> = encoded.get_ids().iter().map(|id| i64::from(*id)).collect();
        let path = self.path.clone();
        self.run(ids).map_err(|error| wrong(&path, error))
    }

    /// The mean of the tokens' vectors, of length one.
    fn run(&mut self, ids: Vec<i64>) -> ort::Result<Vec<f32>> {
        let count = ids.len();
        let row = |value: Vec<i64>| Tensor::from_array(([1, count], value));
        let mut inputs = vec![("input_ids", row(ids)?), ("attention_mask", row(vec![1; count])?)];
        if self.session.inputs().iter().any(|input| input.name() == "token_type_ids") {
            inputs.push(("token_type_ids", row(vec![0; count])?));
        }
        let outputs = self.session.run(inputs)?;
        let hidden = outputs.get("last_hidden_state");
        let hidden = hidden.ok_or_else(|| ort::Error::new("it gives no last_hidden_state"))?;
        let (_, values) = hidden.try_extract_tensor::<f32>()?;
        let mut vector = vec![0.0; DIM];
        for token in values.chunks_exact(DIM) {
            vector.iter_mut().zip(token).for_each(|(sum, value)| *sum += value);
        }
        let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|value| *value /= norm.max(f32::MIN_POSITIVE));
        Ok(vector)
    }
}

fn tokenizer(path: &Path) -> Result<Tokenizer, ModelError> {
    let mut tokenizer = Tokenizer::from_file(path).map_err(|error| wrong(path, error))?;
    tokenizer.with_padding(None);
    let truncation = TruncationParams { max_length: TOKENS, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(|error| wrong(path, error))?;
    Ok(tokenizer)
}
