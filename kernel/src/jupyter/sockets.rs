//! The five sockets: one task reads each, one task writes each, messages wait in queues between.
//!
//! `send` of zeromq needs the socket to itself, so only the writer task has it; anybody else, on any thread, has a queue.
//! iopub is an XPUB, not a PUB: it never drops to a slow front end, and it tells when somebody subscribed.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zeromq::{RepSocket, RouterSocket, Socket, SocketRecv, SocketSend, XPubSocket, ZmqMessage};

use crate::jupyter::connection::StartError;
use crate::jupyter::wire::Signer;

/// Where messages for one socket wait for its writer.
pub type Queue = UnboundedSender<ZmqMessage>;

/// A pause after a socket refused to read, so that a broken one cannot spin.
const READ_RETRY: Duration = Duration::from_millis(5);

/// Both ends of a ROUTER socket, and the task that ends once its queue is closed and written out.
pub struct Router {
    pub replies: Queue,
    pub requests: UnboundedReceiver<ZmqMessage>,
    pub writer: JoinHandle<()>,
}

/// The broadcasting socket.
pub struct Publisher {
    pub queue: Queue,
    /// Becomes true with the first subscription.
    pub subscribed: watch::Receiver<bool>,
    pub writer: JoinHandle<()>,
}

pub async fn router(url: &str) -> Result<Router, StartError> {
    let socket: RouterSocket = bind(url).await?;
    let (mut sender, mut receiver) = socket.split();
    let (replies, mut outgoing) = unbounded_channel::<ZmqMessage>();
    let (incoming, requests) = unbounded_channel();
    let writer = tokio::spawn(async move {
        while let Some(message) = outgoing.recv().await {
            // The client went away: nobody is left to tell.
            let _ = sender.send(message).await;
        }
    });
    tokio::spawn(async move {
        loop {
            match receiver.recv().await {
                Ok(message) => {
                    if incoming.send(message).is_err() {
                        break;
                    }
                }
                Err(_) => tokio::time::sleep(READ_RETRY).await,
            }
        }
    });
    Ok(Router { replies, requests, writer })
}

pub async fn publisher(url: &str, signer: Signer) -> Result<Publisher, StartError> {
    let mut socket: XPubSocket = bind(url).await?;
    let (queue, mut outgoing) = unbounded_channel::<ZmqMessage>();
    let (first, subscribed) = watch::channel(false);
    let writer = tokio::spawn(async move {
        loop {
            // Subscriptions first: a message already queued then reaches whoever subscribed before it was sent.
            tokio::select! {
                biased;
                received = socket.recv() => match received {
                    Ok(message) => {
                        if let Some(topic) = subscription(&message) {
                            let _ = socket.send(signer.welcome(topic)).await;
                            first.send_replace(true);
                        }
                    }
                    Err(_) => tokio::time::sleep(READ_RETRY).await,
                },
                message = outgoing.recv() => match message {
                    Some(message) => {
                        let _ = socket.send(message).await;
                    }
                    None => break,
                },
            }
        }
    });
    Ok(Publisher { queue, subscribed, writer })
}

/// Gives every ping back as it came.
pub async fn heartbeat(url: &str) -> Result<(), StartError> {
    let mut socket: RepSocket = bind(url).await?;
    tokio::spawn(async move {
        loop {
            match socket.recv().await {
                Ok(ping) => {
                    let _ = socket.send(ping).await;
                }
                Err(_) => tokio::time::sleep(READ_RETRY).await,
            }
        }
    });
    Ok(())
}

async fn bind<S: Socket>(url: &str) -> Result<S, StartError> {
    let mut socket = S::new();
    let bound = socket.bind(url).await;
    bound.map_err(|error| StartError::Bind { url: url.to_owned(), reason: error.to_string() })?;
    Ok(socket)
}

/// The topic of a message that begins a subscription.
fn subscription(message: &ZmqMessage) -> Option<bytes::Bytes> {
    let frame = message.get(0)?;
    (frame.first() == Some(&1)).then(|| frame.slice(1..))
}
