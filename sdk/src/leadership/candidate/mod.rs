//! Leader election for programs without controllers: a job that one of several replicas does.

mod guard;
mod standing;

use std::io;
use std::time::Duration;

use futures::FutureExt as _;
use http::HeaderValue;
use http::header::USER_AGENT;
use kube::{Client, Config};
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use self::guard::LeadershipGuard;
use self::standing::Stop;
pub use self::standing::{Leader, Standing};

use super::claim::{Claim, Claimed};
use super::clock::Clock;
use super::election::ElectionOptions;
use super::elector::{Elector, ElectorError};
use super::identity::{self, holder_identity, random_uuid};
use super::life::{LeaderLockApi, LifeElector, LifeLock, LifeOptions};
use super::lock::LeaseLock;
use super::own_thread::OwnThread;
use crate::chain::chain;
use crate::client;
use crate::connect::{ConnectError, Environment, connect};
use crate::metrics::Metrics;

/// What work of a term gets to end after a stop, unless said otherwise: less than the 30 s that Kubernetes gives a pod.
const PATIENCE: Duration = Duration::from_secs(25);

/// Tells the election apart in audit logs, and as who wrote the lock. What the configuration says goes before it.
const AGENT: &str = concat!("kubeops/", env!("CARGO_PKG_VERSION"), " leader-election");

/// Who is to stand for a lock, and how: `Candidate::lease("nightly-report")`, or that name alone.
///
/// Defaults: the cluster of `KUBECONFIG`, of `~/.kube/config` or of the pod, as [`connect`](crate::connect::connect) finds it; the namespace of `POD_NAMESPACE`, else that of the configuration; an
/// identity of `POD_NAME`, else the machine's name, and an id that is random for each start; 15 s, 10 s and 2 s, which are client-go's; the lock is
/// given back.
#[derive(Clone, Debug)]
#[must_use = "nobody stands until it is run, started or acquires"]
pub struct Candidate {
    lock: String,
    kind: Kind,
    pod: Pod,
    namespace: Option<String>,
    config: Option<Config>,
    /// `None`: a new one for each start.
    identity: Option<String>,
    options: ElectionOptions,
    stop: CancellationToken,
    patience: Duration,
    metrics: Metrics,
    alone_in_process: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Lease,
    ForLife(ForLife),
}

#[derive(Clone, Copy, Debug)]
enum ForLife {
    ConfigMap,
    LeaderLock(LeaderLockApi),
}

/// Whose pod a lock for life goes with. What is not told is taken from `POD_NAME` and `POD_UID`.
#[derive(Clone, Debug, Default)]
struct Pod {
    name: Option<String>,
    uid: Option<String>,
}

