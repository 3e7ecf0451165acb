use std::time::{Duration, Instant};

use super::{Raster, png};

struct Pixels {
    width: usize,
    bytes: Vec<u8>,
}

impl Pixels {
    /// Red, green, blue and how opaque, at a place of the SVG.
    fn at(&self, x: usize, y: usize) -> [u8; 4] {
        let from = (y * 2 * self.width + x * 2) * 4;
        self.bytes[from..from + 4].try_into().unwrap()
    }

    /// Leftmost, rightmost, top and bottom ink within columns, in the SVG's own pixels.
    fn ink(&self, columns: std::ops::Range<usize>) -> [f64; 4] {
        let inked = |at: &usize| self.bytes[at * 4 + 3] > 100;
        let places =
            (0..self.bytes.len() / 4).filter(inked).map(|at| (at % self.width, at / self.width));
        let places: Vec<_> = places.filter(|(x, _)| columns.contains(&(x / 2))).collect();
        let (xs, ys) = (places.iter().map(|p| p.0), places.iter().map(|p| p.1));
        let half = |n: Option<usize>| n.expect("ink") as f64 / 2.0;
        [half(xs.clone().min()), half(xs.max()), half(ys.clone().min()), half(ys.max())]
    }
}

fn pixels(raster: &Raster) -> Pixels {
    let mut reader = png::Decoder::new(std::io::Cursor::new(&raster.png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut bytes).unwrap();
    Pixels { width: reader.info().width as usize, bytes }
}

fn drawn(body: &str) -> Pixels {
    let svg = format!("<svg width=\"200\" height=\"100\">{body}</svg>");
    let raster = png(&svg).unwrap();
    assert_eq!((raster.width, raster.height), (200, 100));
    pixels(&raster)
}

fn refused(svg: &str) -> String {
    png(svg).map(|raster| (raster.width, raster.height)).unwrap_err().0
}

#[test]
fn shapes_have_their_places_and_colours() {
    let pixels = drawn(
        "<style>.b { fill: #00f }</style><rect width='50' height='100' fill='red'/>\
         <g transform='translate(100 0)'><rect class='b' width='50' height='50' opacity='0.5'/></g>",
    );
    assert_eq!(pixels.at(25, 50), [255, 0, 0, 255]);
    assert_eq!(pixels.at(75, 50), [0, 0, 0, 0]);
    let [red, green, blue, alpha] = pixels.at(125, 25);
    assert!((red, green, blue) == (0, 0, 255) && alpha.abs_diff(128) < 3);
}

#[test]
fn texts_stand_where_their_anchors_are() {
    let text = |anchor: &str| {
        let body =
            format!("<text x='100' y='50' font-size='20' text-anchor='{anchor}'>HHHH</text>");
        drawn(&body).ink(0..200)
    };
    let ([left, right, top, bottom], middle, end) = (text("start"), text("middle"), text("end"));
    // Capitals are about seven tenths of a size high and stand on `y`.
    assert!((bottom - 50.0).abs() <= 1.0 && (50.0 - top - 14.0).abs() < 2.0, "{top} {bottom}");
    assert!((left - 100.0 - 2.0).abs() < 2.0 && right > 150.0, "{left} {right}");
    assert!(((middle[0] + middle[1]) / 2.0 - 100.0).abs() < 1.0, "{middle:?}");
    assert!((100.0 - end[1] - 2.0).abs() < 2.0, "{end:?}");
}

#[test]
fn texts_inherit_turn_and_go_on() {
    let turned =
        drawn("<text transform='rotate(90 20 10)' x='20' y='10'>a label</text>").ink(0..200);
    assert!(turned[3] - turned[2] > 3.0 * (turned[1] - turned[0]), "{turned:?}");
    let pixels = drawn(
        "<g fill='#0f0' style='font-size: 1.5em; font-family: monospace'>\
         <text x='10' y='40'>II<tspan dy='1em' fill='#f00'>I</tspan></text></g>",
    );
    // A fixed-width cell of 24 pixels is 14.4 wide.
    let (first, last) = (pixels.ink(10..38), pixels.ink(39..60));
    assert!((last[3] - first[3] - 24.0).abs() < 1.0, "{first:?} {last:?}");
    let color = |x: f64, y: f64| pixels.at(x as usize, y as usize);
    assert_eq!(color(17.0, 30.0)[..3], [0, 255, 0]);
    assert_eq!(color(17.0 + 28.8, 54.0)[..3], [255, 0, 0]);
}

#[test]
fn escaped_letters_stay_letters() {
    let pixels = drawn("<text x='10' y='50' id='a&quot;&lt;'>&lt;rect&gt; &amp; ü 中</text>");
    assert!(pixels.ink(0..200)[1] > 60.0);
}

#[test]
fn a_document_with_a_size_of_its_own_keeps_it() {
    let raster = png("<svg viewBox='0 0 30 10'><circle cx='5' cy='5' r='5'/></svg>").unwrap();
    assert_eq!((raster.width, raster.height), (30, 10));
    let large = png("<svg width='4096' height='2'><rect width='9' height='9'/></svg>").unwrap();
    assert_eq!(pixels(&large).width, 4096);
}

#[test]
fn what_lies_outside_is_refused() {
    for (body, reason) in [
        ("<image href='file:///etc/passwd'/>", "<image>"),
        ("<image href='data:image/png;base64,AAAA'/>", "<image>"),
        ("<foreignObject><p>text</p></foreignObject>", "<foreignObject>"),
        ("<filter id='f'><feImage href='x.png'/></filter>", "<feImage>"),
        ("<use href='/etc/passwd#a'/>", "outside: /etc/passwd#a"),
        ("<rect fill='url(https://host/x#a)'/>", "outside: url(https"),
        ("<style>@import 'x.css';</style>", "style sheet"),
        ("<style>rect { fill: url(x.svg#a) }</style>", "style sheet"),
    ] {
        let said = refused(&format!(
            "<svg xmlns:xlink='http://www.w3.org/1999/xlink' width='9' height='9'>{body}</svg>"
        ));
        assert!(said.contains(reason), "{body}: {said}");
    }
    let link = "<svg xmlns:xlink='http://www.w3.org/1999/xlink'><use xlink:href='file:x'/></svg>";
    assert!(refused(link).contains("outside"));
}

/// Each is refused, soon, and with a reason.
#[test]
fn what_would_grow_without_measure_is_refused() {
    let mut laughs = "<!DOCTYPE svg [<!ENTITY a0 'ha'>".to_owned();
    let mut uses =
        "<svg width='9' height='9'><g id='u0'><rect width='1' height='1'/></g>".to_owned();
    for n in 1..40 {
        let copies = format!("&a{};", n - 1).repeat(10);
        laughs.push_str(&format!("<!ENTITY a{n} '{copies}'>"));
        let before = format!("<use href='#u{}'/>", n - 1);
        uses.push_str(&format!("<g id='u{n}'>{before}{before}</g>"));
    }
    laughs.push_str("]><svg width='9' height='9'><text>&a39;</text></svg>");
    uses.push_str("</svg>");
    let deep = format!(
        "<svg width='9' height='9'>{}{}</svg>",
        "<g>".repeat(95_000),
        "</g>".repeat(95_000)
    );
    let marked = format!(
        "<svg width='9' height='9'><marker id='m'>{}</marker><path marker-mid='url(#m)' d='M0 0{}'/></svg>",
        "<rect/>".repeat(1_000),
        "l1 1".repeat(10_000)
    );
    let lettered = format!("<svg width='9' height='9'><text>{}</text></svg>", "a".repeat(30_000));
    let layered = format!(
        "<svg width='4000' height='4000'>{}<rect width='4000' height='4000'/>{}</svg>",
        "<g opacity='0.9'>".repeat(150),
        "</g>".repeat(150)
    );
    let tiled = "<svg width='9' height='9'><pattern id='p' patternUnits='userSpaceOnUse' width='99999' \
                 height='99999'><rect width='9' height='9'/></pattern><rect width='9' height='9' fill='url(#p)'/></svg>";
    let begun = Instant::now();
    for (svg, reason) in [
        (laughs.as_str(), "entities"),
        (&uses, "more than 100000 elements"),
        (&deep, "nested deeper"),
        (&marked, "more than 100000 elements"),
        (&lettered, "letters"),
        (&layered, "layers"),
        (tiled, "layers"),
        ("<svg width='5000' height='10'/>", "more than 4096 a side"),
        ("<svg width='1e9' height='1e9'/>", "more than 4096 a side"),
        ("<svg width='-1' height='0'/>", "size"),
        (&" ".repeat(3 << 20), "longer than 2 MB"),
        ("<svg><g></svg>", "not an SVG document"),
        ("no markup", "not an SVG document"),
        ("", "not an SVG document"),
    ] {
        let said = refused(svg);
        assert!(said.contains(reason), "{reason}: {said}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn what_a_chart_needs_is_not_refused() {
    let pixels = drawn(
        "<defs><linearGradient id='l'><stop stop-color='red'/><stop offset='1' stop-color='blue'/></linearGradient>\
         <pattern id='p' width='4' height='4' patternUnits='userSpaceOnUse'><rect width='4' height='4' fill='lime'/></pattern>\
         <clipPath id='c'><rect x='100' width='50' height='50'/></clipPath>\
         <filter id='f'><feGaussianBlur stdDeviation='2'/></filter>\
         <marker id='m' markerWidth='4' markerHeight='4'><circle r='2' cx='2' cy='2'/></marker></defs>\
         <rect width='50' height='50' fill='url(#l)'/><rect x='50' width='50' height='50' fill='url(#p)'/>\
         <g clip-path='url(#c)'><rect x='100' width='100' height='100'/></g>\
         <circle cx='50' cy='75' r='10' filter='url(#f)'/><path d='M100 75h50' stroke='red' marker-end='url(#m)'/>",
    );
    let [red, _, blue, _] = pixels.at(2, 25);
    assert!(red > 200 && blue < 60, "{red} {blue}");
    assert_eq!(pixels.at(75, 25), [0, 255, 0, 255]);
    assert_eq!((pixels.at(125, 25), pixels.at(175, 25)), ([0, 0, 0, 255], [0, 0, 0, 0]));
    assert_eq!(pixels.at(50, 75), [0, 0, 0, 255]);
}

#[test]
fn circles_of_references_end() {
    drawn("<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/><use href='#b'/></g>");
}

/// Few elements with much work each: no drawing holds up a cell for long.
#[test]
fn a_drawing_has_a_time() {
    let mut svg = "<svg width='2000' height='2000'><filter id='f'>".to_owned();
    svg.push_str("<feTurbulence numOctaves='9' baseFrequency='0.05'/></filter>");
    for _ in 0..8 {
        svg.push_str("<rect width='2000' height='2000' filter='url(#f)'/>");
    }
    svg.push_str("</svg>");
    let begun = Instant::now();
    let said = refused(&svg);
    assert!(said.contains("within 2 s") || said.contains("still being drawn"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(8));
}
