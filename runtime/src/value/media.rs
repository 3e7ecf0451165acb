//! Media: content a program made to be looked at, with the form it is written in.
//!
//! The content is trusted: whatever came from elsewhere was escaped when it was inserted. Never: parsed or changed here.

use crate::value::native::{native, payload};
use crate::value::shape::ShapeId;
use crate::value::show;
use serde_json::Value;
use std::sync::{Arc, LazyLock};

#[derive(Clone, Debug, PartialEq)]
pub enum Media {
    Html(String),
    Svg(String),
    Markdown(String),
    Latex(String),
    /// A Vega or Vega-Lite description.
    Vega(Value),
}

/// The form that text is written in, and therefore how inserted values are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Html,
    Svg,
    Markdown,
    Latex,
}

/// The name of the type.
pub const NAME: &str = "Media";

/// The shape of `Media`.
#[must_use]
pub fn media_shape() -> ShapeId {
    static ID: LazyLock<ShapeId> = LazyLock::new(|| ShapeId::opaque(NAME));
    *ID
}

impl Media {
    #[must_use]
    pub fn new(form: Form, content: String) -> Self {
        match form {
            Form::Html => Self::Html(content),
            Form::Svg => Self::Svg(content),
            Form::Markdown => Self::Markdown(content),
            Form::Latex => Self::Latex(content),
        }
    }

    #[must_use]
    pub fn into_word(self) -> u64 {
        native(media_shape(), Arc::new(self))
    }

    /// The media behind a value, if it is one.
    #[must_use]
    pub fn of(word: u64, shape: ShapeId) -> Option<Arc<Self>> {
        if shape == media_shape() { payload(word) } else { None }
    }

    /// The content as it stands inside content of that form; `None` where it has no place there.
    #[must_use]
    pub fn inside(&self, form: Form) -> Option<&str> {
        match (self, form) {
            // An HTML page may hold drawings, and Markdown may hold HTML.
            (Self::Html(content), Form::Html | Form::Markdown)
            | (Self::Svg(content), Form::Html | Form::Svg | Form::Markdown)
            | (Self::Markdown(content), Form::Markdown)
            | (Self::Latex(content), Form::Latex) => Some(content),
            _ => None,
        }
    }

    /// As the call that makes it.
    #[must_use]
    pub fn show(&self) -> String {
        let (name, content) = match self {
            Self::Html(content) => ("html", content),
            Self::Svg(content) => ("svg", content),
            Self::Markdown(content) => ("markdown", content),
            Self::Latex(content) => ("latex", content),
            Self::Vega(description) => return format!("vega({description})"),
        };
        format!("{name}({})", show::literal(content))
    }
}
