//! The person's own editor: a text goes into a file, `$VISUAL` or `$EDITOR` runs on it, what it left comes back.
//!
//! What cannot be told apart from a change of mind runs nothing: an editor that failed, an empty or an unchanged text.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why nothing came back, as a sentence for the person.
pub type Nothing = String;

/// Lets the person change a text; the file is deleted afterwards.
pub fn edit_text(text: &str) -> Result<String, Nothing> {
    let path = scratch(text).map_err(|error| format!("no file to edit could be made: {error}"))?;
    let edited = edit_file(&path, &editor());
    let _ = std::fs::remove_file(&path);
    match edited? {
        // Running a cell again costs what it costs; leaving without a change is how one says no.
        same if same.trim_end() == text.trim_end() => {
            Err("nothing was changed, so nothing runs (Up brings the text back)".to_owned())
        }
        changed => Ok(changed),
    }
}

/// Lets the person change a file of theirs, which stays, and gives what it holds then.
pub fn edit_path(path: &Path) -> Result<String, Nothing> {
    edit_file(path, &editor())
}

/// `$VISUAL`, `$EDITOR`, else the editor that every system has.
fn editor() -> String {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

fn edit_file(path: &Path, editor: &str) -> Result<String, Nothing> {
    // By the shell, because people write `code --wait`; the path is an argument, never part of the command.
    let status =
        Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(path).status();
    let status = status.map_err(|error| format!("the editor `{editor}` did not start: {error}"))?;
    match status.code() {
        Some(0) => {}
        Some(127) => {
            return Err(format!(
                "the editor `{editor}` was not found; set EDITOR to one that is there"
            ));
        }
        Some(code) => {
            return Err(format!("the editor `{editor}` ended with {code}, so nothing runs"));
        }
        None => {
            return Err(format!("the editor `{editor}` was stopped by a signal, so nothing runs"));
        }
    }
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| format!("{} was not read: {error}", path.display()))?;
    match text.trim().is_empty() {
        true => Err("the text is empty, so nothing runs".to_owned()),
        false => Ok(text),
    }
}

/// A new file that only its owner reads: cells hold prompts and keys.
fn scratch(text: &str) -> std::io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let name = format!("ag-edit-{}-{number}.ag", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                writeln!(file, "{}", text.trim_end())?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 1000 => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::edit_file;

    fn edited(editor: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b.ag");
        std::fs::write(&path, "1 + 1\n").unwrap();
        edit_file(&path, editor)
    }

    #[test]
    fn what_the_editor_left_comes_back() {
        assert_eq!(edited("sed -i s/1/2/"), Ok("2 + 1\n".to_owned()));
    }

    #[test]
    fn failing_and_empty_say_so() {
        assert!(edited("false").unwrap_err().contains("ended with 1"));
        assert!(edited("no-such-editor-here 2>&-").unwrap_err().contains("not found"));
        assert!(edited("truncate -s 0").unwrap_err().contains("empty"));
        assert!(edited("kill -TERM $$; :").unwrap_err().contains("signal"));
        assert!(edited("rm").unwrap_err().contains("not read"));
    }
}
