//! The tokens of a model, in the order a machine over bytes wants to see them.
//!
//! A trie in preorder: what a prefix rules out is skipped with one jump. Inside a text nearly every token is allowed, so those
//! that are only whole characters are kept apart and need no walk. Never: control tokens, encoding of prompts.

/// No token ends here.
const NONE: u32 = u32::MAX;

/// The tokens that may be written, by id.
pub struct Vocabulary {
    tokens: Vec<Option<Box<[u8]>>>,
    all: Trie,
    /// Tokens with a quote, an escape or half a character: the only ones a text must be careful with.
    special: Trie,
    plain: Vec<Plain>,
}

/// A token that is `chars` ordinary characters of a JSON text.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    pub token: u32,
    pub chars: u32,
}

/// Byte strings in preorder.
#[derive(Default)]
pub struct Trie {
    nodes: Vec<Node>,
    deepest: usize,
}

#[derive(Clone, Copy)]
pub(in crate::lane::grammar) struct Node {
    pub byte: u8,
    /// 1 for a first byte.
    pub depth: u16,
    /// The node after the last one that begins with this prefix.
    pub end: u32,
    pub token: Option<u32>,
}

impl Vocabulary {
    /// `tokens[id]` is what the token writes; `None` for those that write nothing, such as the ends of turns.
    #[must_use]
    pub fn new(tokens: Vec<Option<Box<[u8]>>>) -> Self {
        let is_written = |bytes: &[u8]| !bytes.is_empty() && bytes.len() <= usize::from(u16::MAX);
        let mut sorted: Vec<(&[u8], u32)> = (0u32..)
            .zip(&tokens)
            .filter_map(|(id, bytes)| Some((bytes.as_deref()?, id)))
            .filter(|(bytes, _)| is_written(bytes))
            .collect();
        sorted.sort_unstable();
        sorted.dedup_by(|a, b| a.0 == b.0);
        let all = Trie::of(&sorted);
        let chars = |bytes: &[u8]| plain_chars(bytes);
        let plain = sorted
            .iter()
            .filter_map(|(bytes, token)| Some(Plain { token: *token, chars: chars(bytes)? }))
            .collect();
        sorted.retain(|(bytes, _)| chars(bytes).is_none());
        let special = Trie::of(&sorted);
        Self { tokens, all, special, plain }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// What a token writes.
    #[must_use]
    pub fn bytes(&self, token: u32) -> Option<&[u8]> {
        self.tokens.get(token as usize)?.as_deref()
    }

    pub(in crate::lane::grammar) fn all(&self) -> &Trie {
        &self.all
    }

    pub(in crate::lane::grammar) fn special(&self) -> &Trie {
        &self.special
    }

    pub(in crate::lane::grammar) fn plain(&self) -> &[Plain] {
        &self.plain
    }

    /// Whether every byte that may be needed to finish a reply is a token of its own: what JSON is written with, and the later
    /// bytes of long characters.
    #[must_use]
    pub fn can_finish_all(&self) -> bool {
        (b' '..=b'~').chain(0x80..=0xbf).all(|byte| self.all.longest(&[byte]).next() == Some(1))
    }

    /// For each end of `text` the fewest tokens that write it; the last is 0.
    #[must_use]
    pub fn fewest_tokens(&self, text: &[u8]) -> Box<[u32]> {
        let mut fewest = vec![u32::MAX; text.len() + 1];
        if let Some(last) = fewest.last_mut() {
            *last = 0;
        }
        for from in (0..text.len()).rev() {
            let rest = text.get(from..).unwrap_or_default();
            let best = self.all.longest(rest).filter_map(|length| fewest.get(from + length)).min();
            let best = best.copied().unwrap_or(u32::MAX);
            if let Some(slot) = fewest.get_mut(from) {
                *slot = best.saturating_add(1);
            }
        }
        fewest.into()
    }
}

impl Trie {
    fn of(sorted: &[(&[u8], u32)]) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut deepest = 0;
        let mut previous: &[u8] = &[];
        for (bytes, token) in sorted {
            let shared = bytes.iter().zip(previous).take_while(|(a, b)| a == b).count();
            close(&mut nodes, &mut open, shared);
            for (at, byte) in bytes.iter().enumerate().skip(shared) {
                open.push(nodes.len());
                let token = (at + 1 == bytes.len()).then_some(*token);
                nodes.push(Node { byte: *byte, depth: (at + 1) as u16, end: NONE, token });
            }
            deepest = deepest.max(bytes.len());
            previous = bytes;
        }
        close(&mut nodes, &mut open, 0);
        Self { nodes, deepest }
    }

    pub(in crate::lane::grammar) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(in crate::lane::grammar) fn deepest(&self) -> usize {
        self.deepest
    }

    /// The lengths of the tokens that `text` begins with.
    fn longest<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let mut at = 0usize;
        let mut until = self.nodes.len();
        text.iter()
            .enumerate()
            .map_while(move |(depth, byte)| {
                // The children of a node follow it; siblings are one jump apart.
                while at < until {
                    let node = self.nodes.get(at)?;
                    if node.byte == *byte {
                        until = node.end as usize;
                        at += 1;
                        return Some(node.token.map(|_| depth + 1));
                    }
                    at = node.end as usize;
                }
                None
            })
            .flatten()
    }
}

/// Ends the nodes deeper than `keep`.
fn close(nodes: &mut [Node], open: &mut Vec<usize>, keep: usize) {
    let end = nodes.len() as u32;
    for at in open.drain(keep.min(open.len())..) {
        if let Some(node) = nodes.get_mut(at) {
            node.end = end;
        }
    }
}

/// The number of characters, if all are ones that stand for themselves in a JSON text.
fn plain_chars(bytes: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_plain = |c: char| c >= ' ' && !matches!(c, '"' | '\\');
    text.chars().all(is_plain).then(|| text.chars().count() as u32)
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;

    fn vocabulary(words: &[&str]) -> Vocabulary {
        let bytes = (0..=u8::MAX).map(|byte| vec![byte].into_boxed_slice());
        let words = words.iter().map(|word| word.as_bytes().to_vec().into_boxed_slice());
        Vocabulary::new(bytes.chain(words).map(Some).collect())
    }

    #[test]
    fn the_fewest_tokens_of_a_text() {
        let vocabulary = vocabulary(&["ki", "kind", "nd\"", "\":"]);
        assert!(vocabulary.can_finish_all());
        assert_eq!(&*vocabulary.fewest_tokens(b"kind\":"), [2, 3, 2, 2, 1, 1, 0]);
        assert_eq!(&*vocabulary.fewest_tokens(b""), [0]);
    }

    #[test]
    fn texts_keep_what_is_only_characters_apart() {
        let vocabulary = vocabulary(&["héllo", "a\"", "\\n", "\u{7f}!", "é"]);
        let plain: Vec<u32> = vocabulary.plain().iter().map(|p| p.token).collect();
        assert!(plain.contains(&256) && plain.contains(&259) && plain.contains(&260));
        assert!(!plain.contains(&257) && !plain.contains(&258) && !plain.contains(&0xc3));
        let chars = vocabulary.plain().iter().find(|p| p.token == 256).unwrap().chars;
        assert_eq!((chars, vocabulary.bytes(256)), (5, Some("héllo".as_bytes())));
    }

    #[test]
    fn a_missing_byte_is_noticed() {
        let tokens = (0..=u8::MAX).map(|b| (b != b'x').then(|| vec![b].into_boxed_slice()));
        assert!(!Vocabulary::new(tokens.collect()).can_finish_all());
    }
}
