//! Jupyter messages on zeromq frames: identities, delimiter, signature, header, parent header, metadata, content, buffers.
//!
//! Incoming content stays JSON and is read leniently, because real clients leave out fields that typed readers insist on;
//! the header's bytes are kept and sent back as they came, so that fields this kernel does not know survive the echo.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use zeromq::ZmqMessage;

const DELIMITER: &[u8] = b"<IDS|MSG>";
/// Delimiter, signature, header, parent header, metadata, content.
const FIXED_FRAMES: usize = 6;
/// What the kernel speaks; in every header and in `kernel_info_reply`.
pub const PROTOCOL_VERSION: &str = "5.5";

/// A message from a client.
#[derive(Debug, Clone)]
pub struct Request {
    identities: Vec<Bytes>,
    header_bytes: Bytes,
    header: Value,
    /// The message it answers, if it names one.
    pub parent_id: Option<String>,
    pub metadata: Value,
    pub content: Value,
    /// Why the content that was sent could not be read; `content` is empty then.
    unreadable: Option<String>,
    /// When it was read from the socket: `stop_on_error` aborts what arrived before the error.
    pub arrived: Instant,
}

/// Why a message was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadMessage {
    NoDelimiter,
    TooShort,
    Signature,
    Header,
}

impl Request {
    pub fn kind(&self) -> &str {
        self.header.get("msg_type").and_then(Value::as_str).unwrap_or_default()
    }

    /// The subshell it is meant for; none is the main one (JEP 91).
    pub fn subshell(&self) -> Option<&str> {
        self.header.get("subshell_id").and_then(Value::as_str)
    }

    /// Why it cannot be answered: its content cannot be read, or the code it is about is no text.
    pub fn problem(&self) -> Option<String> {
        let is_about_code = matches!(
            self.kind(),
            "execute_request" | "complete_request" | "inspect_request" | "is_complete_request"
        );
        let has_code = self.content.get("code").is_some_and(Value::is_string);
        let no_code = || "`code` of the request is no text".to_owned();
        self.unreadable.clone().or_else(|| (is_about_code && !has_code).then(no_code))
    }

    /// A text of the content; empty when absent.
    pub fn text(&self, key: &str) -> &str {
        self.content.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn flag(&self, key: &str, absent: bool) -> bool {
        self.content.get(key).and_then(Value::as_bool).unwrap_or(absent)
    }

    pub fn number(&self, key: &str) -> Option<i64> {
        self.content.get(key).and_then(Value::as_i64)
    }
}

/// Signs and checks messages with the key of the connection file, and names this kernel process in headers.
#[derive(Clone)]
pub struct Signer {
    /// None: the connection file has an empty key, which turns signing off.
    mac: Option<Hmac<Sha256>>,
    session: Arc<str>,
}

impl Signer {
    pub fn new(key: &str) -> Signer {
        let mac = if key.is_empty() { None } else { Hmac::new_from_slice(key.as_bytes()).ok() };
        Signer { mac, session: uuid::Uuid::new_v4().to_string().into() }
    }

    pub fn session(&self) -> &str {
        &self.session
    }

    /// Takes a message apart. A wrong signature says nothing about how wrong it is: the comparison takes constant time.
    pub fn decode(&self, message: ZmqMessage) -> Result<Request, BadMessage> {
        let arrived = Instant::now();
        let mut frames = message.into_vec();
        let at = frames.iter().position(|frame| frame.as_ref() == DELIMITER);
        let body = frames.split_off(at.ok_or(BadMessage::NoDelimiter)?);
        let Some(fixed) = body.first_chunk::<FIXED_FRAMES>() else {
            return Err(BadMessage::TooShort);
        };
        let [_, signature, header_bytes, parent, metadata, content] = fixed;
        if let Some(mac) = &self.mac {
            let mut mac = mac.clone();
            [header_bytes, parent, metadata, content].into_iter().for_each(|part| mac.update(part));
            let signature = from_hex(signature).ok_or(BadMessage::Signature)?;
            mac.verify_slice(&signature).map_err(|_| BadMessage::Signature)?;
        }
        let header: Value = serde_json::from_slice(header_bytes).map_err(|_| BadMessage::Header)?;
        if !header.is_object() {
            return Err(BadMessage::Header);
        }
        let object = |bytes: &Bytes| serde_json::from_slice(bytes).unwrap_or_else(|_| json!({}));
        let (content, unreadable) = match serde_json::from_slice::<Map<String, Value>>(content) {
            Ok(content) => (Value::Object(content), None),
            Err(error) => {
                (json!({}), Some(format!("the content of the request is no JSON object: {error}")))
            }
        };
        let parent_id = object(parent).get("msg_id").and_then(Value::as_str).map(str::to_owned);
        Ok(Request {
            identities: frames,
            parent_id,
            header_bytes: header_bytes.clone(),
            header,
            metadata: object(metadata),
            content,
            unreadable,
            arrived,
        })
    }

