//! What Up, Ctrl-R and hints look through: the cells of the home's history, of notebooks and other terminals too.
//!
//! It reads and writes no file: the session keeps the history, this is a copy of it that the line editor can walk.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use ag_kernel::session::history::glob;
use rustyline::history::{History, SearchDirection, SearchResult};

/// Oldest first.
#[derive(Default)]
pub struct Entries {
    all: Vec<String>,
    /// Where each text stands last: a search shows it once.
    newest: HashMap<String, usize>,
}

impl Entries {
    pub fn push(&mut self, text: &str) -> bool {
        let text = text.trim_end();
        if text.trim().is_empty() || self.all.last().is_some_and(|last| last == text) {
            return false;
        }
        self.newest.insert(text.to_owned(), self.all.len());
        self.all.push(text.to_owned());
        true
    }

    /// The nearest entry in that direction for which `find` gives a place; each text counts where it stands last.
    fn nearest(
        &self,
        start: usize,
        direction: SearchDirection,
        find: impl Fn(&str) -> Option<usize>,
    ) -> Option<SearchResult<'_>> {
        let found = |idx: usize| {
            let entry = self.all.get(idx)?;
            let is_newest = self.newest.get(entry) == Some(&idx);
            let pos = if is_newest { find(entry)? } else { return None };
            Some(SearchResult { entry: Cow::Borrowed(entry), idx, pos })
        };
        match direction {
            SearchDirection::Forward => (start..self.all.len()).find_map(found),
            SearchDirection::Reverse => {
                (0..self.all.len().min(start.saturating_add(1))).rev().find_map(found)
            }
        }
    }
}

/// Where a text has what is searched. `*`, `?` and `[..]` are GLOB; capital letters matter if there are any.
fn find(wanted: &str, text: &str) -> Option<usize> {
    let (wanted, text) = match wanted.chars().any(char::is_uppercase) {
        true => (Cow::Borrowed(wanted), Cow::Borrowed(text)),
        false => (Cow::Borrowed(wanted), Cow::Owned(text.to_lowercase())),
    };
    let is_pattern = |c: char| matches!(c, '*' | '?' | '[');
    if !wanted.contains(is_pattern) {
        return text.find(&*wanted);
    }
    let literal = wanted.split(is_pattern).next().unwrap_or_default();
    glob::matches(&format!("*{wanted}*"), &text).then(|| text.find(literal).unwrap_or(0))
}

impl History for Entries {
    fn get(&self, index: usize, _: SearchDirection) -> rustyline::Result<Option<SearchResult<'_>>> {
        let result = |entry| SearchResult { entry: Cow::Borrowed(entry), idx: index, pos: 0 };
        Ok(self.all.get(index).map(String::as_str).map(result))
    }

    fn add(&mut self, line: &str) -> rustyline::Result<bool> {
        Ok(self.push(line))
    }

    fn add_owned(&mut self, line: String) -> rustyline::Result<bool> {
        Ok(self.push(&line))
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn set_max_len(&mut self, _: usize) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_dups(&mut self, _: bool) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_space(&mut self, _: bool) {}

    fn save(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn append(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> rustyline::Result<()> {
        *self = Entries::default();
        Ok(())
    }

    fn search(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        if term.is_empty() {
            return Ok(None);
        }
        let whole = |text: &str| find(term, text).filter(|at| text.is_char_boundary(*at));
        Ok(self.nearest(start, direction, whole))
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        let longer = |text: &str| (text.starts_with(term) && text != term).then_some(term.len());
        Ok(self.nearest(start, direction, longer))
    }
}

#[cfg(test)]
mod tests {
    use rustyline::history::{History, SearchDirection};

    use super::Entries;

    fn entries(all: &[&str]) -> Entries {
        let mut entries = Entries::default();
        all.iter().for_each(|text| {
            entries.push(text);
        });
        entries
    }

    fn back(entries: &Entries, term: &str, start: usize) -> Option<(usize, usize)> {
        let found = entries.search(term, start, SearchDirection::Reverse).unwrap();
        found.map(|found| (found.idx, found.pos))
    }

    #[test]
    fn search_is_glob_and_heeds_capitals_only_if_there_are_any() {
        let all = entries(&["let Price := 1", "print(price)", "await adviser.advise(1)"]);
        assert_eq!(back(&all, "price", 2), Some((1, 6)));
        assert_eq!(back(&all, "price", 0), Some((0, 4)));
        assert_eq!(back(&all, "Price", 2), Some((0, 4)));
        assert_eq!(back(&all, "aw*advise", 2), Some((2, 0)));
        assert_eq!(back(&all, "p?int", 2), Some((1, 0)));
        assert_eq!(back(&all, "nothing", 2), None);
    }

    #[test]
    fn a_text_entered_again_is_found_once() {
        let all = entries(&["f(1)", "g(1)", "f(1)", "f(1)"]);
        assert_eq!(all.len(), 3);
        assert_eq!(back(&all, "f(", 2), Some((2, 0)));
        assert_eq!(back(&all, "f(", 1), None);
    }

    #[test]
    fn a_text_of_several_lines_is_one_entry() {
        let all = entries(&["function f() {\n  return 1\n}"]);
        let found = all.starts_with("fun", 0, SearchDirection::Reverse).unwrap().unwrap();
        assert_eq!(found.entry.lines().count(), 3);
        assert_eq!(back(&all, "return", 0), Some((0, 17)));
    }
}