/// Why nobody could stand, or stands no more. Trouble with the lock is none of these reasons: it is told by log lines, once a
/// minute, and waited out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// There is no configuration of a cluster, or none that can be read.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Another of this process stands for the same lock: only one of them could lead.
    #[error("`{by}` of this process stands for the lock {lock} already; only one of the two could lead")]
    LockTwice {
        /// Its identity, or the operator's name.
        by: String,
        /// Namespace and name of the lock.
        lock: String,
    },
    /// A ConfigMap or LeaderLock goes with its holder's pod.
    #[error(
        "the lock goes with its holder's pod, whose name must be known: name it, or set POD_NAME by the Downward API, with these \
         lines under the container's `env` in the pod's template:\n\
         - {{ name: POD_NAME, valueFrom: {{ fieldRef: {{ fieldPath: metadata.name }} }} }}\n\
         - {{ name: POD_UID, valueFrom: {{ fieldRef: {{ fieldPath: metadata.uid }} }} }}"
    )]
    NoPod,
    /// The configuration makes no client.
    #[error("no client can be made")]
    Client(#[source] kube::Error),
    /// The system has no thread for the election.
    #[error("no thread can be had for the election")]
    Thread(#[source] io::Error),
    /// The election could not be held, or had to be given up.
    #[error(transparent)]
    Elector(#[from] ElectorError),
    /// It was asked to stop, by the token of [`Candidate::stop_on`].
    #[error("the candidate was asked to stop")]
    Stopped,
    /// Why has been told, or the runtime that the election was started on is shutting down.
    #[error("the election has ended before, or with its runtime")]
    Ended,
}

/// Does `work` as the leader, and gives the lock back: what zio-k8s calls `runAsLeader`. `Some` is what the work had to say;
/// `None`: leadership was lost before it was done, and its future was dropped. Whoever wants it done stands again:
///
/// ```no_run
/// use kubeops::leadership::run_as_leader;
///
/// # async fn report(_: &kube::Client) -> usize { 0 }
/// # async fn nightly() -> Result<(), Box<dyn std::error::Error>> {
/// let pages = loop {
///     // A client of the term: it writes nothing once the term is over.
///     let done = run_as_leader("nightly-report", |leader| async move { report(leader.client()).await }).await?;
///     if let Some(pages) = done {
///         break pages;
///     }
/// };
/// println!("{pages} pages");
/// # Ok(())
/// # }
/// ```
///
/// The election runs on a thread of its own; work that blocks its thread does not cost the lease, unless it blocks all
/// threads of its runtime for three leases.
///
/// # Errors
/// [`CandidateError`]. It waits as long as another leads, or the API server can't be reached. Once the work is done there is none: that the lock
/// could not be given back is logged.
///
/// # Cancel safety
/// When dropped, the work is dropped, and the lock is given back in the background as long as the runtime lives; else it is
/// left to expire.
pub async fn run_as_leader<T, Working: Future<Output = T>>(
    candidate: impl Into<Candidate>,
    work: impl FnOnce(Leader) -> Working,
) -> Result<Option<T>, CandidateError> {
    let guard = candidate.into().acquire().await?;
    let term = guard.leader().term().clone();
    let done = tokio::select! {
        biased;
        done = term.while_valid(work(guard.leader().clone())) => done,
        () = term.ended() => None,
    };
    kept(done, guard.release().await)
}

/// What was done is done, also if the election had to be given up before it was: then the lock is left to expire.
fn kept<T>(done: Option<T>, released: Result<(), CandidateError>) -> Result<Option<T>, CandidateError> {
    match released {
        Ok(()) => Ok(done),
        Err(error) if done.is_some() => {
            warn!(error = chain(&error), "the work is done, but the lock could not be given back");
            Ok(done)
        }
        Err(error) => Err(error),
    }
}

// === impl Candidate ===

impl Candidate {
    /// For the Lease of this name, which is created if need be. That needs the rights of `list`, `watch`, `create` and `update`
    /// on that one Lease.
    pub fn lease(name: impl Into<String>) -> Self {
        Self::of(Kind::Lease, name.into())
    }

    /// For the ConfigMap of this name, for life: nobody renews it, and it goes with this pod, as in the Go operator framework's
    /// `leader.Become`. That needs the rights of `create` on ConfigMaps, of `list`, `watch`, `patch` and `delete` on that one, and of
    /// `list` and `watch` on pods. The lock must be in the pod's own namespace.
    pub fn config_map(name: impl Into<String>) -> Self {
        Self::of(Kind::ForLife(ForLife::ConfigMap), name.into())
    }

    /// Likewise for the LeaderLock of this name, whose definition has to be installed.
    pub fn leader_lock(name: impl Into<String>, api: LeaderLockApi) -> Self {
        Self::of(Kind::ForLife(ForLife::LeaderLock(api)), name.into())
    }

    fn of(kind: Kind, lock: String) -> Self {
        Self {
            lock,
            kind,
            pod: Pod::default(),
            namespace: None,
            config: None,
            identity: None,
            options: ElectionOptions::new(String::new()),
            stop: CancellationToken::new(),
            patience: PATIENCE,
            metrics: Metrics::new(),
            alone_in_process: true,
        }
    }

    /// Where the lock is.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Which cluster, instead of the one that is found as kubectl finds it.
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// What the lock is to name as its holder. No two that stand at a time may have the same, also of one process.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Which pod this process runs in, for a lock that goes with it, instead of what `POD_NAME` and `POD_UID` say. Without the uid the API
    /// server is asked for it.
    pub fn pod(mut self, name: impl Into<String>, uid: Option<String>) -> Self {
        self.pod = Pod { name: Some(name.into()), uid };
        self
    }

    /// How long others wait for a leader that is silent (whole seconds), how long a leader without a renewal leads, and the
    /// pause between tries. Checked when it starts.
    pub fn timing(mut self, lease: Duration, renew_deadline: Duration, retry_period: Duration) -> Self {
        self.options = ElectionOptions { lease_duration: lease, renew_deadline, retry_period, ..self.options };
        self
    }

    /// Whether a stop gives the lock back. `false`: the next leader waits for its expiry.
    pub fn release_on_stop(mut self, release: bool) -> Self {
        self.options.release_on_stop = release;
        self
    }

    /// Whether a lock that is out of date by more than a minute, by the clocks of the API server, of its holder and of this
    /// process together, is taken at the start without a wait. `true` unless said otherwise.
    pub fn trust_age(mut self, trust: bool) -> Self {
        self.options.trust_age = trust;
        self
    }

    /// Stops it when this is cancelled, on SIGTERM for example: it stands no more, work of the term may go on for as long as its
    /// [patience](Candidate::patience) lasts, and then the lock is given back. Whoever waits for leadership gets
    /// [`CandidateError::Stopped`]. Without it a program that is killed while it leads costs the next leader a lease.
    pub fn stop_on(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// How long work of the term may go on after a stop.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where its metrics are counted.
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Lets others of this process stand for the same lock, each under an [identity](Candidate::identity) of its own: replicas in a
    /// test.
    #[cfg(feature = "testing")]
    pub fn replica_in_process(mut self) -> Self {
        self.alone_in_process = false;
        self
    }

    /// Waits until this process leads.
    ///
    /// # Errors
    /// [`CandidateError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// When dropped, it stands no more.
    pub async fn acquire(self) -> Result<LeadershipGuard, CandidateError> {
        LeadershipGuard::acquired(self.start().await?).await
    }

    /// Stands from now on, for any number of terms, until what it gives is stopped or dropped. The runtime that this is called on
    /// has to take turns: while it does not for three leases, be it that it is blocked or that nobody drives it, there is no term.
    ///
    /// # Errors
    /// [`CandidateError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    /// When dropped, it does not stand.
    pub async fn start(self) -> Result<Standing, CandidateError> {
        let Self { lock, kind, pod, namespace, config, identity, options, stop, patience, metrics, alone_in_process } =
            self;
        let for_life = match kind {
            Kind::Lease => None,
            Kind::ForLife(kind) => Some((kind, pod.known()?)),
        };
        let of_pod = for_life.as_ref().map(|(_, pod)| pod.identity());
        let identity = of_pod.or(identity).unwrap_or_else(identity::of_this_process);
        let options = ElectionOptions { identity, ..options };
        options.check().map_err(ElectorError::from)?;
        let mut config = match config {
            Some(config) => config,
            None => connect(&Environment::of_process()).await?.config,
        };
        // kube's own retries may go on for a quarter of an hour, long after a term.
        config.default_retry = false;
        let namespace = namespace
            .or_else(|| std::env::var("POD_NAMESPACE").ok().filter(|namespace| !namespace.is_empty()))
            .unwrap_or_else(|| config.default_namespace.clone());
        let (server, ends) = (config.cluster_url.to_string(), stop.child_token());
        let claim = match alone_in_process {
            true => Some(Claim::of(&options.identity, &server, (&namespace, &lock), &ends).await?),
            false => None,
        };
        let client = client::builder(config.clone()).map_err(CandidateError::Client)?.build();
        if !config.headers.iter().any(|(name, _)| name == USER_AGENT) {
            config.headers.push((USER_AGENT, HeaderValue::from_static(AGENT)));
        }

        let thread = OwnThread::new("leader-election").map_err(CandidateError::Thread)?;
        let of_elector = {
            let _spawns_there = thread.enter();
            client::builder(config).map_err(CandidateError::Client)?.build()
        };
        let standing = (options, metrics.clone(), of_elector, tokio::runtime::Handle::current());
        let (ready, stopped) = (std::future::ready(()), ends.clone());
        let (run, leadership) = match for_life {
            None => {
                let (options, metrics, client, runtime) = standing;
                let lock = LeaseLock::new(client.clone(), &namespace, &lock);
                let (elector, leadership) = Elector::new(lock, options, Clock::boot(), metrics, client);
                (elector.for_work_on(runtime).run(ready, stopped, patience).boxed(), leadership)
            }
            Some((kind, pod)) => {
                let (timing, metrics, client, runtime) = standing;
                let lock = kind.lock(client.clone(), &namespace, &lock);
                let options = LifeOptions { pod: pod.name, pod_uid: pod.uid, process: random_uuid(), timing };
                let (elector, leadership) = LifeElector::new(lock, options, Clock::boot(), metrics, client);
                (elector.for_work_on(runtime).run(ready, stopped, patience).boxed(), leadership)
            }
        };
        let run = tokio::spawn(thread.run(async move {
            let _claim = claim;
            run.await
        }));
        Ok(Standing::new(leadership, client, metrics, Stop { asked: stop, ends: ends.drop_guard() }, run))
    }
}

/// A pod that is known.
struct KnownPod {
    name: String,
    uid: Option<String>,
}

impl Pod {
    fn known(self) -> Result<KnownPod, CandidateError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        match self {
            Self { name: Some(name), uid } => Ok(KnownPod { name, uid }),
            Self { name: None, uid: _ } => {
                let name = variable("POD_NAME").ok_or(CandidateError::NoPod)?;
                Ok(KnownPod { name, uid: variable("POD_UID") })
            }
        }
    }
}

impl KnownPod {
    fn identity(&self) -> String {
        holder_identity(&self.name, self.uid.as_deref().unwrap_or_default())
    }
}

impl ForLife {
    fn lock(self, client: Client, namespace: &str, name: &str) -> LifeLock {
        match self {
            Self::ConfigMap => LifeLock::config_map(client, namespace, name),
            Self::LeaderLock(api) => LifeLock::leader_lock(client, api, namespace, name),
        }
    }
}

impl From<&str> for Candidate {
    fn from(lease: &str) -> Self {
        Self::lease(lease)
    }
}

impl From<String> for Candidate {
    fn from(lease: String) -> Self {
        Self::lease(lease)
    }
}

impl From<Claimed> for CandidateError {
    fn from(Claimed { by, lock }: Claimed) -> Self {
        Self::LockTwice { by, lock }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_is_done_is_not_lost_with_the_lock() {
        let given_up = || Err(CandidateError::Elector(ElectorError::WorkGoesOn { term: 1, seconds: 21 }));
        assert!(matches!(kept(Some(7), given_up()), Ok(Some(7))));
        assert!(matches!(kept(Some(7), Ok(())), Ok(Some(7))));
        assert!(matches!(kept(None::<u8>, given_up()), Err(CandidateError::Elector(_))));
        assert!(matches!(kept(None::<u8>, Ok(())), Ok(None)));
    }
}
