//! Which embedder a session remembers with, and the vectors it has just made.
//!
//! A coroutine asks for a vector first (`prepare`) and waits without its worker; what is called later finds it made. Never: two
//! embedders in one session.

#[cfg(feature = "models")]
use crate::memory::embed::minilm::{self, MiniLm};
use crate::memory::embed::{embed, hashing_name};
use crate::memory::error::MemoryError;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
#[cfg(feature = "models")]
use std::sync::mpsc::channel;

/// How many vectors are kept between being made and being used.
#[cfg(feature = "models")]
const KEPT: usize = 64;

type Ready = VecDeque<(String, Arc<[f32]>)>;

#[derive(Clone)]
pub struct Embedder {
    kind: Kind,
    ready: Arc<Mutex<Ready>>,
}

#[derive(Clone)]
enum Kind {
    Hashing,
    #[cfg(feature = "models")]
    MiniLm(Arc<MiniLm>),
}

impl Embedder {
    /// Compares words; needs nothing.
    #[must_use]
    pub fn hashing() -> Self {
        Self { kind: Kind::Hashing, ready: Arc::default() }
    }

    #[cfg(feature = "models")]
    #[must_use]
    pub fn minilm(model: MiniLm) -> Self {
        Self { kind: Kind::MiniLm(Arc::new(model)), ready: Arc::default() }
    }

    /// What its vectors are stored under.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Hashing => hashing_name(),
            #[cfg(feature = "models")]
            Kind::MiniLm(_) => minilm::NAME,
        }
    }

    /// The memory its model takes on this machine; `None` while none is loaded.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        match &self.kind {
            Kind::Hashing => None,
            #[cfg(feature = "models")]
            Kind::MiniLm(model) => model.memory_bytes(),
        }
    }

    /// Gives that memory back until the next text. False if there was none.
    pub fn unload(&self) -> bool {
        match &self.kind {
            Kind::Hashing => false,
            #[cfg(feature = "models")]
            Kind::MiniLm(model) => model.unload(),
        }
    }

    /// It gives a vector at once, on any thread.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        matches!(self.kind, Kind::Hashing)
    }

    /// Makes a vector ready and calls `done`, also if there is none; `vector` says why.
    pub fn prepare(
        &self,
        #[cfg_attr(not(feature = "models"), expect(unused_variables))] text: &str,
        done: impl FnOnce() + Send + 'static,
    ) {
        match &self.kind {
            Kind::Hashing => done(),
            #[cfg(feature = "models")]
            Kind::MiniLm(model) => {
                let (ready, key) = (Arc::clone(&self.ready), text.to_owned());
                model.embed(
                    text,
                    Box::new(move |vector| {
                        if let Ok(vector) = vector {
                            let mut ready = ready.lock();
                            if ready.len() == KEPT {
                                ready.pop_front();
                            }
                            ready.push_back((key, vector.into()));
                        }
                        done();
                    }),
                );
            }
        }
    }

    /// The vector of a text: one that is ready, or made now while the thread waits.
    pub fn vector(&self, text: &str) -> Result<Arc<[f32]>, MemoryError> {
        if self.is_instant() {
            return Ok(embed(text).into());
        }
        let found = self.ready.lock().iter().rev().find(|(key, _)| key == text).cloned();
        match found {
            Some((_, vector)) => Ok(vector),
            None => self.make(text),
        }
    }

    fn make(&self, text: &str) -> Result<Arc<[f32]>, MemoryError> {
        match &self.kind {
            Kind::Hashing => Ok(embed(text).into()),
            #[cfg(feature = "models")]
            Kind::MiniLm(model) => wait_for(model, text),
        }
    }
}

#[cfg(feature = "models")]
fn wait_for(model: &MiniLm, text: &str) -> Result<Arc<[f32]>, MemoryError> {
    let (send, receive) = channel();
    model.embed(
        text,
        Box::new(move |vector| {
            let _ = send.send(vector.map_err(|error| MemoryError::Model(error.to_string())));
        }),
    );
    receive.recv().unwrap_or(Err(MemoryError::Closed)).map(Arc::from)
}
