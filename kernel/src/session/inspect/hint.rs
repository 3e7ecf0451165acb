//! What a person is told beside the text being typed: what the call at hand still takes, or the type of the name.
//!
//! It never waits: a hint that comes late is in the way.

use ag_lang::ide::hover::hover;
use ag_lang::syntax::lexer::{self, SourceKind};
use ag_lang::syntax::token::{Token, TokenKind};

use super::{Inspector, callee};

/// A longer text is not checked anew for every key.
const LONGEST: usize = 8_000;

impl Inspector {
    /// For the end of a text. Behind `(` or `,` of a call the parameters that are left with the result, behind a name its
    /// parameters or its type.
    pub fn hint(&self, text: &str) -> Option<String> {
        if text.len() > LONGEST {
            return None;
        }
        let end = u32::try_from(text.len()).ok()?;
        let written = text.trim_end();
        if written.ends_with(['(', ',']) {
            let (name, signature) = self.signature(text, callee(text, end)?)?;
            let (params, result) = parts(signature.strip_prefix(name.as_str())?)?;
            let left = left_over(&params, &arguments(text));
            let is_known = !left.is_empty() || written.ends_with('(');
            return is_known.then(|| format!("{}){result}", left.join(", ")));
        }
        if !text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let (name, signature) = self.signature(text, end)?;
        let about = signature.strip_prefix(name.as_str())?;
        (about.starts_with('(') || about.starts_with(" : ")).then(|| about.to_owned())
    }

    /// The name that ends there, and what is known of it from the name on.
    fn signature(&self, text: &str, end: u32) -> Option<(String, String)> {
        self.checked(text, end).or_else(|| self.behavior(text, end))
    }

    /// The behavior of that name behind a dot, if there is but one.
    fn behavior(&self, text: &str, end: u32) -> Option<(String, String)> {
        let before = text.get(..end as usize)?;
        let owner = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
        let name = before.get(owner.len()..)?;
        let names = self.names();
        let members = names.iter().flat_map(|info| &info.members);
        let mut found = members.filter(|info| info.name == name && info.signature.starts_with('('));
        let (one, more) = (found.next()?, found.next());
        let is_one = owner.ends_with('.') && more.is_none();
        is_one.then(|| (name.to_owned(), format!("{name}{}", one.signature)))
    }

    fn checked(&self, text: &str, end: u32) -> Option<(String, String)> {
        let found = hover(&mut *self.workspace.try_lock()?, text, end)?;
        let name = found.span.text(text);
        let signature = found.about.signature;
        let begins = signature.find(&format!("{name}("));
        let begins = begins.or_else(|| signature.find(&format!("{name} : ")))?;
        Some((name.to_owned(), signature.get(begins..)?.to_owned()))
    }
}

/// `(a: Int, b: Text) -> Bool` and `: (Int) -> Bool`: the parameters, and what comes behind them.
fn parts(signature: &str) -> Option<(Vec<&str>, &str)> {
    let list = signature.trim_start_matches([' ', ':']).strip_prefix('(')?;
    let mut params = Vec::new();
    let (mut depth, mut from, mut before) = (0, 0, ' ');
    for (at, c) in list.char_indices() {
        match c {
            ')' if depth == 0 => {
                params.push(list.get(from..at)?.trim());
                params.retain(|param| !param.is_empty());
                return Some((params, list.get(at + 1..)?));
            }
            '(' | '<' | '{' | '[' => depth += 1,
            // The second half of `->` closes nothing.
            '>' if before == '-' => {}
            ')' | '>' | '}' | ']' => depth -= 1,
            ',' if depth == 0 => {
                params.push(list.get(from..at)?.trim());
                from = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// The arguments before the cursor of the innermost open call: the name of each, empty where it has none.
fn arguments(text: &str) -> Vec<String> {
    let lexed = lexer::lex(text, SourceKind::Cell);
    let tokens: Vec<&Token> = lexed
        .tokens
        .iter()
        .filter(|token| !token.kind.is_trivia() && !token.span.is_empty())
        .collect();
    let mut depth = 0;
    let mut found = Vec::new();
    let mut after: [Option<&Token>; 2] = [None, None];
    for token in tokens.iter().rev() {
        match token.kind {
            TokenKind::RParen | TokenKind::RBrace | TokenKind::RBracket => depth += 1,
            TokenKind::LParen | TokenKind::LBrace | TokenKind::LBracket if depth > 0 => depth -= 1,
            TokenKind::LParen | TokenKind::Comma if depth == 0 => {
                if let [Some(first), second] = after {
                    let is_name = first.kind == TokenKind::Name
                        && second.is_some_and(|token| token.kind == TokenKind::Colon);
                    found.push(if is_name {
                        first.span.text(text).to_owned()
                    } else {
                        String::new()
                    });
                }
                if token.kind == TokenKind::LParen {
                    break;
                }
                after = [None, None];
                continue;
            }
            _ => {}
        }
        after = [Some(token), after[0]];
    }
    found
}

/// The parameters that no argument is for yet: arguments without a name go in order.
fn left_over<'p>(params: &[&'p str], arguments: &[String]) -> Vec<&'p str> {
    let in_order = arguments.iter().filter(|name| name.is_empty()).count();
    let is_named = |param: &&str| {
        let name = param.split([':', ' ']).next().unwrap_or_default();
        arguments.iter().any(|given| given == name)
    };
    params.iter().skip(in_order).copied().filter(|param| !is_named(param)).collect()
}
