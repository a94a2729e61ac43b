//! An operator in a test: the same builder that `main` uses, on a cluster in memory.

mod replica;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use futures::stream;
use http::{Request, Response, header};
use kube::Client;
use kubeops_testkit::Cluster;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::{Layer as _, Service, ServiceExt as _};

pub use self::replica::Replica;
use super::builder::Operator;
use super::composition::{Composed, World, compose};
use super::kube_ops::{KubeOps, listing};
use super::leader_label::OwnPod;
use super::logging;
use super::run::RunError;
use super::shown;
use crate::BoxError;
use crate::http::{metrics_router, probes_router, status_router};
use crate::leadership::Leadership;
use crate::metrics::Metrics;
use crate::process::Process;
use crate::settings::{LoadOptions, Settings};

/// Two operators on one cluster need names of their own; one gets this.
const NAME: &str = "replica-a";
const CLUSTER: &str = "the test's cluster";
/// What requests to it are counted under.
const HOST: &str = "cluster";
const NAMESPACE: &str = "default";

/// An operator that runs until this is dropped: at once then, as if its process had been killed.
#[derive(Debug)]
#[must_use = "dropped, it ends at once"]
pub struct RunningOperator {
    stopping: CancellationToken,
    hang: CancellationToken,
    run: JoinHandle<Result<(), RunError>>,
    router: Router,
    leadership: Leadership,
    process: Process,
}

impl<S: Clone + Send + Sync + 'static> Operator<S> {
    /// Starts it on `cluster`, as the user `replica-a`. Settings are those of the crate that is tested, without the environment's
    /// variables and without ports; time is tokio's, so that a test may pause it.
    ///
    /// # Panics
    /// If the settings are wrong, with all problems, or the state can't be made.
    pub async fn start_on(self, cluster: &Cluster) -> RunningOperator {
        self.start_replica_on(cluster, NAME, &[]).await
    }

    /// Starts it as the replica and user `name`, with settings such as `("KubeOps:LeaderElectionLeaseDuration", "3s")`.
    ///
    /// # Panics
    /// As [`Operator::start_on`].
    pub async fn start_replica_on(self, cluster: &Cluster, name: &str, settings: &[(&str, &str)]) -> RunningOperator {
        let replica = Replica::new(name, cluster.service(name));
        self.start_as(settings.iter().fold(replica, |replica, (key, value)| replica.with_setting(*key, *value))).await
    }

    /// Starts it as a replica of which the test chooses more: its way to the cluster, its clocks.
    ///
    /// # Panics
    /// As [`Operator::start_on`].
    pub async fn start_as<W, B>(self, replica: Replica<W>) -> RunningOperator
    where
        W: Service<Request<kube::client::Body>, Response = Response<B>> + Clone + Send + 'static,
        W::Future: Send + 'static,
        W::Error: Into<BoxError> + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let started = self.try_start_as(replica).await;
        #[expect(clippy::panic, reason = "for tests, which end here")]
        started.unwrap_or_else(|error| panic!("the operator can't start: {error}"))
    }

    async fn try_start_as<W, B>(self, replica: Replica<W>) -> Result<RunningOperator, RunError>
    where
        W: Service<Request<kube::client::Body>, Response = Response<B>> + Clone + Send + 'static,
        W::Future: Send + 'static,
        W::Error: Into<BoxError> + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Replica { name, service, clock, only_bearer, settings: set } = replica;
        let of_test =
            [("KubeOps:Name", name.as_str()), ("KubeOps:HealthAddress", "0"), ("KubeOps:MetricsAddress", "0")];
        let of_test = of_test.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let set = of_test.into_iter().chain(set).collect();
        let crate_directory = LoadOptions::of_this_process().crate_directory;
        let options = LoadOptions { set, crate_directory, ..LoadOptions::default() };
        let settings = Settings::load(options).map_err(RunError::Settings)?;

        logging::init_in_test(&settings);
        let (parts, state) = self.prepare(&settings).await?;
        let defaults = parts.defaults(None);
        let (kube_ops, _told) = KubeOps::from_settings(&settings, &defaults).map_err(RunError::Settings)?;
        let listed = shown::settings(listing(&settings, &defaults), &parts.shown_settings);
        let (metrics, hang) = (Metrics::new(), CancellationToken::new());
        let client = || Client::new(metrics.requests(HOST).layer(service.clone()), NAMESPACE);
        let world = World {
            client: client(),
            election_client: client(),
            // Its time is not the test's.
            election_thread: None,
            in_memory: true,
            namespace: settings.variable("POD_NAMESPACE").map(str::to_owned),
            pod: OwnPod::of(&settings, &kube_ops, &defaults).map_err(RunError::Settings)?,
            only_bearer,
            server: CLUSTER.to_owned(),
            clock,
            metrics: metrics.clone(),
            hang: hang.clone(),
        };
        let Composed { host, bound: _, health, status, leadership } = compose(parts, world, &kube_ops, listed, state)?;
        let router = probes_router(&health).merge(metrics_router(&metrics));
        let router = router.merge(status_router(move || status.clone().take()));
        let (stopping, process) = (host.stopping(), Process::default());
        let of_process = process.clone();
        let run = async move { Ok(host.run(stream::pending(), kube_ops.shutdown_timeout).await?) };
        let run = tokio::spawn(async move { of_process.run(run).await });
        Ok(RunningOperator { stopping, hang, run, router, leadership, process })
    }
}

