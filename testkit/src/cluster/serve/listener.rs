//! TLS connections for axum. Handshakes run beside each other, so that a client that falls silent in its own holds up nobody.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::{TlsAcceptor, server};

use crate::Error;
use crate::authority::Signed;

/// Much longer than a handshake takes on a machine that has anything else to do.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(30);

/// What plain HTTP begins with.
const METHODS: [&[u8]; 7] = [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"PATCH", b"DELET", b"OPTIO"];

/// As Go's server says it, whose words people search for.
const NOT_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

type Connection = (server::TlsStream<TcpStream>, SocketAddr);

pub(super) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<io::Result<Connection>>,
}

impl TlsListener {
    /// To be called within the runtime that is to serve.
    pub(super) fn new(tcp: std::net::TcpListener, config: ServerConfig) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { tcp: TcpListener::from_std(tcp)?, acceptor, handshakes: JoinSet::new() })
    }
}

/// TLS for the owner of this certificate, over which HTTP/1.1 is spoken.
pub(super) fn tls(signed: &Signed) -> Result<ServerConfig, Error> {
    let certificate = signed.certificate.der().clone();
    let key = PrivateKeyDer::Pkcs8(signed.key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = config.with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl Listener for TlsListener {
    type Io = server::TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        loop {
            tokio::select! {
                (stream, address) = Listener::accept(&mut self.tcp) => {
                    let acceptor = self.acceptor.clone();
                    self.handshakes.spawn(async move {
                        timeout(HANDSHAKE_WITHIN, handshake(acceptor, stream, address)).await?
                    });
                }
                Some(ended) = self.handshakes.join_next() => match ended {
                    Ok(Ok(connection)) => return connection,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(error) => tracing::error!(%error, "a TLS handshake panicked"),
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn handshake(acceptor: TlsAcceptor, mut stream: TcpStream, address: SocketAddr) -> io::Result<Connection> {
    // An event of a watch is to go out at once, however short it is.
    stream.set_nodelay(true)?;
    let mut first = [0; 5];
    let length = stream.peek(&mut first).await?;
    if METHODS.iter().any(|method| *method == &first[..length]) {
        stream.write_all(NOT_TLS).await?;
        return Err(io::Error::new(io::ErrorKind::InvalidData, "plain HTTP was spoken"));
    }
    Ok((acceptor.accept(stream).await?, address))
}
