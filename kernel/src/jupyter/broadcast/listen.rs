//! Where subscribers connect: a TCP port, or a socket in the file system.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use super::Hub;
use crate::jupyter::sockets::READ_RETRY;

pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Ipc(UnixListener),
}

#[cfg(unix)]
impl Drop for Listener {
    /// The file of a socket outlives it, and the next kernel on it could not bind.
    fn drop(&mut self) {
        if let Listener::Ipc(listener) = self
            && let Ok(address) = listener.local_addr()
            && let Some(path) = address.as_pathname()
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Listener {
    pub async fn bind(url: &str) -> io::Result<Listener> {
        if let Some(address) = url.strip_prefix("tcp://") {
            let address = match address.strip_prefix("*:") {
                Some(port) => format!("0.0.0.0:{port}"),
                None => address.to_owned(),
            };
            return Ok(Listener::Tcp(TcpListener::bind(address).await?));
        }
        #[cfg(unix)]
        if let Some(path) = url.strip_prefix("ipc://") {
            return Ok(Listener::Ipc(UnixListener::bind(path)?));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "only tcp:// and ipc:// are known"))
    }

    pub async fn accept_for(self, hub: Arc<Hub>) {
        loop {
            let accepted = match &self {
                Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    // Else small messages wait for the answer to the one before.
                    let _ = stream.set_nodelay(true);
                    hub.join(stream);
                }),
                #[cfg(unix)]
                Listener::Ipc(listener) => {
                    listener.accept().await.map(|(stream, _)| hub.join(stream))
                }
            };
            if accepted.is_err() {
                tokio::time::sleep(READ_RETRY).await;
            }
        }
    }
}
