//! SVG that a program wrote, as PNG bytes: for views that do not trust SVG.
//!
//! The text may be hostile. Nothing outside of it is read (no file, no address, no font of the system); entities, embedded
//! pictures and whatever would grow without measure are refused before anything is drawn ([`check`]); and drawing has a
//! time. A refusal says why.
//!
//! Drawing cannot be interrupted, so it has a thread of its own, and there is one such thread at a time: while a drawing
//! that ran out of time still works, no other begins. Its work is finite, because its size was checked.

mod check;
mod layers;
mod lettering;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree, roxmltree};

use self::layers::Canvas;
use super::DrawError;

/// Pixels of a side.
const MOST_PIXELS: f32 = 4_096.0;
/// Bytes of a PNG: more would be felt in every save of the notebook.
const MOST_BYTES: usize = 4 << 20;
/// Layers one within the other, beside the picture itself.
const MOST_LAYERS: f64 = 512.0 * 1024.0 * 1024.0;
const PATIENCE: Duration = Duration::from_secs(2);
/// Nesting is walked by recursion, here and in usvg; [`check`] bounds it.
const STACK_BYTES: usize = 16 << 20;

/// PNG bytes with the size at which they are to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    pub png: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Set by whoever starts a drawing (acquire), cleared by the thread that ends it (release).
static IS_DRAWING: AtomicBool = AtomicBool::new(false);

struct Turn;

impl Turn {
    /// Waits for another drawing as long as one may take.
    fn take() -> Result<Turn, DrawError> {
        let step = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        while IS_DRAWING
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            if waited >= PATIENCE {
                return Err(DrawError("a picture before it is still being drawn".to_owned()));
            }
            thread::sleep(step);
            waited += step;
        }
        Ok(Turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        IS_DRAWING.store(false, Ordering::Release);
    }
}

/// Draws an SVG document.
pub fn png(svg: &str) -> Result<Raster, DrawError> {
    check::source(svg)?;
    let turn = Turn::take()?;
    let (sender, receiver) = channel();
    let svg = svg.to_owned();
    let work = move || {
        // Given back also when the drawing panics.
        let _turn = turn;
        let _ = sender.send(draw(&svg));
    };
    let spawned = thread::Builder::new().name("svg".to_owned()).stack_size(STACK_BYTES).spawn(work);
    spawned.map_err(|error| DrawError(error.to_string()))?;
    match receiver.recv_timeout(PATIENCE) {
        Ok(drawn) => drawn,
        Err(RecvTimeoutError::Timeout) => {
            Err(DrawError(format!("it was not drawn within {} s", PATIENCE.as_secs())))
        }
        Err(RecvTimeoutError::Disconnected) => Err(DrawError("it could not be drawn".to_owned())),
    }
}

fn draw(svg: &str) -> Result<Raster, DrawError> {
    let svg = named(svg);
    let parsed = |text: &str| DrawError(format!("not an SVG document: {text}"));
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        nodes_limit: check::MOST_ELEMENTS,
        ..roxmltree::ParsingOptions::default()
    };
    let document = roxmltree::Document::parse_with_options(&svg, options)
        .map_err(|error| parsed(&error.to_string()))?;
    check::document(&document)?;
    let lettered = lettering::outlined(&svg, &document)?;
    let tree = Tree::from_str(&lettered, &closed()).map_err(|error| parsed(&error.to_string()))?;
    paint(&tree)
}

/// Notebooks take an `svg` without its name space, as HTML does.
fn named(svg: &str) -> String {
    let svg = svg.trim_start();
    let head = svg.find("<svg").and_then(|at| svg.get(at..)).unwrap_or_default();
    let head = head.split_once('>').map_or(head, |(head, _)| head);
    if head.contains("xmlns=") || !head.starts_with("<svg") {
        return svg.to_owned();
    }
    svg.replacen("<svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"", 1)
}

/// No resource of any kind: [`check`] refuses them with a reason, this is the second lock.
fn closed() -> Options<'static> {
    Options {
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    }
}

fn paint(tree: &Tree) -> Result<Raster, DrawError> {
    let size = tree.size();
    let (width, height) = (size.width().ceil(), size.height().ceil());
    if width > MOST_PIXELS || height > MOST_PIXELS {
        let message = format!("{width} x {height} pixels are more than {MOST_PIXELS} a side");
        return Err(DrawError(message));
    }
    // Two pixels to one, as all pictures have them, where that is not too many.
    let scale = if width.max(height) * 2.0 <= MOST_PIXELS { 2.0 } else { 1.0 };
    let canvas = Canvas { width: width.into(), height: height.into(), scale: f64::from(scale) };
    let bytes = canvas.bytes(tree.root());
    if bytes.is_nan() || bytes > MOST_LAYERS {
        return Err(DrawError(format!("its layers would need {:.0} MB", bytes / 1048576.0)));
    }
    let pixels = Pixmap::new((width * scale) as u32, (height * scale) as u32);
    let mut pixels = pixels.ok_or_else(|| DrawError("it has no size".to_owned()))?;
    resvg::render(tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    let png = pixels.encode_png().map_err(|error| DrawError(error.to_string()))?;
    if png.len() > MOST_BYTES {
        return Err(DrawError(format!("its PNG would have {} MB", png.len() >> 20)));
    }
    Ok(Raster { png, width: width as u32, height: height as u32 })
}

#[cfg(test)]
mod tests;
