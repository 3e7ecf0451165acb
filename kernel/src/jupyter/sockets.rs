//! Four of the five sockets: one task reads each, one task writes each, messages wait in queues between. The fifth, iopub,
//! is in `broadcast`.
//!
//! `send` of zeromq needs the socket to itself, so only the writer task has it; anybody else, on any thread, has a queue.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use zeromq::{RepSocket, RouterSocket, Socket, SocketRecv, SocketSend, ZmqMessage};

use crate::jupyter::connection::StartError;

/// Where messages for one socket wait for its writer.
pub type Queue = UnboundedSender<ZmqMessage>;

/// A pause after a socket refused to read, so that a broken one cannot spin.
pub const READ_RETRY: Duration = Duration::from_millis(5);

/// Both ends of a ROUTER socket, and the task that ends once its queue is closed and written out.
pub struct Router {
    pub replies: Queue,
    pub requests: UnboundedReceiver<ZmqMessage>,
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
