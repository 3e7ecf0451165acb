//! As much of ZMTP 3 as a broadcasting socket speaks: the greeting, frames out, subscriptions in.
//!
//! See rfc.zeromq.org/spec/23. No encryption, as Jupyter has none. It reads no frame beyond [`MOST`], so a stranger on the
//! port cannot make it hold memory.

use std::io;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use zeromq::ZmqMessage;

/// How long a connection may take to say what it is.
const GREETING_LIMIT: Duration = Duration::from_secs(30);
/// The longest frame that is read: topics and pings are a few bytes.
const MOST: u64 = 64 * 1024;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What a subscriber says.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    Subscription {
        topic: Bytes,
        is_wanted: bool,
    },
    /// With what is to be answered.
    Ping {
        pong: Bytes,
    },
    Other,
}

/// The frames of a message, as they go over the wire.
pub fn encode(message: &ZmqMessage) -> Bytes {
    let size = message.iter().map(|frame| frame.len() + 9).sum();
    let mut bytes = BytesMut::with_capacity(size);
    let last = message.len().saturating_sub(1);
    for (index, frame) in message.iter().enumerate() {
        put_frame(&mut bytes, if index < last { MORE } else { 0 }, frame);
    }
    bytes.freeze()
}

fn put_frame(bytes: &mut BytesMut, flags: u8, frame: &[u8]) {
    match u8::try_from(frame.len()) {
        Ok(short) => {
            bytes.put_u8(flags);
            bytes.put_u8(short);
        }
        Err(_) => {
            bytes.put_u8(flags | LONG);
            bytes.put_u64(frame.len() as u64);
        }
    }
    bytes.put_slice(frame);
}

fn command(name: &[u8], data: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
    body.put_slice(name);
    body.put_slice(data);
    let mut bytes = BytesMut::new();
    put_frame(&mut bytes, COMMAND, &body);
    bytes.freeze()
}

/// Signature, version 3.0, the mechanism NULL, and room for what we do not use.
fn greeting() -> [u8; 64] {
    let mut bytes = [0; 64];
    let begin = *b"\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL";
    bytes.iter_mut().zip(begin).for_each(|(byte, known)| *byte = known);
    bytes
}

/// Both sides say who they are. An error if the other is no subscriber.
pub async fn greet(
    reading: &mut (impl AsyncRead + Unpin),
    writing: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let both = async {
        writing.write_all(&greeting()).await?;
        let mut theirs = [0; 64];
        reading.read_exact(&mut theirs).await?;
        let [0xff, _, _, _, _, _, _, _, _, 0x7f, 3..=u8::MAX, _, mechanism @ ..] = theirs else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        if !mechanism.starts_with(b"NULL\0") {
            return Err(io::ErrorKind::Unsupported.into());
        }
        writing.write_all(&command(b"READY", b"\x0bSocket-Type\0\0\0\x04XPUB")).await?;
        let (flags, body) = frame(reading).await?;
        let is_known = ["SUB", "XSUB"].into_iter().any(|kind| is_ready(&body, kind));
        match flags & COMMAND != 0 && is_known {
            true => Ok(()),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    };
    tokio::time::timeout(GREETING_LIMIT, both).await?
}

fn is_ready(body: &[u8], kind: &str) -> bool {
    let Some(mut rest) = body.strip_prefix(b"\x05READY") else { return false };
    while let Some((name, value, after)) = property(rest) {
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            return value == kind.as_bytes();
        }
        rest = after;
    }
    false
}

/// A name, its value, and what follows.
fn property(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (size, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*size))?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*size)).ok()?)?;
    Some((name, value, rest))
}

async fn frame(reading: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Bytes)> {
    let flags = reading.read_u8().await?;
    let size = match flags & LONG {
        0 => u64::from(reading.read_u8().await?),
        _ => reading.read_u64().await?,
    };
    if size > MOST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = BytesMut::zeroed(usize::try_from(size).unwrap_or(0));
    reading.read_exact(&mut body).await?;
    Ok((flags, body.freeze()))
}

/// What comes after the greeting.
pub struct Frames<R> {
    reading: BufReader<R>,
    /// The frame belongs to the message of the one before.
    is_inside: bool,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub fn new(reading: R) -> Frames<R> {
        Frames { reading: BufReader::new(reading), is_inside: false }
    }

    pub async fn next(&mut self) -> io::Result<Incoming> {
        let (flags, body) = frame(&mut self.reading).await?;
        if flags & COMMAND != 0 {
            return Ok(read_command(&body));
        }
        let was_inside = std::mem::replace(&mut self.is_inside, flags & MORE != 0);
        if was_inside || self.is_inside {
            return Ok(Incoming::Other);
        }
        Ok(match body.first() {
            Some(1) => Incoming::Subscription { topic: body.slice(1..), is_wanted: true },
            Some(0) => Incoming::Subscription { topic: body.slice(1..), is_wanted: false },
            _ => Incoming::Other,
        })
    }
}

/// Newer peers subscribe with commands.
fn read_command(body: &Bytes) -> Incoming {
    let after = |name: &[u8]| body.starts_with(name).then(|| body.slice(name.len()..));
    if let Some(topic) = after(b"\x09SUBSCRIBE") {
        return Incoming::Subscription { topic, is_wanted: true };
    }
    if let Some(topic) = after(b"\x06CANCEL") {
        return Incoming::Subscription { topic, is_wanted: false };
    }
    // Two bytes of it say how long the peer waits; the rest comes back.
    match after(b"\x04PING") {
        Some(data) => Incoming::Ping { pong: command(b"PONG", data.get(2..).unwrap_or_default()) },
        None => Incoming::Other,
    }
}
