//! Content a program made: each form as the MIME type front ends know, and as words for a terminal.

use ag_runtime::chart::{DrawError, raster};
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::text::{Ink, lines_of, one_line};
use super::{MimeBundle, Style, html, markdown, words};
use crate::output::media::MediaView;
use crate::output::table::ValueView;

/// A description that names no schema is Vega-Lite of this version: the newest that front ends of today draw.
const VEGA_LITE: &str = "https://vega.github.io/schema/vega-lite/v5.json";

/// The bundle of a value that is media.
pub fn mime(view: &ValueView, media: &MediaView) -> MimeBundle {
    let notes: Vec<String> = view.notes.iter().map(|note| one_line(note)).collect();
    let mut plain = terminal(media, &Style::PLAIN);
    notes.iter().for_each(|note| plain.push_str(&format!("// {note}\n")));
    let bundle = Bundle::new(plain);
    if let MediaView::Svg(content) = media {
        return drawing(bundle, content, facts(media)).done();
    }
    let bundle = bundle.facts("media", facts(media));
    match media {
        MediaView::Html(content) => {
            let notes: String =
                notes.iter().map(|note| html::text("div", html::WARN, note)).collect();
            bundle.trusted_html(format!("{content}{notes}"))
        }
        MediaView::Svg(_) => bundle,
        MediaView::Markdown(content) => bundle.form("text/markdown", content.as_str().into()),
        MediaView::Latex(content) => bundle.form("text/latex", delimited(content).into()),
        MediaView::Vega(description) => chart(bundle, description),
    }
    .done()
}

/// A view that does not trust SVG shows the PNG; why there is none stands among the facts.
fn drawing(bundle: Bundle, content: &str, mut facts: Value) -> Bundle {
    let bundle = bundle.form("image/svg+xml", content.into());
    match raster::png(content) {
        Ok(drawn) => bundle.png(&drawn.png, drawn.width, drawn.height),
        Err(DrawError(reason)) => {
            if let Some(fields) = facts.as_object_mut() {
                fields.insert("no_png".to_owned(), one_line(&reason).into());
            }
            bundle
        }
    }
    .facts("media", facts)
}

fn chart(bundle: Bundle, description: &Value) -> Bundle {
    let mut description = description.clone();
    let schema = description.get("$schema").and_then(Value::as_str).unwrap_or_default();
    if schema.contains("/vega/") {
        return bundle.form("application/vnd.vega.v5+json", description);
    }
    if schema.is_empty()
        && let Some(fields) = description.as_object_mut()
    {
        fields.insert("$schema".to_owned(), VEGA_LITE.into());
    }
    bundle.form("application/vnd.vegalite.v5+json", description)
}

/// Front ends set what stands between delimiters; a formula without any is set alone.
fn delimited(latex: &str) -> String {
    let has = |mark: &str| latex.contains(mark);
    if has("$") && latex.replace("\\$", "").contains('$')
        || has("\\(")
        || has("\\[")
        || has("\\begin{")
    {
        return latex.to_owned();
    }
    format!("$$\n{}\n$$", latex.trim())
}

fn facts(media: &MediaView) -> Value {
    let (form, content) = match media {
        MediaView::Html(content) => ("html", content),
        MediaView::Svg(content) => ("svg", content),
        MediaView::Markdown(content) => ("markdown", content),
        MediaView::Latex(content) => ("latex", content),
        MediaView::Vega(description) => {
            return json!({ "form": "vega", "title": title_of(description), "rows": rows_of(description) });
        }
    };
    json!({ "form": form, "characters": content.chars().count() })
}

/// Content as a terminal shows it; it ends in a newline.
pub fn terminal(media: &MediaView, style: &Style) -> String {
    let text = match media {
        MediaView::Html(content) => lines_of(&words::of_html(content)),
        MediaView::Svg(content) => style.ink(Ink::Muted, &picture(content)),
        MediaView::Markdown(content) => markdown::to_text(content, style),
        MediaView::Latex(content) => lines_of(content.trim()),
        MediaView::Vega(description) => style.ink(Ink::Muted, &chart_note(description)),
    };
    text.trim_end().to_owned() + "\n"
}

