//! The report that CI systems read: one suite a file, one case a test.

use std::fmt::Write as _;

use ag_kernel::output::Output;
use ag_kernel::render::{Style, failure, terminal};

use super::{Ran, is_failed};

pub fn report(all: &[Ran]) -> String {
    let failed = all.iter().filter(|ran| is_failed(&ran.view)).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites tests=\"{}\" failures=\"{failed}\">", all.len());
    for suite in all.chunk_by(|a, b| a.view.origin == b.view.origin) {
        let name = suite.first().map_or("", |ran| &ran.view.origin);
        let failed = suite.iter().filter(|ran| is_failed(&ran.view)).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">",
            escape(name),
            suite.len()
        );
        suite.iter().for_each(|ran| case(&mut out, ran));
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

fn case(out: &mut String, ran: &Ran) {
    let Ran { view, took } = ran;
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\"",
        escape(&view.origin),
        escape(&view.title),
        escape(&view.origin),
        view.line,
        took.as_secs_f64()
    );
    let printed: String = view.outputs.iter().filter_map(stream).collect();
    if !is_failed(view) && printed.is_empty() {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    if let Some(why) = view.failure() {
        let message = failure(why).map(|failure| format!("{}: {}", failure.ename, failure.evalue));
        let _ = writeln!(
            out,
            "      <failure message=\"{}\">{}</failure>",
            escape(&message.unwrap_or_default()),
            escape(&terminal(why, &Style::PLAIN))
        );
    }
    if !printed.is_empty() {
        let _ = writeln!(out, "      <system-out>{}</system-out>", escape(&printed));
    }
    out.push_str("    </testcase>\n");
}

fn stream(output: &Output) -> Option<&str> {
    match output {
        Output::Stdout(text) | Output::Stderr(text) => Some(text),
        _ => None,
    }
}

/// XML has no way at all to write most control characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escape("a<b>&\"\u{1b}[0m\n"), "a&lt;b&gt;&amp;&quot;\u{fffd}[0m\n");
    }
}
