//! What is not drawn, with the reason: references to the outside, and documents whose drawing would grow without measure.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use super::super::DrawError;

/// Characters of a document.
const MOST_SOURCE: usize = 2 << 20;
/// Elements, attributes aside, with each reference counted as what it refers to.
pub const MOST_ELEMENTS: u32 = 100_000;
const MOST_DEPTH: usize = 200;
/// Elements whose content is not drawn here; a picture with a hole would not be the picture.
const FOREIGN: [&str; 3] = ["image", "feImage", "foreignObject"];

/// What can be said before anything is parsed; a parser may recurse as deep as elements are nested.
pub fn source(svg: &str) -> Result<(), DrawError> {
    if svg.len() > MOST_SOURCE {
        return Err(DrawError(format!("it is longer than {} MB", MOST_SOURCE >> 20)));
    }
    if svg.contains("<!ENTITY") {
        return Err(DrawError("it declares entities".to_owned()));
    }
    Ok(())
}

pub fn document(document: &Document<'_>) -> Result<(), DrawError> {
    let ids: HashMap<&str, Node<'_, '_>> =
        document.descendants().filter_map(|node| Some((node.attribute("id")?, node))).collect();
    for node in document.descendants().filter(Node::is_element) {
        element(node)?;
    }
    let mut weights = Weights { ids, known: HashMap::new() };
    if weights.of(document.root_element(), 0)? > u64::from(MOST_ELEMENTS) {
        let message = format!("it stands for more than {MOST_ELEMENTS} elements");
        return Err(DrawError(message));
    }
    Ok(())
}

fn element(node: Node<'_, '_>) -> Result<(), DrawError> {
    let name = node.tag_name().name();
    if FOREIGN.contains(&name) {
        return Err(DrawError(format!("it contains <{name}>")));
    }
    // References in a style sheet would not be counted.
    let sheet = || node.descendants().filter_map(|text| text.text()).any(refers);
    if name == "style" && sheet() {
        return Err(DrawError("its style sheet refers to something".to_owned()));
    }
    let outside = |value: &str| {
        value
            .split("url(")
            .skip(1)
            .any(|rest| !rest.trim_start_matches([' ', '"', '\'']).starts_with('#'))
    };
    for attribute in node.attributes() {
        let value = attribute.value().trim_start();
        let is_link = attribute.name() == "href" && name != "a" && !value.starts_with('#');
        if is_link || outside(value) {
            let cut: String = value.chars().take(60).collect();
            return Err(DrawError(format!("it refers to something outside: {cut}")));
        }
    }
    Ok(())
}

fn refers(sheet: &str) -> bool {
    sheet.contains("url(") || sheet.contains("@import")
}

/// How many elements an element stands for, references followed.
struct Weights<'a, 'input> {
    ids: HashMap<&'a str, Node<'a, 'input>>,
    /// Of a node in work: 0, so that a circle ends; usvg breaks it too.
    known: HashMap<NodeId, u64>,
}

impl<'a> Weights<'a, '_> {
    fn of(&mut self, node: Node<'a, '_>, depth: usize) -> Result<u64, DrawError> {
        if let Some(known) = self.known.get(&node.id()) {
            return Ok(*known);
        }
        if depth > MOST_DEPTH {
            return Err(DrawError(format!("it is nested deeper than {MOST_DEPTH} elements")));
        }
        self.known.insert(node.id(), 0);
        let mut sum: u64 = 1;
        for child in node.children().filter(Node::is_element) {
            sum = sum.saturating_add(self.of(child, depth + 1)?);
        }
        for attribute in node.attributes() {
            let times = times(node, attribute.name(), attribute.value());
            for target in targets(attribute.value()) {
                let Some(target) = self.ids.get(target).copied() else { continue };
                let weight = self.of(target, depth + 1)?;
                sum = sum.saturating_add(weight.saturating_mul(times));
            }
        }
        self.known.insert(node.id(), sum);
        Ok(sum)
    }
}

/// A marker is drawn at each corner of a line, and a corner takes at least two characters.
fn times(node: Node<'_, '_>, name: &str, value: &str) -> u64 {
    if !name.starts_with("marker") && !value.contains("marker") {
        return 1;
    }
    // Those of a group are drawn on the lines within it.
    let lines = node.descendants().flat_map(|node| [node.attribute("d"), node.attribute("points")]);
    lines.flatten().map(|line| line.len() as u64 / 2 + 1).sum()
}

/// The names that a value refers to: `#name`, `url(#name)`. Colours look the same and name nothing.
fn targets(value: &str) -> impl Iterator<Item = &str> {
    value.split('#').skip(1).map(|rest| {
        let end = rest.find([')', '"', '\'', ' ', ';']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    })
}
