//! One path on the disk: reading it, writing it, and why either failed.
//!
//! Called on threads that may block. Never: replaces anything but a regular file, or a file by part of another.

use crate::context::Cx;
use crate::fault::{Fault, code};
use crate::value::heap;
use serde_json::json;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes between two looks at whether somebody still waits.
const CHUNK: usize = 1024 * 1024;

/// A path of a program.
pub struct Disk {
    /// As the program wrote it.
    pub written: String,
    /// Where relative paths start.
    pub folder: PathBuf,
}

impl Disk {
    pub fn new(cx: &Cx, path: &str) -> Self {
        let folder = &cx.world.outside().folder;
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Self { written: path.to_owned(), folder: folder.to_owned() }
    }

    pub fn place(&self) -> PathBuf {
        self.folder.join(&self.written)
    }

    /// The whole text, if it has room within a limit of live bytes.
    pub fn read(&self, limit: u64, wanted: &dyn Fn() -> bool) -> Result<String, Fault> {
        let place = self.place();
        let bytes = self.read_bytes(&place, limit, wanted)?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            self.fault("read", &format!("it is not valid UTF-8 (byte {at})"))
        })
    }

    fn read_bytes(
        &self,
        place: &Path,
        limit: u64,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Vec<u8>, Fault> {
        let failed = |error: std::io::Error| self.failed("read", &error);
        if self.written.is_empty() {
            return Err(self.fault("read", "the path is empty"));
        }
        let found = fs::metadata(place).map_err(failed)?;
        // A pipe or a device may never end, and opening one may never return.
        if !found.is_file() {
            let what = if found.is_dir() { "it is a folder" } else { "it is no regular file" };
            return Err(self.fault("read", what));
        }
        let mut file = File::open(place).map_err(failed)?;
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK];
        // Files may grow while they are read, and those of /proc have no length: what was read counts.
        loop {
            let needed = found.len().max(bytes.len() as u64);
            if !heap::has_room(needed, limit) {
                let message =
                    format!("`{}` of {needed} bytes would exceed the memory limit", self.written);
                return Err(Fault::new(code::MEMORY_LIMIT, message));
            }
            let read = match file.read(&mut chunk) {
                Ok(0) => return Ok(bytes),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            if !wanted() {
                return Err(self.fault("read", "nobody waits for it any more"));
            }
            bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        }
    }

    /// Whether the file stands outside of the folder of the notebook or file, links followed.
    pub fn leaves_folder(&self) -> Result<bool, Fault> {
        let (folder, _) = self.target()?;
        let within =
            fs::canonicalize(&self.folder).map_err(|error| self.failed("written", &error))?;
        Ok(!folder.starts_with(&within))
    }

    /// Replaces the file by one with this content. `refusal` is why that may not be done outside the folder.
    pub fn write(
        &self,
        content: &str,
        refusal: Option<Fault>,
        wanted: &dyn Fn() -> bool,
    ) -> Result<(), Fault> {
        let (folder, name) = self.target()?;
        let within =
            fs::canonicalize(&self.folder).map_err(|error| self.failed("written", &error))?;
        if let Some(refusal) = refusal.filter(|_| !folder.starts_with(&within)) {
            return Err(refusal);
        }
        let target = folder.join(&*name);
        let before = match fs::symlink_metadata(&target) {
            Ok(found) if found.is_dir() => return Err(self.fault("written", "it is a folder")),
            Ok(found) if !found.is_file() => {
                return Err(self.fault("written", "it is no regular file"));
            }
            Ok(found) => Some(found.permissions()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(self.failed("written", &error)),
        };
        let aside = folder.join(temporary_name());
        let replaced = fill(&aside, content, before, wanted).and_then(|is_whole| match is_whole {
            true => fs::rename(&aside, &target),
            false => Err(ErrorKind::Interrupted.into()),
        });
        replaced.map_err(|error| {
            // The fault is about the file; a temporary one that cannot be removed is only in the way.
            let _ = fs::remove_file(&aside);
            self.failed("written", &error)
        })
    }

    /// Folder and name of the file that is meant, links followed.
    fn target(&self) -> Result<(PathBuf, Box<OsStr>), Fault> {
        if self.written.is_empty() {
            return Err(self.fault("written", "the path is empty"));
        }
        let place = self.place();
        let is_link = fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink());
        let place = if is_link {
            fs::canonicalize(&place).map_err(|error| self.failed("written", &error))?
        } else {
            place
        };
        // `a/` and `a/..` name folders.
        let (Some(folder), Some(name), false) =
            (place.parent(), place.file_name(), self.written.ends_with('/'))
        else {
            return Err(self.fault("written", "it is a folder"));
        };
        match fs::canonicalize(folder) {
            Ok(folder) => Ok((folder, name.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(self.fault("written", "its folder does not exist"))
            }
            Err(error) => Err(self.failed("written", &error)),
        }
    }

    pub fn failed(&self, what: &str, error: &std::io::Error) -> Fault {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                let message = format!("`{}` cannot be {what}: the disk is full", self.written);
                Fault::new(code::DISK_FULL, message)
            }
            ErrorKind::Interrupted => self.fault(what, "nobody waits for it any more"),
            _ => self.fault(what, &reason(error)),
        }
    }

    pub fn fault(&self, what: &str, why: &str) -> Fault {
        let message = format!("`{}` cannot be {what}: {why}", self.written);
        let path = self.place().display().to_string();
        Fault::new(code::FILE, message).with_data(json!({ "path": path }))
    }
}

