//! How much memory a drawing takes: opacity, masks, clips, filters and patterns are drawn on layers of their own, one within
//! the other, and resvg allocates each without asking.

use resvg::tiny_skia::Rect;
use resvg::usvg::{ClipPath, Group, Mask, Node, Paint, Path, Pattern, Transform};

/// A layer may reach this many times beyond the picture, on each axis.
const BEYOND: f64 = 5.0;
const BYTES_PER_PIXEL: f64 = 4.0;

/// A picture of this size, in pixels, drawn at `scale`.
pub struct Canvas {
    pub width: f64,
    pub height: f64,
    pub scale: f64,
}

impl Canvas {
    /// Bytes of the layers that exist at one time, at most. References are followed; [`super::check`] has bounded how many
    /// there are.
    pub fn bytes(&self, root: &Group) -> f64 {
        self.group(root)
    }

    fn group(&self, group: &Group) -> f64 {
        let area = self.area(group.abs_layer_bounding_box().to_rect());
        let own = if group.should_isolate() { area } else { 0.0 };
        let steps: usize = group.filters().iter().map(|filter| filter.primitives().len() + 2).sum();
        let mask = group.mask().map_or(0.0, |mask| self.mask(mask, area));
        let clip = group.clip_path().map_or(0.0, |clip| self.clip(clip, area));
        let within = group.children().iter().map(|node| self.node(node)).fold(0.0, f64::max);
        own + area * steps as f64 + within.max(mask).max(clip)
    }

    fn mask(&self, mask: &Mask, area: f64) -> f64 {
        let outer = mask.mask().map_or(0.0, |mask| self.mask(mask, area));
        area * 2.0 + outer + self.group(mask.root())
    }

    fn clip(&self, clip: &ClipPath, area: f64) -> f64 {
        let outer = clip.clip_path().map_or(0.0, |clip| self.clip(clip, area));
        area + outer + self.group(clip.root())
    }

    fn node(&self, node: &Node) -> f64 {
        match node {
            Node::Group(group) => self.group(group),
            Node::Path(path) => self.path(path),
            Node::Image(_) | Node::Text(_) => 0.0,
        }
    }

    fn path(&self, path: &Path) -> f64 {
        let paints = [path.fill().map(|fill| fill.paint()), path.stroke().map(|line| line.paint())];
        let patterns = paints.into_iter().flatten().map(|paint| match paint {
            Paint::Pattern(pattern) => self.pattern(pattern, path.abs_transform()),
            Paint::Color(_) | Paint::LinearGradient(_) | Paint::RadialGradient(_) => 0.0,
        });
        patterns.fold(0.0, f64::max)
    }

    /// One tile, however much of it is seen.
    fn pattern(&self, pattern: &Pattern, place: Transform) -> f64 {
        let (sx, sy) = place.pre_concat(pattern.transform()).get_scale();
        let rect = pattern.rect();
        let tile = f64::from(rect.width() * sx) * f64::from(rect.height() * sy);
        tile * self.scale * self.scale * BYTES_PER_PIXEL + self.group(pattern.root())
    }

    fn area(&self, bounds: Rect) -> f64 {
        let width = f64::from(bounds.width()).min(self.width * BEYOND) * self.scale + 4.0;
        let height = f64::from(bounds.height()).min(self.height * BEYOND) * self.scale + 4.0;
        width * height * BYTES_PER_PIXEL
    }
}
