//! Content the program made to be looked at: `html`, `svg`, `markdown`, `latex`, `vega`. Trusted, and shown as it is.

use ag_runtime::value::media::Media;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", content = "content", rename_all = "snake_case")]
pub enum MediaView {
    Html(String),
    Svg(String),
    Markdown(String),
    Latex(String),
    /// A Vega or Vega-Lite description: an object.
    Vega(serde_json::Value),
}

impl From<&Media> for MediaView {
    fn from(media: &Media) -> MediaView {
        match media {
            Media::Html(content) => MediaView::Html(content.clone()),
            Media::Svg(content) => MediaView::Svg(content.clone()),
            Media::Markdown(content) => MediaView::Markdown(content.clone()),
            Media::Latex(content) => MediaView::Latex(content.clone()),
            Media::Vega(description) => MediaView::Vega(description.clone()),
        }
    }
}
