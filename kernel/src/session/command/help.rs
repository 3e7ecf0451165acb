//! `:help`: the table of commands, the page of a code, one command, or whatever else has a name.

use ag_lang::diag;

use super::{Command, Refusal, Run, TABLE, names, tour};
use crate::output::{Output, Page};
use crate::render::text::wrap;
use crate::session::state::State;

pub fn help(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let topic = rest.trim_start_matches([':', '%']);
    if topic == "tour" {
        return tour::tour(state, "");
    }
    let page = if topic.is_empty() {
        overview()
    } else if topic == "keys" {
        keys()
    } else if let Some(text) = diag::explain(topic) {
        Page { text: text.to_owned(), markdown: text.to_owned(), pager: false }
    } else if let Some(command) = TABLE.iter().find(|command| command.name == topic) {
        one(command)
    } else {
        names::document(state, rest)?
    };
    Ok(vec![Output::Page(page)])
}

const TERMINAL: &str = include_str!("../../../../docs/terminal.md");

/// The section on keys of docs/terminal.md, so that it is written once.
fn keys() -> Page {
    let section = TERMINAL.split("\n## ").find(|section| section.starts_with("Keys\n"));
    let markdown = section.unwrap_or_default().trim_start_matches("Keys\n").trim();
    let rows = markdown.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let mut text = String::new();
    for (key, does) in rows.filter_map(|row| row.split_once(" | ")).skip(1) {
        let does = does.replace('`', "");
        for (at, line) in wrap(&does, 56).iter().enumerate() {
            let key = if at == 0 { key } else { "" };
            text.push_str(&format!("  {key:<20} {line}\n"));
        }
    }
    text.push_str("docs/terminal.md tells of pictures, the history and plain terminals.\n");
    Page { text, markdown: markdown.to_owned(), pager: false }
}

/// How a command is written: `:cost [cell n]`, `%%time`.
pub fn usage(command: &Command) -> String {
    let sigil = if matches!(command.run, Run::Cell(_)) { "%%" } else { ":" };
    format!("{sigil}{} {}", command.name, command.arguments).trim_end().to_owned()
}

fn overview() -> Page {
    let mut text = String::new();
    let mut markdown = String::new();
    let mut group = "";
    for command in TABLE.iter().filter(|command| command.is_supported()) {
        if command.group != group {
            group = command.group;
            text.push_str(&format!("{group}\n"));
            markdown.push_str(&format!("\n**{group}**\n\n| command | |\n|---|---|\n"));
        }
        text.push_str(&format!("  {:<26} {}\n", usage(command), command.help));
        markdown.push_str(&format!("| `{}` | {} |\n", usage(command), command.help));
    }
    let more = "`?name` explains a name, `:help E0301` a code, `:help keys` the keys.\n\
                `:tour` shows the language in ten steps.";
    text.push_str(&format!("{more}\n"));
    markdown.push_str(&format!("\n{more}\n"));
    Page { text, markdown: markdown.trim_start().to_owned(), pager: false }
}

pub fn one(command: &Command) -> Page {
    let later = if command.is_supported() { "" } else { " (not supported yet)" };
    let text = format!("{}: {}{later}", usage(command), command.help);
    let markdown = format!("`{}`: {}{later}", usage(command), command.help);
    Page { text, markdown, pager: false }
}
