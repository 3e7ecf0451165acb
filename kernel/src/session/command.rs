//! Session commands (L-158): one table, from which parsing, help, completion and the nearest-name diagnostic come.
//!
//! A handler takes the session as a [`State`] and what stood after the name; it gives outputs, or a refusal that becomes a
//! diagnostic at the command's place. Commands of the language that this version cannot run yet are rows, too: they are
//! known, documented and refused, never silently ignored.

mod compiled;
mod contracts;
mod earlier;
mod examine;
mod graph;
pub mod help;
mod money;
mod names;
mod policy;
mod runtime;
mod settings;
mod taping;
pub mod tour;

use ag_lang::diag::codes::{self, Code};
use ag_lang::diag::{Diagnostic, nearest};
use ag_lang::source::Span;
use ag_lang::syntax::item::Sigil;

use crate::output::Output;
use crate::session::state::State;

/// One row of the table.
pub struct Command {
    pub name: &'static str,
    /// As help writes it: `[n]`, `name or auto`.
    pub arguments: &'static str,
    pub help: &'static str,
    pub group: &'static str,
    run: Run,
}

impl Command {
    /// False for commands of the language that this version refuses.
    pub fn is_supported(&self) -> bool {
        !matches!(self.run, Run::NotYet)
    }

    /// True for `%%name`, which stands before a cell.
    pub fn is_about_cell(&self) -> bool {
        matches!(self.run, Run::Cell(_))
    }
}

type Handler = fn(&mut dyn State, &str) -> Result<Vec<Output>, Refusal>;

#[derive(Clone, Copy)]
enum Run {
    Line(Handler),
    /// Changes the session when something stands after its name, and tells how it is otherwise.
    Setting(Handler),
    /// Changes the session.
    Change(Handler),
    /// On the first line of a cell, about the whole of it.
    Cell(Modifier),
    /// Part of the language, not of this version.
    NotYet,
}

/// What `%%name` asks for: the session does it around the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    Time,
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    pub notes: Vec<String>,
}

const MONEY: &str = "money and lanes";
const RUNTIME: &str = "runtime";
const REFERENCE: &str = "reference";
const GRAPH: &str = "session graph";
const SETTINGS: &str = "settings";
const COMPILER: &str = "compiler";
const TESTS: &str = "record and test";
const MEASURE: &str = "measure a cell";

const fn row(
    group: &'static str,
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    run: Run,
) -> Command {
    Command { name, arguments, help, group, run }
}

