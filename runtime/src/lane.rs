//! Lanes: priced ways to run inference, the choice among them, and calls whose answer has a type.
//!
//! A call goes: choose (`registry`, `score`) -> reserve -> send -> settle (`typed`) -> parse and check -> perhaps tools or a repair (`conversation`).
//! Never: values of the language (an answer is JSON here), conversation kept between calls.

pub mod cache;
pub mod conversation;
pub mod declared;
pub mod echo;
pub mod error;
pub mod first_value;
pub mod grammar;
pub mod grant;
#[cfg(feature = "models")]
pub mod local;
pub mod pace;
pub mod parse;
pub mod price;
pub mod registry;
#[cfg(feature = "net")]
pub mod remote;
pub mod request;
pub mod schema;
pub mod score;
pub mod taped;
pub mod typed;
