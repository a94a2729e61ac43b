//! Ports for probes, metrics and the status page. A replica keeps its own over restarts, so that what was asked once can be asked again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Three of a replica's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) health: SocketAddr,
    pub(super) metrics: SocketAddr,
    pub(super) status: SocketAddr,
}

impl Ports {
    /// Free ones for so many replicas, no two the same.
    pub(super) fn free(replicas: usize) -> io::Result<Vec<Self>> {
        // All are held until all are known.
        let listeners: io::Result<Vec<_>> =
            (0..replicas * 3).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect();
        let addresses: io::Result<Vec<_>> = listeners?.iter().map(TcpListener::local_addr).collect();
        let own = |of: &[SocketAddr]| Self { health: of[0], metrics: of[1], status: of[2] };
        Ok(addresses?.chunks_exact(3).map(own).collect())
    }

    /// These, or others if somebody else has taken one of them meanwhile.
    pub(super) fn still_free(self) -> io::Result<Self> {
        let is_free = |address| TcpListener::bind(address).is_ok();
        if is_free(self.health) && is_free(self.metrics) && is_free(self.status) {
            return Ok(self);
        }
        Ok(Self::free(1)?.pop().unwrap_or(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_until_somebody_else_takes_it() {
        let ports = Ports::free(20).unwrap();
        let mut all: Vec<_> = ports.iter().flat_map(|ports| [ports.health, ports.metrics, ports.status]).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 60);
        // Held by this test, so that nobody else changes what it looks at.
        let taken = TcpListener::bind(ports[0].metrics).unwrap();
        let other = ports[0].still_free().unwrap();
        assert_ne!(other.metrics, taken.local_addr().unwrap());
    }
}
