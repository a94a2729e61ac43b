//! Leader for life: a lock that nobody renews, and that goes with its holder's pod.
//!
//! [`LifeElection`](election::LifeElection) decides, and [`LifeElector`] runs it against a [`LifeLock`].

mod bearing;
mod calls;
pub mod election;
mod leader_lock;
mod lock;
mod pod;
mod run;
mod stalled;

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
use super::elector::ElectorError;
use super::following::Leadership;
use super::history::TermHistory;
use super::ping::Ping;
use super::pulse::Pulse;
use super::term::LeadershipState;
use crate::metrics::Metrics;
use crate::process::own;

pub use self::election::LifeOptions;
pub use self::leader_lock::{LeaderLock, LeaderLockApi, LeaderLockSpec};
pub use self::lock::LifeLock;

/// How long a stop waits for the last Event to be sent.
const LAST_EVENT: Duration = Duration::from_secs(1);

/// Stands for a lock that is held for life, any number of times, as long as it runs.
#[must_use = "an elector does nothing until it is run"]
pub struct LifeElector {
    options: LifeOptions,
    lock: Arc<LifeLock>,
    clock: Clock,
    announcer: Announcer,
    herald: Herald,
    state: watch::Sender<LeadershipState>,
    pulse: Pulse,
    ping: Option<Ping>,
    history: TermHistory,
    is_only_bearer: bool,
}

impl LifeElector {
    /// An elector for `lock`. `client` is for its Events; like the lock's it should be of its own.
    pub fn new(
        lock: LifeLock,
        options: LifeOptions,
        clock: Clock,
        metrics: Metrics,
        client: kube::Client,
    ) -> (Self, Leadership) {
        let state = watch::Sender::new(LeadershipState::Standby { leader: None });
        let leadership = Leadership::following(&state);
        let (announcer, herald) = Announcer::new(lock.name(), &options.timing.identity, clock.clone(), metrics, client);
        let (pulse, history) = (Pulse::new(options.timing.lease_duration), TermHistory::new(clock.clone()));
        let lock = Arc::new(lock);
        let (ping, is_only_bearer) = (None, false);
        (Self { options, lock, clock, announcer, herald, state, pulse, ping, history, is_only_bearer }, leadership)
    }

    /// Tells whether the elector is alive and whether it has seen the lock, for health checks.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Leads only while `runtime`, on which the work runs, takes turns: a term ends when it has not for three leases. For an
    /// elector that runs [on a thread of its own](crate::leadership::OwnThread), as the tasks of its lock's client must: make that
    /// client [there](crate::leadership::OwnThread::enter).
    pub fn for_work_on(mut self, runtime: Handle) -> Self {
        self.ping = Some(Ping::new(runtime, self.options.timing.lease_duration));
        self
    }

    /// Takes it for granted that no other process stands in its pod's name, instead of asking the kernel: for tests, in which
    /// several clusters have a pod of one uid.
    pub const fn as_only_bearer(mut self) -> Self {
        self.is_only_bearer = true;
        self
    }

    /// Tells who led when, as far as the elector has seen it.
    #[must_use]
    pub fn history(&self) -> TermHistory {
        self.history.clone()
    }

    /// Watches the lock from now on, stands for it once `ready` resolves, and hands over when `stop` is cancelled: running
    /// work goes on until its last [`WorkGuard`](crate::leadership::WorkGuard) is gone, for `patience` at most. Then the term ends,
    /// and once its work has ended the lock is given back.
    ///
    /// # Errors
    /// [`ElectorError`]. Trouble with the lock is none: it is told of and waited out.
    ///
    /// # Cancel safety
    /// When dropped, a running term ends, and the lock is left to this pod: its next process leads, or it goes with the pod.
    pub async fn run(
        self,
        ready: impl Future<Output = ()> + Send,
        stop: CancellationToken,
        patience: Duration,
    ) -> Result<(), ElectorError> {
        self.options.timing.check()?;
        let (run, herald, news) = Run::new(self);
        let mut events = JoinSet::new();
        events.spawn(own(herald.run()));
        let outcome = run.conduct(ready, stop, patience, news).await;
        // The last Event tells who stopped leading: worth a moment, not more.
        let _sent_or_not = timeout(LAST_EVENT, events.join_all()).await;
        outcome
    }
}

impl std::fmt::Debug for LifeElector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LifeElector").field("options", &self.options).finish_non_exhaustive()
    }
}
