//! The files that the rules look at.

use std::path::{Path, PathBuf};

/// Where the workspace begins.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A Rust file with its path below the root.
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    /// Whether it is only compiled for tests.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// The lines before the file's own test module.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("#[cfg(test)]").unwrap_or(self.text.len());
        let code = self.text.get(..end).unwrap_or_default();
        code.lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
    }
}

/// All Rust files of the crates, sorted.
pub fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for package in ["verify", "runtime", "lang", "kernel", "repl", "benches"] {
        collect(&root().join(package), &mut found);
    }
    assert!(found.len() > 50, "the walk over the tree finds too little");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
}

/// Fails with all findings at once, so that one run shows everything there is to mend.
pub fn expect_none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}\n  {}", found.join("\n  "));
}
