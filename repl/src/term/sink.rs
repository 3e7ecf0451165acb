//! The terminal as a place for outputs: values and prints to stdout, mistakes to stderr, questions answered from stdin.
//!
//! What agents print while a person is typing goes above the prompt, pictures where the terminal shows them. It never fails: a closed pipe
//! swallows, and interrupts what runs.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use ag_kernel::output::bars::Bars;
use ag_kernel::output::{Display, Output, OutputSink, ProgressView};
use ag_kernel::render;
use ag_kernel::render::text::lines_of;
use ag_runtime::context::sink::Question;
use rustix::termios::tcgetwinsize;

use crate::term::above::Above;
use crate::term::ask::{Asking, Desk, lock};
use crate::term::live::{Live, Size};
use crate::term::milestones::Milestones;
use crate::term::{closed, image, paint, prose};

/// Lines that a bar takes in a pipe.
const STEPS: u64 = 4;
const USUAL_ROWS: usize = 24;

/// A sink that is told when a cell has ended: what was held back is shown then.
pub trait CommandSink: OutputSink {
    fn end_cell(&self);
}

/// Where the lines go that are the session's and not the program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnLines {
    /// With everything else: a person reads them.
    Among,
    /// What a cell cost and remarks go to stderr; panels that a command shows are what was asked for.
    Aside,
    /// Panels, too: a file has no commands.
    AllAside,
}

impl OwnLines {
    fn is_aside(self, output: &Output) -> bool {
        match output {
            Output::CostLine(_) | Output::Note(_) => self != OwnLines::Among,
            Output::Cost(_) | Output::CostChart(_) | Output::FaultCard(_) => {
                self == OwnLines::AllAside
            }
            _ => false,
        }
    }
}

pub struct TerminalSink {
    screen: Arc<Screen>,
    asking: Asking,
}

/// What the sink, the thread that reads answers and the one that redraws bars share.
struct Screen {
    /// Its lines can be written again.
    is_live: bool,
    own: OwnLines,
    /// The way to write while a prompt is shown: around it would tear the line being edited.
    above: Arc<Above>,
    state: Mutex<State>,
    prompt_ended: Condvar,
}

struct State {
    live: Live,
    bars: Bars,
    is_ticking: bool,
    milestones: Milestones,
    is_at_prompt: bool,
    /// What a terminal that cannot move its cursor shows again after a text.
    prompt: String,
    /// Another program has the screen, such as the person's editor.
    is_away: bool,
    /// The question whose answer is being typed, and the bars that wait for it.
    asked: Option<AskedNow>,
    waiting: BTreeMap<String, ProgressView>,
}

/// A question on the screen.
struct AskedNow {
    prompt: String,
    is_wanted: Box<dyn Fn() -> bool + Send>,
}

impl Default for TerminalSink {
    fn default() -> TerminalSink {
        TerminalSink::new(OwnLines::Among)
    }
}

impl TerminalSink {
    /// For a program whose output somebody may want in a pipe.
    pub fn of_program(own: OwnLines) -> TerminalSink {
        TerminalSink::new(own)
    }

    fn new(own: OwnLines) -> TerminalSink {
        let state = State {
            live: Live::default(),
            bars: Bars::default(),
            is_ticking: false,
            milestones: Milestones::new(STEPS),
            is_at_prompt: false,
            prompt: String::new(),
            is_away: false,
            asked: None,
            waiting: BTreeMap::new(),
        };
        let is_live = stdout().is_terminal() && !paint::is_dumb();
        let (above, state) = (Arc::default(), Mutex::new(state));
        let screen = Screen { is_live, own, above, state, prompt_ended: Condvar::new() };
        TerminalSink { screen: Arc::new(screen), asking: Asking::default() }
    }
}

impl TerminalSink {
    /// The way to write above the prompt.
    pub fn above(&self) -> &Arc<Above> {
        &self.screen.above
    }

    /// A prompt is about to be shown: it must start a line, and no question may wait for one.
    pub fn begin_prompt(&self, prompt: &str) {
        self.asking.wait();
        self.end_cell();
        let mut state = lock(&self.screen.state);
        if state.live.is_mid_line() {
            let _ = writeln!(stdout());
        }
        state.live = Live::default();
        state.is_at_prompt = true;
        prompt.clone_into(&mut state.prompt);
        self.screen.above.begin_prompt();
    }

    pub fn end_prompt(&self) {
        self.take_back();
        self.screen.prompt_ended.notify_all();
    }

    /// Another program has the screen until [`TerminalSink::take_back`].
    pub fn give_away(&self) {
        lock(&self.screen.state).is_away = true;
    }

    /// The screen is ours: shows what came meanwhile.
    pub fn take_back(&self) {
        let state = &mut *lock(&self.screen.state);
        state.is_at_prompt = false;
        state.is_away = false;
        let text = self.screen.above.end_prompt();
        self.screen.text(state, &text, true, false);
    }
}

impl OutputSink for TerminalSink {
    fn emit(&self, output: Output) {
        self.screen.emit(output);
    }

