//! A listener with a router, as a hosted service.

use std::future::IntoFuture as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::BoxError;
use crate::host::HostedService;

/// How long open connections get to finish when the server stops. A client that sends half a request must not hold up the
/// process.
const DRAIN: Duration = Duration::from_secs(1);

/// Connections that wait to be accepted; what std takes.
const BACKLOG: u32 = 128;

/// An HTTP server that listens already and serves once it [runs](HostedService::run).
#[derive(Debug)]
#[must_use = "nothing is served until it is added to a host"]
pub struct Server {
    name: &'static str,
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

/// A server could not listen.
#[derive(Debug, thiserror::Error)]
#[error("the server for {name} cannot listen on {address}")]
pub struct BindError {
    name: &'static str,
    address: SocketAddr,
    source: io::Error,
}

impl Server {
    /// Listens on `address`: port 0 takes a free one; `[::]` means both families, and IPv4 alone where there is no IPv6. The
    /// address is logged as `<name> on http://<address>`.
    ///
    /// # Errors
    /// If the address is taken, or not one of this machine.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O.
    pub fn bind(name: &'static str, address: SocketAddr, router: Router) -> Result<Self, BindError> {
        let bound = listen(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = bound.map_err(|source| BindError { name, address, source })?;
        info!("{name} on http://{address}");
        Ok(Self { name, listener, address, router })
    }

    /// Where it listens, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl HostedService for Server {
    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        let Self { name, listener, address: _, router } = self;
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future();
        let too_long = async {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            served = serving => served?,
            () = too_long => debug!("{name}: connections are left open at the end"),
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let all_v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
    match listen_on(address) {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && lacks_ipv6(&error) => listen_on(all_v4),
        result => result,
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // A restart must not wait for the connections of the last run to time out.
    socket.set_reuseaddr(true)?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // Not left to the machine's default, `net.ipv6.bindv6only`.
        rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The kernel knows no IPv6, or it is switched off.
fn lacks_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errors = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL, Errno::PROTONOSUPPORT].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| errors.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lack_of_ipv6_falls_back_to_ipv4() {
        let error = |errno: rustix::io::Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        assert!(lacks_ipv6(&error(rustix::io::Errno::AFNOSUPPORT)));
        assert!(lacks_ipv6(&error(rustix::io::Errno::ADDRNOTAVAIL)));
        assert!(!lacks_ipv6(&error(rustix::io::Errno::ADDRINUSE)));
        assert!(!lacks_ipv6(&error(rustix::io::Errno::ACCESS)));
    }
}
