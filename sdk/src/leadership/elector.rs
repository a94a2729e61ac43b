//! Runs an election against a lock and a clock, and hands out terms.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::announce::{Announcer, Herald};
use super::clock::{Clock, Moment};
use super::election::{Effect, Election, ElectionOptions, EndReason, Input, Now, Stamp};
use super::lock::{Lock, LockError};
use super::pulse::Pulse;
use super::term::{Leadership, LeadershipState, Term, TermControl};
use super::watcher::{self, News};
use crate::metrics::Metrics;

/// tokio's timers stand still while the machine sleeps, so the clock is read at least this often during a term.
const LONGEST_SLEEP_LEADING: Duration = Duration::from_millis(500);
/// A standby has nothing to do between events of its watch; it wakes up to show that it is alive.
const LONGEST_SLEEP_STANDBY: Duration = Duration::from_secs(5);
/// The work of an ended term was told to end; one that goes on for a lease and this much longer ends the process.
const GRACE: Duration = Duration::from_secs(5);
/// Events that the watch is ahead of the elector.
const NEWS_WAITING: usize = 16;

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
}

/// Why an elector gave up. Trouble with the lock is none of them: that is waited out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElectorError {
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

/// The state of a run.
struct Run {
    election: Election,
    elector: Elector,
    call: Option<Pin<Box<dyn Future<Output = (Input, Option<LockError>)> + Send>>>,
    watch: JoinSet<()>,
    news: mpsc::Receiver<News>,
    terms: u64,
    reign: Option<Reign>,
    finished: bool,
}

/// The newest term, until its work has ended.
struct Reign {
    term: Term,
    control: TermControl,
    began: Moment,
    ended: Option<Moment>,
    draining: bool,
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
        let (announcer, herald) = Announcer::new(&name, &options.identity, metrics, client);
        let pulse = Pulse::new(options.lease_duration);
        (Self { options, lock: Arc::new(lock), clock, announcer, herald, state, pulse }, leadership)
    }

    /// Tells whether the elector is alive and whether it has seen the lock, for health checks.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Watches the lock from now on, stands for it once `ready` resolves, and hands over when `stop` is cancelled: running
    /// work goes on, and the term is renewed, until its last [`WorkGuard`](super::WorkGuard) is gone.
    ///
    /// # Errors
    /// [`ElectorError`].
    ///
    /// # Cancel safety
    /// When dropped, a running term ends and the lock is left to expire.
    pub async fn run(
        mut self,
        ready: impl Future<Output = ()> + Send,
        stop: CancellationToken,
    ) -> Result<(), ElectorError> {
        let (tell, news) = mpsc::channel(NEWS_WAITING);
        let mut tasks = JoinSet::new();
        let herald = std::mem::replace(&mut self.herald, Herald::silent(&self.announcer));
        tasks.spawn(herald.run());
        let election = Election::new(self.options.clone(), fastrand::u64(..));
        let mut run = Run {
            election,
            elector: self,
            call: None,
            watch: JoinSet::new(),
            news,
            terms: 0,
            reign: None,
            finished: false,
        };
        let outcome = run.conduct(ready, stop, tell).await;
        run.finish(&mut tasks).await;
        outcome
    }
}
