//! `ag` and `ag repl`: one session, cell after cell, from a person or from a pipe.

use std::io::{IsTerminal, stdin};
use std::sync::Arc;

use ag_kernel::output::{Output, OutputSink};
use ag_kernel::session::Session;
use ag_kernel::session::inspect::Inspector;
use ag_kernel::session::request::{CellRequest, Completeness, Payload};

use crate::args::SessionArgs;
use crate::command::run::{self, exit_of};
use crate::exit::Exit;
use crate::refuse;
use crate::term::editor::{Editor, Entered};
use crate::term::highlight::highlight;
use crate::term::interrupt::on_interrupt;
use crate::term::sink::{CommandSink, TerminalSink};
use crate::term::{closed, external, paint};

pub fn repl(arguments: &SessionArgs) -> Exit {
    let session = match Session::open(arguments.options(None)) {
        Ok(session) => session,
        Err(error) => return refuse(error),
    };
    on_interrupt(&session);
    let is_person = stdin().is_terminal();
    if is_person { talk(session) } else { follow(session) }
}

/// What the banner offers, each with a remark; a test types them.
fn first(session: &Session) -> [(&'static str, String); 3] {
    let call = match session.answering_lane() {
        Some(lane) => format!("asks lane {lane}"),
        None => "made up: no model, no money".to_owned(),
    };
    [
        ("[1, 2, 3].map(n => n * n).sum", "a value".to_owned()),
        ("let reply : Text := @llm_call(\"hello\"); reply", call),
        (":tour", "ten steps through the language".to_owned()),
    ]
}

/// A person at a terminal. A failed cell is part of the conversation: leaving is success.
fn talk(session: Session) -> Exit {
    let sink = Arc::new(TerminalSink::default());
    let mut editor = match Editor::open(&session, sink.above()) {
        Ok(editor) => editor,
        Err(error) => return refuse(format!("cannot use this terminal: {error}")),
    };
    if let Some(printer) = editor.printer() {
        sink.above().set_printer(printer);
    }
    let version = env!("CARGO_PKG_VERSION");
    paint::line(&format!(
        "ag {version}. :help shows what there is, Ctrl-C interrupts, Ctrl-D leaves."
    ));
    paint::line("Three things to type:");
    for (text, what) in first(&session) {
        paint::line(&format!("  {text:<46} ({what})"));
    }
    Talk { session, editor, sink, next: String::new() }.go()
}

struct Talk {
    session: Session,
    editor: Editor,
    sink: Arc<TerminalSink>,
    /// What the next prompt begins with.
    next: String,
}

impl Talk {
    fn go(&mut self) -> Exit {
        let mut is_leaving_now = false;
        loop {
            let prompt = format!("ag {}> ", self.session.next_count());
            let next = std::mem::take(&mut self.next);
            self.sink.begin_prompt(&prompt);
            let entered = self.editor.read(&prompt, &next);
            self.sink.end_prompt();
            let wanted_to_leave = std::mem::replace(&mut is_leaving_now, false);
            match entered {
                Entered::Text(text) if text.trim().is_empty() && self.session.is_on_tour() => {
                    self.enter(":tour next");
                }
                Entered::Text(text) if text.trim().is_empty() => {}
                Entered::Text(text) if is_leaving(&text, &self.session.inspector()) => {
                    return Exit::Success;
                }
                Entered::Text(text) => self.enter(&text),
                Entered::Edit(text) => match self.edited(|| external::edit_text(&text)) {
                    Some(edited) => self.next = edited,
                    None => self.next = text,
                },
                Entered::Dropped => {}
                Entered::Nothing if wanted_to_leave => return Exit::Success,
                Entered::Nothing if self.stop_background() => {}
                Entered::Nothing => {
                    is_leaving_now = true;
                    paint::line("Ctrl-C again leaves, as Ctrl-D does");
                }
                Entered::End => return Exit::Success,
            }
        }
    }

    /// Ctrl-C where no cell runs is meant for what agents do in the background; whether there was anything.
    fn stop_background(&self) -> bool {
        let ended = self.session.interrupter().interrupt_background();
        match ended {
            0 => return false,
            1 => paint::line("Ended what ran in the background"),
            count => paint::line(&format!("Ended {count} messages in the background")),
        }
        true
    }

    /// A text from the prompt. `:edit` of a file is about that file; what other commands offer comes as the next input.
    fn enter(&mut self, text: &str) {
        let edits = text
            .trim()
            .strip_prefix(":edit")
            .filter(|rest| rest.is_empty() || rest.starts_with(' '));
        let file =
            edits.map(str::trim).filter(|name| name.contains(['/', '.']) && !name.contains('\n'));
        if let Some(name) = file {
            let path = self.session.home().folder().join(name.trim_matches('"'));
            return self.run_edited(|| external::edit_path(&path));
        }
        for payload in self.run(text) {
            match payload {
                Payload::SetNextInput { text, .. } if edits.is_some() => {
                    self.editor.remember(&text);
                    self.run_edited(|| external::edit_text(&text));
                }
                Payload::SetNextInput { text, .. } => self.next = text,
                Payload::Page(_) => {}
            }
        }
    }

    fn run(&mut self, text: &str) -> Vec<Payload> {
        if let Some(code) = self.session.code_of_tour(text) {
            self.editor.remember(code);
        }
        let shown: Arc<dyn OutputSink> = Arc::clone(&self.sink) as Arc<dyn OutputSink>;
        self.session.evaluate(CellRequest::new(text), &shown).payloads
    }

    /// Runs what the person's editor left, after showing it: a transcript has what was run.
    fn run_edited(&mut self, edit: impl FnOnce() -> Result<String, external::Nothing>) {
        let Some(text) = self.edited(edit) else { return };
        self.editor.remember(&text);
        paint::line(&if paint::allows_color() { highlight(&text) } else { text.clone() });
        // What it offers in turn is not followed: a text that edits itself would not end.
        self.run(&text);
    }

    /// What the person's editor left; why there is nothing is told.
    fn edited(&self, edit: impl FnOnce() -> Result<String, external::Nothing>) -> Option<String> {
        self.sink.give_away();
        let edited = edit();
        self.sink.take_back();
        match edited {
            Ok(text) => Some(text.trim_end().to_owned()),
            Err(why) => {
                self.sink.emit(Output::info(why));
                None
            }
        }
    }
}

/// A pipe or a file on stdin: each complete piece is a cell. It stops at the first that fails, as a script should.
fn follow(mut session: Session) -> Exit {
    let sink = Arc::new(TerminalSink::default());
    let shown: Arc<dyn OutputSink> = Arc::clone(&sink) as Arc<dyn OutputSink>;
    let lines: Vec<String> = match run::stdin() {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(why) => return refuse(why),
    };
    let inspector = session.inspector();
    for text in pieces(&lines, |text| is_whole(&inspector, text)) {
        if is_leaving(&text, &inspector) {
            break;
        }
        let reply = session.evaluate(CellRequest::new(text), &shown);
        sink.end_cell();
        if closed::is_closed() {
            return Exit::Closed;
        }
        let exit = exit_of(&reply);
        if exit != Exit::Success {
            return exit;
        }
    }
    Exit::Success
}

/// What people type to leave. A name of the session keeps its meaning.
fn is_leaving(text: &str, inspector: &Inspector) -> bool {
    match text.trim() {
        ":quit" | ":exit" | ":q" => true,
        word @ ("exit" | "quit" | "exit()" | "quit()") => {
            let word = word.trim_end_matches("()");
            !inspector.names().iter().any(|info| info.name == word)
        }
        _ => false,
    }
}

fn is_whole(inspector: &Inspector, text: &str) -> bool {
    !matches!(inspector.is_complete(text), Completeness::Incomplete { .. })
}

/// Cuts lines into cells: a cell ends where its text is whole and the next line does not go on with it.
fn pieces(lines: &[String], is_whole: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        text.push_str(line);
        text.push('\n');
        let next = lines.get(at + 1..).into_iter().flatten().find(|line| !line.trim().is_empty());
        if next.is_some_and(|line| continues(line)) || !is_whole(&text) {
            continue;
        }
        if !text.trim().is_empty() {
            found.push(std::mem::take(&mut text));
        }
        text.clear();
    }
    if !text.trim().is_empty() {
        found.push(text);
    }
    found
}

