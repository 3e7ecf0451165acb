//! What editors ask while a person types: candidates, explanations, whether the text is whole.
//!
//! It answers from the checked program as it stands, from the table of builtins and from the table of commands, from any
//! thread, also while a cell runs: it waits for a check under way, never for a run. It defines and runs nothing.

mod command_line;
mod document;
mod hint;
pub mod language;

use std::sync::Arc;
use std::time::Duration;

use ag_lang::db::workspace::Workspace;
use ag_lang::ide::complete::{Candidate, complete};
use ag_lang::ide::hover::hover;
use ag_lang::source::Span;
use ag_lang::syntax::complete as syntax;
use ag_lang::syntax::lexer;
use ag_lang::syntax::token::TokenKind;
use ag_runtime::builtin::{self, Kind};
use parking_lot::{Mutex, RwLock};

use crate::output::Page;
use crate::session::command;
use crate::session::request::{Completeness, Completion, Completions, Inspection};
use crate::session::shared::Shared;

/// How long an editor waits for a cell that is being checked. A person types on meanwhile; no candidates are better than
/// late ones.
const PATIENCE: Duration = Duration::from_millis(300);

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
#[derive(Clone)]
pub struct Inspector {
    workspace: Arc<Mutex<Workspace>>,
    names: Arc<RwLock<Shared<Arc<NameInfo>>>>,
}

impl Inspector {
    pub fn new(workspace: Arc<Mutex<Workspace>>) -> Inspector {
        Inspector { workspace, names: Arc::default() }
    }

    /// After a cell: the names of the session, whole.
    pub(super) fn publish(&self, names: Shared<Arc<NameInfo>>) {
        *self.names.write() = names;
    }

    pub fn names(&self) -> Vec<Arc<NameInfo>> {
        self.names.read().values().cloned().collect()
    }

    /// What may stand at that byte of the text: best matches first, each once.
    pub fn complete(&self, text: &str, offset: usize) -> Completions {
        let at = u32::try_from(offset).unwrap_or(u32::MAX);
        if let Some((prefix, found)) = command_line::candidates(self, text, offset) {
            return completions(text, prefix, found);
        }
        let Some(mut workspace) = self.workspace.try_lock_for(PATIENCE) else {
            return completions(text, Span::at(at), Vec::new());
        };
        let found = complete(&mut workspace, text, at);
        drop(workspace);
        completions(text, found.prefix, found.candidates.into_iter().map(completion).collect())
    }

    /// What is known about the name at that byte of the text; within the brackets of a call, about what is called.
    pub fn inspect(&self, text: &str, offset: usize) -> Option<Inspection> {
        let page = match command_line::name(text, offset) {
            Some(command) => self.document(&command)?,
            None => {
                let at = u32::try_from(offset).unwrap_or(u32::MAX);
                self.about(text, at).or_else(|| self.about(text, callee(text, at)?))?
            }
        };
        Some(Inspection { text: page.text, markdown: page.markdown })
    }

    fn about(&self, text: &str, at: u32) -> Option<Page> {
        let found = hover(&mut *self.workspace.try_lock_for(PATIENCE)?, text, at)?;
        let name = found.span.text(text);
        let of_session = found.about.name == name && found.about.is_definition();
        let own = self.names.read().get(name).filter(|_| of_session).cloned();
        Some(match own {
            Some(info) => document::own(&info),
            None => document::described(&found.about),
        })
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
            .chain(language::words())
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

/// Those beginning with the prefix in its own case come first; else the order found, which begins at the place itself.
fn completions(text: &str, prefix: Span, mut items: Vec<Completion>) -> Completions {
    let word = prefix.text(text);
    items.sort_by_key(|item| !item.text.starts_with(word));
    Completions { start: prefix.start as usize, end: prefix.end as usize, items }
}

fn completion(candidate: Candidate) -> Completion {
    Completion {
        text: candidate.text,
        kind: candidate.kind.to_owned(),
        signature: candidate.signature,
        doc: candidate.doc,
    }
}

/// Where the name of the call around that byte ends.
fn callee(text: &str, at: u32) -> Option<u32> {
    let lexed = lexer::lex(text, lexer::SourceKind::Cell);
    let mut closed = 0;
    let mut before = lexed.tokens.iter().rev().skip_while(|token| token.span.end > at);
    while let Some(token) = before.next() {
        match token.kind {
            TokenKind::RParen => closed += 1,
            TokenKind::LParen if closed > 0 => closed -= 1,
            TokenKind::LParen => {
                let name = before.next().filter(|token| token.kind == TokenKind::Name)?;
                return Some(name.span.end);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
