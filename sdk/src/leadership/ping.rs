//! Whether the runtime that the work runs on still takes turns.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A runtime that does not answer for this many leases does no work: its lock is for others.
const LEASES: u32 = 3;

/// Sends tasks through a runtime, one at a time.
#[derive(Debug)]
pub(super) struct Ping {
    runtime: Handle,
    limit: Duration,
    /// On tokio's clock, which is monotonic: a machine that was suspended has not been blocked.
    sent: Instant,
    task: Option<JoinHandle<()>>,
}

impl Ping {
    pub(super) fn new(runtime: Handle, lease: Duration) -> Self {
        Self { runtime, limit: lease.saturating_mul(LEASES), sent: Instant::now(), task: None }
    }

    /// Whether the newest one has had no answer for too long. Sends the next one if it had one.
    pub(super) fn is_overdue(&mut self) -> bool {
        if self.task.as_ref().is_none_or(JoinHandle::is_finished) {
            self.sent = Instant::now();
            self.task = Some(self.runtime.spawn(async {}));
        }
        self.sent.elapsed() > self.limit
    }
}
