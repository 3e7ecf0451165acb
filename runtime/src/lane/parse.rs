//! Reading JSON from what a model wrote: code fences, prose around it, comments, trailing commas, unquoted keys, single
//! quotes (L-122). Plain JSON is read strictly first, so a correct reply is never reinterpreted.
//!
//! Never: completing what was cut off, guessing types; never panics, never recurses deeper than a fixed bound.

use serde_json::{Map, Number, Value};

/// Deeper nesting is refused: the bound keeps a hostile reply from exhausting the stack.
const MAX_DEPTH: u32 = 128;
/// How many places of a reply are tried as the start of a value.
const MAX_STARTS: usize = 64;

/// The values a reply may mean, most likely first. The caller takes the first that fits the type wanted.
#[must_use]
pub fn candidates(reply: &str) -> Vec<Value> {
    let text = reply.trim();
    if let Ok(value) = serde_json::from_str(text) {
        return vec![value];
    }
    let mut found = Vec::new();
    for fenced in fences(text) {
        add_whole(fenced, &mut found);
    }
    add_whole(text, &mut found);
    add_embedded(text, &mut found);
    let bare = Value::from(text.trim_matches(['"', '\'', '`']));
    if !found.contains(&bare) {
        found.push(bare);
    }
    found
}

/// The contents of code fences.
fn fences(text: &str) -> impl Iterator<Item = &str> {
    // Between fences stands text, code, text, code, ...; the first line of code names its language.
    text.split("```").skip(1).step_by(2).map(|block| match block.split_once('\n') {
        Some((label, code)) if !label.contains(['{', '[', '"', ':']) => code,
        _ => block,
    })
}

fn add_whole(text: &str, found: &mut Vec<Value>) {
    let mut reader = Reader::new(text);
    if let Some(value) = reader.value(0)
        && reader.is_at_end()
        && !found.contains(&value)
    {
        found.push(value);
    }
}

/// Objects and lists inside prose, from left to right, none inside another.
fn add_embedded(text: &str, found: &mut Vec<Value>) {
    let mut from = 0;
    for _ in 0..MAX_STARTS {
        let Some(rest) = text.get(from..) else { return };
        let Some(start) = rest.find(['{', '[']) else { return };
        let mut reader = Reader::new(rest.get(start..).unwrap_or_default());
        match reader.value(0) {
            Some(value) => {
                from += start + reader.at;
                if !found.contains(&value) {
                    found.push(value);
                }
            }
            None => from += start + 1,
        }
    }
}

