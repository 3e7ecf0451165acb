//! Whether an answer only says again what it just said, which small models do without an end when the likeliest token is taken
//! (Holtzman et al., The Curious Case of Neural Text Degeneration, 2020).
//!
//! Never: knows what tokens mean.

/// The longest stretch that is looked for, in tokens.
const LONGEST: usize = 128;

/// A stretch of `length` tokens that stands `copies` times in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loop {
    pub length: usize,
    pub copies: usize,
}

/// What is said at the end too often in a row to be meant: `ha ha ha` may be, the same sentence twice hardly.
#[must_use]
pub fn at_end(written: &[u32]) -> Option<Loop> {
    let mut loops = (1..=LONGEST).map(|length| Loop { length, copies: too_many(length) });
    loops.find(|found| ends_with(written, *found))
}

fn too_many(length: usize) -> usize {
    match length {
        1..4 => 5,
        4..16 => 3,
        _ => 2,
    }
}

fn ends_with(written: &[u32], Loop { length, copies }: Loop) -> bool {
    let end = written.len().checked_sub(length * copies).and_then(|start| written.get(start..));
    end.is_some_and(|end| {
        end.iter().zip(end.iter().skip(length)).all(|(before, now)| before == now)
    })
}

#[cfg(test)]
mod tests {
    use super::{Loop, at_end};

    #[test]
    fn what_is_said_again_and_again_is_a_loop() {
        let said = |stretch: &[u32], times: usize| [&[90, 91][..], &stretch.repeat(times)].concat();
        assert_eq!(at_end(&said(&[7], 4)), None, "ha ha ha ha");
        assert_eq!(at_end(&said(&[7], 5)), Some(Loop { length: 1, copies: 5 }));
        let words: Vec<u32> = (0..6).collect();
        assert_eq!(at_end(&said(&words, 2)), None);
        assert_eq!(at_end(&said(&words, 3)), Some(Loop { length: 6, copies: 3 }));
        let sentence: Vec<u32> = (0..40).collect();
        assert_eq!(at_end(&said(&sentence, 1)), None);
        assert_eq!(at_end(&said(&sentence, 2)), Some(Loop { length: 40, copies: 2 }));
        assert_eq!(at_end(&[]), None);
    }

    #[test]
    fn what_is_said_again_later_is_none() {
        let sentence: Vec<u32> = (0..40).collect();
        let between = [sentence.clone(), vec![99], sentence].concat();
        assert_eq!(at_end(&between), None);
    }
}
