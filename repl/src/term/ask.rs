//! Questions of a program, answered with a line of stdin: one at a time, in the order they were asked.
//!
//! A thread of its own reads, byte for byte as they come, so that a question which is given up (its cell was interrupted)
//! lets go of stdin. It never edits a line: that is the terminal's own work.

use std::io::stdin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use ag_runtime::context::sink::Question;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{QueueSelector, isatty, tcflush};

use crate::term::interrupt;

/// How often a question is looked after while its line is awaited.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
/// Looks until an interrupt that stopped no cell is taken as a refusal.
const GRACE: u32 = 10;
/// Longer lines are no answers.
const LINE_LIMIT: usize = 16 << 20;

/// Where questions are shown: the terminal, or lines of JSON.
pub trait Desk: Send + Sync {
    /// Shows the question as soon as stdin is free for its answer.
    fn put(&self, question: &Question);
    /// The answer came; `is_typed` says that a person ended it with Enter.
    fn settle(&self, is_typed: bool);
}

#[derive(Default)]
pub struct Asking {
    queue: Mutex<Option<Sender<Question>>>,
    waiting: Arc<Waiting>,
}

/// How many questions are not answered yet.
#[derive(Default)]
struct Waiting {
    count: Mutex<usize>,
    fewer: Condvar,
}

impl Asking {
    /// Puts a question behind those that wait.
    pub fn ask(&self, desk: &Arc<dyn Desk>, question: Question) {
        *lock(&self.waiting.count) += 1;
        let mut queue = lock(&self.queue);
        let sender =
            queue.get_or_insert_with(|| start(Arc::clone(desk), Arc::clone(&self.waiting)));
        if let Err(refused) = sender.send(question) {
            refused.0.refuse("stdin cannot be read");
            self.waiting.done();
        }
    }

    /// Returns when no question waits.
    pub fn wait(&self) {
        let mut count = lock(&self.waiting.count);
        while *count > 0 {
            count = self.waiting.fewer.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Waiting {
    fn done(&self) {
        *lock(&self.count) -= 1;
        self.fewer.notify_all();
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves nothing half done that matters here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(desk: Arc<dyn Desk>, waiting: Arc<Waiting>) -> Sender<Question> {
    let (sender, questions) = channel();
    // Where no thread can be had the receiver is gone, and the question is refused.
    let _ = std::thread::Builder::new()
        .name("ag-input".to_owned())
        .spawn(move || serve(&questions, &desk, &waiting));
    sender
}

fn serve(questions: &Receiver<Question>, desk: &Arc<dyn Desk>, waiting: &Waiting) {
    let mut lines = Lines::default();
    for question in questions {
        if question.is_wanted() {
            desk.put(&question);
            answer(question, &mut lines, desk);
        }
        waiting.done();
    }
}

fn answer(question: Question, lines: &mut Lines, desk: &Arc<dyn Desk>) {
    let line = lines.next(&question);
    desk.settle(matches!(line, Line::Given(_)) && isatty(stdin()));
    match line {
        Line::Given(bytes) => match String::from_utf8(bytes) {
            Ok(line) => question.answer(line),
            Err(_) => question.refuse("the line is not valid UTF-8"),
        },
        Line::End => question.refuse("stdin has ended, so nobody can answer"),
        Line::TooLong => question.refuse("the line is too long to be an answer"),
        Line::Refused => question.refuse("the question was not answered"),
        // Nobody is told: whoever asked is gone.
        Line::GivenUp => {}
    }
}

enum Line {
    Given(Vec<u8>),
    End,
    TooLong,
    Refused,
    GivenUp,
}

/// What was read of stdin and is part of no line yet.
#[derive(Default)]
struct Lines {
    read: Vec<u8>,
}

impl Lines {
    /// The next line without its end.
    fn next(&mut self, question: &Question) -> Line {
        let interrupts = interrupt::seen();
        let mut looks_since = 0;
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.read.drain(..=end).collect();
                line.pop();
                line.pop_if(|byte| *byte == b'\r');
                return Line::Given(line);
            }
            if self.read.len() > LINE_LIMIT {
                self.read.clear();
                return Line::TooLong;
            }
            if interrupt::seen() != interrupts {
                looks_since += 1;
            }
            if !question.is_wanted() || looks_since > GRACE {
                // What was typed so far is an answer to nothing.
                let _ = tcflush(stdin(), QueueSelector::IFlush);
                return if question.is_wanted() { Line::Refused } else { Line::GivenUp };
            }
            if let Some(end) = self.read_some() {
                return end;
            }
        }
    }

    /// Waits a moment for more; gives the end of stdin.
    fn read_some(&mut self) -> Option<Line> {
        let stdin = stdin();
        let mut asked = [PollFd::new(&stdin, PollFlags::IN)];
        if !matches!(poll(&mut asked, Some(&LOOK)), Ok(1..)) {
            return None;
        }
        let mut buffer = [0; 4096];
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(0) if self.read.is_empty() => Some(Line::End),
            Ok(0) => Some(Line::Given(std::mem::take(&mut self.read))),
            Ok(count) => {
                self.read.extend(buffer.iter().take(count));
                None
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => None,
            Err(_) => Some(Line::End),
        }
    }
}
