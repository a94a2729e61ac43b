//! An operator in a test: the same builder that `main` uses, on a cluster in memory.

use futures::stream;
use kubeops_testkit::Cluster;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::builder::Operator;
use super::composition::{World, compose};
use super::kube_ops::KubeOps;
use super::run::RunError;
use crate::leadership::clock::Clock;
use crate::settings::{LoadOptions, Settings};

/// Two operators on one cluster need names of their own; one gets this.
const NAME: &str = "replica-a";
const CLUSTER: &str = "the test's cluster";

/// An operator that runs until this is dropped: at once then, as if its process had been killed.
#[derive(Debug)]
#[must_use = "dropped, it ends at once"]
pub struct RunningOperator {
    stopping: CancellationToken,
    run: JoinHandle<Result<(), RunError>>,
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
        let started = self.try_start_on(cluster, name, settings).await;
        #[expect(clippy::panic, reason = "for tests, which end here")]
        started.unwrap_or_else(|error| panic!("the operator can't start: {error}"))
    }

    async fn try_start_on(
        self,
        cluster: &Cluster,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<RunningOperator, RunError> {
        let of_test = [("KubeOps:Name", name), ("KubeOps:HealthAddress", "0"), ("KubeOps:MetricsAddress", "0")];
        let set = of_test.iter().chain(settings).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let crate_directory = LoadOptions::of_this_process().crate_directory;
        let options = LoadOptions { set, crate_directory, ..LoadOptions::default() };
        let settings = Settings::load(options).map_err(RunError::Settings)?;

        let (parts, state) = self.prepare(&settings).await?;
        let (kube_ops, _told) = KubeOps::from_settings(&settings, &parts.defaults(None)).map_err(RunError::Settings)?;
        let world = World {
            client: cluster.client(name),
            election_client: cluster.client(name),
            server: CLUSTER.to_owned(),
            clock: Clock::tokio(),
        };
        let host = compose(parts, world, &kube_ops, state)?;
        let stopping = host.stopping();
        let run = tokio::spawn(async move { Ok(host.run(stream::pending(), kube_ops.shutdown_timeout).await?) });
        Ok(RunningOperator { stopping, run })
    }
}

impl RunningOperator {
    /// Stops it as SIGTERM does, and waits until it has ended: running reconciles end, and the lock is given back.
    ///
    /// # Errors
    /// If a service failed.
    ///
    /// # Panics
    /// If the operator panicked.
    pub async fn stop(mut self) -> Result<(), RunError> {
        self.stopping.cancel();
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
