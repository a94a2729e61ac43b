//! A port of the API server's own, which it gets again after a restart.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use crate::Error;

/// Below what systems hand out for outgoing connections (from 32768 on Linux, 49152 on macOS): while the server is
/// stopped, none of those takes its port.
const RANGE: Range<u16> = 20_000..32_000;

/// Many more than there are control planes on one machine.
const TRIES: usize = 200;

/// A killed server is gone within milliseconds; a busy machine may need longer.
const FREE_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A port that no other control plane on this machine takes while this value lives.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) number: u16,
    /// Its lock is the reservation; the system drops it with the process, however that ends.
    _lock: File,
}

impl Port {
    pub(super) fn reserve() -> Result<Self, Error> {
        let user = rustix::process::getuid().as_raw();
        let locks = env::temp_dir().join(format!("kubeops-testkit-ports-{user}"));
        fs::create_dir_all(&locks).map_err(Error::io(format!("create {}", locks.display())))?;
        for _ in 0..TRIES {
            let number = fastrand::u16(RANGE);
            let path = locks.join(number.to_string());
            let lock = File::create(&path).map_err(Error::io(format!("create {}", path.display())))?;
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _lock: lock });
            }
        }
        Err(Error::io("find a free port")(io::ErrorKind::AddrInUse.into()))
    }

    /// Waits until nobody listens on it any more: a server that was killed keeps its port until the system has cleared it away.
    pub(super) async fn is_free(&self) -> Result<(), Error> {
        let start = Instant::now();
        loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, self.number)) {
                Ok(_) => return Ok(()),
                Err(error) if start.elapsed() > FREE_WITHIN => {
                    return Err(Error::io(format!("get port {} again", self.number))(error));
                }
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_given_out_twice() {
        let mut ports: Vec<Port> = (0..50).map(|_| Port::reserve().unwrap()).collect();
        ports.sort_by_key(|port| port.number);
        ports.dedup_by_key(|port| port.number);
        assert_eq!(ports.len(), 50);
    }
}
