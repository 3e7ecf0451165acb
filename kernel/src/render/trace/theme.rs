//! The colours of the timeline, each for a dark ground and for a light one, and an SVG that has both.
//!
//! The picture is drawn in the light colours, as a PNG shows them: pages it is exported to are light. An SVG is dark for readers
//! who prefer dark: its style sheet names every colour by the attribute that the drawing gave it. So no two colours of a ground are equal,
//! and none is a common one (white): a page that takes the SVG in applies the style sheet to all of itself.

use std::fmt::Write as _;

use ag_runtime::chart::color::Color;

/// One colour of the picture on both grounds.
#[derive(Debug, Clone, Copy)]
struct Pair {
    dark: Color,
    light: Color,
}

const fn pair(dark: u32, light: u32) -> Pair {
    Pair { dark: Color::hex(dark), light: Color::hex(light) }
}

const PAIRS: [Pair; 18] = [
    pair(0x1f242d, 0xf7f9fb),
    pair(0x262c37, 0xe9edf2),
    pair(0x39414f, 0xd3dae3),
    pair(0xdfe4ec, 0x1f2328),
    pair(0x98a2b3, 0x57606a),
    pair(0xd9a441, 0x9a6000),
    pair(0x4fb3a5, 0x0f766b),
    pair(0x5b6576, 0xa3adba),
    pair(0xf2555a, 0xcf222e),
    pair(0xe8ecf2, 0x3b434f),
    pair(0x14181f, 0xfefefe),
    pair(0x6cb6ff, 0x1a66c2),
    pair(0xb392f0, 0x7546cf),
    pair(0x8ddb8c, 0x287a37),
    pair(0xf29ac0, 0xb8356f),
    pair(0x76d7ea, 0x0a7285),
    pair(0xc5d86d, 0x64700c),
    pair(0xa5b4fc, 0x4453c4),
];

pub const GROUND: Color = light(0);
pub const STRIPE: Color = light(1);
pub const GRID: Color = light(2);
pub const INK: Color = light(3);
pub const QUIET: Color = light(4);
pub const LANE: Color = light(5);
pub const MEMORY: Color = light(6);
pub const WAIT: Color = light(7);
pub const FAULT: Color = light(8);
pub const ARROW: Color = light(9);
/// On bars.
pub const BAR_INK: Color = light(10);
/// Agents by order of appearance; all far from the colours above.
pub const AGENTS: [Color; 7] =
    [light(11), light(12), light(13), light(14), light(15), light(16), light(17)];

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn light(at: usize) -> Color {
    PAIRS[at].light
}

/// What paints a shape.
const ATTRIBUTES: [&str; 2] = ["fill", "stroke"];

/// An attribute with a colour, as the drawing writes it. In texts quotes are escaped, so it stands nowhere else.
fn attribute(name: &str, color: Color) -> String {
    format!("{name}=\"{}\"", color.to_string().to_uppercase())
}

/// The SVG of a drawing in the light colours as one for both grounds.
pub fn both(svg: &str) -> String {
    let mut rules = String::new();
    for name in ATTRIBUTES {
        for Pair { dark, light } in PAIRS {
            let _ = write!(rules, "[{}]{{{name}:{dark}}}", attribute(name, light));
        }
    }
    let style = format!("<style>@media (prefers-color-scheme:dark){{{rules}}}</style>");
    // After the opening tag of the picture itself.
    svg.replacen('>', &format!(">{style}"), 1)
}

#[cfg(test)]
mod tests {
    use super::{AGENTS, BAR_INK, Color, FAULT, GROUND, INK, LANE, MEMORY, PAIRS, QUIET, both};

    fn dark(light: Color) -> Color {
        PAIRS.iter().find(|pair| pair.light == light).map_or(light, |pair| pair.dark)
    }

    /// As WCAG counts it.
    fn contrast(one: Color, other: Color) -> f64 {
        let luminance = |color: Color| {
            let linear = |channel: u8| {
                let share = f64::from(channel) / 255.0;
                if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
        };
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn texts_read_on_both_grounds() {
        for of in [|color: Color| color, dark] {
            for ink in [INK, QUIET, LANE].into_iter().chain(AGENTS) {
                let found = contrast(of(ink), of(GROUND));
                assert!(found >= 4.5, "{ink} on the ground: {found:.1}");
            }
            for bar in [LANE, MEMORY, FAULT].into_iter().chain(AGENTS) {
                let found = contrast(of(BAR_INK), of(bar));
                assert!(found >= 4.5, "text on {bar}: {found:.1}");
            }
        }
    }

    #[test]
    fn no_two_colors_of_a_ground_are_equal() {
        for (at, one) in PAIRS.iter().enumerate() {
            for other in PAIRS.iter().skip(at + 1) {
                assert!(one.light != other.light && one.dark != other.dark, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_stands_in_a_text_stays() {
        let svg = "<svg width=\"1\"><text fill=\"#1F2328\">#1F2328</text></svg>";
        let both = both(svg);
        assert!(both.ends_with("<text fill=\"#1F2328\">#1F2328</text></svg>"), "{both}");
        assert!(both.contains("[fill=\"#1F2328\"]{fill:#dfe4ec}"), "{both}");
    }
}
