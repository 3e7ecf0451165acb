//! Terminal text: colours, display width, cutting, wrapping.
//!
//! Control characters of data never reach the terminal: an escape sequence in a model's reply must not move the cursor.

use ag_lang::diag::color;

use super::Style;

/// What a piece of text is; the look follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Strong,
    Muted,
    Error,
    Warning,
    Good,
    Accent,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Strong => color::BOLD,
            Ink::Muted => color::GREY,
            Ink::Error => color::RED,
            Ink::Warning => color::ORANGE,
            Ink::Good => color::GREEN,
            Ink::Accent => color::TEAL,
        }
    }
}

impl Style {
    /// Text in a colour, if there are colours.
    pub fn ink(&self, ink: Ink, text: &str) -> String {
        if self.color && !text.is_empty() {
            color::paint(ink.code(), text)
        } else {
            text.to_owned()
        }
    }
}

/// Columns a terminal needs for the text. East Asian wide blocks and emoji take two, combining marks none.
pub fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

fn char_columns(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 2,
        '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// One line of data: line breaks become `⏎`, tabs a space, other control characters their picture.
pub fn one_line(text: &str) -> String {
    text.chars().filter(|c| *c != '\r').map(visible_in_line).collect()
}

fn visible_in_line(c: char) -> char {
    match c {
        '\n' => '⏎',
        '\t' => ' ',
        _ => visible(c),
    }
}

fn visible(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('?'),
        '\u{7f}'..='\u{9f}' => '\u{fffd}',
        _ => c,
    }
}

/// Data of several lines, made harmless.
pub fn lines_of(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || c == '\t' { c } else { visible(c) }).collect()
}

/// At most `width` columns, with an ellipsis where it was cut.
pub fn clip(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = used + char_columns(c);
        if next + 1 > width {
            break;
        }
        out.push(c);
        used = next;
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Exactly `width` columns: cut or filled.
pub fn pad(text: &str, width: usize, right: bool) -> String {
    let text = clip(text, width);
    let fill = " ".repeat(width.saturating_sub(columns(&text)));
    if right { fill + &text } else { text + &fill }
}

/// Break at spaces so that no line passes `width`; words longer than a line are cut into pieces.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    wrap_within(text, width.max(8))
}

/// The same in a column of any width; a character that is wider stands alone.
pub fn wrap_within(text: &str, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in words(paragraph) {
            if !line.is_empty() && columns(&line) + 1 + columns(&word) > width {
                out.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            push_word(&mut out, &mut line, &word, width);
        }
        out.push(line);
    }
    out
}

/// Parts between blanks; a `%` belongs to the number before it.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in text.split(' ') {
        match words.last_mut().filter(|_| part.starts_with('%')) {
            Some(word) => {
                word.push(' ');
                word.push_str(part);
            }
            None => words.push(part.to_owned()),
        }
    }
    words
}

fn push_word(out: &mut Vec<String>, line: &mut String, word: &str, width: usize) {
    for c in word.chars() {
        if columns(line) + char_columns(c) > width && !line.is_empty() {
            out.push(std::mem::take(line));
        }
        line.push(c);
    }
}

/// A bar of `width` columns filled to `share`, in eighths of a column.
pub fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let filled = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let mut out = "█".repeat(filled / 8);
    match EIGHTHS.get(filled % 8) {
        Some(part) if *part != ' ' => out.push(*part),
        _ => {}
    }
    // What happened is never shown as nothing.
    if out.is_empty() && share > 0.0 && width > 0 {
        out.push('▏');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{bar, clip, columns, one_line, pad, wrap};

    #[test]
    fn wide_characters_are_counted() {
        assert_eq!(columns("漢字x"), 5);
        assert_eq!(clip("漢字x", 4), "漢…");
        assert_eq!(pad("漢", 4, true), "  漢");
    }

    #[test]
    fn escape_sequences_become_pictures() {
        assert_eq!(one_line("a\x1b[31m\nb\tc\u{9b}"), "a␛[31m⏎b c\u{fffd}");
    }

    #[test]
    fn long_words_are_broken() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("it is 12 % like", 8), ["it is", "12 %", "like"]);
        assert_eq!(wrap("abcdefghijk", 8), ["abcdefgh", "ijk"]);
    }

    #[test]
    fn small_shares_stay_visible() {
        assert_eq!(bar(0.0, 10), "");
        assert_eq!(bar(0.0001, 10), "▏");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(7.0, 3), "███");
    }
}
