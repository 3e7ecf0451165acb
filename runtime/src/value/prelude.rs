//! Shapes of the prelude's types that the runtime makes or reads itself.
//!
//! `builtin/prelude.ag` declares them for programs; both sides use the same name, the fingerprint 0 and the same order
//! of fields, so they get the same shapes (a test in `lang` compares them). Never: a type a program can redefine.

use crate::value::shape::{
    EnumShape, FieldShape, RecordShape, Shape, ShapeId, VariantShape, declare, define,
};
use std::sync::LazyLock;

/// The fingerprint of everything in the prelude: it cannot change while the process runs.
pub const FINGERPRINT: u64 = 0;

/// A field with a constant default, given as JSON.
fn defaulted(name: &str, shape: ShapeId, default: &str) -> FieldShape {
    FieldShape { required: false, default: Some(default.into()), ..field(name, shape) }
}

fn field(name: &str, shape: ShapeId) -> FieldShape {
    FieldShape::new(name, shape)
}

fn structure(full_name: &str, name: &str, fields: Vec<FieldShape>) -> ShapeId {
    let id = declare(full_name, FINGERPRINT);
    define(
        id,
        Shape::Record(RecordShape {
            name: Some(name.into()),
            fields: fields.into(),
            is_tool: false,
        }),
    );
    id
}

fn enumeration(name: &str, variants: Vec<VariantShape>) -> ShapeId {
    let id = declare(name, FINGERPRINT);
    define(id, Shape::Enum(EnumShape { name: name.into(), variants: variants.into() }));
    id
}

/// A shape that is built once.
macro_rules! once {
    ($(#[$doc:meta] $name:ident = $make:expr;)*) => {$(
        #[$doc]
        #[must_use]
        pub fn $name() -> ShapeId {
            static ID: LazyLock<ShapeId> = LazyLock::new(|| $make);
            *ID
        }
    )*};
}

once! {
    /// The name of a lane: a Text.
    lane = ShapeId::opaque("Lane");
    /// Identifies an episode: a Text.
    episode_id = ShapeId::opaque("EpisodeId");
    /// `Prompt`: the parts of a template, data apart from instructions (L-126).
    prompt = {
        let parts = vec![
            VariantShape::of("Instruction", &[ShapeId::TEXT]),
            VariantShape::of("Data", &[ShapeId::TEXT]),
        ];
        ShapeId::list(enumeration("PromptPart", parts))
    };
    /// `Outcome`
    outcome = enumeration("Outcome", vec![
        VariantShape::unit("Pending"),
        VariantShape::of("Known", &[ShapeId::TEXT]),
    ]);
    /// One term of an Explanation: a structural record, whose fields are sorted by name.
    term = ShapeId::record(&[
        ("contribution", ShapeId::FLOAT),
        ("name", ShapeId::TEXT),
        ("raw", ShapeId::FLOAT),
        ("weight", ShapeId::FLOAT),
    ]);
    /// `Explanation`
    explanation = structure("Explanation", "Explanation", vec![
        field("terms", ShapeId::list(term())),
        field("shared_entities", ShapeId::list(ShapeId::TEXT)),
        field("causal_chain", ShapeId::list(episode_id())),
        field("reasoning", ShapeId::TEXT),
    ]);
    /// `Episode<Dyn, Dyn>`, as recalled. An episode that a program stores says its own shape.
    episode = structure("Episode<Dyn, Dyn>", "Episode", vec![
        field("context", ShapeId::DYN),
        field("action", ShapeId::DYN),
        defaulted("outcome", outcome(), r#"{"kind":"Pending"}"#),
        defaulted("entities", ShapeId::list(ShapeId::TEXT), "[]"),
        field("at", ShapeId::TIME),
    ]);
    /// `Recollection`
    recollection = structure("Recollection", "Recollection", vec![
        field("id", episode_id()),
        field("episode", episode()),
        field("score", ShapeId::FLOAT),
        field("why", explanation()),
    ]);
    /// `Response`
    response = structure("Response", "Response", vec![
        field("text", ShapeId::TEXT),
        field("lane", lane()),
        field("model", ShapeId::TEXT),
        field("tokens_in", ShapeId::INT),
        field("tokens_out", ShapeId::INT),
        field("cost", ShapeId::MONEY),
        field("latency", ShapeId::DURATION),
    ]);
    /// `Span`
    span = structure("Span", "Span", vec![
        field("cell", ShapeId::INT),
        field("start", ShapeId::INT),
        field("end", ShapeId::INT),
    ]);
    /// `FaultFrame`
    fault_frame = structure("FaultFrame", "FaultFrame", vec![
        field("name", ShapeId::TEXT),
        field("at", ShapeId::option(span())),
    ]);
    /// `Fault`
    fault = structure("Fault", "Fault", vec![
        field("code", ShapeId::TEXT),
        field("message", ShapeId::TEXT),
        field("at", ShapeId::option(span())),
        field("chain", ShapeId::list(fault_frame())),
        field("data", ShapeId::DYN),
    ]);
    /// `Backpressure`
    backpressure = structure("Backpressure", "Backpressure", vec![field("len", ShapeId::INT)]);
    /// `QuotaAction`
    quota_action = enumeration("QuotaAction", vec![
        VariantShape::unit("Stop"),
        VariantShape::unit("Ask"),
        VariantShape::of("Alert", &[ShapeId::TEXT]),
        VariantShape::of("Degrade", &[lane()]),
    ]);
    /// `Supervise`
    supervise = enumeration("Supervise", vec![
        VariantShape::unit("Stop"),
        VariantShape {
            name: "Restart".into(),
            fields: Box::new([field("max", ShapeId::INT), field("within", ShapeId::DURATION)]),
        },
        VariantShape::unit("Escalate"),
    ]);
}
