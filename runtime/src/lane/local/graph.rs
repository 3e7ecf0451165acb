//! The network of a Llama model as a graph in memory, with the weights of a GGUF file quantised to 8 bits.
//!
//! There is no ONNX file: nodes and weights go to the runtime through its editor. 8 bits because 4-bit weights, quantised a
//! second time, got simple questions wrong; accuracy level 4 multiplies in integers, which is what makes it fast.
//! Never: runs anything.

use crate::lane::local::gguf::{BLOCK, Gguf, Storage, Weights, half};
use crate::models::ModelError;
use ort::editor::{Graph, Model, Node, Opset};
use ort::environment::Environment;
use ort::memory::Allocator;
use ort::operator::Attribute;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, Shape, SymbolicDimensions, Tensor, TensorElementType, ValueType};

/// Operators of the runtime's own, beside the standard's.
const CONTRIB: &str = "com.microsoft";

/// The sizes of a model.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_width: usize,
    pub vocabulary: usize,
    pub epsilon: f32,
    pub rope_base: f64,
}

impl Sizes {
    pub fn of(file: &Gguf) -> Result<Self, ModelError> {
        Ok(Self {
            layers: file.size("llama.block_count")?,
            width: file.size("llama.embedding_length")?,
            heads: file.size("llama.attention.head_count")?,
            kv_heads: file.size("llama.attention.head_count_kv")?,
            head_width: file.size("llama.rope.dimension_count")?,
            vocabulary: file.size("llama.vocab_size")?,
            epsilon: file.number("llama.attention.layer_norm_rms_epsilon")? as f32,
            rope_base: file.number("llama.rope.freq_base")?,
        })
    }

    /// Bytes that one token of context takes in all layers.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        self.layers * 2 * self.kv_heads * self.head_width * size_of::<f32>()
    }
}

/// Why a graph could not be built.
pub enum BuildError {
    File(ModelError),
    Runtime(ort::Error),
}

impl From<ModelError> for BuildError {
    fn from(error: ModelError) -> Self {
        Self::File(error)
    }
}

impl<R> From<ort::Error<R>> for BuildError
where
    ort::Error: From<ort::Error<R>>,
{
    fn from(error: ort::Error<R>) -> Self {
        Self::Runtime(error.into())
    }
}

type Built = Result<(), BuildError>;

/// A session for contexts of up to `context` tokens.
///
/// Inputs: `x` (embedded tokens), `last` (which position's scores are wanted), `seqlens`, `total`, and the caches
/// `pk0, pv0, ..`; outputs: `scores`, and the caches `nk0, nv0, ..`.
pub fn build(
    environment: &Environment,
    file: &Gguf,
    sizes: Sizes,
    context: usize,
    threads: usize,
) -> Result<Session, BuildError> {
    let mut builder = Builder { graph: Graph::new()?, file, memory: Allocator::default(), sizes };
    builder.ends()?;
    builder.rotation(context)?;
    let mut stream = "x".to_owned();
    let mut pending = None;
    for layer in 0..sizes.layers {
        let (next, down) = builder.layer(layer, &stream, pending.as_deref())?;
        (stream, pending) = (next, Some(down));
    }
    builder.head(&stream, pending.as_deref().unwrap_or("x"))?;
    let mut model = Model::new([Opset::new("", 21)?, Opset::new(CONTRIB, 1)?])?;
    model.set_graph(builder.graph)?;
    let session = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?
        // A waiting thread that spins takes a core from the agents.
        .with_intra_op_spinning(false)?;
    Ok(model.into_session(&session)?)
}

struct Builder<'f> {
    graph: Graph,
    file: &'f Gguf,
    memory: Allocator,
    sizes: Sizes,
}

