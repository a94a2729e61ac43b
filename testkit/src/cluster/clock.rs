//! The server's own clock.

use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Goes as tokio's time does, so that it stands and jumps in tests with paused time, and can be set apart from it.
#[derive(Debug)]
pub(crate) struct ServerClock {
    started: Instant,
    base: Mutex<Timestamp>,
}

impl Default for ServerClock {
    fn default() -> Self {
        Self { started: Instant::now(), base: Mutex::new(Timestamp::now()) }
    }
}

impl ServerClock {
    pub(crate) fn now(&self) -> Timestamp {
        let base = *self.base.lock().unwrap_or_else(PoisonError::into_inner);
        base.checked_add(self.started.elapsed()).unwrap_or(Timestamp::MAX)
    }

    /// Sets it forward or back, for all clients at once.
    pub(crate) fn shift(&self, by: SignedDuration) {
        let mut base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        *base = base.checked_add(by).unwrap_or(*base);
    }
}
