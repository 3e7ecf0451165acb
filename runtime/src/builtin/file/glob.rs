//! Which files a folder or a pattern names: `*` and `?` within a name, `**` for any number of folders.
//!
//! Names that begin with a dot are matched only by patterns that do. Never: follows a link to a folder below `**`.

use super::disk::{Disk, reason};
use crate::fault::Fault;
use std::fs;
use std::path::Path;

/// The files, sorted, each written as the path was: relative to the same folder.
pub fn list(disk: &Disk, wanted: &dyn Fn() -> bool) -> Result<Vec<String>, Fault> {
    let path = disk.written.as_str();
    let is_pattern = |part: &str| part.contains(['*', '?']);
    if path.is_empty() {
        return Err(disk.fault("listed", "the path is empty"));
    }
    let mut walk = Walk { disk, wanted, found: Vec::new() };
    if !is_pattern(path) {
        let place = disk.place();
        let kind = fs::metadata(&place).map_err(|error| disk.failed("listed", &error))?;
        if !kind.is_dir() {
            return Ok(vec![path.to_owned()]);
        }
        walk.below(base(path), &["*"])?;
    } else {
        let parts: Vec<&str> = path.split('/').collect();
        let fixed = parts.iter().position(|part| is_pattern(part)).unwrap_or(0);
        let (first, rest) = parts.split_at(fixed);
        let start = first.join("/") + if first.is_empty() { "" } else { "/" };
        let rest: Vec<&str> = rest.iter().copied().filter(|part| !part.is_empty()).collect();
        walk.below(start, &rest)?;
    }
    let mut found = walk.found;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// `data`, `data/` and `.` as what stands before the names in them.
fn base(path: &str) -> String {
    match path.trim_end_matches('/') {
        "." => String::new(),
        path => format!("{path}/"),
    }
}

struct Walk<'a> {
    disk: &'a Disk,
    wanted: &'a dyn Fn() -> bool,
    found: Vec<String>,
}

impl Walk<'_> {
    /// Adds what matches below a folder that must exist.
    fn below(&mut self, start: String, parts: &[&str]) -> Result<(), Fault> {
        let every: &[&str] = &["*"];
        let mut todo = vec![(start, parts)];
        while let Some((start, parts)) = todo.pop() {
            let Some((first, rest)) = parts.split_first() else { continue };
            if *first == "**" {
                // No folder at all is any number of folders, too. `**` at the end means all files below.
                todo.push((start.clone(), if rest.is_empty() { every } else { rest }));
            }
            for (name, is_dir, is_link) in self.entries(&start)? {
                let path = format!("{start}{name}");
                match (*first, is_dir) {
                    ("**", true) if !is_link && !name.starts_with('.') => {
                        todo.push((path + "/", parts));
                    }
                    ("**", _) => {}
                    (part, true) if !rest.is_empty() && matches(part, &name) => {
                        todo.push((path + "/", rest));
                    }
                    (part, false) if rest.is_empty() && matches(part, &name) => {
                        self.found.push(path);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Name, whether it is a folder, and whether it is a link.
    fn entries(&self, start: &str) -> Result<Vec<(String, bool, bool)>, Fault> {
        let place = self.disk.folder.join(start);
        let failed = |error: std::io::Error| self.failed(start, &reason(&error));
        let mut found = Vec::new();
        for entry in fs::read_dir(&place).map_err(failed)? {
            if !(self.wanted)() {
                return Err(self.failed(start, "nobody waits for it any more"));
            }
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().into_string().map_err(|name| {
                let name = Path::new(&name).display().to_string();
                self.failed(start, &format!("it holds `{name}`, a name that is not valid UTF-8"))
            })?;
            let kind = entry.file_type().map_err(failed)?;
            // A link to nothing is listed as a file.
            let is_dir = match kind.is_symlink() {
                true => fs::metadata(entry.path()).is_ok_and(|meant| meant.is_dir()),
                false => kind.is_dir(),
            };
            found.push((name, is_dir, kind.is_symlink()));
        }
        Ok(found)
    }

    fn failed(&self, start: &str, why: &str) -> Fault {
        let written = if start.is_empty() { "." } else { start }.to_owned();
        Disk { written, folder: self.disk.folder.clone() }.fault("listed", why)
    }
}

/// Whether a name matches. Backs up to the last star only, so no pattern is slow.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), name.get(seen)) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((at + 1, seen));
                at += 1;
            }
            (Some(wanted), Some(there)) if *wanted == '?' || wanted == there => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((after, eaten)) if eaten < name.len() => {
                    star = Some((after, eaten + 1));
                    (at, seen) = (after, eaten + 1);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Disk, list, matches};
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name) in
            [("*", "a"), ("*.csv", "a.csv"), ("a*b*c", "aXbYbZc"), ("?.md", "é.md"), (".*", ".a")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*", ".a"), ("*.csv", "a.csvx"), ("?", ""), ("a*b", "a"), ("a", "ab")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn folders_and_patterns_give_sorted_files() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("data/deep/er")).unwrap();
        fs::create_dir(at("data/.git")).unwrap();
        for file in ["b.csv", "data/a.csv", "data/c.txt", "data/.hidden", "data/.git/x.csv"] {
            fs::write(at(file), "").unwrap();
        }
        fs::write(at("data/deep/er/z.csv"), "").unwrap();
        symlink(folder.path(), at("data/deep/loop")).unwrap();
        let listed = |path: &str| {
            let disk = Disk { written: path.to_owned(), folder: folder.path().to_owned() };
            list(&disk, &|| true)
        };
        assert_eq!(listed(".").unwrap(), ["b.csv"]);
        assert_eq!(listed("data").unwrap(), ["data/a.csv", "data/c.txt"]);
        assert_eq!(listed("data/").unwrap(), listed("data/*").unwrap());
        assert_eq!(listed("*.csv").unwrap(), ["b.csv"]);
        assert_eq!(listed("*/*.csv").unwrap(), ["data/a.csv"]);
        assert_eq!(listed("**/*.csv").unwrap(), ["b.csv", "data/a.csv", "data/deep/er/z.csv"]);
        assert_eq!(listed("data/**").unwrap(), ["data/a.csv", "data/c.txt", "data/deep/er/z.csv"]);
        assert_eq!(listed("b.csv").unwrap(), ["b.csv"]);
        assert_eq!(listed("*.none").unwrap(), [""; 0]);
        for missing in ["none", "none/*.csv", ""] {
            assert_eq!(listed(missing).unwrap_err().code, "R0112", "{missing}");
        }
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
        assert!(listed(".").unwrap_err().message.contains("not valid UTF-8"));
    }
}
