//! What an election is told at its start.

use std::time::Duration;

/// How a candidate stands for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectionOptions {
    /// What the record names as the holder; unique to the process.
    pub identity: String,
    /// Others wait this long after they saw the last renewal. Whole seconds.
    pub lease_duration: Duration,
    /// A leader whose newest write that counts was sent this long ago leads no more.
    pub renew_deadline: Duration,
    /// Pause between tries, and between reads while there is no watch.
    pub retry_period: Duration,
    /// Give the lock back on a stop.
    pub release_on_stop: bool,
}

impl ElectionOptions {
    /// client-go's and controller-runtime's timing: 15 s, 10 s and 2 s.
    pub fn new(identity: impl Into<String>) -> Self {
        Self {
            identity: identity.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            release_on_stop: true,
        }
    }

    /// A call without an answer is given up after this long, so that three tries fit between a renewal and the deadline.
    #[must_use]
    pub fn call_timeout(&self) -> Duration {
        self.renew_deadline * 2 / 9
    }

    /// A leader renews this often.
    #[must_use]
    pub fn renewal_interval(&self) -> Duration {
        self.renew_deadline / 3
    }

    /// The lease duration as the record says it, at least 1.
    #[must_use]
    pub fn lease_seconds(&self) -> i32 {
        i32::try_from(self.lease_duration.as_secs()).unwrap_or(i32::MAX).max(1)
    }
}
