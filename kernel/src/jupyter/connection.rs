//! The connection file that a Jupyter client writes before it starts the kernel.

use std::fmt;
use std::path::{Path, PathBuf};

use jupyter_protocol::ConnectionInfo;

/// Why the kernel could not start.
#[derive(Debug)]
pub enum StartError {
    Unreadable {
        path: PathBuf,
        reason: String,
    },
    /// Only `hmac-sha256` exists in practice; signing with another would silently reject every message.
    SignatureScheme(String),
    Bind {
        url: String,
        reason: String,
    },
    Runtime(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Unreadable { path, reason } => {
                write!(f, "the connection file {} cannot be read: {reason}", path.display())
            }
            StartError::SignatureScheme(name) => {
                write!(
                    f,
                    "the connection file asks for the signature scheme {name:?}; known is hmac-sha256"
                )
            }
            StartError::Bind { url, reason } => write!(f, "cannot listen on {url}: {reason}"),
            StartError::Runtime(reason) => write!(f, "cannot start the kernel's tasks: {reason}"),
        }
    }
}

impl std::error::Error for StartError {}

pub fn read(path: &Path) -> Result<ConnectionInfo, StartError> {
    let unreadable = |reason: String| StartError::Unreadable { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let info: ConnectionInfo =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if info.signature_scheme != "hmac-sha256" && !info.key.is_empty() {
        return Err(StartError::SignatureScheme(info.signature_scheme));
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::{StartError, read};

    #[test]
    fn says_what_is_wrong_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel.json");
        assert!(matches!(read(&path), Err(StartError::Unreadable { .. })));
        std::fs::write(&path, "{}").unwrap();
        let said = read(&path).unwrap_err().to_string();
        assert!(said.contains("kernel.json") && said.contains("missing field"), "{said}");
        let file = |scheme: &str| {
            format!(
                r#"{{"ip":"127.0.0.1","transport":"tcp","shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,
                "hb_port":5,"key":"k","signature_scheme":"{scheme}","unknown":1}}"#
            )
        };
        std::fs::write(&path, file("hmac-md5")).unwrap();
        assert!(matches!(read(&path), Err(StartError::SignatureScheme(_))));
        std::fs::write(&path, file("hmac-sha256")).unwrap();
        assert_eq!(read(&path).unwrap().shell_url(), "tcp://127.0.0.1:1");
    }
}
