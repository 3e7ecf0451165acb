//! A loaded model: one step of it at a time, with its memory of the conversation.
//!
//! The caches are allocated once for the length a conversation may reach and written in place, so a step costs the same at its
//! end as at its start. Never: chooses tokens, runs on a thread of somebody else.

use crate::lane::local::gguf::{BLOCK, Gguf, Weights};
use crate::lane::local::graph::{BuildError, Sizes, build, cache_names};
use crate::lane::local::tokens::Words;
use crate::models::catalog::{Model as Entry, WEIGHTS};
use crate::models::onnx::{environment, threads, wrong};
use crate::models::{ModelError, ModelsFolder};

use ort::memory::Allocator;
use ort::session::{IoBinding, RunOptions, Session};
use ort::value::{Tensor, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub struct Model {
    session: Session,
    file: Gguf,
    path: PathBuf,
    sizes: Sizes,
    context: usize,
    pub words: Arc<Words>,
    /// Of the last conversations, for the next ones of like length.
    spare: Vec<Cache>,
}

/// What the model has read of one conversation.
pub struct Conversation {
    cache: Cache,
    /// Tokens already in the cache.
    length: usize,
}

struct Cache {
    binding: IoBinding,
    scores: Tensor<f32>,
    capacity: usize,
}

impl Model {
    /// Loads the weights and builds the network.
    pub fn load(folder: &ModelsFolder, entry: &Entry) -> Result<Self, ModelError> {
        let part = entry.part_with(WEIGHTS);
        let part = part.ok_or_else(|| ModelError::Unknown { name: entry.name.to_owned() })?;
        let path = folder.checked(part, WEIGHTS)?;
        let environment = environment(folder, entry)?;
        let file = Gguf::open(&path)?;
        let sizes = Sizes::of(&file)?;
        let context = file.size("llama.context_length")?;
        let words = Arc::new(Words::of(&file, &path)?);
        let session = build(&environment, &file, sizes, context, threads());
        let session = session.map_err(|error| match error {
            BuildError::File(error) => error,
            BuildError::Runtime(error) => wrong(&path, error),
        })?;
        Ok(Self { session, file, path, sizes, context, words, spare: Vec::new() })
    }

    /// The most tokens a conversation may have.
    #[must_use]
    pub fn context(&self) -> usize {
        self.context
    }

    /// Begins a conversation of at most so many tokens.
    pub fn begin(&mut self, tokens: usize) -> Result<Conversation, ModelError> {
        /// Caches grow by so many tokens, so that calls of like length use one.
        const STEP: usize = 256;
        let wanted = tokens.next_multiple_of(STEP);
        // A much larger one than needed is given back.
        let fits = |cache: &Cache| (tokens..=wanted * 4).contains(&cache.capacity);
        let cache = match self.spare.iter().position(fits) {
            Some(at) => self.spare.swap_remove(at),
            None => self.allocate(wanted).map_err(|error| wrong(&self.path, error))?,
        };
        Ok(Conversation { cache, length: 0 })
    }

    /// Keeps the memory of ended conversations for the next ones, in place of what was kept.
    pub fn end(&mut self, ended: impl IntoIterator<Item = Conversation>) {
        self.spare = ended.into_iter().map(|ended| ended.cache).collect();
    }

    /// Of the file of weights, which all are read at the beginning.
    #[must_use]
    pub fn mapped_bytes(&self) -> u64 {
        self.file.mapped_bytes()
    }

    /// What those that are kept take.
    #[must_use]
    pub fn cache_bytes(&self) -> u64 {
        let Sizes { kv_heads, head_width, layers, .. } = self.sizes;
        let token = cache_names(layers).count() * kv_heads * head_width * size_of::<f32>();
        self.spare.iter().map(|cache| (cache.capacity * token) as u64).sum()
    }

    fn allocate(&self, capacity: usize) -> ort::Result<Cache> {
        let memory = Allocator::default();
        let mut binding = self.session.create_binding()?;
        let shape = [1, self.sizes.kv_heads, capacity, self.sizes.head_width];
        for name in cache_names(self.sizes.layers) {
            let mut tensor = Tensor::<f32>::new(&memory, shape)?;
            // One buffer as input and output: attention writes the new tokens behind the old ones.
            binding.bind_input(format!("p{name}"), &tensor)?;
            binding.bind_output(format!("n{name}"), &mut tensor)?;
        }
        let mut scores = Tensor::<f32>::new(&memory, [1, 1, self.sizes.vocabulary])?;
        binding.bind_output("scores", &mut scores)?;
        Ok(Cache { binding, scores, capacity })
    }

    /// Reads tokens and gives the scores of what may follow. `options` can end it from outside.
    pub fn read<'c>(
        &mut self,
        conversation: &'c mut Conversation,
        tokens: &[u32],
        options: &RunOptions,
    ) -> Result<&'c [f32], ModelError> {
        let path = self.path.clone();
        self.step(conversation, tokens, options).map_err(|error| wrong(&path, error))
    }

    fn step<'c>(
        &mut self,
        Conversation { cache, length }: &'c mut Conversation,
        tokens: &[u32],
        options: &RunOptions,
    ) -> ort::Result<&'c [f32]> {
        let total = *length + tokens.len();
        if total > cache.capacity {
            return Err(ort::Error::new("the conversation is longer than its cache"));
        }
        let embedded = self.embedded(tokens)?;
        let x = Tensor::from_array(([1, tokens.len(), self.sizes.width], embedded))?;
        cache.binding.bind_input("x", &x)?;
        bind(cache, "last", Tensor::from_array(([1usize], vec![tokens.len() as i64 - 1]))?)?;
        bind(cache, "seqlens", Tensor::from_array(([1usize], vec![total as i32 - 1]))?)?;
        bind(cache, "total", Tensor::from_array((Vec::<i64>::new(), vec![total as i32]))?)?;
        self.session.run_binding_with_options(&cache.binding, options)?;
        *length = total;
        Ok(cache.scores.extract_tensor().1)
    }

    /// The rows of the embedding that belong to tokens.
    fn embedded(&self, tokens: &[u32]) -> ort::Result<Vec<f32>> {
        let failed = |_| ort::Error::new("the embedding is gone");
        let table = self.file.tensor("token_embd.weight").map_err(failed)?;
        let row = self.sizes.width / BLOCK * table.storage.block_bytes();
        let mut values = Vec::with_capacity(tokens.len() * self.sizes.width);
        for token in tokens {
            let start = *token as usize * row;
            let bytes = table.bytes.get(start..start + row);
            let bytes =
                bytes.ok_or_else(|| ort::Error::new(format!("there is no token {token}")))?;
            values.extend(Weights::values(table.storage, bytes));
        }
        Ok(values)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn bind<T: ort::value::ValueTypeMarker>(
    cache: &mut Cache,
    name: &str,
    value: Value<T>,
) -> ort::Result<()> {
    cache.binding.bind_input(name, &value)
}
