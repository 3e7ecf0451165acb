//! What editors ask while a person types: candidates, explanations, whether the text is whole.
//!
//! It answers from the names published after the last finished cell, from the table of builtins and from the table of
//! commands, from any thread, also while a cell runs. It checks and runs nothing.

mod document;

use std::sync::Arc;

use ag_lang::source::Span;
use ag_lang::syntax::complete as syntax;
use ag_lang::syntax::cursor::{Context, cursor};
use ag_lang::syntax::token::{Token, TokenKind};
use ag_lang::syntax::{lexer, words};
use ag_runtime::builtin::{self, Builtin, Kind};
use parking_lot::RwLock;

use crate::output::Page;
use crate::session::command;
use crate::session::request::{Completeness, Completion, Completions, Inspection};

/// A name of the session: a definition or a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameInfo {
    pub name: String,
    /// `function`, `agent`, `struct`, `let`, ...: words of the language.
    pub kind: String,
    /// `(symbol: Text) -> MarketAnalysis`; for a value its type.
    pub signature: String,
    /// Its doc comment.
    pub doc: String,
    /// Where it was defined.
    pub cell: u32,
    /// Fields, methods, behaviors, variants.
    pub members: Vec<NameInfo>,
}

/// Shared by the session, which publishes, and by editors, which ask.
#[derive(Clone, Default)]
pub struct Inspector {
    names: Arc<RwLock<Arc<Vec<NameInfo>>>>,
}

impl Inspector {
    /// After a cell: the names of the session, whole.
    pub fn publish(&self, names: Vec<NameInfo>) {
        *self.names.write() = Arc::new(names);
    }

    pub fn names(&self) -> Arc<Vec<NameInfo>> {
        Arc::clone(&self.names.read())
    }

    /// What may stand at that byte of the text: best matches first, each once.
    pub fn complete(&self, text: &str, offset: usize) -> Completions {
        let mut at = cursor(text, u32::try_from(offset).unwrap_or(u32::MAX));
        if matches!(at.context, Context::CommandArgument(_)) {
            // To the language a command line is one token; here its last word is what is being typed.
            at.prefix = word_before(text, offset);
        }
        let prefix = at.prefix.text(text);
        let names = self.names();
        let found = match at.context {
            Context::Nothing => Vec::new(),
            Context::Command => commands(),
            Context::CommandArgument(name) => arguments(&names, &name.to_string()),
            Context::Intrinsic => intrinsics(),
            Context::Member(_) => members(&names, receiver(text, at.prefix)),
            Context::Qualified(name) => members(&names, Some(name.to_string())),
            Context::Type => types(&names),
            Context::StructField(_) => fields(&names, text, at.prefix),
            Context::Start => {
                let words = keywords().chain(words::ITEM.iter().map(|word| keyword(word)));
                words.chain(values(&names)).collect()
            }
            Context::Argument(_) | Context::Expression => {
                values(&names).chain(keywords()).collect()
            }
        };
        let items = matching(found, prefix);
        let Span { start, end } = at.prefix;
        Completions { start: start as usize, end: end as usize, items }
    }

    /// What is known about the name at that byte of the text.
    pub fn inspect(&self, text: &str, offset: usize) -> Option<Inspection> {
        let name = name_at(text, u32::try_from(offset).unwrap_or(u32::MAX))?;
        let Page { text, markdown, .. } = self.document(&name)?;
        Some(Inspection { text, markdown })
    }

    /// The page of a name: one of the session first, then builtins, then commands.
    pub fn document(&self, name: &str) -> Option<Page> {
        document::page(&self.names(), name)
    }

    /// Every name that has a page.
    pub fn documented(&self) -> Vec<String> {
        let builtins = builtin::table().iter().filter(|row| row.kind != Kind::Operator);
        let own = self.names();
        own.iter()
            .map(|info| info.name.clone())
            .chain(builtins.map(|row| row.name.into()))
            .collect()
    }

