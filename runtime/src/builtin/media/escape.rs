//! Text made harmless for the place it is inserted at.
//!
//! HTML and SVG: element content and quoted attributes. Markdown: running text, and code where a code span or fence is open.
//! LaTeX: the characters that command. Never: looks at trusted text for anything but where it is.

use crate::value::media::Form;

/// Content under construction.
pub struct Writer {
    form: Form,
    out: String,
    code: Code,
}

/// Whether Markdown stands inside code, where a backslash would be shown.
#[derive(Default)]
struct Code {
    in_fence: bool,
    in_span: bool,
    line: String,
}

impl Code {
    fn read(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                self.in_fence ^= self.line.trim_start().starts_with("```");
                self.in_span = false;
                self.line.clear();
                continue;
            }
            self.in_span ^= c == '`' && !self.in_fence;
            self.line.push(c);
        }
    }

    fn is_open(&self) -> bool {
        self.in_fence || self.in_span
    }
}

impl Writer {
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { form, out: String::new(), code: Code::default() }
    }

    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    #[must_use]
    pub fn done(self) -> String {
        self.out
    }

    pub fn trusted(&mut self, text: &str) {
        if self.form == Form::Markdown {
            self.code.read(text);
        }
        self.out.push_str(text);
    }

    pub fn text(&mut self, text: &str) {
        match self.form {
            Form::Html | Form::Svg => markup(text, &mut self.out),
            Form::Latex => latex(text, &mut self.out),
            Form::Markdown if self.code.is_open() => code(text, self.code.in_fence, &mut self.out),
            Form::Markdown => markdown(text, &mut self.out),
        }
    }
}

fn markup(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed at all; a parser would replace it.
            '\0' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

/// A backtick would end the code; there is no way to write one in it.
fn code(text: &str, in_fence: bool, out: &mut String) {
    for c in text.chars() {
        out.push(match c {
            '`' => '\'',
            '\n' if !in_fence => ' ',
            _ => c,
        });
    }
}

fn markdown(text: &str, out: &mut String) {
    // What begins a list or a heading where a line starts; the number of a list ends in `.` or `)`.
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    for (at, c) in text.char_indices() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '$'
            | '&' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '-' | '+' | '=' if at == 0 => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')' if at == digits && digits > 0 => {
                out.push('\\');
                out.push(c);
            }
            // A line break could begin anything.
            '\n' | '\r' | '\t' => out.push(' '),
            _ => out.push(c),
        }
    }
}

fn latex(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\backslash "),
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => {
                out.push('\\');
                out.push(c);
            }
            '^' => out.push_str("\\wedge "),
            '~' => out.push_str("\\sim "),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;
    use crate::value::media::Form;

    fn inserted(form: Form, before: &str, text: &str) -> String {
        let mut out = Writer::new(form);
        out.trusted(before);
        out.text(text);
        out.done()
    }

    #[test]
    fn markup_in_values_is_text() {
        let given = inserted(Form::Html, "<p title=\"", "\"><script>'&\0");
        assert_eq!(given, "<p title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\u{fffd}");
    }

    #[test]
    fn markdown_in_values_is_text() {
        assert_eq!(inserted(Form::Markdown, "", "*a* <b> $1 `c`"), "\\*a\\* \\<b\\> \\$1 \\`c\\`");
        assert_eq!(inserted(Form::Markdown, "", "# a\n- b"), "\\# a - b");
        assert_eq!(inserted(Form::Markdown, "", "- b"), "\\- b");
        assert_eq!(inserted(Form::Markdown, "", "12. b 1.5"), "12\\. b 1.5");
    }

    #[test]
    fn code_is_not_left() {
        assert_eq!(inserted(Form::Markdown, "see `", "a`b*\nc"), "see `a'b* c");
        assert_eq!(inserted(Form::Markdown, "```\n", "a*\n```"), "```\na*\n'''");
        assert_eq!(inserted(Form::Markdown, "`a` and ", "*b*"), "`a` and \\*b\\*");
        assert_eq!(inserted(Form::Markdown, "```\nx\n```\n", "*b*"), "```\nx\n```\n\\*b\\*");
    }

    #[test]
    fn latex_commands_in_values_are_text() {
        assert_eq!(inserted(Form::Latex, "", "\\frac{1}$"), "\\backslash frac\\{1\\}\\$");
    }
}
