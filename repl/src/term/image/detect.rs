//! Which picture protocol a terminal speaks: by what it says of itself in the environment, and if that says nothing by
//! asking it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::{Protocol, Terminal};

/// The choice of the person, over whatever is found out: `kitty`, `iterm`, `sixel` or `none`.
const CHOICE: &str = "AG_INLINE_IMAGES";

pub fn terminal() -> Option<Terminal> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match by_environment(variable) {
        Found::Is(terminal) => Some(terminal),
        Found::Nothing => None,
        Found::Unsure => {
            let terminal = Terminal { protocol: Protocol::Sixel, is_in_tmux: false };
            answers_sixel().unwrap_or(false).then_some(terminal)
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Is(Terminal),
    Nothing,
    /// Worth asking.
    Unsure,
}

fn by_environment(variable: impl Fn(&str) -> Option<String>) -> Found {
    let is = |name: &str, values: &[&str]| {
        variable(name).is_some_and(|value| values.iter().any(|wanted| value == *wanted))
    };
    let is_in_tmux = variable("TMUX").is_some();
    let found = |protocol| Found::Is(Terminal { protocol, is_in_tmux });
    match variable(CHOICE).as_deref() {
        Some("kitty") => return found(Protocol::Kitty),
        Some("iterm" | "iterm2") => return found(Protocol::Iterm),
        Some("sixel") => return found(Protocol::Sixel),
        Some("auto") | None => {}
        // Also a word nobody knows: better no pictures than garbage.
        Some(_) => return Found::Nothing,
    }
    let term = variable("TERM").unwrap_or_default();
    if ["", "dumb", "linux"].contains(&term.as_str()) {
        return Found::Nothing;
    }
    if is_in_tmux {
        // Which terminal is behind it does not count: by default tmux hands nothing on. Whether it knows sixel it says.
        return Found::Unsure;
    }
    if variable("KITTY_WINDOW_ID").is_some()
        || ["xterm-kitty", "xterm-ghostty"].contains(&term.as_str())
        || is("TERM_PROGRAM", &["ghostty"])
    {
        return found(Protocol::Kitty);
    }
    if is("TERM_PROGRAM", &["iTerm.app", "WezTerm"]) || is("LC_TERMINAL", &["iTerm2"]) {
        return found(Protocol::Iterm);
    }
    Found::Unsure
}

/// How long a terminal has to answer. They answer at once; over a slow line the picture becomes text.
const PATIENCE_MS: i64 = 250;

/// Primary device attributes: every terminal since the VT100 answers `ESC [ ? .. c`, those with sixel have 4 among them.
/// What a person types at this very moment may be lost; so it is asked only before the first picture.
fn answers_sixel() -> std::io::Result<bool> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
    let answer = ask(&mut terminal);
    tcsetattr(&terminal, OptionalActions::Now, &before)?;
    Ok(has_sixel(&answer?))
}

fn ask(terminal: &mut File) -> std::io::Result<String> {
    terminal.write_all(b"\x1b[c")?;
    let mut answer = Vec::new();
    let patience = Timespec { tv_sec: 0, tv_nsec: PATIENCE_MS * 1_000_000 };
    while !answer.ends_with(b"c") {
        if poll(&mut [PollFd::new(terminal, PollFlags::IN)], Some(&patience))? == 0 {
            break;
        }
        let mut bytes = [0; 64];
        let count = terminal.read(&mut bytes)?;
        answer.extend_from_slice(bytes.get(..count).unwrap_or_default());
        if count == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn has_sixel(answer: &str) -> bool {
    let attributes = answer.split_once("\x1b[?").and_then(|(_, rest)| rest.split_once('c'));
    attributes.is_some_and(|(attributes, _)| attributes.split(';').skip(1).any(|one| one == "4"))
}

#[cfg(test)]
mod tests {
    use super::{Found, Protocol, Terminal, by_environment, has_sixel};

    fn found(set: &[(&str, &str)]) -> Found {
        by_environment(|name| {
            let pair = set.iter().find(|(known, _)| *known == name);
            pair.map(|(_, value)| (*value).to_owned())
        })
    }

    fn is(protocol: Protocol, is_in_tmux: bool) -> Found {
        Found::Is(Terminal { protocol, is_in_tmux })
    }

    #[test]
    fn terminals_are_known_by_what_they_set() {
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(found(&[("TERM", "xterm-kitty")]), is(Protocol::Kitty, false));
        assert_eq!(found(&[xterm, ("TERM_PROGRAM", "WezTerm")]), is(Protocol::Iterm, false));
        assert_eq!(found(&[xterm]), Found::Unsure);
        assert_eq!(found(&[("TERM", "dumb"), ("KITTY_WINDOW_ID", "1")]), Found::Nothing);
        assert_eq!(found(&[]), Found::Nothing);
    }

    #[test]
    fn the_choice_wins() {
        let kitty = ("TERM", "xterm-kitty");
        assert_eq!(found(&[kitty, ("AG_INLINE_IMAGES", "none")]), Found::Nothing);
        assert_eq!(found(&[kitty, ("AG_INLINE_IMAGES", "sixl")]), Found::Nothing);
        assert_eq!(found(&[kitty, ("AG_INLINE_IMAGES", "iterm")]), is(Protocol::Iterm, false));
        let tmux = ("TMUX", "/tmp/tmux");
        assert_eq!(found(&[tmux, ("AG_INLINE_IMAGES", "kitty")]), is(Protocol::Kitty, true));
    }

    #[test]
    fn within_tmux_the_terminal_behind_it_does_not_count() {
        let set = [("TMUX", "/tmp/tmux"), ("TERM", "tmux-256color"), ("KITTY_WINDOW_ID", "1")];
        assert_eq!(found(&set), Found::Unsure);
    }

    #[test]
    fn sixel_is_attribute_four() {
        assert!(has_sixel("\x1b[?62;4;22c") && has_sixel("\x1b[?64;1;2;4c"));
        assert!(!has_sixel("\x1b[?1;2c") && !has_sixel("\x1b[?4;14c") && !has_sixel(""));
    }
}