impl Builder<'_> {
    fn node(
        &mut self,
        operator: &str,
        domain: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: Vec<Attribute>,
    ) -> Built {
        let name = format!("{operator}:{}", outputs.first().unwrap_or(&""));
        self.graph.add_node(Node::new(operator, domain, name, inputs, outputs, attributes)?)?;
        Ok(())
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Built {
        let shape = Shape::new(shape.iter().map(|size| *size as i64));
        let mut tensor = Tensor::<f32>::new(&self.memory, shape)?;
        tensor.extract_tensor_mut().1.copy_from_slice(values);
        // External: the runtime keeps this memory instead of a copy of it.
        Ok(self.graph.add_initializer(name, tensor, true)?)
    }

    fn bytes(&mut self, name: &str, shape: &[usize], values: &[u8]) -> Built {
        let shape = Shape::new(shape.iter().map(|size| *size as i64));
        let mut tensor = Tensor::<u8>::new(&self.memory, shape)?;
        tensor.extract_tensor_mut().1.copy_from_slice(values);
        Ok(self.graph.add_initializer(name, tensor, true)?)
    }

    /// What goes in and out.
    fn ends(&mut self) -> Built {
        let Sizes { layers, width, kv_heads, head_width, vocabulary, .. } = self.sizes;
        let (float, cache) =
            (TensorElementType::Float32, [1, kv_heads as i64, -1, head_width as i64]);
        let mut inputs = vec![
            outlet("x", float, &[1, -1, width as i64], &["", "tokens", ""]),
            outlet("last", TensorElementType::Int64, &[1], &[""]),
            outlet("seqlens", TensorElementType::Int32, &[1], &[""]),
            outlet("total", TensorElementType::Int32, &[], &[]),
        ];
        let scores = [1, 1, vocabulary as i64];
        let mut outputs = vec![outlet("scores", float, &scores, &["", "", ""])];
        for name in cache_names(layers) {
            inputs.push(outlet(&format!("p{name}"), float, &cache, &["", "", "past", ""]));
            outputs.push(outlet(&format!("n{name}"), float, &cache, &["", "", "present", ""]));
        }
        self.graph.set_inputs(inputs)?;
        Ok(self.graph.set_outputs(outputs)?)
    }

    /// The angles by which positions turn queries and keys.
    fn rotation(&mut self, context: usize) -> Built {
        let half_width = self.sizes.head_width / 2;
        let angle = |at: usize| {
            let (position, pair) = (at / half_width, at % half_width);
            let share = 2.0 * pair as f64 / self.sizes.head_width as f64;
            position as f64 / self.sizes.rope_base.powf(share)
        };
        let angles: Vec<f64> = (0..context * half_width).map(angle).collect();
        let cos: Vec<f32> = angles.iter().map(|angle| angle.cos() as f32).collect();
        let sin: Vec<f32> = angles.iter().map(|angle| angle.sin() as f32).collect();
        self.floats("cos", &[context, half_width], &cos)?;
        self.floats("sin", &[context, half_width], &sin)
    }

    /// A norm of `stream`, after `added` joined it. Gives the names of the sum and of the norm.
    fn norm(
        &mut self,
        weights: &str,
        stream: &str,
        added: Option<&str>,
    ) -> Result<(String, String), BuildError> {
        let width = self.sizes.width;
        let stored = self.file.tensor(weights)?;
        let values = Weights::values(stored.storage, stored.bytes);
        self.floats(weights, &[width], &values)?;
        let (sum, normed) = (format!("{weights}.sum"), format!("{weights}.normed"));
        let epsilon = Attribute::new("epsilon", self.sizes.epsilon)?;
        match added {
            Some(added) => {
                let (inputs, outputs) = ([stream, added, weights], [&*normed, "", "", &*sum]);
                self.node(
                    "SkipSimplifiedLayerNormalization",
                    CONTRIB,
                    &inputs,
                    &outputs,
                    vec![epsilon],
                )?;
                Ok((sum, normed))
            }
            None => {
                let attributes = vec![Attribute::new("axis", -1i64)?, epsilon];
                self.node(
                    "SimplifiedLayerNormalization",
                    "",
                    &[stream, weights],
                    &[&normed],
                    attributes,
                )?;
                Ok((stream.to_owned(), normed))
            }
        }
    }

    /// One layer. Gives the stream, and what still has to be added to it.
    fn layer(
        &mut self,
        layer: usize,
        stream: &str,
        added: Option<&str>,
    ) -> Result<(String, String), BuildError> {
        let weights = |name: &str| format!("blk.{layer}.{name}.weight");
        let named = |name: &str| format!("{name}{layer}");
        let (stream, normed) = self.norm(&weights("attn_norm"), stream, added)?;
        for part in ["q", "k", "v"] {
            self.product(&weights(&format!("attn_{part}")), &normed, &named(part))?;
        }
        self.attention(layer)?;
        self.product(&weights("attn_output"), &named("attended"), &named("attention"))?;
        let (stream, normed) =
            self.norm(&weights("ffn_norm"), &stream, Some(&named("attention")))?;
        self.product(&weights("ffn_gate"), &normed, &named("gate"))?;
        self.product(&weights("ffn_up"), &normed, &named("up"))?;
        // x * sigmoid(1 * x), which is SiLU.
        let alpha = vec![Attribute::new("alpha", 1f32)?];
        self.node("QuickGelu", CONTRIB, &[&named("gate")], &[&named("silu")], alpha)?;
        self.node("Mul", "", &[&named("silu"), &named("up")], &[&named("gated")], vec![])?;
        self.product(&weights("ffn_down"), &named("gated"), &named("down"))?;
        Ok((stream, named("down")))
    }

    fn attention(&mut self, layer: usize) -> Built {
        let named = |name: &str| format!("{name}{layer}");
        let inputs = ["q", "k", "v", "pk", "pv"].map(named);
        let mut inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        inputs.extend(["seqlens", "total", "cos", "sin"]);
        let outputs = ["attended", "nk", "nv"].map(named);
        let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
        let attributes = vec![
            Attribute::new("num_heads", self.sizes.heads as i64)?,
            Attribute::new("kv_num_heads", self.sizes.kv_heads as i64)?,
            Attribute::new("do_rotary", 1i64)?,
            Attribute::new("rotary_interleaved", 1i64)?,
        ];
        self.node("GroupQueryAttention", CONTRIB, &inputs, &outputs, attributes)
    }

    /// The scores of the last token. The embeddings are the output weights, too.
    fn head(&mut self, stream: &str, added: &str) -> Built {
        let (_, normed) = self.norm("output_norm.weight", stream, Some(added))?;
        let axis = vec![Attribute::new("axis", 1i64)?];
        self.node("Gather", "", &[&normed, "last"], &["last_normed"], axis)?;
        self.product("token_embd.weight", "last_normed", "scores")
    }

    /// A product with weights in blocks of 8-bit numbers, each block with its scale.
    fn product(&mut self, weights: &str, input: &str, output: &str) -> Built {
        let stored = self.file.tensor(weights)?;
        let [inner, outer] = stored.dims else {
            return Err(BuildError::Runtime(ort::Error::new(format!("{weights} is no matrix"))));
        };
        let (inner, outer) = (*inner, *outer);
        let (codes, scales) = eight_bits(&stored);
        let (named_codes, named_scales) = (format!("{weights}.codes"), format!("{weights}.scales"));
        self.bytes(&named_codes, &[outer, inner / BLOCK, BLOCK], &codes)?;
        self.floats(&named_scales, &[outer * inner / BLOCK], &scales)?;
        let attributes = vec![
            Attribute::new("K", inner as i64)?,
            Attribute::new("N", outer as i64)?,
            Attribute::new("bits", 8i64)?,
            Attribute::new("block_size", BLOCK as i64)?,
            Attribute::new("accuracy_level", 4i64)?,
        ];
        let inputs = [input, &named_codes, &named_scales];
        self.node("MatMulNBits", CONTRIB, &inputs, &[output], attributes)
    }
}

