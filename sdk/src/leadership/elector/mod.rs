//! Runs an election against a lock and a clock, and hands out terms.

mod calls;
mod run;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::run::Run;
use super::announce::{Announcer, Herald};
use super::clock::Clock;
use super::election::{ElectionOptions, OptionsError};
use super::following::Leadership;
use super::history::TermHistory;
use super::lock::Lock;
use super::ping::Ping;
use super::pulse::Pulse;
use super::term::LeadershipState;
use crate::metrics::Metrics;
use crate::process::own;

/// How long a stop waits for the last Event to be sent.
const LAST_EVENT: Duration = Duration::from_secs(1);

/// Stands for a lock, any number of times, as long as it runs.
#[must_use = "an elector does nothing until it is run"]
pub struct Elector {
    options: ElectionOptions,
    lock: Arc<dyn Lock>,
    clock: Clock,
    announcer: Announcer,
    herald: Herald,
    state: watch::Sender<LeadershipState>,
    pulse: Pulse,
    ping: Option<Ping>,
    history: TermHistory,
}

/// Why an elector gave up. Trouble with the lock is none of them: that is waited out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElectorError {
    /// With such options there could be two leaders, or none.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Leading again next to work of an earlier term would be two leaders in one process.
    #[error(
        "work of term {term} still goes on {seconds} s after its end: code that blocks its thread, or that was spawned \
         with a guard of the term, does not stop"
    )]
    WorkGoesOn {
        /// Number of the term.
        term: u64,
        /// How long ago it ended.
        seconds: u64,
    },
}

// === impl Elector ===

impl Elector {
    /// An elector for `lock`. `client` is for its Events; like the lock's it should be of its own.
    pub fn new(
        lock: impl Lock,
        options: ElectionOptions,
        clock: Clock,
        metrics: Metrics,
        client: kube::Client,
    ) -> (Self, Leadership) {
        let state = watch::Sender::new(LeadershipState::Standby { leader: None });
        let leadership = Leadership::following(&state);
        let name = lock.reference().name.unwrap_or_default();
        let (announcer, herald) = Announcer::new(&name, &options.identity, clock.clone(), metrics, client);
        let (pulse, history) = (Pulse::new(options.lease_duration), TermHistory::new(clock.clone()));
        let lock = Arc::new(lock);
        (Self { options, lock, clock, announcer, herald, state, pulse, ping: None, history }, leadership)
    }

    /// Tells whether the elector is alive and whether it has seen the lock, for health checks.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Leads only while `runtime`, on which the work runs, takes turns: a term ends when it has not for three leases, and the
    /// lock is left to expire. For an elector that runs [on a thread of its own](crate::leadership::OwnThread), as the tasks of its lock's
    /// client must: make that client [there](crate::leadership::OwnThread::enter).
    pub fn for_work_on(mut self, runtime: Handle) -> Self {
        self.ping = Some(Ping::new(runtime, self.options.lease_duration));
        self
    }

    /// Tells who led when, as far as the elector has seen it.
    #[must_use]
    pub fn history(&self) -> TermHistory {
        self.history.clone()
    }

    /// Watches the lock from now on, stands for it once `ready` resolves, and hands over when `stop` is cancelled: running
    /// work goes on, and the term is renewed, until its last [`WorkGuard`](crate::leadership::WorkGuard) is gone, for `patience` at most.
    /// Then the term ends, and once its work has ended the lock is given back.
    ///
    /// # Errors
    /// [`ElectorError`]. Trouble with the lock is none: it is told of and waited out.
    ///
    /// # Cancel safety
    /// When dropped, a running term ends and the lock is left to expire.
    pub async fn run(
        self,
        ready: impl Future<Output = ()> + Send,
        stop: CancellationToken,
        patience: Duration,
    ) -> Result<(), ElectorError> {
        self.options.check()?;
        let (run, herald, news) = Run::new(self);
        let mut events = JoinSet::new();
        events.spawn(own(herald.run()));
        let outcome = run.conduct(ready, stop, patience, news).await;
        // The last Event tells who stopped leading: worth a moment, not more.
        let _sent_or_not = timeout(LAST_EVENT, events.join_all()).await;
        outcome
    }
}

impl std::fmt::Debug for Elector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elector").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
