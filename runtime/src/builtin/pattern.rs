//! Regular expressions: `matches` and `find_all` of Text.
//!
//! Time is linear in the text for each match, whatever the pattern. Never: a search that holds a worker for long, except on
//! a virtual clock, where every run must be the same.

use crate::builtin::declare::{Outcome, builtins};
use crate::builtin::support::{fail, room};
use crate::builtin::text::texts;
use crate::code::OK;
use crate::context::Cx;
use crate::fault::{Faulted, code};
use crate::value::heap;
use crate::value::list::ListBuf;
use crate::value::text::TextRef;
use parking_lot::Mutex;
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Bytes a compiled pattern may take: bounds the work for each character of a text. `\w{50}` fits.
const PATTERN_BYTES: usize = 4 * 1024 * 1024;

/// Below this compiled size a pattern is light: each character costs little even in the worst case.
const LIGHT_BYTES: usize = 64 * 1024;

/// Texts up to here are searched at once: well below a millisecond for all but made-up patterns.
const AT_ONCE: usize = 64 * 1024;
const AT_ONCE_IF_HEAVY: usize = 1024;

/// A match: its place here, its text and its element in the list.
const MATCH_BYTES: usize = 64;

/// Matches between two looks at the memory.
const LOOK_AT_ROOM: usize = 16 * 1024;

/// Compiled patterns kept. A program has few; one that makes patterns up must not fill the memory.
const KEPT: usize = 256;

builtins! {
    /// Whether a regular expression matches somewhere in it; `^` and `$` say where. R0103 if it is none.
    Text "matches" "(self: Text, pattern: Text) -> Bool"
        example "\"a1\".matches(\"[0-9]\")" => "true"
        constant 1 wrong
        = |cx, t: TextRef<'_>, pattern: TextRef<'_>| matches(cx, t.as_str(), pattern.as_str());
    /// What a regular expression matches, from left to right, without overlaps.
    Text "find_all" "(self: Text, pattern: Text) -> List<Text>"
        example "\"a1b2\".find_all(\"[0-9]\")" => "[\"1\", \"2\"]"
        constant 1 wrong
        = |cx, t: TextRef<'_>, pattern: TextRef<'_>| find_all(cx, t.as_str(), pattern.as_str());
}

struct Pattern {
    regex: Regex,
    is_light: bool,
}

/// What is wrong with a regular expression, as the checker and the Fault tell it.
#[must_use]
pub fn wrong(pattern: &str) -> Option<String> {
    compiled(pattern).err()
}

/// From the patterns kept, or compiled now.
fn compiled(pattern: &str) -> Result<Arc<Pattern>, String> {
    static CACHE: LazyLock<Mutex<FxHashMap<Box<str>, Arc<Pattern>>>> =
        LazyLock::new(Mutex::default);
    if let Some(found) = CACHE.lock().get(pattern) {
        return Ok(Arc::clone(found));
    }
    let refused =
        |error: regex::Error| format!("`{pattern}` is no regular expression: {}", reason(&error));
    let build = |limit| RegexBuilder::new(pattern).size_limit(limit).build();
    let made = match build(LIGHT_BYTES) {
        Ok(regex) => Pattern { regex, is_light: true },
        Err(regex::Error::CompiledTooBig(_)) => {
            let regex = build(PATTERN_BYTES).map_err(refused)?;
            Pattern { regex, is_light: false }
        }
        Err(error) => return Err(refused(error)),
    };
    let made = Arc::new(made);
    let mut cache = CACHE.lock();
    if cache.len() >= KEPT {
        cache.clear();
    }
    cache.insert(pattern.into(), Arc::clone(&made));
    Ok(made)
}

/// The last line of a report is what is wrong; the lines above draw where, in a font we do not know.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "it is too large once its repetitions are written out".into()
        }
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}

fn pattern_of(cx: &mut Cx, pattern: &str) -> Outcome<Arc<Pattern>> {
    match compiled(pattern) {
        Ok(made) => Ok(made),
        Err(message) => fail(cx, code::INVALID_CONVERSION, message),
    }
}

fn is_searched_at_once(cx: &Cx, pattern: &Pattern, text: &str) -> bool {
    let most = if pattern.is_light { AT_ONCE } else { AT_ONCE_IF_HEAVY };
    text.len() <= most || cx.world.clock().is_virtual()
}

fn matches(cx: &mut Cx, text: &str, pattern: &str) -> Outcome<bool> {
    let pattern = pattern_of(cx, pattern)?;
    if is_searched_at_once(cx, &pattern, text) {
        return Ok(pattern.regex.is_match(text));
    }
    room(cx, text.len())?;
    let text = text.to_owned();
    cx.blocking(move |_| pattern.regex.is_match(&text))
}

fn find_all(cx: &mut Cx, text: &str, pattern: &str) -> Outcome<ListBuf> {
    let pattern = pattern_of(cx, pattern)?;
    let found = if is_searched_at_once(cx, &pattern, text) {
        let go_on = |count: usize| match cx.safepoint() {
            OK if count.is_multiple_of(LOOK_AT_ROOM) => room(cx, count * MATCH_BYTES).is_ok(),
            status => status == OK,
        };
        search(&pattern.regex, text, go_on).ok_or(Faulted)?
    } else {
        room(cx, text.len())?;
        let (copy, limit) = (text.to_owned(), cx.world.memory_limit());
        let found = cx.blocking(move |is_wanted| {
            let has_room = |count: usize| heap::has_room((count * MATCH_BYTES) as u64, limit);
            let go_on = |count: usize| {
                is_wanted() && (!count.is_multiple_of(LOOK_AT_ROOM) || has_room(count))
            };
            search(&pattern.regex, &copy, go_on)
        })?;
        match found {
            Some(found) => found,
            None => {
                let message = "the matches would exceed the memory limit".to_owned();
                return fail(cx, code::MEMORY_LIMIT, message);
            }
        }
    };
    texts(cx, found.into_iter().filter_map(|range| text.get(range)))
}

/// Where all matches are. Each is a search of its own: together they may take long where one does not, so `go_on` is
/// asked before each; none if it says no.
fn search(
    regex: &Regex,
    text: &str,
    mut go_on: impl FnMut(usize) -> bool,
) -> Option<Vec<Range<usize>>> {
    let mut found = Vec::new();
    for range in regex.find_iter(text).map(|found| found.range()) {
        found.push(range);
        if !go_on(found.len()) {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{KEPT, compiled, wrong};

    #[test]
    fn what_is_wrong_is_one_sentence() {
        assert_eq!(wrong("a+"), None);
        let unclosed = "`(` is no regular expression: unclosed group";
        assert_eq!(wrong("(").as_deref(), Some(unclosed));
        let large = wrong("(a{1000}){1000}").unwrap();
        assert!(large.contains("expression: it is too large"), "{large}");
    }

    #[test]
    fn large_patterns_are_known_as_heavy_and_the_cache_is_bounded() {
        assert!(compiled("[a-z]+@[a-z]+").is_ok_and(|pattern| pattern.is_light));
        assert!(compiled("\\w{50}").is_ok_and(|pattern| !pattern.is_light));
        for at in 0..=KEPT {
            assert!(compiled(&format!("a{{{at}}}")).is_ok());
        }
        assert!(compiled("a{3}").is_ok());
    }
}