impl RunningOperator {
    /// What a GET of `path` on its ports gives, without ports: the status, and the text. `/readyz?verbose` for a kubelet's
    /// question, `/metrics` for Prometheus', `/` for the status page and `/status` for the same as JSON.
    pub async fn get(&self, path: &str) -> (u16, String) {
        self.get_as(path, "*/*").await
    }

    /// Likewise, with an `Accept` header.
    ///
    /// # Panics
    /// If path or header are none.
    pub async fn get_as(&self, path: &str, accept: &str) -> (u16, String) {
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty());
        #[expect(clippy::panic, reason = "for tests, which end here")]
        let request = request.unwrap_or_else(|error| panic!("cannot get {path}: {error}"));
        let Ok(answer) = self.router.clone().oneshot(request).await;
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// Lets its elector stand still from now on, as if it hung: the term runs out, and `/livez` fails in the end.
    pub fn hang_elector(&self) {
        self.hang.cancel();
    }

    /// Freezes it as SIGSTOP does: from now on none of its tasks runs, while time goes on, and what it has sent may arrive.
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets a frozen one go on where it was.
    pub fn thaw(&self) {
        self.process.thaw();
    }

    /// Follows whether it leads.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Asks it to stop, as SIGTERM does, and does not wait: readiness fails, running reconciles may end.
    pub fn begin_stop(&self) {
        self.stopping.cancel();
    }

    /// Whether it has ended by itself: after [`begin_stop`](Self::begin_stop), or because a service failed.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.run.is_finished()
    }

    /// Stops it as SIGTERM does, and waits until it has ended: running reconciles end, and the lock is given back.
    ///
    /// # Errors
    /// If a service failed.
    ///
    /// # Panics
    /// If the operator panicked.
    pub async fn stop(mut self) -> Result<(), RunError> {
        self.begin_stop();
        match (&mut self.run).await {
            Ok(ended) => ended,
            Err(join) => std::panic::resume_unwind(join.into_panic()),
        }
    }
}

impl Drop for RunningOperator {
    fn drop(&mut self) {
        self.run.abort();
    }
}

/// Does `work` until `hang` is cancelled; then it is not polled any more, and never ends.
pub(super) async fn until_it_hangs<T>(hang: CancellationToken, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| if hang.is_cancelled() { Poll::Pending } else { work.as_mut().poll(cx) }).await
}