/// All commands of L-158 and those a terminal adds, in the order help shows them.
pub const TABLE: &[Command] = &[
    row(
        REFERENCE,
        "help",
        "[topic]",
        "commands, a code such as E0301, or a name",
        Run::Line(help::help),
    ),
    row(
        REFERENCE,
        "tour",
        "[next or 3 or end]",
        "the language in ten steps that run",
        Run::Change(tour::tour),
    ),
    row(REFERENCE, "doc", "x", "what a name means", Run::Line(names::doc)),
    row(
        REFERENCE,
        "type",
        "e",
        "the type and the effects of an expression",
        Run::Line(names::type_of),
    ),
    row(
        REFERENCE,
        "quit",
        "",
        "leave the terminal, as exit and Ctrl-D do",
        Run::Line(runtime::quit),
    ),
    row(REFERENCE, "effects", "f", "the effects of a function", Run::Line(contracts::effects)),
    row(
        REFERENCE,
        "caps",
        "f",
        "capabilities of a function; what it moves, shares",
        Run::Line(contracts::caps),
    ),
    row(REFERENCE, "source", "x", "the text of a definition", Run::Line(earlier::source)),
    row(
        REFERENCE,
        "history",
        "[glob]",
        "what was entered, here and in other sessions",
        Run::Line(earlier::history),
    ),
    row(
        REFERENCE,
        "edit",
        "[n or name or file]",
        "a cell or a definition in $EDITOR, then run it",
        Run::Line(earlier::edit),
    ),
    row(
        MONEY,
        "cost",
        "[cell n or checks]",
        "what was spent, by whom; what contracts cost",
        Run::Line(money::cost),
    ),
    row(
        MONEY,
        "budget",
        "[$x [on_exceed]]",
        "the limits in force, or a new session limit",
        Run::Setting(money::budget),
    ),
    row(
        MONEY,
        "lanes",
        "[unload]",
        "the lanes and the last choice; unload frees memory",
        Run::Line(money::lanes),
    ),
    row(
        MONEY,
        "lane",
        "[name or auto]",
        "the lane of every call, or the router's choice",
        Run::Setting(money::lane),
    ),
    row(
        MONEY,
        "decisions",
        "",
        "what was decided: input, votes, cost, memories",
        Run::Line(runtime::decisions),
    ),
    row(
        RUNTIME,
        "trace",
        "[n] or save FILE",
        "the timeline of a cell; save it for Perfetto",
        Run::Line(runtime::trace),
    ),
    row(RUNTIME, "agents", "", "all agents with their mailboxes", Run::Line(runtime::agents)),
    row(RUNTIME, "mailbox", "r", "the messages in a mailbox", Run::Line(runtime::mailbox)),
    row(RUNTIME, "memory", "", "collections and short-term memories", Run::Line(runtime::memory)),
    row(RUNTIME, "why", "[n]", "why a recall gave what it gave", Run::Line(runtime::why)),
    row(RUNTIME, "fault", "", "the last Fault in full", Run::Line(runtime::fault)),
    row(GRAPH, "defs", "", "definitions and values of the session", Run::Line(names::defs)),
    row(GRAPH, "deps", "x", "what a name uses and what uses it", Run::Line(graph::deps)),
    row(GRAPH, "stale", "", "values and results whose origins changed", Run::Line(graph::stale)),
    row(GRAPH, "run", "stale", "compute stale values anew", Run::Change(graph::run)),
    row(
        GRAPH,
        "undo",
        "",
        "definitions and values as before the last cell",
        Run::Change(graph::undo),
    ),
    row(
        SETTINGS,
        "set",
        "[key value]",
        "change a setting; without a key, list them",
        Run::Setting(settings::set),
    ),
    row(
        SETTINGS,
        "reset",
        "",
        "forget definitions, values and agents",
        Run::Change(settings::reset),
    ),
    row(
        SETTINGS,
        "policy",
        "[name or none]",
        "the rules in force, or other rules",
        Run::Setting(policy::policy),
    ),
    row(SETTINGS, "save", "n", "keep definitions and values under a name", Run::Line(graph::save)),
    row(SETTINGS, "load", "n", "bring what was saved back", Run::Change(graph::load)),
    row(
        COMPILER,
        "prove",
        "f",
        "the clauses of a definition with their verdicts",
        Run::Line(contracts::prove),
    ),
    row(COMPILER, "trust", "", "what proofs assume", Run::NotYet),
    row(COMPILER, "tier", "f", "which tiers a function runs on", Run::Line(compiled::tier)),
    row(COMPILER, "reuse", "f", "where values are changed in place", Run::NotYet),
    row(
        COMPILER,
        "asm",
        "f [clif]",
        "the machine code of a function, or its CLIF",
        Run::Line(compiled::asm),
    ),
    row(
        TESTS,
        "record",
        "[file or off]",
        "write what cells take from outside to a file",
        Run::Setting(taping::record),
    ),
    row(
        TESTS,
        "replay",
        "[file or off]",
        "feed a recording back: no lane, no money",
        Run::Setting(taping::replay),
    ),
    row(
        TESTS,
        "test",
        "[name]",
        "run tests, each in a session of its own",
        Run::Line(examine::test),
    ),
    row(
        MEASURE,
        "time",
        "",
        "how long the cell took (on its first line)",
        Run::Cell(Modifier::Time),
    ),
    row(MEASURE, "bench", "", "many runs of the cell (on its first line)", Run::NotYet),
];

