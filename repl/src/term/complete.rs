//! Candidates of Tab: what the session knows, files where a command takes one, each with what it is.
//!
//! The list fits the terminal's width; the line editor would break longer candidates.

use ag_kernel::render::text::{clip, columns, one_line, pad};
use ag_kernel::session::inspect::Inspector;
use ag_kernel::session::request::Completion;
use rustyline::completion::{Candidate, FilenameCompleter};

/// One candidate with what it is, as the list shows it.
#[derive(Debug)]
pub struct Listed {
    pub display: String,
    pub replacement: String,
}

impl Candidate for Listed {
    fn display(&self) -> &str {
        &self.display
    }

    fn replacement(&self) -> &str {
        &self.replacement
    }
}

/// What stands between a name and what it is.
pub const GAP: &str = "  ";
/// Longer names push what they are to the right.
const NAME_LIMIT: usize = 28;

/// What may stand at that place, and where the part begins that it replaces.
pub fn complete(
    inspector: &Inspector,
    files: &FilenameCompleter,
    text: &str,
    at: usize,
    width: usize,
) -> rustyline::Result<(usize, Vec<Listed>)> {
    let mut found = inspector.complete(text, at);
    if !takes_a_file(text.get(..at).unwrap_or(text)) {
        return Ok((found.start, list(&found.items, width)));
    }
    // What has a text of its own, beside the files.
    let own = inspector.names();
    found.items.retain(|item| own.iter().any(|info| info.name == item.text));
    let names = list(&found.items, width);
    let (start, files) = files.complete_path(text, at)?;
    let files = files
        .into_iter()
        .map(|pair| Listed { display: pair.display, replacement: pair.replacement });
    let files: Vec<Listed> = files.collect();
    // A path with a folder begins before the word that a name would replace.
    match start == found.start {
        true => Ok((start, files.into_iter().chain(names).collect())),
        false => Ok((start, files)),
    }
}

/// Whether the argument being typed may be a file.
fn takes_a_file(before: &str) -> bool {
    const COMMANDS: [&str; 5] = [":edit ", ":load ", ":trace save ", ":record ", ":replay "];
    let line = before.rsplit('\n').next().unwrap_or_default();
    COMMANDS.iter().any(|command| line.starts_with(command))
}

fn list(items: &[Completion], width: usize) -> Vec<Listed> {
    let widest = items.iter().map(|item| columns(&item.text)).max().unwrap_or(0).min(NAME_LIMIT);
    items.iter().map(|item| listed(item, widest, width)).collect()
}

fn listed(item: &Completion, widest: usize, width: usize) -> Listed {
    let mut about =
        if item.signature.is_empty() { item.kind.clone() } else { item.signature.clone() };
    if !item.doc.is_empty() {
        about = format!("{about}{GAP}{}", item.doc);
    }
    let name = match columns(&item.text) < widest {
        true => pad(&item.text, widest, false),
        false => item.text.clone(),
    };
    let line = format!("{name}{GAP}{}", one_line(&about));
    // One column stays free: a full line would wrap.
    Listed {
        display: clip(line.trim_end(), width.saturating_sub(1).max(10)),
        replacement: item.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use ag_kernel::render::text::columns;
    use ag_kernel::session::Session;
    use ag_kernel::session::inspect::Inspector;
    use ag_kernel::session::options::{HomeChoice, SessionOptions};
    use rustyline::completion::FilenameCompleter;

    use super::{complete, takes_a_file};

    fn inspector() -> Inspector {
        let options = SessionOptions { home: HomeChoice::Ephemeral, ..SessionOptions::default() };
        Session::open(options).unwrap().inspector()
    }

    #[test]
    fn candidates_are_aligned_and_fit() {
        for width in [40, 80] {
            let files = FilenameCompleter::new();
            let (start, found) = complete(&inspector(), &files, "ma", 2, width).unwrap();
            assert_eq!(start, 0);
            assert!(found.len() > 1, "{found:?}");
            assert!(found.iter().all(|item| columns(&item.display) < width), "{found:?}");
            let gaps: Vec<_> = found.iter().map(|item| item.display.find("  ")).collect();
            assert!(gaps.iter().all(Option::is_some), "{found:?}");
        }
    }

    #[test]
    fn commands_that_take_files_list_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("program.ag"), "1").unwrap();
        let text = format!(":edit {}/pro", folder.path().display());
        let files = FilenameCompleter::new();
        let (start, found) = complete(&inspector(), &files, &text, text.len(), 80).unwrap();
        assert_eq!(start, ":edit ".len());
        assert!(found.len() == 1 && found[0].replacement.ends_with("program.ag"), "{found:?}");
        assert!(!takes_a_file(":doc pro") && !takes_a_file("edit pro"));
    }
}
