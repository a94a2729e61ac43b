//! A TCP proxy that fails on demand, to cut one client off while the others go on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Error;

/// What is handed on at once. What one read took in is held back too when the line hangs.
const CHUNK: usize = 16 * 1024;

/// Between what was held back of a connection and what it sent behind that.
const BEHIND_HELD_BACK: Duration = Duration::from_millis(500);

/// A TCP proxy between one client and the API server. It starts out handing everything on.
///
/// It runs on a thread of its own, so it works on while the test blocks, and it needs no runtime of the test's.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    thread: Option<JoinHandle<()>>,
}

/// The state of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Bytes go both ways.
    Up,
    /// Connections are closed, new ones as soon as they are made.
    Cut,
    /// No byte goes either way, and nothing is closed.
    Hangs,
    /// Requests arrive at the server, answers do not come back.
    AnswersHang,
    /// Answers and events come, requests do not arrive.
    RequestsHang,
    /// The proxy was dropped.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

impl Line {
    fn lets_through(self, direction: Direction) -> bool {
        match self {
            Self::Up => true,
            Self::AnswersHang => direction == Direction::ToServer,
            Self::RequestsHang => direction == Direction::ToClient,
            Self::Cut | Self::Hangs | Self::Gone => false,
        }
    }

    fn closes(self) -> bool {
        matches!(self, Self::Cut | Self::Gone)
    }
}

impl Proxy {
    /// Opens a proxy to `server` on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn open(server: SocketAddr) -> Result<Self, Error> {
        let failed = || Error::io("open a proxy");
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed())?;
        listener.set_nonblocking(true).map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed())?;
        let (line, state) = watch::channel(Line::Up);
        let run = move || {
            if let Err(error) = runtime.block_on(accept(listener, server, state)) {
                tracing::error!(%error, "the proxy ended");
            }
        };
        let thread = thread::Builder::new().name("proxy".to_owned()).spawn(run).map_err(failed())?;
        Ok(Self { address, line, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections, and each new one as soon as it is made, until [`mend`](Self::mend).
    pub fn cut(&self) {
        self.line.send_replace(Line::Cut);
    }

    /// From now on no byte goes either way, and nothing is closed, as behind a cable that was pulled, until [`mend`](Self::mend): then what was
    /// held back goes on. New connections are taken and hang too.
    pub fn hang(&self) {
        self.line.send_replace(Line::Hangs);
    }

    /// From now on requests arrive at the server but no answer comes back, until [`mend`](Self::mend).
    /// New connections hang in their TLS handshake.
    pub fn hang_answers(&self) {
        self.line.send_replace(Line::AnswersHang);
    }

    /// From now on answers and events come but no request arrives at the server, until [`mend`](Self::mend): then what was held back goes on. What
    /// a connection sent behind it, and if only its close, follows half a second later, so that the server answers a request whose
    /// client has given up meanwhile as it does one whose client was frozen.
    pub fn hang_requests(&self) {
        self.line.send_replace(Line::RequestsHang);
    }

    /// Everything is handed on again.
    pub fn mend(&self) {
        self.line.send_replace(Line::Up);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.send_replace(Line::Gone);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the proxy panicked");
        }
    }
}

async fn accept(
    listener: std::net::TcpListener,
    server: SocketAddr,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    let shared = line.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted?;
                connections.spawn(connect(client, server, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
            _ = line.wait_for(|line| *line == Line::Gone) => return Ok(()),
        }
    }
}

/// Serves one connection until one side, or the line, ends it.
async fn connect(client: TcpStream, server: SocketAddr, mut line: watch::Receiver<Line>) {
    let pumps = line.clone();
    tokio::select! {
        biased;
        _ = line.wait_for(|line| line.closes()) => {}
        ended = hand_on(client, server, pumps) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a proxied connection ended");
            }
        }
    }
}

async fn hand_on(mut client: TcpStream, server: SocketAddr, line: watch::Receiver<Line>) -> io::Result<()> {
    wait_for(&mut line.clone(), Direction::ToServer).await?;
    let mut server = TcpStream::connect(server).await?;
    // TLS records are small and answered at once: Nagle's wait would be measured as the operator's.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(
        pump(from_client, to_server, line.clone(), Direction::ToServer),
        pump(from_server, to_client, line, Direction::ToClient),
    )?;
    Ok(())
}

/// Carries bytes one way until that way is closed; the close is a message too, and held back like one.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut line: watch::Receiver<Line>,
    direction: Direction,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        let held_back = *line.borrow() == Line::RequestsHang && direction == Direction::ToServer;
        wait_for(&mut line, direction).await?;
        match length {
            0 => return to.shutdown().await,
            _ => to.write_all(&chunk[..length]).await?,
        }
        if held_back {
            sleep(BEHIND_HELD_BACK).await;
        }
    }
}

async fn wait_for(line: &mut watch::Receiver<Line>, direction: Direction) -> io::Result<()> {
    line.wait_for(|line| line.lets_through(direction)).await.map(|_| ()).map_err(io::Error::other)
}
