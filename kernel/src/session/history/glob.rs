//! GLOB patterns as SQLite defines them: `*`, `?`, `[abc]`, `[a-z]`, `[^abc]`. Jupyter's history search speaks this.
//!
//! Linear in the text for each star (it backs up to the last one only), so no pattern is slow.

/// Whether the whole text matches the pattern.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where to go on when a later part fails: after the last star, having let it eat one character more.
    let mut retry: Option<(usize, usize)> = None;
    while seen < text.len() || at < pattern.len() {
        match step(&pattern, at, text.get(seen).copied()) {
            Step::Star => {
                retry = Some((at, seen));
                at += 1;
            }
            Step::One(next) => {
                at = next;
                seen += 1;
            }
            Step::No => match retry {
                Some((star, eaten)) if eaten < text.len() => {
                    retry = Some((star, eaten + 1));
                    (at, seen) = (star + 1, eaten + 1);
                }
                _ => return false,
            },
        }
    }
    true
}

enum Step {
    Star,
    /// One character matched; the pattern goes on there.
    One(usize),
    No,
}

fn step(pattern: &[char], at: usize, found: Option<char>) -> Step {
    let (Some(wanted), found) = (pattern.get(at), found) else { return Step::No };
    match (wanted, found) {
        ('*', _) => Step::Star,
        (_, None) => Step::No,
        ('?', Some(_)) => Step::One(at + 1),
        ('[', Some(found)) => match class(pattern, at + 1, found) {
            Some((true, next)) => Step::One(next),
            Some((false, _)) => Step::No,
            // Without its end it is an ordinary character.
            None if found == '[' => Step::One(at + 1),
            None => Step::No,
        },
        (wanted, Some(found)) if *wanted == found => Step::One(at + 1),
        _ => Step::No,
    }
}

/// Whether the class that begins at `at` holds the character, and where the pattern goes on.
fn class(pattern: &[char], mut at: usize, found: char) -> Option<(bool, usize)> {
    let is_negated = pattern.get(at) == Some(&'^');
    at += usize::from(is_negated);
    let first = at;
    let mut holds = false;
    loop {
        let low = *pattern.get(at)?;
        // Directly at the start `]` is a member.
        if low == ']' && at > first {
            return Some((holds != is_negated, at + 1));
        }
        let high = match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some('-'), Some(high)) if *high != ']' => {
                at += 2;
                *high
            }
            _ => low,
        };
        holds |= (low..=high).contains(&found);
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_questions() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbbc"),
            ("?", "é"),
            ("*b*", "abc"),
            ("", ""),
            ("**", "x"),
            ("4?", "42"),
        ] {
            assert!(matches(pattern, text), "{pattern} should match {text}");
        }
        for (pattern, text) in [("a", "ab"), ("?", ""), ("a*c", "abcd"), ("", "x"), ("ab", "a")] {
            assert!(!matches(pattern, text), "{pattern} should not match {text}");
        }
    }

    #[test]
    fn classes() {
        for (pattern, text) in [
            ("[abc]x", "bx"),
            ("[a-c]", "b"),
            ("[^a-c]", "d"),
            ("[]]", "]"),
            ("[a-]", "-"),
            ("[", "["),
        ] {
            assert!(matches(pattern, text), "{pattern} should match {text}");
        }
        for (pattern, text) in [("[abc]", "d"), ("[^abc]", "a"), ("[a-c", "b"), ("[a]", "")] {
            assert!(!matches(pattern, text), "{pattern} should not match {text}");
        }
    }

    #[test]
    fn many_stars_end() {
        let pattern = "*a".repeat(40) + "b";
        assert!(!matches(&pattern, &"a".repeat(2000)));
    }
}
