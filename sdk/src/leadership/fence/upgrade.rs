//! Connections that were upgraded (exec, attach, port-forward): what is sent on them is a write of the term as long as they are
//! open, and its end is theirs.
//!
//! kube takes the connection out of the answer, as hyper put it in, and neither lets it be wrapped. So the answer gets another
//! one: one end of a pipe within this process, whose other end is joined to the real connection until the term is over.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONNECTION, UPGRADE};
use http::{Request, Response};
use hyper::client::conn::http1;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, copy_bidirectional, duplex,
};

use super::gate::{Gate, Sending};
use crate::BoxError;
use crate::leadership::term::Term;

/// Bytes that may be under way in either direction.
const BUFFER: usize = 64 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: fence\r\n\r\n";

/// A connection that takes bytes only while its term is valid.
struct Gated<C> {
    connection: C,
    gate: Arc<Gate>,
}

/// The answer, with a connection that is cut when the term ends. The write counts as answered once both sides have closed it.
pub(super) async fn cut_at_end(
    mut answer: Response<Body>,
    term: &Term,
    sending: Sending,
) -> Result<Response<Body>, BoxError> {
    let real = hyper::upgrade::on(&mut answer);
    let (pipe, far) = pipe().await?;
    answer.extensions_mut().insert(pipe);
    tokio::spawn(join(real, far, term.clone(), sending));
    Ok(answer)
}

/// Ends with the connection or with the term, whichever is first; dropping both ends closes them.
async fn join(real: OnUpgrade, mut far: DuplexStream, term: Term, sending: Sending) {
    let gate = sending.gate().clone();
    let copied = async {
        let connection = TokioIo::new(real.await.map_err(io::Error::other)?);
        copy_bidirectional(&mut far, &mut Gated { connection, gate }).await
    };
    tokio::select! {
        biased;
        () = term.ended() => {}
        copied = copied => if copied.is_ok() {
            sending.answered();
        }
    }
}

/// A pipe, one end of which is a connection that hyper has upgraded: only hyper can make such a thing.
async fn pipe() -> Result<(OnUpgrade, DuplexStream), BoxError> {
    let (near, mut far) = duplex(BUFFER);
    let (mut sender, connection) = http1::handshake::<_, Body>(TokioIo::new(near)).await?;
    // Ends when it is upgraded.
    tokio::spawn(connection.with_upgrades());
    let request = Request::get("/").header(CONNECTION, "upgrade").header(UPGRADE, "fence").body(Body::empty())?;
    let switch = async {
        let mut head = Vec::new();
        while !head.ends_with(END_OF_HEAD) {
            head.push(far.read_u8().await?);
        }
        far.write_all(SWITCHING).await
    };
    let (answer, switched) = tokio::join!(sender.send_request(request), switch);
    switched?;
    Ok((hyper::upgrade::on(answer?), far))
}

// === impl Gated ===

impl<C: AsyncRead + Unpin> AsyncRead for Gated<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(cx, into)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Gated<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.gate.pass().map_err(io::Error::other)?;
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}
