//! Session commands under the cursor: their names after `:`, `%` and `%%`, and what stands after a name.

use std::sync::Arc;

use ag_lang::source::Span;
use ag_lang::syntax::cursor::{Context, Cursor, cursor};
use ag_runtime::builtin::{self, Kind};

use super::{Inspector, NameInfo};
use crate::session::command;
use crate::session::request::Completion;

/// Candidates if the place is a command line: the word to replace, and what begins with it.
pub fn candidates(
    inspector: &Inspector,
    text: &str,
    offset: usize,
) -> Option<(Span, Vec<Completion>)> {
    let (found, prefix) = match place(text, offset).context {
        Context::Command => {
            let (sigil, prefix) = sigil(text, offset);
            match sigil {
                "?" => (documented(inspector), prefix),
                "%%" => (commands(true), prefix),
                _ => (commands(false), prefix),
            }
        }
        // To the language a command line is one token; here its last word is what is being typed.
        Context::CommandArgument(name) => {
            (arguments(inspector, &name.to_string()), word_before(text, offset))
        }
        _ => return None,
    };
    Some((prefix, matching(found, prefix.text(text))))
}

/// The command whose name is at that place.
pub fn name(text: &str, offset: usize) -> Option<String> {
    if place(text, offset).context != Context::Command {
        return None;
    }
    let (_, before) = sigil(text, offset);
    let rest = text.get(before.start as usize..)?;
    let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
    (!name.is_empty()).then_some(name)
}

/// A sigil alone is no command yet and a blank ends one; what counts is the word that is about to be typed.
fn place(text: &str, offset: usize) -> Cursor {
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    if before.ends_with(is_word) {
        return cursor(text, at(offset));
    }
    cursor(&format!("{before}x{after}"), at(offset + 1))
}

/// What the line begins with, and the part of the name before the cursor.
fn sigil(text: &str, offset: usize) -> (&str, Span) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let word = line.trim_start_matches([':', '%', '?', '@']);
    let sigil = line.strip_suffix(word).unwrap_or_default().trim_end_matches('@');
    (sigil, Span::from_range(before.len() - word.len()..before.len()))
}

fn word_before(text: &str, offset: usize) -> Span {
    let before = text.get(..offset).unwrap_or(text);
    let word = before.rsplit(|c: char| !is_word(c)).next().unwrap_or_default();
    Span::from_range(before.len() - word.len()..before.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names beginning with the prefix in any case; sorted, each once.
fn matching(mut found: Vec<Completion>, prefix: &str) -> Vec<Completion> {
    let folded = prefix.to_lowercase();
    found.retain(|item| item.text.to_lowercase().starts_with(&folded));
    found.sort_by(|a, b| (&a.text, &a.signature).cmp(&(&b.text, &b.signature)));
    found.dedup_by(|a, b| a.text == b.text);
    found
}

fn commands(of_cells: bool) -> Vec<Completion> {
    let item = |command: &command::Command| Completion {
        text: command.name.to_owned(),
        kind: "command".to_owned(),
        signature: command.arguments.to_owned(),
        doc: command.help.to_owned(),
    };
    let wanted =
        |command: &&command::Command| command.is_supported() && command.is_about_cell() == of_cells;
    command::TABLE.iter().filter(wanted).map(item).collect()
}

/// `:doc`, `:type`, `:deps` take names; `:help` commands, too.
fn arguments(inspector: &Inspector, command: &str) -> Vec<Completion> {
    let word = |text: &str| Completion { text: text.to_owned(), ..Completion::default() };
    match command {
        "help" => documented(inspector).into_iter().chain(commands(false)).collect(),
        "lane" => {
            let lanes = inspector.workspace.try_lock_for(super::PATIENCE);
            let lanes = lanes.map(|workspace| workspace.lanes()).unwrap_or_default();
            std::iter::once("auto").chain(lanes.iter().map(|lane| &**lane)).map(word).collect()
        }
        _ => documented(inspector),
    }
}

/// Names of the session and functions, with or without `@`.
fn documented(inspector: &Inspector) -> Vec<Completion> {
    let own = |info: &Arc<NameInfo>| Completion {
        text: info.name.clone(),
        kind: info.kind.clone(),
        signature: info.signature.clone(),
        doc: first_line(&info.doc),
    };
    let is_named = |kind: Kind| matches!(kind, Kind::Function | Kind::Intrinsic(_));
    let rows = builtin::table().iter().filter(|row| is_named(row.kind) && row.supported);
    let builtins = rows.map(|row| Completion {
        text: row.name.to_owned(),
        kind: "function".to_owned(),
        signature: row.signature.to_owned(),
        doc: first_line(row.doc),
    });
    inspector.names().iter().map(own).chain(builtins).collect()
}

fn first_line(doc: &str) -> String {
    doc.lines().next().unwrap_or_default().to_owned()
}
