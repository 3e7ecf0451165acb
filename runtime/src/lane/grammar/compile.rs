//! From the shape of a type to the rules of its JSON (L-121): objects with their fields in order, texts, numbers and lists
//! with bounds, one optional space after a comma or colon.
//!
//! Each rule knows the fewest tokens and the least nesting that finish it, so that the machine never begins what it cannot end.
//! Never: reads a reply; what is written by these rules is read by `value::from_json` like any other reply.

use crate::lane::grammar::vocabulary::Vocabulary;
use crate::value::shape::{EnumShape, FieldShape, Shape, ShapeId, option_of, shape};
use rustc_hash::FxHashMap;

/// How deep rules may stand in each other. Replies are read with a bound of 64 steps, each at least one rule deep.
pub const DEEPEST: u32 = 60;
/// Characters of one text. A small model that found no end by then will find none.
pub const TEXT_CHARS: u32 = 400;
const LIST_ITEMS: u32 = 32;
const BYTES_GROUPS: u32 = 64;
/// Levels of a Dyn.
const DYN_LEVELS: u32 = 3;
/// Larger than any real cost; sums of it do not overflow.
const ENDLESS: u32 = 1 << 24;

pub type RuleId = u32;

/// A number's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits {
    pub whole: u32,
    pub decimals: u32,
}

#[derive(Debug)]
pub(in crate::lane::grammar) enum Rule {
    /// Not written yet; never in a finished grammar.
    Open,
    /// One of some fixed texts, sorted, none the beginning of another.
    Words(Box<[Word]>),
    /// One space, or none.
    Space,
    /// One after the other; `rest` is what comes after each costs.
    Seq {
        items: Box<[RuleId]>,
        rest: Box<[u32]>,
    },
    /// Told apart by their first byte.
    OneOf(Box<[RuleId]>),
    List {
        open: u8,
        close: u8,
        item: RuleId,
        most: u32,
    },
    Text {
        most: u32,
    },
    Number(Digits),
    Duration,
    Time,
    Bytes {
        groups: u32,
    },
}

#[derive(Debug)]
pub(in crate::lane::grammar) struct Word {
    pub bytes: Box<[u8]>,
    /// The fewest tokens for each rest of it.
    pub fewest: Box<[u32]>,
    pub then: Option<RuleId>,
}

/// The rules of one type.
pub struct Grammar {
    pub(in crate::lane::grammar) rules: Vec<Rule>,
    /// The fewest tokens of each rule.
    pub(in crate::lane::grammar) fewest: Vec<u32>,
    /// The least nesting of each rule.
    pub(in crate::lane::grammar) least_depth: Vec<u32>,
    pub(in crate::lane::grammar) root: RuleId,
}

impl Grammar {
    /// `None` for a type without JSON form, or without a finite value.
    #[must_use]
    pub fn of(id: ShapeId, vocabulary: &Vocabulary) -> Option<Self> {
        let mut compiler = Compiler { vocabulary, rules: Vec::new(), known: FxHashMap::default() };
        let root = compiler.shape(id)?;
        let mut grammar =
            Self { rules: compiler.rules, fewest: Vec::new(), least_depth: Vec::new(), root };
        grammar.measure();
        let is_finite = grammar.fewest_tokens() < ENDLESS && grammar.depth_of(root) <= DEEPEST;
        is_finite.then_some(grammar)
    }

    /// The fewest tokens of any reply.
    #[must_use]
    pub fn fewest_tokens(&self) -> u32 {
        self.cost_of(self.root)
    }

    pub(in crate::lane::grammar) fn cost_of(&self, rule: RuleId) -> u32 {
        self.fewest.get(rule as usize).copied().unwrap_or(ENDLESS)
    }

    pub(in crate::lane::grammar) fn depth_of(&self, rule: RuleId) -> u32 {
        self.least_depth.get(rule as usize).copied().unwrap_or(ENDLESS)
    }

    /// Least solutions: begin with "endless" and repeat until nothing gets less. Recursive rules end at their way out.
    fn measure(&mut self) {
        self.fewest = vec![ENDLESS; self.rules.len()];
        self.least_depth = vec![ENDLESS; self.rules.len()];
        loop {
            let cost: Vec<u32> = self.rules.iter().map(|rule| self.cost(rule)).collect();
            let depth: Vec<u32> = self.rules.iter().map(|rule| self.depth(rule)).collect();
            let is_done = cost == self.fewest && depth == self.least_depth;
            (self.fewest, self.least_depth) = (cost, depth);
            if is_done {
                break;
            }
        }
        let fewest = &self.fewest;
        for rule in &mut self.rules {
            let Rule::Seq { items, rest } = rule else { continue };
            let cost = |item: &RuleId| fewest.get(*item as usize).copied().unwrap_or(ENDLESS);
            let after = |at: usize| items.iter().skip(at + 1).map(cost).sum::<u32>();
            *rest = (0..items.len()).map(|at| after(at).min(ENDLESS)).collect();
        }
    }

