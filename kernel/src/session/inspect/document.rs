//! The page of a name: what `:doc x`, `?x` and a hover show, as text and as Markdown.

use std::sync::Arc;

use ag_lang::ide::describe::Description;
use ag_runtime::builtin::{self, Builtin, Kind};

use super::{NameInfo, language};
use crate::output::Page;
use crate::session::command::{self, help};

/// A name of the session first, then a builtin, then a command. `List.map` names one member; `map` all of that name.
pub fn page(names: &[Arc<NameInfo>], name: &str) -> Option<Page> {
    if let Some(info) = names.iter().find(|info| info.name == name) {
        return Some(own(info));
    }
    if let Some(member) = member(names, name) {
        return Some(member);
    }
    let rows: Vec<&Builtin> = builtin::table()
        .iter()
        .copied()
        .filter(|row| row.kind != Kind::Operator && is_named(row, name))
        .collect();
    if !rows.is_empty() {
        return Some(joined(rows.into_iter().map(of_builtin)));
    }
    if let Some(page) = language::page(name) {
        return Some(page);
    }
    command::TABLE.iter().find(|command| command.name == name).map(help::one)
}

fn is_named(row: &Builtin, name: &str) -> bool {
    match name.split_once('.') {
        Some((receiver, member)) => row.receiver == Some(receiver) && row.name == member,
        None => row.name == name,
    }
}

/// `Trade.quantity`, `Desk.decide`.
fn member(names: &[Arc<NameInfo>], path: &str) -> Option<Page> {
    let (owner, name) = path.split_once('.')?;
    let owner = names.iter().find(|info| info.name == owner)?;
    owner.members.iter().find(|member| member.name == name).map(own)
}

fn joined(pages: impl Iterator<Item = Page>) -> Page {
    let (texts, markdowns): (Vec<String>, Vec<String>) =
        pages.map(|page| (page.text, page.markdown)).unzip();
    Page { text: texts.join("\n"), markdown: markdowns.join("\n---\n"), pager: false }
}

pub fn own(info: &NameInfo) -> Page {
    let separator =
        if info.signature.is_empty() || info.signature.starts_with('(') { "" } else { " : " };
    let head = format!("{} {}{separator}{}", info.kind, info.name, info.signature);
    let members: Vec<String> = info
        .members
        .iter()
        .map(|member| format!("  {} {}{}", member.kind, member.name, typed(&member.signature)))
        .collect();
    let where_from =
        if info.cell > 0 { format!("defined in cell {}", info.cell) } else { String::new() };
    page_of(&head, &members, &[info.doc.trim().to_owned(), where_from])
}

fn typed(signature: &str) -> String {
    match signature {
        "" => String::new(),
        signature if signature.starts_with('(') => signature.to_owned(),
        signature => format!(" : {signature}"),
    }
}

fn of_builtin(row: &Builtin) -> Page {
    let sigil = if matches!(row.kind, Kind::Intrinsic(_)) { "@" } else { "" };
    let receiver = row.receiver.map(|receiver| format!("{receiver}.")).unwrap_or_default();
    let head = format!("{sigil}{receiver}{}{}", row.name, row.signature);
    let effects = match row.effects {
        [] => String::new(),
        effects => format!("Effects: {}.", effects.join(", ")),
    };
    let later = if row.supported { "" } else { "This version cannot run it yet." };
    let mut example = Vec::new();
    if !row.example.is_empty() {
        let gives =
            if row.gives.is_empty() { String::new() } else { format!("   // {}", row.gives) };
        example.push(format!("{}{gives}", row.example));
    }
    page_of(&head, &example, &[row.doc.trim().to_owned(), effects, later.to_owned()])
}

/// What the checker knows of a place: a local, a field, an expression, a builtin.
pub fn described(about: &Description) -> Page {
    let effects = match about.effects.as_slice() {
        [] => String::new(),
        effects => format!("Effects: {}.", effects.join(", ")),
    };
    let example = about.example.iter().map(|(text, gives)| match gives.as_str() {
        "" => text.clone(),
        gives => format!("{text}   // {gives}"),
    });
    let example: Vec<String> = example.collect();
    page_of(&about.signature, &example, &[about.doc.trim().to_owned(), effects])
}

/// A head and lines of source, then paragraphs; empty ones are left out.
fn page_of(head: &str, lines: &[String], paragraphs: &[String]) -> Page {
    let paragraphs: Vec<&str> =
        paragraphs.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let source = std::iter::once(head).chain(lines.iter().map(String::as_str));
    let source = source.collect::<Vec<_>>().join("\n");
    let text = std::iter::once(source.as_str()).chain(paragraphs.iter().copied());
    let text = text.collect::<Vec<_>>().join("\n");
    let markdown = format!("```ag\n{source}\n```\n{}\n", paragraphs.join("\n\n"));
    Page { text: text + "\n", markdown, pager: false }
}