fn outlet(name: &str, of: TensorElementType, shape: &[i64], symbols: &[&str]) -> Outlet {
    let symbols = SymbolicDimensions::new(symbols.iter().map(|name| (*name).to_owned()));
    let shape = Shape::new(shape.iter().copied());
    Outlet::new(name, ValueType::Tensor { ty: of, shape, dimension_symbols: symbols })
}

/// `k0, v0, k1, ..`
pub fn cache_names(layers: usize) -> impl Iterator<Item = String> {
    (0..layers).flat_map(|layer| ["k", "v"].map(|part| format!("{part}{layer}")))
}

/// Codes around 128 and a scale for each block.
fn eight_bits(stored: &Weights<'_>) -> (Vec<u8>, Vec<f32>) {
    let (mut codes, mut scales) = (Vec::new(), Vec::new());
    for block in stored.bytes.chunks_exact(stored.storage.block_bytes()) {
        if let (Storage::Q8_0, [s0, s1, eights @ ..]) = (stored.storage, block) {
            scales.push(half([*s0, *s1]));
            codes.extend(eights.iter().map(|byte| byte ^ 0x80));
            continue;
        }
        let values = Weights::values(stored.storage, block);
        let largest = values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let scale = if largest == 0.0 { 1.0 } else { largest / 127.0 };
        scales.push(scale);
        codes.extend(values.iter().map(|value| ((value / scale).round() as i32 + 128) as u8));
    }
    (codes, scales)
}
