//! iopub: every message to every subscriber, each at its own pace.
//!
//! A broadcasting socket (XPUB of ZMTP 3.0, without encryption) of our own, because one that writes to its subscribers in
//! turn stands still with the first that does not read. Here each has a queue and a task: who reads loses nothing, and
//! who does not is disconnected when too much waits for it; its library connects and subscribes again by itself.
//! It never makes a cell wait, and never looks into a message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use zeromq::ZmqMessage;

use crate::jupyter::connection::StartError;
use crate::jupyter::wire::Signer;
use crate::jupyter::zmtp::{self, Incoming};

mod listen;

use listen::Listener;

/// How much may wait for one subscriber.
#[derive(Clone, Copy)]
struct Limits {
    /// With this much waiting, it must take something within `patience`.
    patient: usize,
    patience: Duration,
    /// With this much waiting, reading slowly does not help.
    most: usize,
}

/// A client that draws slowly is far below the first; the second is memory that one client may take from the user.
const LIMITS: Limits =
    Limits { patient: 256 << 20, patience: Duration::from_secs(10), most: 1 << 30 };

/// The way to all subscribers, and what their subscriptions tell.
pub struct Publisher {
    pub queue: UnboundedSender<ZmqMessage>,
    /// Becomes true with the first subscription.
    pub subscribed: watch::Receiver<bool>,
    /// Ends when the queue is closed and every subscriber has what was sent to it.
    pub writer: JoinHandle<()>,
}

/// Who listens now.
struct Hub {
    subscribers: Mutex<Vec<Subscriber>>,
    signer: Signer,
    first: watch::Sender<bool>,
    limits: Limits,
    next: AtomicU64,
}

struct Subscriber {
    id: u64,
    topics: Vec<Bytes>,
    queue: UnboundedSender<Bytes>,
    pace: Arc<Pace>,
    task: JoinHandle<()>,
}

/// How far a subscriber is behind.
struct Pace {
    waiting: AtomicUsize,
    /// When it last took something, or had nothing to take.
    took: Mutex<Instant>,
    cut: Notify,
}

pub async fn publisher(url: &str, signer: Signer) -> Result<Publisher, StartError> {
    let bound = Listener::bind(url).await;
    let refused =
        |error: std::io::Error| StartError::Bind { url: url.to_owned(), reason: error.to_string() };
    Ok(serve(bound.map_err(refused)?, signer, LIMITS))
}

fn serve(listener: Listener, signer: Signer, limits: Limits) -> Publisher {
    let (queue, mut outgoing) = unbounded_channel::<ZmqMessage>();
    let (first, subscribed) = watch::channel(false);
    let subscribers = Mutex::default();
    let hub = Arc::new(Hub { subscribers, signer, first, limits, next: AtomicU64::new(0) });
    let accepting = tokio::spawn(listener.accept_for(Arc::clone(&hub)));
    let writer = tokio::spawn(async move {
        while let Some(message) = outgoing.recv().await {
            hub.send(message);
        }
        accepting.abort();
        hub.finish().await;
    });
    Publisher { queue, subscribed, writer }
}

impl Hub {
    fn join(self: &Arc<Hub>, stream: impl AsyncRead + AsyncWrite + Send + 'static) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (queue, outgoing) = unbounded_channel();
        let pace = Arc::new(Pace {
            waiting: AtomicUsize::new(0),
            took: Mutex::new(Instant::now()),
            cut: Notify::new(),
        });
        let mut subscribers = self.subscribers.lock();
        let (hub, its) = (Arc::clone(self), Arc::clone(&pace));
        let task = tokio::spawn(async move {
            let (reading, writing) = tokio::io::split(stream);
            tokio::select! {
                () = its.cut.notified() => {}
                () = converse(&hub, id, reading, writing, outgoing, &its) => {}
            }
            hub.subscribers.lock().retain(|one| one.id != id);
        });
        subscribers.push(Subscriber { id, topics: Vec::new(), queue, pace, task });
    }

