//! ONNX Runtime: its shared library, loaded at the first use of a model and kept until the process ends.
//!
//! Never: loaded for a session that uses no model; a second library beside the first.

use crate::models::catalog::LIBRARY;
use crate::models::catalog::Model;
use crate::models::{ModelError, ModelsFolder};
use ort::environment::Environment;
use parking_lot::Mutex;
use std::path::Path;

/// The library can be loaded once in a process. Written under its lock by whoever comes first.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The library that came with a model.
pub fn environment(folder: &ModelsFolder, model: &Model) -> Result<Environment, ModelError> {
    let mut loaded = ENVIRONMENT.lock();
    if let Some(environment) = loaded.as_ref() {
        return Ok(environment.clone());
    }
    let part = model.part_with(LIBRARY);
    let part = part.ok_or_else(|| ModelError::Unknown { name: model.name.to_owned() })?;
    let path = folder.checked(part, LIBRARY)?;
    let fail = |reason: String| ModelError::Wrong { path: path.clone(), reason };
    let environment = ort::init_from(&path)
        .map_err(|error| fail(error.to_string()))?
        .with_name("ag")
        .with_telemetry(false)
        .build()
        .map_err(|error| fail(error.to_string()))?;
    *loaded = Some(environment.clone());
    Ok(environment)
}

/// An error of the library while it works with a file.
pub fn wrong(path: &Path, error: impl std::fmt::Display) -> ModelError {
    ModelError::Wrong { path: path.to_owned(), reason: error.to_string() }
}

/// Threads a model computes on: half of the cores, because agents need the others.
#[must_use]
pub fn threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).clamp(1, 4)
}
