//! Replies kept by the fingerprint of their question, for calls with `cache: true`.
//!
//! One file a reply under the session's home, so that they survive it; the latest also in memory. A file that cannot be read
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
}

impl ReplyCache {
    /// The cache of a home. Nothing is read or made before it is used.
    #[must_use]
    pub fn of(home: &Path) -> Self {
        Self { folder: Some(home.join("replies")), latest: Mutex::default() }
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
        Some(self.folder.as_ref()?.join(format!("{question}.json")))
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