    pub fn is_complete(&self, text: &str) -> Completeness {
        if command::is_only_modifiers(text) {
            return Completeness::Incomplete { indent: String::new() };
        }
        match syntax::is_complete(text) {
            syntax::Completeness::Complete => Completeness::Complete,
            syntax::Completeness::Incomplete { indent } => Completeness::Incomplete { indent },
            syntax::Completeness::Invalid => Completeness::Invalid,
        }
    }
}

/// Names beginning with the prefix, in its own case first; sorted, each once.
fn matching(mut found: Vec<Completion>, prefix: &str) -> Vec<Completion> {
    let folded = prefix.to_lowercase();
    found.retain(|item| item.text.to_lowercase().starts_with(&folded));
    found.sort_by(|a, b| {
        let rank = |item: &Completion| !item.text.starts_with(prefix);
        (rank(a), &a.text, &a.signature).cmp(&(rank(b), &b.text, &b.signature))
    });
    found.dedup_by(|a, b| a.text == b.text);
    found
}

fn first_line(doc: &str) -> String {
    doc.lines().next().unwrap_or_default().to_owned()
}

fn completion(info: &NameInfo) -> Completion {
    Completion {
        text: info.name.clone(),
        kind: info.kind.clone(),
        signature: info.signature.clone(),
        doc: first_line(&info.doc),
    }
}

fn builtin_completion(row: &Builtin) -> Completion {
    Completion {
        text: row.name.to_owned(),
        kind: if row.receiver.is_some() { "method" } else { "function" }.to_owned(),
        signature: row.signature.to_owned(),
        doc: first_line(row.doc),
    }
}

fn keyword(word: &str) -> Completion {
    Completion { text: word.to_owned(), kind: "keyword".to_owned(), ..Completion::default() }
}

fn keywords() -> impl Iterator<Item = Completion> {
    words::RESERVED.iter().map(|word| keyword(word))
}

fn values(names: &[NameInfo]) -> impl Iterator<Item = Completion> {
    let builtins =
        builtin::table().iter().filter(|row| row.kind == Kind::Function && row.supported);
    let variants = names.iter().filter(|info| info.kind == "enum").flat_map(|info| &info.members);
    let own = names.iter().chain(variants).map(completion);
    own.chain(builtins.map(|row| builtin_completion(row)))
}

fn intrinsics() -> Vec<Completion> {
    let rows = builtin::table().iter().filter(|row| matches!(row.kind, Kind::Intrinsic(_)));
    let calls = rows.filter(|row| row.supported).map(|row| builtin_completion(row));
    calls.map(|item| Completion { kind: "intrinsic".to_owned(), ..item }).collect()
}

fn commands() -> Vec<Completion> {
    let item = |command: &command::Command| Completion {
        text: command.name.to_owned(),
        kind: "command".to_owned(),
        signature: command.arguments.to_owned(),
        doc: command.help.to_owned(),
    };
    command::TABLE.iter().filter(|command| command.is_supported()).map(item).collect()
}

/// `:doc`, `:type`, `:deps` take names; `:help` commands, too.
fn arguments(names: &[NameInfo], command: &str) -> Vec<Completion> {
    let mut found: Vec<Completion> = values(names).collect();
    match command {
        "help" => found.extend(commands()),
        "lane" => found = ["auto", "echo"].iter().map(|word| keyword(word)).collect(),
        _ => {}
    }
    found
}

const TYPES: [&str; 20] = [
    "Int", "Float", "Bool", "Unit", "Text", "Bytes", "Money", "Duration", "Time", "List", "Map",
    "Set", "Vector", "Option", "Result", "Dyn", "AgentRef", "Future", "Channel", "Episode",
];

fn types(names: &[NameInfo]) -> Vec<Completion> {
    let is_type = |info: &&NameInfo| {
        matches!(
            info.kind.as_str(),
            "struct" | "enum" | "type" | "agent" | "orchestration" | "tool"
        )
    };
    let item = |name: &&str| Completion { kind: "type".to_owned(), ..keyword(name) };
    names.iter().filter(is_type).map(completion).chain(TYPES.iter().map(item)).collect()
}

