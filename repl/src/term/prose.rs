//! Sentences for a person's window: lines are broken between words, never inside one.
//!
//! Never: touches code (lines indented by four or more), tables or what the program printed.

use ag_kernel::output::Output;
use ag_kernel::render::text::columns;

/// Lines that are indented so far are code.
const CODE: usize = 4;

/// Notes and pages as wide as the window; other outputs as they are.
pub fn fitted(output: Output, width: usize) -> Output {
    match output {
        Output::Note(mut note) => {
            note.text = wrapped(&note.text, width);
            Output::Note(note)
        }
        Output::Page(mut page) => {
            page.text = wrapped(&page.text, width);
            Output::Page(page)
        }
        other => other,
    }
}

/// Each line broken at blanks so that no part is wider than `width` columns, unless it is one word.
/// What follows is indented as the line is.
pub fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| wrapped_line(line, width)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    let words = line.trim_start_matches(' ');
    let indent = line.len() - words.len();
    if columns(line) <= width || indent >= CODE {
        return line.to_owned();
    }
    let margin = " ".repeat(indent);
    let (mut out, mut used) = (margin.clone(), indent);
    for (at, word) in words.split(' ').enumerate() {
        let wide = columns(word);
        if at > 0 && used + 1 + wide > width {
            out = out.trim_end().to_owned() + "\n" + &margin;
            used = indent;
        } else if at > 0 {
            out.push(' ');
            used += 1;
        }
        out += word;
        used += wide;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::wrapped;
    use ag_kernel::render::text::columns;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    #[test]
    fn code_and_short_lines_stay() {
        let text = "short\n    let x := a_very_long_name + another_long_name";
        assert_eq!(wrapped(text, 12), text);
    }

    #[test]
    fn sentences_break_between_words() {
        assert_eq!(wrapped("  one two three", 9), "  one two\n  three");
    }

    proptest! {
        #[test]
        fn no_word_is_lost_or_broken(words in proptest::collection::vec("[a-z日]{1,12}", 0..30), width in 5usize..40) {
            let text = words.join(" ");
            let found = wrapped(&text, width);
            prop_assert_eq!(found.split_whitespace().collect::<Vec<_>>(), words);
            for line in found.lines() {
                prop_assert!(columns(line) <= width || !line.contains(' '), "{:?}", line);
            }
        }
    }
}
