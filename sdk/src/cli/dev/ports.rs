//! Ports for probes and metrics. A replica keeps its own over restarts, so that what was asked once can be asked again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Two of a replica's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) health: SocketAddr,
    pub(super) metrics: SocketAddr,
}

impl Ports {
    /// Free ones for so many replicas, no two the same.
    pub(super) fn free(replicas: usize) -> io::Result<Vec<Self>> {
        // All are held until all are known.
        let listeners: io::Result<Vec<_>> =
            (0..replicas * 2).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect();
        let addresses: io::Result<Vec<_>> = listeners?.iter().map(TcpListener::local_addr).collect();
        Ok(addresses?.chunks_exact(2).map(|pair| Self { health: pair[0], metrics: pair[1] }).collect())
    }

    /// These, or others if somebody else has taken one of them meanwhile.
    pub(super) fn still_free(self) -> io::Result<Self> {
        let is_free = |address| TcpListener::bind(address).is_ok();
        if is_free(self.health) && is_free(self.metrics) {
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
        let mut all: Vec<_> = ports.iter().flat_map(|ports| [ports.health, ports.metrics]).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40);
        // Held by this test, so that nobody else changes what it looks at.
        let taken = TcpListener::bind(ports[0].metrics).unwrap();
        let other = ports[0].still_free().unwrap();
        assert_ne!(other.metrics, taken.local_addr().unwrap());
    }
}
