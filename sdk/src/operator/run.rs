//! From settings to a host that runs.

use std::io;

use futures::Stream;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::bearing::bear;
use super::builder::{Operator, Parts};
use super::composition::{World, compose};
use super::fenced::check_identity;
use super::kube_ops::{Defaults, KubeOps, listing};
use super::leader_label::OwnPod;
use super::logging;
use super::shown;
use super::start::Start;
use crate::chain::chain;
use crate::connect::{ConnectError, Connection, Environment, connect};
use crate::health::AddError;
use crate::host::{HostError, Signal};
use crate::http::BindError;
use crate::leadership::{Claim, Claimed};
use crate::settings::{Problems, Settings};

/// Why an operator could not run, or ended other than asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Settings are wrong: all problems at once.
    #[error("{0}")]
    Settings(Problems),
    /// Controllers or health checks can't be run together.
    #[error("{}", .0.join("\n"))]
    Registrations(Vec<String>),
    /// The user's state could not be made.
    #[error("the operator's state could not be made: {0}")]
    State(String),
    /// There is no cluster to talk to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Of two operators in one process that stand for one lock only one could lead.
    #[error(
        "`{}` and `{}` run in this process, and both stand for the lock {lock}: only one of them could lead; put their controllers \
         into one operator, set another KubeOps:LeaderElectionId, or run each in a process of its own",
        operators[0],
        operators[1]
    )]
    LockTwice {
        /// Their names.
        operators: [String; 2],
        /// Namespace and name.
        lock: String,
    },
    /// A port is taken.
    #[error("{}; set KubeOps:{key} to another address, or to 0 to do without", chain(cause))]
    Bind {
        /// The setting that says where to listen.
        key: &'static str,
        /// What is wrong with that.
        cause: BindError,
    },
    /// The elector's thread can't be made.
    #[error("no thread can be made for the leader election")]
    Thread(#[source] io::Error),
    /// Signals can't be received.
    #[error("signals can't be received")]
    Signals(#[source] io::Error),
    /// A service failed.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl RunError {
    /// What the process is to exit with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_) => 78,
            Self::Host(error) => error.exit_code(),
            _ => 1,
        }
    }
}

impl From<AddError> for RunError {
    fn from(error: AddError) -> Self {
        Self::Registrations(vec![error.to_string()])
    }
}

impl<S: Clone + Send + Sync + 'static> Operator<S> {
    /// Runs until a signal comes or a service fails. The command line is [`Operator::run`]'s.
    ///
    /// # Errors
    /// [`RunError`]. Wrong settings are told before anything is asked of the cluster.
    ///
    /// # Cancel safety
    /// Dropped, all of it ends at once, as if the process had been killed: the lock is left to expire.
    pub async fn serve(
        self,
        settings: Settings,
        environment: &Environment,
        signals: impl Stream<Item = Signal> + Send + Unpin,
    ) -> Result<(), RunError> {
        let (parts, state) = self.prepare(&settings).await?;
        let connection = connect(environment).await?;
        let defaults = parts.defaults(Some(&connection));
        let (mut kube_ops, _told_already) = KubeOps::from_settings(&settings, &defaults).map_err(RunError::Settings)?;
        let _claim = claim(parts.name, &connection.server(), &kube_ops).await?;
        let pod = OwnPod::of(&settings, &kube_ops, &defaults).map_err(RunError::Settings)?;
        let has_uid = kube_ops.pod_uid.is_some();
        let only_bearer = bear(&mut kube_ops).await;
        check_identity(&kube_ops, has_uid)?;
        let start = Start::of(&parts, &connection, &kube_ops);
        let namespace = settings.variable("POD_NAMESPACE").map(str::to_owned);
        let world = World { only_bearer, namespace, pod, ..World::real(&connection, parts.name, parts.version)? };
        let listed = shown::settings(listing(&settings, &defaults), &parts.shown_settings);
        let composed = compose(parts, world, &kube_ops, listed, state)?;
        start.tell(composed.bound);
        Ok(composed.host.run(signals, kube_ops.shutdown_timeout).await?)
    }

    /// Finds all that is wrong with the settings, and makes the state, without asking the cluster.
    pub(super) async fn prepare(self, settings: &Settings) -> Result<(Parts<S>, S), RunError> {
        let Self { parts, make_state } = self;
        let mut problems = Problems::default();
        let warnings = match KubeOps::from_settings(settings, &parts.defaults(None)) {
            Ok((_, warnings)) => warnings,
            Err(more) => {
                problems.extend(more);
                Vec::new()
            }
        };
        if let Err(more) = logging::init(settings) {
            problems.extend(more);
        }
        let state = match make_state(settings.clone()).await {
            Ok(state) => Ok(state),
            Err(error) => match error.into_source().downcast::<Problems>() {
                Ok(more) => {
                    problems.extend(*more);
                    Err(String::new())
                }
                Err(error) => Err(chain(error.as_ref())),
            },
        };
        if !problems.is_empty() {
            return Err(RunError::Settings(problems));
        }
        for warning in warnings {
            warn!("settings: {warning}");
        }
        let state = state.map_err(RunError::State)?;
        match parts.problems() {
            wrong if wrong.is_empty() => Ok((parts, state)),
            wrong => Err(RunError::Registrations(wrong)),
        }
    }
}

/// The lock, for the whole life of the operator. Nothing without leader election.
async fn claim(operator: &str, server: &str, settings: &KubeOps) -> Result<Option<Claim>, RunError> {
    if !settings.enable_leader_election {
        return Ok(None);
    }
    let lock = (settings.leader_election_namespace.as_str(), settings.leader_election_id.as_str());
    let claim = Claim::of(operator, server, lock, &CancellationToken::new()).await;
    claim.map(Some).map_err(|Claimed { by, lock }| RunError::LockTwice { operators: [by, operator.to_owned()], lock })
}

impl<S> Parts<S> {
    pub(crate) fn defaults(&self, connection: Option<&Connection>) -> Defaults {
        let client_namespace = connection.map(|connection| connection.config.default_namespace.clone());
        Defaults { client_namespace, ..Defaults::of_this_machine(self.name) }
    }
}
