//! The folders a session writes to: its home, and the stores beside the notebook.
//!
//! It creates the home and deletes it only if it is ephemeral; it never touches what others keep there.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::session::options::{HomeChoice, SessionOptions, SetupError};

#[derive(Debug)]
pub struct Home {
    data: PathBuf,
    stores: PathBuf,
    folder: PathBuf,
    is_ephemeral: bool,
}

impl Home {
    pub fn open(options: &SessionOptions) -> Result<Home, SetupError> {
        let home = Home::planned(options);
        std::fs::create_dir_all(&home.data).map_err(|error| SetupError {
            code: "R1006",
            message: format!(
                "the home {} cannot be written: {error}; use another with --home or AG_HOME, or none with --ephemeral",
                home.data.display()
            ),
        })?;
        Ok(home)
    }

    /// Where a session would write, without making anything.
    pub fn planned(options: &SessionOptions) -> Home {
        let current = || env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        let folder = options.folder.clone().unwrap_or_else(current);
        let (data, stores) = match &options.home {
            HomeChoice::Usual => {
                (usual(|name| env::var_os(name).map(PathBuf::from)), folder.join(".ag"))
            }
            HomeChoice::At(path) => (path.clone(), path.clone()),
            HomeChoice::Ephemeral => {
                let path = ephemeral();
                (path.clone(), path)
            }
        };
        Home { data, stores, folder, is_ephemeral: options.home == HomeChoice::Ephemeral }
    }

    /// Ledger, history, cache, models.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The folder that must not outlive the process, also where nothing is dropped any more.
    pub fn ephemeral(&self) -> Option<&Path> {
        self.is_ephemeral.then_some(self.data.as_path())
    }

    /// Memory stores. The folder is created with the first of them.
    pub fn stores(&self) -> &Path {
        &self.stores
    }

    /// Where relative paths of programs start.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.is_ephemeral {
            // What cannot be deleted lies in the system's temporary folder, which is cleaned anyway.
            let _ = std::fs::remove_dir_all(&self.data);
        }
    }
}

/// `$AG_HOME`, `$XDG_DATA_HOME/ag`, `~/.local/share/ag`.
fn usual(variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    let set = |name| variable(name).filter(|path| !path.as_os_str().is_empty());
    set("AG_HOME")
        .or_else(|| set("XDG_DATA_HOME").map(|path| path.join("ag")))
        .or_else(|| set("HOME").map(|path| path.join(".local/share/ag")))
        .unwrap_or_else(|| PathBuf::from(".ag"))
}

/// Where models are (L-133): `$AG_MODELS`, else in the home. An ephemeral session reads those of the usual home: they are
/// installed, not made by a session.
pub fn models(home: &HomeChoice) -> PathBuf {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from);
    if let Some(path) = variable("AG_MODELS").filter(|path| !path.as_os_str().is_empty()) {
        return path;
    }
    let data = match home {
        HomeChoice::At(path) => path.clone(),
        HomeChoice::Usual | HomeChoice::Ephemeral => usual(variable),
    };
    data.join("models")
}

fn ephemeral() -> PathBuf {
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    // Sessions of one process may begin at the same moment.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    env::temp_dir().join(format!("ag-{}-{count}-{now_ns:x}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Home, usual};
    use crate::session::options::{HomeChoice, SessionOptions};

    #[test]
    fn the_usual_home_follows_the_variables() {
        let with = |set: &'static [(&str, &str)]| {
            usual(move |name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
            })
        };
        assert_eq!(with(&[("AG_HOME", "/a"), ("XDG_DATA_HOME", "/b")]), PathBuf::from("/a"));
        assert_eq!(with(&[("AG_HOME", ""), ("XDG_DATA_HOME", "/b")]), PathBuf::from("/b/ag"));
        assert_eq!(with(&[("HOME", "/h")]), PathBuf::from("/h/.local/share/ag"));
    }

    #[test]
    fn an_ephemeral_home_leaves_nothing() {
        let options = SessionOptions { home: HomeChoice::Ephemeral, ..SessionOptions::default() };
        let home = Home::open(&options).unwrap();
        let path = home.data().to_owned();
        assert!(path.is_dir() && home.stores() == path);
        drop(home);
        assert!(!path.exists());
    }

    #[test]
    fn a_home_that_cannot_be_made_says_so() {
        let options = SessionOptions {
            home: HomeChoice::At("/dev/null/x".into()),
            ..SessionOptions::default()
        };
        assert_eq!(Home::open(&options).unwrap_err().code, "R1006");
    }
}