    /// The reply to a request, addressed to who sent it.
    pub fn reply(
        &self,
        to: &Request,
        content: &impl Serialize,
        metadata: &Map<String, Value>,
    ) -> ZmqMessage {
        let kind = to.kind().replace("_request", "_reply");
        let body = Body { id: &new_id(), kind: &kind, content, metadata };
        self.encode(to.identities.clone(), Some(to), &body)
    }

    /// A question to whoever sent the request, and the name by which an answer may refer to it.
    pub fn ask(&self, of: &Request, content: &impl Serialize) -> (String, ZmqMessage) {
        let id = new_id();
        let no_metadata = Map::new();
        let body = Body { id: &id, kind: "input_request", content, metadata: &no_metadata };
        let message = self.encode(of.identities.clone(), Some(of), &body);
        (id, message)
    }

    /// A message for everyone who subscribed.
    pub fn broadcast(
        &self,
        kind: &str,
        parent: Option<&Request>,
        content: &impl Serialize,
    ) -> ZmqMessage {
        let topic = format!("kernel.{}.{kind}", self.session);
        let body = Body { id: &new_id(), kind, content, metadata: &Map::new() };
        self.encode(vec![Bytes::from(topic)], parent, &body)
    }

    /// A request as a client with the same key sends it: for programs that measure and test a kernel from outside.
    pub fn request(&self, kind: &str, content: &impl Serialize) -> ZmqMessage {
        let body = Body { id: &new_id(), kind, content, metadata: &Map::new() };
        self.encode(Vec::new(), None, &body)
    }

    /// The greeting of a new subscription (JEP 65): its topic comes first, so only that subscription sees it.
    pub fn welcome(&self, topic: Bytes) -> ZmqMessage {
        let content = json!({ "subscription": String::from_utf8_lossy(&topic) });
        let no_metadata = Map::new();
        let body = Body {
            id: &new_id(),
            kind: "iopub_welcome",
            content: &content,
            metadata: &no_metadata,
        };
        self.encode(vec![topic], None, &body)
    }

    fn encode(
        &self,
        mut frames: Vec<Bytes>,
        parent: Option<&Request>,
        body: &Body<'_, impl Serialize>,
    ) -> ZmqMessage {
        let Body { id, kind, content, metadata } = body;
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let header = json!({
            "msg_id": id, "msg_type": kind, "session": &*self.session,
            "username": "ag", "date": now, "version": PROTOCOL_VERSION,
        });
        let parent =
            parent.map_or(Bytes::from_static(b"{}"), |request| request.header_bytes.clone());
        let parts = [to_bytes(&header), parent, to_bytes(metadata), to_bytes(content)];
        let signature = self.mac.as_ref().map(|mac| {
            let mut mac = mac.clone();
            parts.iter().for_each(|part| mac.update(part));
            to_hex(&mac.finalize().into_bytes())
        });
        frames.push(Bytes::from_static(DELIMITER));
        frames.push(Bytes::from(signature.unwrap_or_default()));
        frames.extend(parts);
        // Only an empty list of frames fails, and this one has at least five.
        ZmqMessage::try_from(frames).unwrap_or_else(|_| ZmqMessage::from(Vec::new()))
    }
}

/// What a message says, without whom it goes to.
struct Body<'a, T> {
    id: &'a str,
    kind: &'a str,
    content: &'a T,
    metadata: &'a Map<String, Value>,
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// JSON of plain data: it has no map with keys that are not text, the one thing that fails.
fn to_bytes(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).map_or(Bytes::from_static(b"{}"), Bytes::from)
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::{any, proptest};
    use serde_json::{Map, json};
    use zeromq::ZmqMessage;

