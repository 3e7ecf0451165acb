//! Media: what `html`, `svg`, `markdown`, `latex` and `vega` make.
//!
//! The text of a template is trusted, what is inserted into it is escaped for where it stands; media inserted into media
//! stays what it is. Never: shows anything by itself.

pub mod escape;
mod markup;

use crate::builtin::declare::{Moved, Outcome, Word, builtins};
use crate::builtin::support::{fail, room};
use crate::context::Cx;
use crate::fault::code;
use crate::value::json::to_json;
use crate::value::list::ListRef;
use crate::value::media::{Form, Media, media_shape};
use crate::value::record::option;
use crate::value::shape::{Shape, ShapeId, option_of, shape};
use crate::value::show::show;
use crate::value::template::{Part, parts, template_shape};
use escape::Writer;
use serde_json::Value;

builtins! {
    /// HTML to be displayed. Values inserted with `$` are escaped, other media stays what it is.
    function "html" "(content: Template) -> Media"
        example "html(\"<b>${\"1 < 2\"}</b>\")" => "html(\"<b>1 &lt; 2</b>\")"
        = |cx, content: Word| media(cx, Form::Html, content);
    /// An SVG drawing to be displayed, or a part to insert into one; inserted values are escaped. What is no markup is R0103.
    function "svg" "(content: Template) -> Media"
        example "svg(\"<svg><text>${\"a & b\"}</text></svg>\")" => "svg(\"<svg><text>a &amp; b</text></svg>\")"
        = |cx, content: Word| media(cx, Form::Svg, content);
    /// Markdown to be displayed; inserted values are text, whatever they contain.
    function "markdown" "(content: Template) -> Media"
        example "markdown(\"a **bold** ${\"*word*\"}\")" => "markdown(\"a **bold** \\\\*word\\\\*\")"
        = |cx, content: Word| media(cx, Form::Markdown, content);
    /// LaTeX to be displayed; without delimiters it is one formula. Inserted values are escaped.
    function "latex" "(content: Template) -> Media"
        example "latex(\"x^2 + ${1}\")" => "latex(\"x^2 + 1\")"
        = |cx, content: Word| media(cx, Form::Latex, content);
    /// A Vega-Lite description to be displayed as a chart.
    function "vega" "(spec: Dyn) -> Media"
        example "vega({ mark: \"bar\" })" => "vega({\"mark\":\"bar\"})"
        = |cx, spec: Word| vega(cx, spec);
}

fn media(cx: &mut Cx, form: Form, content: Word) -> Outcome<Moved> {
    let mut out = Writer::new(form);
    write(content.0, &mut out);
    let content = out.done();
    if form == Form::Svg
        && let Err(why) = markup::check(&content)
    {
        return fail(cx, code::INVALID_CONVERSION, format!("a drawing is SVG markup: {why}"));
    }
    room(cx, content.len())?;
    Ok(Moved(Media::new(form, content).into_word()))
}

fn write(template: u64, out: &mut Writer) {
    // SAFETY: the checker saw that the argument is a Template, and so is what has that shape inside one; it is borrowed.
    for part in unsafe { parts(template) } {
        match part {
            Part::Text(text) => out.trusted(text),
            Part::Inserted { value, of } => insert(value, of, out),
        }
    }
}

/// Media and lists of it as they are, everything else as escaped text.
fn insert(value: u64, of: ShapeId, out: &mut Writer) {
    if of == template_shape() {
        return write(value, out);
    }
    if let Some(media) = Media::of(value, of) {
        return match media.inside(out.form()) {
            Some(content) => out.trusted(content),
            None => out.text(&media.show()),
        };
    }
    if let Some(inner) = option_of(of).filter(|inner| *inner == media_shape()) {
        if let Some(some) = option(value, of) {
            insert(some, inner, out);
        }
        return;
    }
    match shape(of) {
        Shape::List(element) if *element == media_shape() => {
            // SAFETY: the shape says so, and the template holds the value.
            let list = unsafe { ListRef::from_word(value) };
            list.items().iter().for_each(|&item| insert(item, *element, out));
        }
        _ => out.text(&show(value, of)),
    }
}

fn vega(cx: &mut Cx, spec: Word) -> Outcome<Moved> {
    match to_json(spec.0, ShapeId::DYN) {
        Ok(description @ Value::Object(_)) => Ok(Moved(Media::Vega(description).into_word())),
        Ok(_) => {
            let message = "a chart's description is a record, such as { mark: \"bar\", .. }";
            fail(cx, code::INVALID_CONVERSION, message.to_owned())
        }
        Err(error) => fail(cx, code::INVALID_CONVERSION, error.to_string()),
    }
}