    fn cost(&self, rule: &Rule) -> u32 {
        let cost = match rule {
            Rule::Open => ENDLESS,
            Rule::Words(words) => {
                words.iter().map(|word| self.word_cost(word, 0)).min().unwrap_or(0)
            }
            Rule::Space => 0,
            Rule::Seq { items, .. } => {
                items.iter().map(|item| self.cost_of(*item)).fold(0, u32::saturating_add)
            }
            Rule::OneOf(rules) => rules.iter().map(|rule| self.cost_of(*rule)).min().unwrap_or(0),
            Rule::List { .. } | Rule::Text { .. } | Rule::Bytes { .. } => 2,
            Rule::Number(_) => 1,
            // "1s" and "2026-01-31T12:00:00Z", a byte a token.
            Rule::Duration => 4,
            Rule::Time => 22,
        };
        cost.min(ENDLESS)
    }

    /// What is left of a word from that byte on, and what comes after it.
    pub(in crate::lane::grammar) fn word_cost(&self, word: &Word, at: usize) -> u32 {
        let rest = word.fewest.get(at).copied().unwrap_or(ENDLESS);
        rest.saturating_add(word.then.map_or(0, |then| self.cost_of(then)))
    }

    fn depth(&self, rule: &Rule) -> u32 {
        let depth_of = |rule: &RuleId| self.depth_of(*rule);
        let inside = match rule {
            Rule::Open => ENDLESS,
            Rule::Words(words) => {
                words.iter().map(|word| word.then.as_ref().map_or(0, depth_of)).min().unwrap_or(0)
            }
            Rule::Seq { items, .. } => items.iter().map(depth_of).max().unwrap_or(0),
            Rule::OneOf(rules) => rules.iter().map(depth_of).min().unwrap_or(0),
            _ => 0,
        };
        inside.saturating_add(1).min(ENDLESS)
    }
}

struct Compiler<'v> {
    vocabulary: &'v Vocabulary,
    rules: Vec<Rule>,
    known: FxHashMap<ShapeId, RuleId>,
}

