//! `:help`: the table of commands, the page of a code, one command, or whatever else has a name.

use ag_lang::diag;

use super::{Command, Refusal, Run, TABLE, names};
use crate::output::{Output, Page};
use crate::session::state::State;

pub fn help(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let topic = rest.trim_start_matches([':', '%']);
    let page = if topic.is_empty() {
        overview()
    } else if let Some(text) = diag::explain(topic) {
        Page { text: text.to_owned(), markdown: text.to_owned(), pager: false }
    } else if let Some(command) = TABLE.iter().find(|command| command.name == topic) {
        one(command)
    } else {
        names::document(state, rest)?
    };
    Ok(vec![Output::Page(page)])
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
    let more = "`?name` explains a name, `:help E0301` a code.";
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
