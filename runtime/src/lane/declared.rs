//! What a program or this crate says of a lane (L-62): `lane NAME { protocol: .., url: .., .. }`.
//!
//! Never: a key. A lane names the environment variable its key is in; the variable is read when a request is sent.

use crate::ledger::money::MicroUsd;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    OpenAi,
    Anthropic,
    OpenRouter,
    Onnx,
    Echo,
}

impl Protocol {
    pub const ALL: [Self; 5] =
        [Self::OpenAi, Self::Anthropic, Self::OpenRouter, Self::Onnx, Self::Echo];

    /// As a program writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::OpenRouter => "openrouter",
            Self::Onnx => "onnx",
            Self::Echo => "echo",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// Answers over the network, for money.
    #[must_use]
    pub fn is_remote(self) -> bool {
        matches!(self, Self::OpenAi | Self::Anthropic | Self::OpenRouter)
    }

    /// Where the provider of this name listens; `openai` is spoken by many.
    #[must_use]
    pub fn default_url(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::OpenRouter => Some("https://openrouter.ai/api/v1"),
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Onnx | Self::Echo => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LaneSpec {
    pub name: Arc<str>,
    pub protocol: Protocol,
    /// Up to the version: `https://api.openai.com/v1`.
    pub url: Option<Arc<str>>,
    pub model: Arc<str>,
    pub key_env: Option<Arc<str>>,
    /// For a million tokens.
    pub price_in: MicroUsd,
    pub price_out: MicroUsd,
    pub context: u64,
    /// Requests a minute.
    pub rpm: Option<u32>,
}

/// Tokens of a lane that does not say how many it takes.
pub const CONTEXT: u64 = 128_000;

/// The lanes of providers that every session knows; they answer when their key is there.
#[must_use]
pub fn predeclared() -> [LaneSpec; 2] {
    let lane = |protocol: Protocol, model: &str, key: &str, price: (i64, i64), context| LaneSpec {
        name: protocol.name().into(),
        protocol,
        url: None,
        model: model.into(),
        key_env: Some(key.into()),
        price_in: MicroUsd(price.0),
        price_out: MicroUsd(price.1),
        context,
        rpm: None,
    };
    [
        lane(
            Protocol::Anthropic,
            "claude-sonnet-4-5",
            "ANTHROPIC_API_KEY",
            (3_000_000, 15_000_000),
            200_000,
        ),
        lane(
            Protocol::OpenRouter,
            "openai/gpt-4o-mini",
            "OPENROUTER_API_KEY",
            (150_000, 600_000),
            CONTEXT,
        ),
    ]
}