impl Compiler<'_> {
    fn add(&mut self, rule: Rule) -> RuleId {
        self.rules.push(rule);
        (self.rules.len() - 1) as RuleId
    }

    fn seq(&mut self, items: Vec<RuleId>) -> RuleId {
        self.add(Rule::Seq { items: items.into(), rest: Box::default() })
    }

    fn words(&mut self, words: Vec<(String, Option<RuleId>)>) -> RuleId {
        let mut words: Vec<Word> = words
            .into_iter()
            .map(|(text, then)| Word {
                fewest: self.vocabulary.fewest_tokens(text.as_bytes()),
                bytes: text.into_bytes().into(),
                then,
            })
            .collect();
        words.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        self.add(Rule::Words(words.into()))
    }

    fn word(&mut self, text: &str) -> RuleId {
        self.words(vec![(text.to_owned(), None)])
    }

    /// The rule of a shape, written once; a recursive one refers to itself.
    fn shape(&mut self, id: ShapeId) -> Option<RuleId> {
        if let Some(rule) = self.known.get(&id) {
            return Some(*rule);
        }
        let place = self.add(Rule::Open);
        self.known.insert(id, place);
        let rule = self.rule(id)?;
        if let Some(slot) = self.rules.get_mut(place as usize) {
            *slot = rule;
        }
        Some(place)
    }

    fn rule(&mut self, id: ShapeId) -> Option<Rule> {
        let list = |item, most| Rule::List { open: b'[', close: b']', item, most };
        Some(match shape(id) {
            Shape::Unit => self.only("null"),
            Shape::Bool => {
                let words = vec![("true".to_owned(), None), ("false".to_owned(), None)];
                let words = self.words(words);
                Rule::OneOf(Box::new([words]))
            }
            Shape::Int => Rule::Number(Digits { whole: 18, decimals: 0 }),
            Shape::Float => Rule::Number(Digits { whole: 15, decimals: 6 }),
            Shape::Money => Rule::Number(Digits { whole: 9, decimals: 6 }),
            Shape::Text | Shape::Opaque("Lane" | "EpisodeId") => Rule::Text { most: TEXT_CHARS },
            Shape::Bytes => Rule::Bytes { groups: BYTES_GROUPS },
            Shape::Duration => Rule::Duration,
            Shape::Time => Rule::Time,
            Shape::Dyn => {
                let rule = self.dynamic(DYN_LEVELS);
                Rule::OneOf(Box::new([rule]))
            }
            Shape::Vector => list(self.shape(ShapeId::FLOAT)?, LIST_ITEMS),
            Shape::List(element) | Shape::Set(element) => list(self.shape(*element)?, LIST_ITEMS),
            Shape::Map(key, value) if *key == ShapeId::TEXT => {
                let value = self.shape(*value)?;
                self.map(value)
            }
            Shape::Map(key, value) => {
                let pair = self.tuple(&[*key, *value])?;
                list(pair, LIST_ITEMS)
            }
            Shape::Tuple(items) => {
                let rule = self.tuple(items)?;
                Rule::OneOf(Box::new([rule]))
            }
            Shape::Record(record) if record.is_tool => return None,
            Shape::Record(record) => {
                let rule = self.object(&record.fields)?;
                Rule::OneOf(Box::new([rule]))
            }
            Shape::Enum(of) => match option_of(id) {
                Some(inner) => self.optional(inner)?,
                None => self.variants(of)?,
            },
            Shape::Opaque(_)
            | Shape::Function(_)
            | Shape::AgentRef(_)
            | Shape::Future(_)
            | Shape::Channel(_) => return None,
        })
    }

    fn only(&mut self, text: &str) -> Rule {
        let word = self.word(text);
        Rule::OneOf(Box::new([word]))
    }

    fn optional(&mut self, inner: ShapeId) -> Option<Rule> {
        let value = self.shape(inner)?;
        if takes_null(inner) {
            return Some(Rule::OneOf(Box::new([value])));
        }
        let null = self.word("null");
        Some(Rule::OneOf(Box::new([null, value])))
    }

    fn tuple(&mut self, items: &[ShapeId]) -> Option<RuleId> {
        let mut parts = vec![self.word("[")];
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                parts.push(self.word(","));
                parts.push(self.add(Rule::Space));
            }
            parts.push(self.shape(*item)?);
        }
        parts.push(self.word("]"));
        Some(self.seq(parts))
    }

    fn object(&mut self, fields: &[FieldShape]) -> Option<RuleId> {
        if fields.is_empty() {
            return Some(self.word("{}"));
        }
        let mut parts = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let begins = if at == 0 { "{" } else { "," };
            self.field(begins, field, &mut parts)?;
        }
        parts.push(self.word("}"));
        Some(self.seq(parts))
    }

    /// `,"name": value`; the space before the name is free after a comma.
    fn field(&mut self, begins: &str, field: &FieldShape, parts: &mut Vec<RuleId>) -> Option<()> {
        let name = format!("{}:", quoted(&field.name));
        if begins == "," {
            parts.push(self.word(","));
            parts.push(self.add(Rule::Space));
            parts.push(self.word(&name));
        } else {
            parts.push(self.word(&format!("{begins}{name}")));
        }
        parts.push(self.add(Rule::Space));
        parts.push(self.shape(field.shape)?);
        Some(())
    }

    /// Units alone are texts; with payloads each is an object with its kind first.
    fn variants(&mut self, of: &EnumShape) -> Option<Rule> {
        if of.is_unit_only() {
            let words = of.variants.iter().map(|v| (quoted(&v.name), None)).collect();
            let words = self.words(words);
            return Some(Rule::OneOf(Box::new([words])));
        }
        let mut kinds = Vec::new();
        for variant in &of.variants {
            let mut parts = Vec::new();
            for field in &variant.fields {
                self.field(",", field, &mut parts)?;
            }
            parts.push(self.word("}"));
            kinds.push((quoted(&variant.name), Some(self.seq(parts))));
        }
        let parts = vec![self.word("{\"kind\":"), self.add(Rule::Space), self.words(kinds)];
        let rule = self.seq(parts);
        Some(Rule::OneOf(Box::new([rule])))
    }

    fn map(&mut self, value: RuleId) -> Rule {
        let parts = vec![
            self.add(Rule::Text { most: TEXT_CHARS / 4 }),
            self.word(":"),
            self.add(Rule::Space),
            value,
        ];
        let item = self.seq(parts);
        Rule::List { open: b'{', close: b'}', item, most: LIST_ITEMS / 2 }
    }

    fn dynamic(&mut self, levels: u32) -> RuleId {
        let mut rules = vec![
            self.add(Rule::Text { most: TEXT_CHARS }),
            self.add(Rule::Number(Digits { whole: 15, decimals: 6 })),
            self.words(["null", "true", "false"].map(|w| (w.to_owned(), None)).to_vec()),
        ];
        if levels > 0 {
            let value = self.dynamic(levels - 1);
            let list = Rule::List { open: b'[', close: b']', item: value, most: LIST_ITEMS / 2 };
            rules.push(self.add(list));
            let map = self.map(value);
            rules.push(self.add(map));
        }
        self.add(Rule::OneOf(rules.into()))
    }
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// Whether `null` is one of its values; then it needs no second one.
fn takes_null(id: ShapeId) -> bool {
    option_of(id).is_some() || matches!(shape(id), Shape::Unit | Shape::Dyn)
}
