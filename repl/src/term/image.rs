//! Pictures within the terminal's text: the PNG of an output, in the protocol that the terminal speaks.
//!
//! A picture that cannot be shown is no failure: the output's text form, which has the same facts, takes its place.

mod detect;
mod pixels;
mod sixel;

use std::sync::OnceLock;

use ag_kernel::output::Output;
use ag_kernel::render;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::term::screen::{Screen, screen};

/// How a terminal takes pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Kitty,
    Iterm,
    Sixel,
}

/// Passing pictures to the terminal around tmux, which knows neither of the first two protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    pub protocol: Protocol,
    pub is_in_tmux: bool,
}

/// A PNG with the size it is to have, in the picture's own pixels.
struct Picture {
    png: Vec<u8>,
    width: u32,
}

/// What draws an output, if it is a picture and there is a terminal that shows them.
pub fn drawn(output: &Output) -> Option<String> {
    if !matches!(output, Output::Trace(_) | Output::CostChart(_)) {
        return None;
    }
    let screen = screen()?;
    // Asked once: a terminal does not change while the process lives, and asking may read its answer.
    static TERMINAL: OnceLock<Option<Terminal>> = OnceLock::new();
    let terminal = (*TERMINAL.get_or_init(detect::terminal))?;
    let picture = picture(output)?;
    sequence(&picture, terminal, screen)
}

fn picture(output: &Output) -> Option<Picture> {
    let bundle = render::mime(output)?;
    let png = STANDARD.decode(bundle.data.get("image/png")?.as_str()?).ok()?;
    let width =
        bundle.metadata.get("image/png").and_then(|size| size.get("width")).and_then(Value::as_u64);
    let width = width.and_then(|width| u32::try_from(width).ok()).filter(|width| *width > 0);
    let width = width.or_else(|| pixels::decode(&png).map(|pixels| pixels.width))?;
    Some(Picture { png, width })
}

/// Cells of more pixels than this belong to a screen on which everything is drawn twice as fine.
const FINE_CELL: u32 = 13;

fn sequence(picture: &Picture, terminal: Terminal, screen: Screen) -> Option<String> {
    let fineness = if screen.cell.0 >= FINE_CELL { 2 } else { 1 };
    let columns = (picture.width * fineness).div_ceil(screen.cell.0);
    // The last column stays free: some terminals wrap a picture that fills it.
    let columns = columns.min(screen.columns.saturating_sub(1)).max(1);
    let text = match terminal.protocol {
        Protocol::Kitty => kitty(&picture.png, columns, terminal.is_in_tmux),
        Protocol::Iterm => around_tmux(&iterm(&picture.png, columns), terminal.is_in_tmux),
        Protocol::Sixel => {
            let pixels = pixels::decode(&picture.png)?;
            let wanted = (picture.width * fineness).min(columns * screen.cell.0);
            sixel::encode(&pixels.narrowed(wanted))
        }
    };
    Some(text + "\n")
}

/// The size that kitty takes of a picture at once.
const CHUNK: usize = 4096;

/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>: `a=T` shows at once, `f=100` is PNG, `q=2` answers nothing.
fn kitty(png: &[u8], columns: u32, is_in_tmux: bool) -> String {
    let data = STANDARD.encode(png);
    let mut rest = data.as_str();
    let mut out = String::new();
    let mut keys = format!("a=T,f=100,q=2,c={columns},");
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(rest.len().min(CHUNK));
        let more = u8::from(!later.is_empty());
        let piece = format!("\x1b_G{keys}m={more};{chunk}\x1b\\");
        out.push_str(&around_tmux(&piece, is_in_tmux));
        keys.clear();
        rest = later;
    }
    out
}

/// <https://iterm2.com/documentation-images.html>
fn iterm(png: &[u8], columns: u32) -> String {
    let size = png.len();
    let data = STANDARD.encode(png);
    format!("\x1b]1337;File=inline=1;size={size};width={columns};preserveAspectRatio=1:{data}\x07")
}

/// tmux hands on what stands in this envelope, if it is set to (`allow-passthrough on`).
fn around_tmux(sequence: &str, is_in_tmux: bool) -> String {
    match is_in_tmux {
        true => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
        false => sequence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Picture, Protocol, Terminal, pixels, sequence};
    use crate::term::screen::Screen;

    const SCREEN: Screen = Screen { columns: 40, cell: (8, 16) };

    fn picture() -> Picture {
        let pixels = pixels::Pixels { width: 80, height: 12, rgb: vec![200; 80 * 12 * 3] };
        Picture { png: pixels::encode(&pixels), width: 80 }
    }

    fn shown(protocol: Protocol, is_in_tmux: bool) -> String {
        sequence(&picture(), Terminal { protocol, is_in_tmux }, SCREEN).unwrap()
    }

    #[test]
    fn kitty_gets_the_whole_png_in_chunks() {
        let large = Picture { png: vec![7; 10_000], width: 80 };
        let terminal = Terminal { protocol: Protocol::Kitty, is_in_tmux: false };
        let text = sequence(&large, terminal, SCREEN).unwrap();
        let pieces: Vec<&str> =
            text.trim_end().split("\x1b\\").filter(|piece| !piece.is_empty()).collect();
        assert!(pieces[0].starts_with("\x1b_Ga=T,f=100,q=2,c=10,m=1;"), "{}", &pieces[0][..40]);
        assert!(pieces.last().unwrap().starts_with("\x1b_Gm=0;"));
        let data: String = pieces.iter().map(|piece| piece.split_once(';').unwrap().1).collect();
        assert_eq!(STANDARD.decode(data).unwrap(), large.png);
    }

    #[test]
    fn iterm_gets_size_and_width() {
        let text = shown(Protocol::Iterm, false);
        let size = picture().png.len();
        assert!(
            text.starts_with(&format!("\x1b]1337;File=inline=1;size={size};width=10;")),
            "{text}"
        );
        assert!(text.ends_with("\x07\n"));
    }

    #[test]
    fn tmux_gets_an_envelope_and_sixel_none() {
        let text = shown(Protocol::Kitty, true);
        assert!(
            text.starts_with("\x1bPtmux;\x1b\x1b_G") && text.ends_with("\x1b\x1b\\\x1b\\\n"),
            "{text:?}"
        );
        assert!(shown(Protocol::Sixel, true).starts_with("\x1bPq"));
    }

    #[test]
    fn a_picture_is_never_wider_than_the_screen() {
        let wide = Picture { width: 4000, ..picture() };
        let terminal = Terminal { protocol: Protocol::Iterm, is_in_tmux: false };
        assert!(sequence(&wide, terminal, SCREEN).unwrap().contains(";width=39;"));
    }
}