    use super::{BadMessage, DELIMITER, Signer};

    /// A request as a client with the same key would send it.
    fn sent(signer: &Signer, content: serde_json::Value) -> Vec<Bytes> {
        let mut frames = signer.request("execute_request", &content).into_vec();
        frames.insert(0, Bytes::from_static(b"client"));
        frames
    }

    fn message(frames: Vec<Bytes>) -> ZmqMessage {
        ZmqMessage::try_from(frames).unwrap()
    }

    #[test]
    fn a_signed_message_comes_back() {
        let signer = Signer::new("key");
        let request = signer.decode(message(sent(&signer, json!({ "code": "1" })))).unwrap();
        assert_eq!((request.kind(), request.text("code")), ("execute_request", "1"));
        assert!(request.flag("store_history", true));
    }

    #[test]
    fn the_parent_header_is_the_very_bytes_that_came() {
        let signer = Signer::new("");
        let mut frames = sent(&signer, json!({}));
        let header = Bytes::from_static(
            br#"{ "msg_type":"x_request",  "subshell_id": "s", "msg_id":1.50 }"#,
        );
        frames[3] = header.clone();
        let request = signer.decode(message(frames)).unwrap();
        let reply = signer.reply(&request, &json!({}), &Map::new()).into_vec();
        assert_eq!(reply[4], header);
        assert_eq!(reply[0], Bytes::from_static(b"client"));
    }

    #[test]
    fn what_is_not_signed_with_the_key_is_dropped() {
        let signer = Signer::new("key");
        let decode = |frames| signer.decode(message(frames)).map(|_| ()).unwrap_err();
        assert_eq!(decode(sent(&Signer::new("other"), json!({}))), BadMessage::Signature);
        assert_eq!(decode(sent(&Signer::new(""), json!({}))), BadMessage::Signature);
        let mut changed = sent(&signer, json!({ "code": "1" }));
        changed[6] = Bytes::from_static(br#"{"code":"2"}"#);
        assert_eq!(decode(changed), BadMessage::Signature);
        assert_eq!(decode(vec![Bytes::from_static(b"x")]), BadMessage::NoDelimiter);
        assert_eq!(decode(vec![Bytes::from_static(DELIMITER)]), BadMessage::TooShort);
    }

    #[test]
    fn content_that_cannot_be_read_says_why() {
        let signer = Signer::new("");
        for bytes in [&b"\xff{"[..], b"{\"code\":\"\xff\xfe\"}", b"[1, 2]", b"null", b""] {
            let mut frames = sent(&signer, json!({}));
            frames[6] = Bytes::from_static(bytes);
            let request = signer.decode(message(frames)).unwrap();
            assert_eq!(request.text("code"), "");
            assert!(request.problem().is_some_and(|why| why.contains("is no JSON object")));
        }
        let about = |content| signer.decode(message(sent(&signer, content))).unwrap().problem();
        assert_eq!(about(json!({ "code": "1" })), None);
        for content in [json!({}), json!({ "code": 5 }), json!({ "code": null })] {
            assert!(about(content).is_some_and(|why| why.contains("no text")));
        }
    }

    proptest! {
        #[test]
        fn no_frames_make_it_panic(frames in proptest::collection::vec(any::<Vec<u8>>(), 1..9), at in 0usize..9) {
            let mut frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
            frames.insert(at.min(frames.len()), Bytes::from_static(DELIMITER));
            let _ = Signer::new("").decode(message(frames.clone()));
            let _ = Signer::new("key").decode(message(frames));
        }
    }
}
