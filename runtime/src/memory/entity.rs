//! Entities of a text by rules: quoted names, capitalised spans, identifiers, URLs, paths, numbers.
//!
//! Never: a model, a dictionary. An entity is kept as it was written; comparing ignores case.

use std::sync::Arc;

/// More entities than this say nothing about a text.
const MOST: usize = 64;
/// Words that begin sentences and name nothing.
const COMMON: [&str; 48] = [
    "a", "an", "and", "are", "as", "at", "but", "by", "did", "do", "does", "for", "from", "he",
    "how", "i", "if", "in", "is", "it", "my", "no", "not", "of", "on", "or", "our", "please",
    "she", "so", "that", "the", "then", "they", "this", "to", "was", "we", "what", "when", "where",
    "which", "who", "why", "with", "yes", "you", "your",
];
/// Longer ones are prose in quotes.
const LONGEST: usize = 80;

/// The entities of a text, each once, in order of appearance.
#[must_use]
pub fn entities(text: &str) -> Vec<Arc<str>> {
    let mut found = Found::default();
    quoted(text, &mut found);
    let mut span: Vec<&str> = Vec::new();
    for token in text.split(|c: char| c.is_whitespace() || "\"'{}[](),;".contains(c)) {
        let word = token.trim_matches(|c: char| ".:!?=<>".contains(c));
        if is_capitalised(word) && !word.contains(['.', '/', ':', '_']) {
            span.push(word);
            if token.ends_with(['.', ':', '!', '?']) {
                found.span(&mut span);
            }
            continue;
        }
        found.span(&mut span);
        if is_special(word) {
            found.add(word);
        }
    }
    found.span(&mut span);
    found.list
}

#[derive(Default)]
struct Found {
    list: Vec<Arc<str>>,
}

impl Found {
    fn add(&mut self, entity: &str) {
        let entity = entity.trim();
        let is_new = !self.list.iter().any(|known| same(known, entity));
        if !entity.is_empty() && entity.len() <= LONGEST && self.list.len() < MOST && is_new {
            self.list.push(entity.into());
        }
    }

    /// A capitalised span, less the common word it may begin with.
    fn span(&mut self, words: &mut Vec<&str>) {
        let is_common = |word: &&str| COMMON.contains(&word.to_lowercase().as_str());
        let from = words.iter().take_while(|word| is_common(word)).count();
        if let Some(named) = words.get(from..).filter(|named| !named.is_empty()) {
            self.add(&named.join(" "));
        }
        words.clear();
    }
}

/// Texts in double quotes.
fn quoted(text: &str, found: &mut Found) {
    for inner in text.split('"').skip(1).step_by(2) {
        found.add(inner);
    }
}

fn is_capitalised(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

/// Identifiers, URLs, paths, numbers.
fn is_special(word: &str) -> bool {
    let is_number = word.parse::<f64>().is_ok() && word.bytes().any(|b| b.is_ascii_digit());
    let is_identifier = word.len() > 2
        && (word.contains('_') || word.contains('.') || word.contains('/') || word.contains("::"))
        && word.chars().any(char::is_alphanumeric);
    let has_hump =
        word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let is_money = word.starts_with('$') && word.len() > 1;
    is_number || is_identifier || has_hump || is_money
}

/// Whether two entities are the same one.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::entities;

    fn found(text: &str) -> Vec<String> {
        entities(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_rules_find_names_numbers_and_places() {
        assert_eq!(
            found("MarketSignal { symbol: \"ACME\", price: 101.5 }"),
            ["ACME", "MarketSignal", "101.5"]
        );
        assert_eq!(
            found(
                "we met Ada Lovelace in London. see https://ag.dev/docs and src/main.rs, risk_score was $3"
            ),
            ["Ada Lovelace", "London", "https://ag.dev/docs", "src/main.rs", "risk_score", "$3"]
        );
    }

    #[test]
    fn each_entity_is_listed_once_whatever_its_case() {
        assert_eq!(found("ACME, acme, \"acme\", Acme"), ["acme"]);
        assert_eq!(found(""), Vec::<String>::new());
        assert_eq!(found("nothing of note here"), Vec::<String>::new());
    }

    #[test]
    fn prose_in_quotes_is_no_entity() {
        let long = format!("he said \"{}\"", "word ".repeat(50));
        assert_eq!(found(&long), Vec::<String>::new());
    }
}