/// Members of the type at hand; of all types if it is not known before checking.
fn members(names: &[NameInfo], receiver: Option<String>) -> Vec<Completion> {
    let info = |name: &str| names.iter().find(|info| info.name == name);
    let Some(receiver) = receiver else { return all_members() };
    // A value stands for its type; anything else for itself.
    let value = info(&receiver).filter(|info| info.members.is_empty());
    let type_name = value.map_or(receiver.as_str(), |value| value.signature.as_str());
    // `AgentRef<Desk>` has the behaviors of Desk.
    let inner = type_name.strip_prefix("AgentRef<").and_then(|rest| rest.strip_suffix('>'));
    let head = inner.unwrap_or(type_name).split('<').next().unwrap_or_default().trim();
    let own = info(head).map(|info| info.members.as_slice()).unwrap_or_default();
    let builtins = builtin::members(head).map(builtin_completion);
    let found: Vec<Completion> = own.iter().map(completion).chain(builtins).collect();
    if found.is_empty() { all_members() } else { found }
}

fn all_members() -> Vec<Completion> {
    let rows = builtin::table().iter().filter(|row| row.receiver.is_some());
    rows.map(|row| builtin_completion(row)).collect()
}

/// The type or the name directly before the dot that stands before the prefix.
fn receiver(text: &str, prefix: Span) -> Option<String> {
    let before = text.get(..prefix.start as usize)?.trim_end().strip_suffix('.')?.trim_end();
    match before.chars().last()? {
        '"' => Some("Text".to_owned()),
        ']' if !before.contains('[') => None,
        ']' if before.rsplit('[').nth(1).is_some_and(ends_an_operand) => None,
        ']' => Some("List".to_owned()),
        _ => {
            let name: String = before.chars().rev().take_while(|c| is_word(*c)).collect();
            let name: String = name.chars().rev().collect();
            let is_path =
                before.strip_suffix(name.as_str()).is_some_and(|head| head.ends_with('.'));
            (!name.is_empty() && !is_path).then_some(name)
        }
    }
}

fn word_before(text: &str, offset: usize) -> Span {
    let before = text.get(..offset).unwrap_or(text);
    let word = before.rsplit(|c: char| !is_word(c)).next().unwrap_or_default();
    Span::from_range(before.len() - word.len()..before.len())
}

/// Then `[` indexes it and is no list.
fn ends_an_operand(text: &str) -> bool {
    text.ends_with(|c: char| is_word(c) || c == ')' || c == ']')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The fields of the struct whose literal is open.
fn fields(names: &[NameInfo], text: &str, prefix: Span) -> Vec<Completion> {
    let before = text.get(..prefix.start as usize).unwrap_or_default();
    let open = before.rfind('{').and_then(|at| before.get(..at)).unwrap_or_default().trim_end();
    let name = open.rsplit(|c: char| !is_word(c)).next().unwrap_or_default();
    let info = names.iter().find(|info| info.name == name);
    let own = info.map(|info| info.members.iter().map(completion).collect());
    own.unwrap_or_default()
}

/// The word that the offset touches; inside a call the function's.
fn name_at(text: &str, offset: u32) -> Option<String> {
    let lexed = lexer::lex(text, lexer::SourceKind::Cell);
    let touches = |kind: TokenKind| kind == TokenKind::Name || kind == TokenKind::HoleName;
    let word = lexed.tokens.iter().find(|token| touches(token.kind) && token.span.touches(offset));
    let word = word.or_else(|| {
        let is_open = |token: &&Token| token.kind == TokenKind::LParen && token.span.end == offset;
        let open = lexed.tokens.iter().position(|token| is_open(&token))?;
        lexed.tokens.get(open.checked_sub(1)?).filter(|token| token.kind == TokenKind::Name)
    })?;
    Some(word.span.text(text).trim_start_matches('$').to_owned())
}

#[cfg(test)]
mod tests;