/// Whether a line goes on with the text before it (L-4: the tokens before which a newline is ignored).
fn continues(line: &str) -> bool {
    const STARTS: &[&str] = &[
        ")", "]", "}", ",", ".", "->", "=>", "|", "&&", "+", "*", "/", "==", "!=", "<", ">", "??",
    ];
    let line = line.trim_start();
    let goes_on =
        |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    line.strip_prefix("else").is_some_and(goes_on)
        || (STARTS.iter().any(|start| line.starts_with(start))
            && !line.starts_with("//")
            && !line.starts_with("/*"))
}

#[cfg(test)]
mod tests {
    use super::{continues, pieces};

    /// Whole as soon as every `{` is closed.
    fn cut(text: &str) -> Vec<String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        pieces(&lines, |text| text.matches('{').count() == text.matches('}').count())
    }

    #[test]
    fn a_cell_ends_where_it_is_whole() {
        assert_eq!(cut("1\n2\n"), ["1\n", "2\n"]);
        assert_eq!(cut("f {\n  1\n}\n2"), ["f {\n  1\n}\n", "2\n"]);
        assert_eq!(cut("\n\n1\n\n"), ["1\n"]);
    }

    #[test]
    fn what_goes_on_stays_together() {
        assert_eq!(cut("if a { 1 }\nelse { 2 }\n3").len(), 2);
        assert_eq!(cut("xs\n  .map(f)\n").len(), 1);
        assert!(!continues("elsewhere()") && !continues("// a comment") && continues("  else {"));
    }

    #[test]
    fn an_unfinished_end_is_still_a_cell() {
        assert_eq!(cut("1\nf {\n"), ["1\n", "f {\n"]);
    }
}