/// A reader of lenient JSON. `None` means: not a value.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let is_next = self.peek() == Some(c);
        if is_next {
            self.at += c.len_utf8();
        }
        is_next
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let skipped = if trimmed.starts_with("//") || trimmed.starts_with('#') {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if let Some(body) = trimmed.strip_prefix("/*") {
                body.find("*/").map_or(trimmed.len(), |end| end + 4)
            } else {
                return;
            };
            self.at += skipped;
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.skip();
        self.rest().is_empty()
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip();
        match self.peek()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            quote @ ('"' | '\'') => self.text(quote).map(Value::from),
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number(),
            _ => self.word().map(word_value),
        }
    }

    fn object(&mut self, depth: u32) -> Option<Value> {
        self.bump()?;
        let mut fields = Map::new();
        loop {
            self.skip();
            if self.eat('}') {
                return Some(Value::Object(fields));
            }
            let key = match self.peek()? {
                quote @ ('"' | '\'') => self.text(quote)?,
                _ => self.word()?.to_owned(),
            };
            self.skip();
            if !self.eat(':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            fields.insert(key, value);
            self.skip();
            if !self.eat(',') && self.peek()? != '}' {
                return None;
            }
        }
    }

    fn array(&mut self, depth: u32) -> Option<Value> {
        self.bump()?;
        let mut items = Vec::new();
        loop {
            self.skip();
            if self.eat(']') {
                return Some(Value::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.skip();
            if !self.eat(',') && self.peek()? != ']' {
                return None;
            }
        }
    }

    fn text(&mut self, quote: char) -> Option<String> {
        self.bump()?;
        let mut out = String::new();
        loop {
            match self.bump()? {
                c if c == quote => return Some(out),
                '\\' => self.escape(&mut out)?,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Option<()> {
        match self.bump()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'u' => out.push(self.unicode()?),
            '\n' => {}
            other => out.push(other),
        }
        Some(())
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if !self.rest().starts_with("\\u") {
            return Some(char::REPLACEMENT_CHARACTER);
        }
        self.at += 2;
        let second = self.hex4()?;
        let low = second.wrapping_sub(0xdc00);
        let code = 0x1_0000 + ((first - 0xd800) << 10) + low;
        let pair = (low < 0x400).then(|| char::from_u32(code)).flatten();
        Some(pair.unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        // `from_str_radix` would take a sign.
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let code = is_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()?;
        self.at += 4;
        Some(code)
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let len = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let raw = rest.get(..len)?;
        self.at += len;
        let plain = raw.strip_prefix('+').unwrap_or(raw);
        if let Ok(number) = serde_json::from_str::<Number>(plain) {
            return Some(Value::Number(number));
        }
        // `.5` and `1.`, which JSON forbids; names like `inf` do not reach this far.
        let value = plain.parse::<f64>().ok()?;
        Number::from_f64(value).map(Value::Number)
    }

    /// A bare name: letters, digits, `_`, `-`, `.`, `$`.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$');
        let len = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).filter(|word| !word.is_empty())
    }
}

/// What a bare word means; Python's spellings are common in replies.
fn word_value(word: &str) -> Value {
    match word {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        "null" | "None" | "undefined" => Value::Null,
        other => Value::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::candidates;
    use proptest::prelude::{
        Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
    };
    use serde_json::{Value, json};

    fn first(text: &str) -> Value {
        candidates(text).remove(0)
    }

    #[test]
    fn the_ways_models_write_json_are_read() {
        let hold = json!({"kind": "Hold"});
        for text in [
            r#"{"kind":"Hold"}"#,
            "```json\n{\"kind\": \"Hold\"}\n```",
            "```\n{\"kind\": \"Hold\"}\n```",
            "```{\"kind\": \"Hold\"}```",
            "Sure! Here is my answer:\n\n```json\n{\"kind\": \"Hold\",}\n```\nHope it helps.",
            "I would say {kind: 'Hold'} because it is risky.",
            "{kind: \"Hold\",}",
            "{'kind': 'Hold'}",
            "{ // the decision\n  kind: Hold /* for now */\n}",
            "{ # python\n 'kind': 'Hold' }",
        ] {
            assert_eq!(first(text), hold, "{text}");
        }
    }

    #[test]
    fn values_keep_their_kinds() {
        assert_eq!(
            first(
                "{a: True, b: None, c: +1, d: .5, e: 1., f: [1, 2,], g: 'it\\'s', h: \"\\u00e9\\ud83d\\ude00\"}"
            ),
            json!({"a": true, "b": null, "c": 1, "d": 0.5, "e": 1.0, "f": [1, 2], "g": "it's", "h": "é😀"})
        );
        assert_eq!(first("42"), json!(42));
        assert_eq!(first("'Up'"), json!("Up"));
        assert_eq!(first("Up"), json!("Up"));
    }

    #[test]
    fn every_object_of_a_reply_is_a_candidate() {
        let found = candidates("As {noted} in [1], the answer is {a: 1} or rather {a: 2}.");
        assert_eq!(found[..3], [json!([1]), json!({"a": 1}), json!({"a": 2})]);
    }

    #[test]
    fn a_reply_that_was_cut_off_is_not_completed() {
        for text in ["{\"kind\": \"Hol", "{\"a\": [1, 2", "{\"a\":"] {
            assert!(candidates(text).iter().all(Value::is_string), "{text}");
        }
    }

    #[test]
    fn hostile_nesting_ends() {
        for text in ["[".repeat(1_000_000), "{a:".repeat(300_000), "[1,".repeat(300_000)] {
            assert!(candidates(&text).iter().all(Value::is_string));
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            prop_assert!(!candidates(&text).is_empty());
        }

        #[test]
        fn any_text_of_json_characters_is_read_without_panic(text in r#"[\[\]{}:,"'`a1\\u/*# \n.+-]{0,80}"#) {
            prop_assert!(!candidates(&text).is_empty());
        }

        #[test]
        fn json_inside_a_fence_and_prose_is_found(value in values()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(first(&pretty), value.clone());
            if (value.is_object() || value.is_array()) && !pretty.contains("```") {
                let reply = format!("Of course:\n```json\n{pretty}\n```\nDone.");
                prop_assert_eq!(first(&reply), value);
            }
        }
    }
}
