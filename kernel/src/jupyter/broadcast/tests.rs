use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeromq::{Socket, SocketRecv, SubSocket};

use super::listen::Listener;
use super::{LIMITS, Limits, Publisher, serve};
use crate::jupyter::wire::Signer;

const PATIENCE: Duration = Duration::from_secs(60);

async fn open(limits: Limits) -> (Publisher, String, Signer) {
    let listener = Listener::bind("tcp://127.0.0.1:0").await.unwrap();
    let Listener::Tcp(bound) = &listener else { panic!("tcp") };
    let address = bound.local_addr().unwrap().to_string();
    let signer = Signer::new("");
    (serve(listener, signer.clone(), limits), address, signer)
}

async fn subscriber(address: &str, topic: &str) -> SubSocket {
    let mut socket = SubSocket::new();
    socket.connect(&format!("tcp://{address}")).await.unwrap();
    socket.subscribe(topic).await.unwrap();
    assert!(header(&mut socket).await.contains("iopub_welcome"));
    socket
}

async fn header(socket: &mut SubSocket) -> String {
    let message = tokio::time::timeout(PATIENCE, socket.recv()).await.unwrap().unwrap();
    String::from_utf8(message.get(3).unwrap().to_vec()).unwrap()
}

/// Greets, subscribes to everything, and reads no more.
async fn stuck(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut greeting = [0; 64];
    greeting[..16].copy_from_slice(b"\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL");
    stream.write_all(&greeting).await.unwrap();
    stream.write_all(b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB").await.unwrap();
    stream.write_all(b"\0\x01\x01").await.unwrap();
    let mut begin = [0; 100];
    stream.read_exact(&mut begin).await.unwrap();
    stream
}

fn publish(publisher: &Publisher, signer: &Signer, kind: &str, size: usize) {
    let content = json!({ "text": "x".repeat(size) });
    publisher.queue.send(signer.broadcast(kind, None, &content)).unwrap();
}

#[tokio::test]
async fn who_reads_gets_everything_beside_one_that_does_not() {
    let (publisher, address, signer) = open(LIMITS).await;
    let _stuck = stuck(&address).await;
    let mut reader = subscriber(&address, "").await;
    for _ in 0..40 {
        publish(&publisher, &signer, "stream", 1 << 20);
    }
    for _ in 0..40 {
        assert!(header(&mut reader).await.contains("stream"));
    }
}

#[tokio::test]
async fn too_much_waiting_ends_a_connection_and_no_other() {
    let (publisher, address, signer) =
        open(Limits { patient: 1 << 20, patience: Duration::ZERO, most: 64 << 20 }).await;
    let mut stuck = stuck(&address).await;
    let mut reader = subscriber(&address, "").await;
    // More than the system's buffers hold, so that some of it waits here.
    for _ in 0..32 {
        publish(&publisher, &signer, "stream", 1 << 20);
        assert!(header(&mut reader).await.contains("stream"));
    }
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stuck.read_to_end(&mut rest)).await;
    // Closed, or reset where the system had more to give.
    let _ = read.expect("the connection ends");
    assert!(rest.len() < 32 << 20);
}

#[tokio::test]
async fn only_what_was_subscribed_to_arrives() {
    let (publisher, address, signer) = open(LIMITS).await;
    let topic = format!("kernel.{}.status", signer.session());
    let mut reader = subscriber(&address, &topic).await;
    publish(&publisher, &signer, "stream", 1);
    publish(&publisher, &signer, "status", 1);
    assert!(header(&mut reader).await.contains("status"));
}

#[tokio::test]
async fn a_closed_queue_is_written_out() {
    let (publisher, address, signer) = open(LIMITS).await;
    let mut reader = subscriber(&address, "").await;
    assert!(*publisher.subscribed.borrow());
    publish(&publisher, &signer, "stream", 8 << 20);
    publish(&publisher, &signer, "status", 1);
    let Publisher { queue, writer, .. } = publisher;
    drop(queue);
    assert!(header(&mut reader).await.contains("stream"));
    assert!(header(&mut reader).await.contains("status"));
    tokio::time::timeout(PATIENCE, writer).await.unwrap().unwrap();
}

#[tokio::test]
async fn strangers_are_left() {
    let (publisher, address, signer) = open(LIMITS).await;
    let long = Bytes::from(vec![b'x'; 64]);
    for said in [&b"GET / HTTP/1.1\r\n\r\n"[..], &long[..], &[0xff; 200][..]] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(said).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap();
    }
    let mut reader = subscriber(&address, "").await;
    publish(&publisher, &signer, "status", 1);
    assert!(header(&mut reader).await.contains("status"));
}