/// What the system says, without its number: "no such file or directory".
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Short, because a name may be as long as names can be; hidden, so that no listing shows it.
fn temporary_name() -> String {
    // Written here alone; only uniqueness matters.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!(".ag-{}-{}.tmp", std::process::id(), NUMBER.fetch_add(1, Relaxed))
}

/// Writes all of a new file down to the disk; false if nobody waits for it any more.
fn fill(
    path: &Path,
    content: &str,
    permissions: Option<Permissions>,
    wanted: &dyn Fn() -> bool,
) -> std::io::Result<bool> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    for chunk in content.as_bytes().chunks(CHUNK) {
        if !wanted() {
            return Ok(false);
        }
        file.write_all(chunk)?;
    }
    // The name must not come to the disk before the content.
    file.sync_data()?;
    Ok(wanted())
}

#[cfg(test)]
mod tests {
    use super::Disk;
    use crate::fault::{Fault, code};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    const ALWAYS: &dyn Fn() -> bool = &|| true;

    fn disk(folder: &Path, path: &str) -> Disk {
        Disk { written: path.to_owned(), folder: folder.to_owned() }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn refusal() -> Option<Fault> {
        Some(Fault::new(code::REFUSED, "outside"))
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = disk(folder.path(), "a.txt");
        file.write("first", refusal(), ALWAYS).unwrap();
        fs::set_permissions(file.place(), PermissionsExt::from_mode(0o640)).unwrap();
        file.write("zweites Ö", refusal(), ALWAYS).unwrap();
        assert_eq!(file.read(u64::MAX, ALWAYS).unwrap(), "zweites Ö");
        assert_eq!(fs::metadata(file.place()).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_write_nobody_waits_for_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = disk(folder.path(), "a.txt");
        file.write("before", None, ALWAYS).unwrap();
        let fault = file.write("after", None, &|| false).unwrap_err();
        assert_eq!(fault.code, code::FILE);
        assert_eq!(file.read(u64::MAX, ALWAYS).unwrap(), "before");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn paths_that_leave_the_folder_are_outside_however_they_are_written() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("book");
        fs::create_dir_all(folder.join("data")).unwrap();
        symlink(outer.path(), folder.join("way_out")).unwrap();
        fs::write(outer.path().join("secret"), "old").unwrap();
        symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        let absolute = outer.path().join("c.txt").display().to_string();
        for path in ["../a.txt", "data/../../a.txt", "way_out/a.txt", "link", &absolute] {
            let fault = disk(&folder, path).write("x", refusal(), ALWAYS).unwrap_err();
            assert_eq!(fault.code, code::REFUSED, "{path}");
        }
        assert_eq!(fs::read_to_string(outer.path().join("secret")).unwrap(), "old");
        disk(&folder, "data/../b.txt").write("x", refusal(), ALWAYS).unwrap();
        disk(&folder, "../a.txt").write("x", None, ALWAYS).unwrap();
        assert_eq!(names(outer.path()), ["a.txt", "book", "secret"]);
        assert_eq!(names(&folder), ["b.txt", "data", "link", "way_out"]);
    }

    #[test]
    fn a_link_inside_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        disk(folder.path(), "a.txt").write("old", None, ALWAYS).unwrap();
        symlink("a.txt", folder.path().join("link")).unwrap();
        disk(folder.path(), "link").write("new", refusal(), ALWAYS).unwrap();
        assert!(fs::symlink_metadata(folder.path().join("link")).unwrap().is_symlink());
        assert_eq!(disk(folder.path(), "a.txt").read(u64::MAX, ALWAYS).unwrap(), "new");
    }

    #[test]
    fn what_is_no_file_is_neither_read_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for path in ["", "sub", "sub/", ".", "..", "/", "/dev/null"] {
            let fault = disk(folder.path(), path).write("x", None, ALWAYS).unwrap_err();
            assert_eq!(fault.code, code::FILE, "{path}");
        }
        for path in ["", "sub", "none", "/dev/zero", "a\0b"] {
            let fault = disk(folder.path(), path).read(u64::MAX, ALWAYS).unwrap_err();
            assert_eq!(fault.code, code::FILE, "{path}");
        }
        let fault = disk(folder.path(), "none/a").write("x", None, ALWAYS).unwrap_err();
        assert_eq!(fault.message, "`none/a` cannot be written: its folder does not exist");
    }

    #[test]
    fn bad_bytes_and_too_many_are_faults() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bytes"), b"ab\xff").unwrap();
        let file = disk(folder.path(), "bytes");
        let fault = file.read(u64::MAX, ALWAYS).unwrap_err();
        assert_eq!(fault.message, "`bytes` cannot be read: it is not valid UTF-8 (byte 2)");
        assert_eq!(file.read(0, ALWAYS).unwrap_err().code, code::MEMORY_LIMIT);
    }
}