/// Run one command line. `name` and `rest` are as the parser gives them.
pub fn run(
    sigil: Sigil,
    name: &str,
    rest: &str,
    state: &mut dyn State,
) -> Result<Vec<Output>, Refusal> {
    if sigil == Sigil::Question {
        return names::ask(state, name);
    }
    let command = find(name)?;
    match command.run {
        Run::Line(run) | Run::Setting(run) | Run::Change(run) => run(state, rest.trim()),
        Run::Cell(_) => Err(Refusal::new(
            codes::E0905,
            format!("`{name}` is about a whole cell: write `%%{name}` on its first line"),
        )),
        Run::NotYet => Err(not_yet(name)),
    }
}

/// Whether the line would change the session.
pub fn changes(name: &str, rest: &str) -> bool {
    match find(name).map(|command| command.run) {
        Ok(Run::Change(_)) => true,
        Ok(Run::Setting(_)) => !rest.trim().is_empty(),
        _ => false,
    }
}

/// Such a line on a subshell (L-159).
pub fn refused_aside(name: &str) -> Refusal {
    let message = format!("`{name}` changes the session, which cannot be done on a subshell");
    Refusal::new(codes::E0904, message)
}

/// What `%%name` asks for. A line command such as `:trace` says the same after the cell.
pub fn modifier(name: &str, rest: &str) -> Result<Modifier, Refusal> {
    match find(name)?.run {
        Run::Cell(modifier) if rest.trim().is_empty() => Ok(modifier),
        Run::Cell(_) => Err(Refusal::new(
            codes::E0905,
            format!("nothing stands after `%%{name}`: the cell goes on the following lines"),
        )),
        Run::NotYet => Err(not_yet(name)),
        Run::Line(_) | Run::Setting(_) | Run::Change(_) => Err(Refusal::new(
            codes::E0903,
            format!("`%%{name}` is not supported: write `:{name}` on a line after the others"),
        )),
    }
}

/// Whether a text is modifiers and nothing yet that they are about.
pub fn is_only_modifiers(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let is_modifier =
        |line: &str| line.strip_prefix("%%").is_some_and(|name| modifier(name, "").is_ok());
    lines.peek().is_some() && lines.all(is_modifier)
}

fn not_yet(name: &str) -> Refusal {
    Refusal::new(codes::E0903, format!("the command `{name}` is not supported yet"))
}

fn find(name: &str) -> Result<&'static Command, Refusal> {
    let known = TABLE.iter().find(|command| command.name == name);
    known.ok_or_else(|| {
        let refusal = Refusal::new(codes::E0905, format!("there is no command `{name}`"));
        let near = nearest(name, TABLE.iter().map(|command| command.name));
        refusal.suggesting(&near, ":").noting(":help lists all commands")
    })
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), notes: Vec::new() }
    }

    #[must_use]
    pub(super) fn noting(mut self, note: impl Into<String>) -> Refusal {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub(super) fn suggesting(self, near: &[&str], sigil: &str) -> Refusal {
        if near.is_empty() {
            return self;
        }
        let names: Vec<String> = near.iter().map(|name| format!("`{sigil}{name}`")).collect();
        self.noting(format!("did you mean {}?", names.join(" or ")))
    }

    /// At the place of the command line.
    pub fn diagnostic(&self, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::new(self.code, span, self.message.clone());
        self.notes.iter().fold(diagnostic, |diagnostic, note| diagnostic.note(note.clone()))
    }
}

/// The argument must be there.
fn required<'a>(rest: &'a str, usage: &str) -> Result<&'a str, Refusal> {
    match rest {
        "" => Err(Refusal::new(codes::E0905, format!("write `:{usage}`"))),
        rest => Ok(rest),
    }
}

#[cfg(test)]
mod tests;