fn picture(svg: &str) -> String {
    let title = svg.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    match title {
        Some((title, _)) => format!("a picture (SVG): {}", one_line(&words::of_html(title))),
        None => "a picture (SVG)".to_owned(),
    }
}

fn chart_note(description: &Value) -> String {
    let title =
        title_of(description).map_or_else(String::new, |title| format!(": {}", one_line(&title)));
    match rows_of(description) {
        Some(1) => format!("a chart of 1 row{title}"),
        Some(rows) => format!("a chart of {rows} rows{title}"),
        None => format!("a chart{title}"),
    }
}

/// A title is a text or has one.
fn title_of(description: &Value) -> Option<String> {
    let title = description.get("title")?;
    let text = title.as_str().or_else(|| title.get("text")?.as_str())?;
    Some(text.to_owned())
}

fn rows_of(description: &Value) -> Option<usize> {
    description.pointer("/data/values").and_then(Value::as_array).map(Vec::len)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{delimited, mime, terminal};
    use crate::output::media::MediaView;
    use crate::output::table::ValueView;
    use crate::render::Style;

    fn forms(media: MediaView) -> Vec<String> {
        mime(&ValueView::default(), &media).data.keys().cloned().collect()
    }

    #[test]
    fn a_formula_gets_delimiters_once() {
        assert_eq!(delimited("x^2"), "$$\nx^2\n$$");
        for written in ["$x$", "\\(x\\)", "a \\[x\\]", "\\begin{align}x\\end{align}"] {
            assert_eq!(delimited(written), written);
        }
        assert_eq!(delimited("\\$5"), "$$\n\\$5\n$$");
    }

    #[test]
    fn vega_and_vega_lite_have_types_of_their_own() {
        let lite = mime(&ValueView::default(), &MediaView::Vega(json!({ "mark": "bar" })));
        let schema = &lite.data["application/vnd.vegalite.v5+json"]["$schema"];
        assert!(schema.as_str().unwrap().contains("vega-lite/v5"));
        let vega = json!({ "$schema": "https://vega.github.io/schema/vega/v5.json" });
        assert!(forms(MediaView::Vega(vega)).contains(&"application/vnd.vega.v5+json".to_owned()));
    }

    #[test]
    fn a_drawing_has_a_png_or_says_why_not() {
        let bundle = |svg: &str| mime(&ValueView::default(), &MediaView::Svg(svg.to_owned()));
        let drawn = bundle("<svg width='40' height='20'><rect width='9' height='9'/></svg>");
        assert_eq!(drawn.metadata["image/png"], json!({ "width": 40, "height": 20 }));
        assert!(drawn.data["image/png"].as_str().is_some_and(|png| png.starts_with("iVBORw0KGgo")));
        assert!(drawn.data["application/vnd.ag.media+json"].get("no_png").is_none());
        let refused = bundle("<svg width='40' height='20'><image href='/etc/passwd'/></svg>");
        assert!(!refused.data.contains_key("image/png"));
        assert!(refused.data.contains_key("image/svg+xml"));
        let facts = &refused.data["application/vnd.ag.media+json"];
        assert_eq!(facts["no_png"], "it contains <image>");
    }

    #[test]
    fn a_terminal_gets_words() {
        let told = |media: MediaView| terminal(&media, &Style::PLAIN);
        assert_eq!(
            told(MediaView::Svg("<svg><title>a &amp; b</title></svg>".into())),
            "a picture (SVG): a & b\n"
        );
        let chart = json!({ "title": { "text": "Prices" }, "data": { "values": [1, 2] } });
        assert_eq!(told(MediaView::Vega(chart)), "a chart of 2 rows: Prices\n");
        assert_eq!(told(MediaView::Vega(Value::Object(Default::default()))), "a chart\n");
        assert_eq!(told(MediaView::Latex(" x^2 \x1b[2J".into())), "x^2 ␛[2J\n");
    }
}
