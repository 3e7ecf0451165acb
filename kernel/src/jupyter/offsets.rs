//! Jupyter counts positions in characters (Unicode code points), the session in bytes.

/// The byte where the character of that number starts; the end of the text for anything beyond.
pub fn byte_of(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
}

/// How many characters end at or before that byte.
pub fn characters_to(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{byte_of, characters_to};

    #[test]
    fn a_character_beyond_the_basic_plane_counts_once() {
        assert_eq!(byte_of("😀é@re", 2), "😀é".len());
        assert_eq!(characters_to("😀é@re", "😀é".len()), 2);
        assert_eq!(byte_of("ab", 99), 2);
    }

    proptest! {
        #[test]
        fn there_and_back(text in "\\PC{0,20}", at in 0usize..25) {
            let at = at.min(text.chars().count());
            assert_eq!(characters_to(&text, byte_of(&text, at)), at);
        }
    }
}
