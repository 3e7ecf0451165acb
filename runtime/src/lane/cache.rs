//! Replies kept by the fingerprint of their question, for calls with `cache: true`.
//!
//! `:set cache notebook` keeps those of all calls, beside the notebook. One file a reply, else under the session's home, so that they survive it; the latest also in memory. A file that cannot be read
//! or written is a reply that is asked for again, never a failed call. Never: a reply that did not fit its type.

use crate::journal::fingerprint::Fingerprint;
use crate::lane::request::{Reply, ToolCall, Usage};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Replies kept in memory; the files are not counted, a person deletes them with the home.
const IN_MEMORY: usize = 1_000;

#[derive(Debug, Default)]
pub struct ReplyCache {
    folder: Option<PathBuf>,
    latest: Mutex<FxHashMap<Fingerprint, Reply>>,
    notebook: Mutex<Notebook>,
}

/// Where all replies are kept, if they are.
#[derive(Debug, Default)]
struct Notebook {
    folder: Option<PathBuf>,
    /// How often the cell asked a question: a cell that asks one twice wants two replies, and the same two when it runs again.
    asked: FxHashMap<Fingerprint, (u32, u32)>,
}

impl ReplyCache {
    /// The cache of a home. Nothing is read or made before it is used.
    #[must_use]
    pub fn of(home: &Path) -> Self {
        Self { folder: Some(home.join("replies")), ..Self::default() }
    }

    /// From now on the replies of all calls are kept in this folder; none: only those of calls that say so, in the home.
    pub fn keep_all(&self, folder: Option<PathBuf>) {
        *self.notebook.lock() = Notebook { folder, asked: FxHashMap::default() };
        self.latest.lock().clear();
    }

    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.notebook.lock().folder.is_some()
    }

    /// How often this question was asked in the same run of a cell before. Always 0 where only some replies are kept.
    pub fn count(&self, question: Fingerprint, cell: u32) -> u32 {
        let mut notebook = self.notebook.lock();
        if notebook.folder.is_none() {
            return 0;
        }
        let (last, times) = notebook.asked.entry(question).or_insert((cell, 0));
        if *last != cell {
            (*last, *times) = (cell, 0);
        }
        let before = *times;
        *times += 1;
        before
    }

    /// The name of a question that was asked so often before.
    #[must_use]
    pub fn nth(question: Fingerprint, before: u32) -> Fingerprint {
        match before {
            0 => question,
            before => Fingerprint::of_text(&format!("{question} {before}")),
        }
    }

    #[must_use]
    pub fn get(&self, question: Fingerprint) -> Option<Reply> {
        if let Some(reply) = self.latest.lock().get(&question) {
            return Some(reply.clone());
        }
        let text = fs::read(self.file(question)?).ok()?;
        let reply = read(&serde_json::from_slice(&text).ok()?)?;
        self.remember(question, &reply);
        Some(reply)
    }

    pub fn put(&self, question: Fingerprint, reply: &Reply) {
        self.remember(question, reply);
        if let Some(file) = self.file(question) {
            // What was cut off while it was written is not valid JSON and is not read.
            let written = file.parent().map(fs::create_dir_all);
            let _ = written.and_then(|_| fs::write(file, write(reply).to_string()).ok());
        }
    }

    fn remember(&self, question: Fingerprint, reply: &Reply) {
        let mut latest = self.latest.lock();
        if latest.len() >= IN_MEMORY {
            latest.clear();
        }
        latest.insert(question, reply.clone());
    }

    fn file(&self, question: Fingerprint) -> Option<PathBuf> {
        let notebook = self.notebook.lock().folder.clone();
        Some(notebook.or_else(|| self.folder.clone())?.join(format!("{question}.json")))
    }
}

fn write(reply: &Reply) -> Value {
    let calls = reply.calls.iter();
    let calls = calls.map(|c| json!({"id": &*c.id, "name": &*c.name, "arguments": c.arguments}));
    json!({
        "text": reply.text,
        "calls": calls.collect::<Value>(),
        "model": &*reply.model,
        "tokens_in": reply.usage.tokens_in(),
        "tokens_out": reply.usage.tokens_out(),
    })
}

fn read(kept: &Value) -> Option<Reply> {
    let calls = kept.get("calls")?.as_array()?.iter().map(|call| {
        Some(ToolCall {
            id: call.get("id")?.as_str()?.into(),
            name: call.get("name")?.as_str()?.into(),
            arguments: call.get("arguments")?.as_str()?.to_owned(),
        })
    });
    Some(Reply {
        text: kept.get("text")?.as_str()?.to_owned(),
        calls: calls.collect::<Option<Vec<_>>>()?,
        model: kept.get("model")?.as_str()?.into(),
        usage: Usage {
            input: kept.get("tokens_in")?.as_u64()?,
            output: kept.get("tokens_out")?.as_u64()?,
            ..Usage::default()
        },
        billed: None,
        latency_ns: Some(0),
        request_id: None,
    })
}

#[cfg(test)]
mod tests {
    use super::ReplyCache;
    use crate::journal::fingerprint::Fingerprint;
    use crate::lane::request::{Reply, ToolCall, Usage};

    #[test]
    fn a_cell_that_asks_twice_has_two_replies_and_the_same_two_again() {
        let (cache, question) = (ReplyCache::default(), Fingerprint::of_text("q"));
        assert_eq!([cache.count(question, 1), cache.count(question, 1)], [0, 0]);
        let folder = tempfile::tempdir().unwrap();
        cache.keep_all(Some(folder.path().to_owned()));
        assert_eq!([cache.count(question, 1), cache.count(question, 1)], [0, 1]);
        assert_eq!([cache.count(question, 2), cache.count(question, 2)], [0, 1]);
        assert_ne!(ReplyCache::nth(question, 0), ReplyCache::nth(question, 1));
    }

    #[test]
    fn a_reply_survives_its_session_and_a_damaged_file_is_none() {
        let home = tempfile::tempdir().unwrap();
        let question = Fingerprint::of_text("q");
        let call = ToolCall { id: "1".into(), name: "f".into(), arguments: "{".into() };
        let reply = Reply {
            text: "t".into(),
            calls: vec![call],
            model: "m".into(),
            usage: Usage { input: 3, output: 4, ..Usage::default() },
            billed: None,
            latency_ns: Some(0),
            request_id: None,
        };
        ReplyCache::of(home.path()).put(question, &reply);
        assert_eq!(ReplyCache::of(home.path()).get(question), Some(reply));
        assert_eq!(ReplyCache::default().get(question), None);
        let file = home.path().join("replies").join(format!("{question}.json"));
        std::fs::write(file, "{\"text\": \"t").unwrap();
        assert_eq!(ReplyCache::of(home.path()).get(question), None);
    }
}