    fn send(&self, message: ZmqMessage) {
        let topic = message.get(0).cloned().unwrap_or_default();
        let mut encoded: Option<Bytes> = None;
        for subscriber in self.subscribers.lock().iter() {
            if subscriber.topics.iter().any(|wanted| topic.starts_with(wanted)) {
                let bytes = encoded.get_or_insert_with(|| zmtp::encode(&message));
                subscriber.queue(bytes.clone(), self.limits);
            }
        }
    }

    /// Begins or ends a subscription; its beginning is told to the subscriber and to whoever waits for the first one.
    fn subscribe(&self, id: u64, topic: Bytes, is_wanted: bool) {
        let mut subscribers = self.subscribers.lock();
        let Some(subscriber) = subscribers.iter_mut().find(|one| one.id == id) else { return };
        if is_wanted {
            subscriber.topics.push(topic.clone());
            let welcome = zmtp::encode(&self.signer.welcome(topic));
            subscriber.queue(welcome, self.limits);
            self.first.send_replace(true);
        } else if let Some(index) = subscriber.topics.iter().position(|known| *known == topic) {
            subscriber.topics.swap_remove(index);
        }
    }

    fn pong(&self, id: u64, bytes: Bytes) {
        if let Some(subscriber) = self.subscribers.lock().iter().find(|one| one.id == id) {
            subscriber.queue(bytes, self.limits);
        }
    }

    /// Closes every queue and waits until each is written out.
    async fn finish(&self) {
        let leaving = std::mem::take(&mut *self.subscribers.lock());
        let tasks: Vec<_> = leaving.into_iter().map(|subscriber| subscriber.task).collect();
        for task in tasks {
            let _ = task.await;
        }
    }
}

impl Subscriber {
    fn queue(&self, bytes: Bytes, limits: Limits) {
        let size = bytes.len();
        let before = self.pace.waiting.fetch_add(size, Ordering::SeqCst);
        if before == 0 {
            *self.pace.took.lock() = Instant::now();
        }
        let waiting = before + size;
        let is_stuck =
            waiting > limits.patient && self.pace.took.lock().elapsed() > limits.patience;
        // One message alone is never too much: whoever reads gets it.
        if before > 0 && (is_stuck || waiting > limits.most) {
            let megabytes = waiting >> 20;
            eprintln!("ag: disconnected a client that does not read: {megabytes} MiB waited");
            self.pace.cut.notify_one();
        }
        // Closed when its connection is.
        let _ = self.queue.send(bytes);
    }
}

/// Serves one connection until it ends, or all was sent and nothing more will be.
async fn converse<S: AsyncRead + AsyncWrite + Send>(
    hub: &Hub,
    id: u64,
    mut reading: ReadHalf<S>,
    mut writing: WriteHalf<S>,
    outgoing: UnboundedReceiver<Bytes>,
    pace: &Pace,
) {
    if zmtp::greet(&mut reading, &mut writing).await.is_err() {
        return;
    }
    tokio::select! {
        _ = listen_to(hub, id, &mut reading) => {}
        _ = write(outgoing, &mut writing, pace) => {}
    }
}

async fn listen_to(
    hub: &Hub,
    id: u64,
    reading: &mut (impl AsyncRead + Unpin),
) -> std::io::Result<()> {
    let mut frames = zmtp::Frames::new(reading);
    loop {
        match frames.next().await? {
            Incoming::Subscription { topic, is_wanted } => hub.subscribe(id, topic, is_wanted),
            Incoming::Ping { pong } => hub.pong(id, pong),
            Incoming::Other => {}
        }
    }
}

async fn write(
    mut outgoing: UnboundedReceiver<Bytes>,
    writing: &mut (impl AsyncWrite + Unpin),
    pace: &Pace,
) -> std::io::Result<()> {
    while let Some(mut bytes) = outgoing.recv().await {
        while bytes.has_remaining() {
            let size = writing.write_buf(&mut bytes).await?;
            if size == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            pace.waiting.fetch_sub(size, Ordering::SeqCst);
            *pace.took.lock() = Instant::now();
        }
    }
    writing.flush().await
}

#[cfg(test)]
mod tests;