    fn ask(&self, question: Question) {
        let screen: Arc<dyn Desk> = Arc::clone(&self.screen) as Arc<dyn Desk>;
        self.asking.ask(&screen, question);
    }
}

impl CommandSink for TerminalSink {
    fn end_cell(&self) {
        let state = &mut *lock(&self.screen.state);
        for view in state.bars.drain() {
            self.screen.draw(state, &view);
        }
        for view in state.milestones.drain() {
            let line = self.screen.bar(&view) + "\n";
            self.screen.text(state, &line, false, false);
        }
        write_out(&state.live.end());
    }
}

impl Screen {
    fn emit(self: &Arc<Self>, output: Output) {
        let state = &mut *self.lock();
        match output {
            Output::Progress(view) => self.progress(state, view),
            Output::Display(display) => self.display(state, display),
            Output::Clear { wait } => {
                if !state.is_at_prompt {
                    write_out(&state.live.clear(wait));
                }
            }
            output => {
                if self.is_live
                    && !state.is_at_prompt
                    && !state.is_away
                    && self.picture(state, &output)
                {
                    return;
                }
                let is_part = matches!(output, Output::Stdout(_) | Output::Stderr(_));
                let is_error = self.own.is_aside(&output)
                    || matches!(
                        output,
                        Output::Stderr(_) | Output::Diagnostics(_) | Output::Fault(_)
                    );
                let style = paint::style();
                let output = if self.is_live { prose::fitted(output, style.width) } else { output };
                let mut text = render::terminal(&output, &style);
                if let (Output::CostLine(line), true) = (&output, is_error) {
                    for note in render::cost::made_up(line) {
                        text.push_str(&format!("{note}\n"));
                    }
                }
                self.text(state, &text, is_part, is_error);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        if self.is_live {
            state.live.resize(Some(size()));
        }
        state
    }

    /// Draws an output that is a picture, if the terminal shows pictures.
    fn picture(&self, state: &mut State, output: &Output) -> bool {
        let Some(drawn) = image::drawn(output) else { return false };
        // How high it is only the terminal knows: below it everything begins anew.
        let (before, after) = state.live.around("\n", false);
        write_out(&format!("{before}{drawn}{after}"));
        true
    }

    /// Writes a text where it belongs; a question that is being answered comes again after it.
    fn text(&self, state: &mut State, text: &str, is_part: bool, is_error: bool) {
        if text.is_empty() || self.print_above(state, text) {
            return;
        }
        let asked = state.take_question_back(self.is_live);
        let (before, after) = state.live.around(text, is_part);
        write_out(&before);
        if is_error && !closed::is_closed() {
            let _ = stderr().write_all(text.as_bytes());
        } else if !is_error {
            write_out(text);
        }
        write_out(&after);
        asked.into_iter().for_each(|asked| self.show_question(state, asked));
    }

    fn display(&self, state: &mut State, display: Display) {
        let id = display.id.clone().unwrap_or_default();
        let update = display.update;
        let marked = match update {
            true => render::terminal(&Output::Display(display.clone()), &paint::style()),
            false => String::new(),
        };
        let plain = Output::Display(Display { update: false, ..display });
        let text = render::terminal(&plain, &paint::style());
        if self.print_above(state, if update { &marked } else { &text }) {
            return;
        }
        let asked = state.take_question_back(self.is_live);
        write_out(&state.live.display(&id, update, &text, &marked));
        asked.into_iter().for_each(|asked| self.show_question(state, asked));
    }

    fn progress(self: &Arc<Self>, state: &mut State, view: ProgressView) {
        if !self.is_live || state.is_at_prompt {
            if let Some(view) = state.milestones.take(view) {
                let line = self.bar(&view) + "\n";
                self.text(state, &line, false, false);
            }
        } else if state.asked.is_some() {
            state.waiting.insert(view.id.clone(), view);
        } else if let Some(view) = state.bars.take(view, Instant::now()) {
            self.draw(state, &view);
        } else {
            self.tick(state);
        }
    }

    fn draw(&self, state: &mut State, view: &ProgressView) {
        let drawing = self.bar(view);
        write_out(&state.live.progress(view, drawing));
    }

    fn bar(&self, view: &ProgressView) -> String {
        render::terminal(&Output::Progress(view.clone()), &paint::style())
    }

    /// Sees to it that states which are held back are drawn when it is time, whatever the program does meanwhile.
    fn tick(self: &Arc<Self>, state: &mut State) {
        if std::mem::replace(&mut state.is_ticking, true) {
            return;
        }
        let screen = Arc::downgrade(self);
        let started = std::thread::Builder::new()
            .name("ag-progress".to_owned())
            .spawn(move || while tick_once(&screen) {});
        state.is_ticking = started.is_ok();
    }

    /// Writes above the prompt, if one is shown, or keeps the text for when the screen is ours again.
    fn print_above(&self, state: &State, text: &str) -> bool {
        match (state.is_at_prompt, state.is_away) {
            (false, false) => return false,
            (true, false) if !self.above.has_printer() => {
                let end = if text.ends_with('\n') { "" } else { "\n" };
                write_out(&format!("\n{text}{end}{}", state.prompt));
            }
            _ => self.above.push(text),
        }
        true
    }

    fn show_question(&self, state: &mut State, asked: AskedNow) {
        let (before, after) = state.live.around(&asked.prompt, true);
        write_out(&format!("{before}{}{after}", asked.prompt));
        state.asked = Some(asked);
    }
}

/// Draws what is due; false when nothing is held back any more.
fn tick_once(screen: &Weak<Screen>) -> bool {
    let due = {
        let Some(screen) = screen.upgrade() else { return false };
        let mut state = screen.lock();
        let Some(due) = state.bars.next_due() else {
            state.is_ticking = false;
            return false;
        };
        due
    };
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
    let Some(screen) = screen.upgrade() else { return false };
    let state = &mut *screen.lock();
    for view in state.bars.due(Instant::now()) {
        if state.is_at_prompt || state.asked.is_some() {
            state.waiting.insert(view.id.clone(), view);
        } else {
            screen.draw(state, &view);
        }
    }
    true
}

impl State {
    /// Clears the line of a question that is being answered; it is to be shown again. One that was given up stays.
    fn take_question_back(&mut self, is_live: bool) -> Option<AskedNow> {
        if !is_live {
            return None;
        }
        let asked = self.asked.take()?;
        if !(asked.is_wanted)() {
            write_out("\n");
            self.live.entered();
            return None;
        }
        write_out("\r\x1b[J");
        self.live.forget_line();
        Some(asked)
    }
}

impl Desk for Screen {
    fn put(&self, question: &Question) {
        let prompt = lines_of(&question.prompt);
        let mut state = self.lock();
        if state.is_at_prompt {
            let told = format!("a question waits for Enter: {prompt}\n");
            if !self.print_above(&state, &told) {
                write_out(&told);
            }
        }
        while state.is_at_prompt {
            state = self.prompt_ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let is_wanted = question.watch();
        self.show_question(&mut state, AskedNow { prompt, is_wanted });
    }

    fn settle(&self, is_typed: bool) {
        let state = &mut *self.lock();
        if state.asked.take().is_some() {
            // The newline that nobody typed is missing on the screen, too.
            if !is_typed || !stdout().is_terminal() {
                write_out("\n");
            }
            state.live.entered();
        }
        for view in std::mem::take(&mut state.waiting).into_values() {
            self.draw(state, &view);
        }
    }
}

/// A terminal that does not know its size is taken for the usual one.
fn size() -> Size {
    let known = |told: u16, usual: usize| if told == 0 { usual } else { usize::from(told) };
    let told = tcgetwinsize(stdout()).ok();
    let (columns, rows) = told.map_or((0, 0), |size| (size.ws_col, size.ws_row));
    Size { columns: known(columns, paint::DEFAULT_WIDTH), rows: known(rows, USUAL_ROWS) }
}

fn write_out(text: &str) {
    if !text.is_empty() {
        let mut out = stdout().lock();
        closed::written(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }
}

/// One JSON object a line for each output, for scripts.
#[derive(Default)]
pub struct JsonSink {
    lines: Arc<JsonLines>,
    milestones: Mutex<Option<Milestones>>,
    asking: Asking,
}

/// Lines that do not tear each other.
#[derive(Default)]
struct JsonLines(Mutex<()>);

/// A line a percent.
const PERCENT: u64 = 100;

impl JsonSink {
    /// A line that is no output of a cell.
    pub fn line(&self, value: &serde_json::Value) {
        self.lines.line(value);
    }
}

impl JsonLines {
    fn line(&self, value: &serde_json::Value) {
        let _held = lock(&self.0);
        closed::written(writeln!(stdout(), "{value}"));
    }

    fn output(&self, output: &Output) {
        // Outputs are plain data; one that does not serialise would be a mistake of ours, told as null.
        self.line(&serde_json::to_value(output).unwrap_or(serde_json::Value::Null));
    }
}

impl OutputSink for JsonSink {
    fn emit(&self, output: Output) {
        let Output::Progress(view) = output else { return self.lines.output(&output) };
        let mut milestones = lock(&self.milestones);
        let milestones = milestones.get_or_insert_with(|| Milestones::new(PERCENT));
        if let Some(view) = milestones.take(view) {
            self.lines.output(&Output::Progress(view));
        }
    }

    fn ask(&self, question: Question) {
        let desk: Arc<dyn Desk> = Arc::clone(&self.lines) as Arc<dyn Desk>;
        self.asking.ask(&desk, question);
    }
}

impl CommandSink for JsonSink {
    fn end_cell(&self) {
        let held = lock(&self.milestones).as_mut().map(Milestones::drain);
        held.into_iter().flatten().for_each(|view| self.lines.output(&Output::Progress(view)));
    }
}

impl Desk for JsonLines {
    fn put(&self, question: &Question) {
        let data = serde_json::json!({ "prompt": question.prompt });
        self.line(&serde_json::json!({ "output": "question", "data": data }));
        let _ = stdout().flush();
    }

    fn settle(&self, _is_typed: bool) {}
}
