//! The hashing embedder: texts with common words and word parts get near vectors. Deterministic on every machine.
//!
//! It understands words, not meaning, and whatever shows its results says so. Never: a model; those come as other lanes of
//! the same shape, and vectors carry the name of what made them.

pub mod choice;
#[cfg(feature = "models")]
pub mod minilm;

use crate::memory::lexical::words;

/// The name vectors are stored under. A change of the recipe below changes it.
pub const NAME: &str = "hash-384";
pub const DIM: usize = 384;

const WORD: f32 = 1.0;
const PAIR: f32 = 0.5;
const TRIGRAM: f32 = 0.25;

pub(in crate::memory) const fn hashing_name() -> &'static str {
    NAME
}

/// A vector of length one, or of zeros for a text without words.
#[must_use]
pub fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIM];
    let words = words(text);
    for word in &words {
        add(&mut vector, &[b"w", word.as_bytes()], WORD);
        let padded: Vec<char> = std::iter::once('^').chain(word.chars()).chain(['$']).collect();
        for trigram in padded.windows(3) {
            let part: String = trigram.iter().collect();
            add(&mut vector, &[b"t", part.as_bytes()], TRIGRAM);
        }
    }
    for pair in words.windows(2) {
        if let [first, second] = pair {
            add(&mut vector, &[b"p", first.as_bytes(), b" ", second.as_bytes()], PAIR);
        }
    }
    normalise(&mut vector);
    vector
}

/// Feature hashing with a sign (Weinberger et al. 2009): collisions cancel on average.
fn add(vector: &mut [f32], feature: &[&[u8]], weight: f32) {
    let hash = fnv1a(feature);
    let sign = if hash >> 63 == 0 { weight } else { -weight };
    if let Some(slot) = vector.get_mut((hash % DIM as u64) as usize) {
        *slot += sign;
    }
}

fn normalise(vector: &mut [f32]) {
    // Repeated features count by their root: the tenth `the` says little.
    vector.iter_mut().for_each(|x| *x = x.signum() * x.abs().sqrt());
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
}

fn fnv1a(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // FNV's high bits depend little on the last bytes; one multiply-xor round spreads them.
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The cosine of vectors of length one.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums side by side let the compiler use vector units and fix the order of addition.
    let (a_parts, b_parts) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_parts.remainder().iter().zip(b_parts.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0f32; 8];
    for (xs, ys) in a_parts.zip(b_parts) {
        for ((sum, x), y) in sums.iter_mut().zip(xs).zip(ys) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::{DIM, cosine, embed};

    #[test]
    fn near_texts_have_near_vectors() {
        let query = embed("similar trades to MarketSignal { symbol: \"ACME\" }");
        let same = embed("MarketSignal { symbol: \"ACME\", price: 101.5 } Decision.Hold");
        let other = embed("the weather in Lisbon is mild");
        assert!(cosine(&query, &same) > 0.4, "{}", cosine(&query, &same));
        assert!(cosine(&query, &other) < 0.2, "{}", cosine(&query, &other));
        assert!((cosine(&same, &same) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn it_is_the_same_on_every_machine() {
        let vector = embed("ACME");
        let sum: f32 = vector.iter().enumerate().map(|(at, x)| at as f32 * x).sum();
        assert_eq!(vector.len(), DIM);
        assert_eq!(embed("ACME"), vector);
        assert!((sum - SUM).abs() < 1e-3, "{sum}");
    }

    /// A change of the recipe shows here; then the name must change too.
    const SUM: f32 = 154.856_38;

    #[test]
    fn a_text_without_words_is_near_nothing() {
        let empty = embed("...");
        assert!(empty.iter().all(|x| *x == 0.0));
        assert_eq!(cosine(&empty, &embed("word")), 0.0);
    }
}
