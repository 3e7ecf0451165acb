//! Makes the kernel known to Jupyter: a kernelspec and the colours of the language, in a folder Jupyter searches.
//!
//! It writes only `kernels/agentic` and `labextensions/ag-lang` there, and removes only these.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The name Jupyter knows the kernel by: `jupyter console --kernel agentic`.
pub const KERNEL_NAME: &str = "agentic";
const KERNEL_FOLDER: &str = "kernels/agentic";
const EXTENSION_FOLDER: &str = "labextensions/ag-lang";

const KERNEL_JSON: &str = include_str!("../../../share/jupyter/kernels/agentic/kernel.json");

/// The files that are installed as they are.
const FILES: &[(&str, &[u8])] = &[
    (
        "kernels/agentic/logo-svg.svg",
        include_bytes!("../../../share/jupyter/kernels/agentic/logo-svg.svg"),
    ),
    (
        "kernels/agentic/logo-64x64.png",
        include_bytes!("../../../share/jupyter/kernels/agentic/logo-64x64.png"),
    ),
    (
        "labextensions/ag-lang/package.json",
        include_bytes!("../../../share/jupyter/labextensions/ag-lang/package.json"),
    ),
    (
        "labextensions/ag-lang/install.json",
        include_bytes!("../../../share/jupyter/labextensions/ag-lang/install.json"),
    ),
    (
        "labextensions/ag-lang/static/remoteEntry.js",
        include_bytes!("../../../share/jupyter/labextensions/ag-lang/static/remoteEntry.js"),
    ),
];

/// Where Jupyter is to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The person's own data folder.
    User,
    /// `share/jupyter` below it: a virtual environment, `/usr/local`.
    Prefix(PathBuf),
}

impl Place {
    pub fn folder(&self) -> PathBuf {
        match self {
            Place::User => user_folder(|name| env::var_os(name).map(PathBuf::from)),
            Place::Prefix(prefix) => prefix.join("share/jupyter"),
        }
    }
}

/// Installs it to start `program`; gives the kernelspec's folder. What was there is replaced.
pub fn install(place: &Place, program: &Path) -> io::Result<PathBuf> {
    let folder = place.folder();
    for (path, bytes) in FILES {
        write(&folder.join(path), bytes)?;
    }
    let kernelspec = folder.join(KERNEL_FOLDER);
    write(&kernelspec.join("kernel.json"), kernel_json(program).as_bytes())?;
    Ok(kernelspec)
}

/// An installed kernelspec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    pub kernelspec: PathBuf,
    /// What Jupyter starts; none if the file does not say.
    pub program: Option<PathBuf>,
    pub has_extension: bool,
}

impl Installed {
    /// The prefix it was installed below; none if that is the person's own folder.
    pub fn prefix(&self) -> Option<&Path> {
        let folder = self.kernelspec.parent()?.parent()?;
        let prefix = folder.parent()?.parent()?;
        let is_below = Place::Prefix(prefix.to_owned()).folder() == folder;
        (is_below && folder != Place::User.folder()).then_some(prefix)
    }
}

/// Where Jupyter looks unless it says otherwise.
pub fn usual_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("JUPYTER_PATH")
        .map(|paths| env::split_paths(&paths).collect())
        .unwrap_or_default();
    folders.push(Place::User.folder());
    folders.extend(["/usr/local", "/usr"].map(|prefix| Path::new(prefix).join("share/jupyter")));
    folders
}

/// The kernelspec that Jupyter takes: the first in these folders.
pub fn installed(folders: &[PathBuf]) -> Option<Installed> {
    folders.iter().find_map(|folder| {
        let kernelspec = folder.join(KERNEL_FOLDER);
        let text = std::fs::read_to_string(kernelspec.join("kernel.json")).ok()?;
        let spec: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let program = spec.pointer("/argv/0").and_then(Value::as_str).map(PathBuf::from);
        let has_extension = folder.join(EXTENSION_FOLDER).join("package.json").is_file();
        Some(Installed { kernelspec, program, has_extension })
    })
}

/// Removes what [`install`] wrote; says whether a kernelspec was there.
pub fn uninstall(place: &Place) -> io::Result<bool> {
    let folder = place.folder();
    let was_there = remove(&folder.join(KERNEL_FOLDER))?;
    remove(&folder.join(EXTENSION_FOLDER))?;
    Ok(was_there)
}

/// The kernelspec with the program named by its whole path: Jupyter's own search path may not have it.
fn kernel_json(program: &Path) -> String {
    let mut spec: Value = serde_json::from_str(KERNEL_JSON).unwrap_or_else(|_| json!({}));
    let first =
        spec.get_mut("argv").and_then(Value::as_array_mut).and_then(|argv| argv.first_mut());
    if let Some(first) = first {
        *first = json!(program.to_string_lossy());
    }
    serde_json::to_string_pretty(&spec).unwrap_or_default() + "\n"
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes)
}

fn remove(folder: &Path) -> io::Result<bool> {
    match std::fs::remove_dir_all(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// As Jupyter itself finds it.
fn user_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    let set = |name| variable(name).filter(|path| !path.as_os_str().is_empty());
    let home = || set("HOME").unwrap_or_else(|| PathBuf::from("."));
    if let Some(folder) = set("JUPYTER_DATA_DIR") {
        return folder;
    }
    if cfg!(target_os = "macos") {
        return home().join("Library/Jupyter");
    }
    set("XDG_DATA_HOME").unwrap_or_else(|| home().join(".local/share")).join("jupyter")
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Place, install, uninstall, user_folder};

    #[test]
    fn what_is_installed_is_whole_and_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Prefix(folder.path().to_owned());
        let kernelspec = install(&place, Path::new("/opt/with space/ag")).unwrap();
        let spec = std::fs::read_to_string(kernelspec.join("kernel.json")).unwrap();
        let spec: serde_json::Value = serde_json::from_str(&spec).unwrap();
        assert_eq!(spec["argv"][0], "/opt/with space/ag");
        assert_eq!(spec["argv"][4], "{connection_file}");
        assert_eq!(spec["interrupt_mode"], "message");
        let png = std::fs::read(kernelspec.join("logo-64x64.png")).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png[16..24] == [0, 0, 0, 64, 0, 0, 0, 64]);
        assert!(place.folder().join("labextensions/ag-lang/static/remoteEntry.js").is_file());
        install(&place, Path::new("/new/ag")).unwrap();
        assert!(uninstall(&place).unwrap());
        assert!(!kernelspec.exists() && !uninstall(&place).unwrap());
    }

    #[test]
    fn the_user_folder_is_jupyters() {
        let with = |set: &'static [(&str, &str)]| {
            user_folder(move |name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
            })
        };
        assert_eq!(with(&[("JUPYTER_DATA_DIR", "/j"), ("HOME", "/h")]), PathBuf::from("/j"));
        if cfg!(target_os = "linux") {
            assert_eq!(
                with(&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")]),
                PathBuf::from("/x/jupyter")
            );
            assert_eq!(with(&[("HOME", "/h")]), PathBuf::from("/h/.local/share/jupyter"));
        }
    }
}
