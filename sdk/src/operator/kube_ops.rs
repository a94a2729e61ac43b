//! The `KubeOps` section: one table of keys, from which the struct, its defaults, the checks' messages, warnings of unknown
//! keys and the `settings` listing come.
//!
//! The rest of the SDK knows nothing of it: the operator makes each room's own options of these values.

mod checks;
mod listing;
pub(super) mod names;
mod reader;
mod table;
mod types;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::leadership::life::LeaderLockApi;
use crate::leadership::{holder_identity, random_uuid};
use crate::settings::{Problems, Settings, Warning};

use names::{lock_name, lock_namespace, parallel, pod_uid, replica_name};
use reader::Reader;
use table::{Preset, section_table};

pub use listing::{Row, listing, text_table};
pub use table::Key;
pub use types::{LeaderElectionLock, ReadyWhen, ReconcileStrategy};

/// The section's name.
pub const SECTION: &str = "KubeOps";

/// What defaults are made of beyond the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The operator's name: the package name of its crate.
    pub operator: String,
    /// The default namespace of the client's own configuration, where there is one.
    pub client_namespace: Option<String>,
    /// The host's name.
    pub host_name: Option<String>,
    /// How many CPUs there are.
    pub cpus: Option<NonZeroUsize>,
    /// What is read is meant for pods, which tell their own name and uid.
    pub for_pods: bool,
}

section_table! {
    /// Identity of this replica; must be unique. In a pod `POD_NAME` comes from `metadata.name` by the Downward API.
    "Name" name: String = Preset::Required("`POD_NAME`, else made from the host's name", replica_name);
    /// The pod's uid: with it, a container restarted in the same pod has the same identity.
    "PodUid" pod_uid: Option<String> = Preset::Made("`POD_UID`", pod_uid);
    /// Namespaces whose objects are reconciled; none named: all.
    "Namespaces" namespaces: Vec<String> = Preset::Nothing;
    /// Whether replicas elect a leader; false: this process always leads.
    "EnableLeaderElection" enable_leader_election: bool = Preset::Text("true");
    /// Name of the lock object.
    "LeaderElectionId" leader_election_id: String = Preset::Made("`<operator>-leader`", lock_name);
    /// Namespace of the lock object.
    "LeaderElectionNamespace" leader_election_namespace: String =
        Preset::Made("`POD_NAMESPACE`, else the client's namespace, else `default`", lock_namespace);
    /// Which kind of lock: a Lease is renewed, and a ConfigMap or LeaderLock goes with its holder's pod (leader for life), for
    /// which `POD_NAME` must be known.
    "LeaderElectionLock" leader_election_lock: LeaderElectionLock = Preset::Text("Lease");
    /// Which LeaderLock: the SDK's own, or that of zio-k8s.
    "LeaderLockApiVersion" leader_lock_api_version: LeaderLockApi = Preset::Text("coordination.kubeops.rs/v1");
    /// How long others wait after the last renewal that they saw. Whole seconds, and more than `LeaderElectionRenewDeadline`.
    "LeaderElectionLeaseDuration" leader_election_lease_duration: Duration = Preset::Text("00:00:15");
    /// A leader that could not renew for this long stops. More than 1.2 times `LeaderElectionRetryPeriod`.
    "LeaderElectionRenewDeadline" leader_election_renew_deadline: Duration = Preset::Text("00:00:10");
    /// Pause between tries to take or renew the lock: up to 1.2 times as long, so that replicas do not try together.
    "LeaderElectionRetryPeriod" leader_election_retry_period: Duration = Preset::Text("00:00:02");
    /// Whether the lock is given back on a clean stop, so that another replica leads at once.
    "LeaderElectionReleaseOnStop" leader_election_release_on_stop: bool = Preset::Text("true");
    /// Whether a lock that is out of date by more than a minute, by the clocks of the API server, of its holder and of this
    /// replica together, is taken at the start without waiting for the lease duration. One clock may be wrong.
    "LeaderElectionTrustAge" leader_election_trust_age: bool = Preset::Text("true");
    /// Whether the leader's Pod has the label `kubeops.rs/role: leader`, for Services that are to reach the leader. Needs `POD_NAME` and
    /// `POD_UID`, and the right to patch Pods.
    "LeaderElectionLabelPod" leader_election_label_pod: bool = Preset::Text("false");
    /// Whether the API server refuses writes of every pod but the leader's. `generate manifests --fence` and the chart's
    /// `leaderElection.fence` set it where they install the policy that does so; this replica checks at its start that its token is
    /// bound to the pod that `Name` and `PodUid` say.
    "LeaderElectionFence" leader_election_fence: bool = Preset::Text("false");
    /// How many objects a controller reconciles at once; a controller's own `concurrency` wins.
    "MaxParallelReconciliations" max_parallel_reconciliations: NonZeroUsize = Preset::Made("CPUs × 2", parallel);
    /// Which changes of an object itself lead to a reconcile: those of its spec (`ByGeneration`), or every one.
    "ReconcileStrategy" reconcile_strategy: ReconcileStrategy = Preset::Text("ByGeneration");
    /// Every object is reconciled at least this often; 0 turns it off.
    "ResyncPeriod" resync_period: Option<Duration> = Preset::Text("10:00:00");
    /// How long the first retry of a failed reconcile waits; each further one waits twice as long.
    "ErrorBackoffBase" error_backoff_base: Duration = Preset::Text("00:00:00.5");
    /// The longest that a retry waits.
    "ErrorBackoffMax" error_backoff_max: Duration = Preset::Text("00:05:00");
    /// A reconcile that takes longer is dropped and retried; 0 turns it off.
    "ReconcileTimeout" reconcile_timeout: Option<Duration> = Preset::Text("00:05:00");
    /// Whether finalizers are put on objects before their first reconcile.
    "AutoAttachFinalizers" auto_attach_finalizers: bool = Preset::Text("true");
    /// Whether a finalizer is taken off once it has run.
    "AutoDetachFinalizers" auto_detach_finalizers: bool = Preset::Text("true");
    /// How long a clean stop may take. Must be below the pod's grace period.
    "ShutdownTimeout" shutdown_timeout: Duration = Preset::Text("00:00:25");
    /// Where the probes are answered; 0 turns them off.
    "HealthAddress" health_address: Option<SocketAddr> = Preset::Text("[::]:8081");
    /// Where metrics are told; 0 turns it off.
    "MetricsAddress" metrics_address: Option<SocketAddr> = Preset::Text("[::]:8080");
    /// Where the status page is shown to people; 0 turns it off. Nobody is asked who they are.
    "StatusAddress" status_address: Option<SocketAddr> = Preset::Text("0");
    /// Whether the CRDs are installed at the start. Needs the right to get and patch CustomResourceDefinitions.
    "InstallCrds" install_crds: bool = Preset::Text("false");
    /// What readiness means: the caches are filled (`Synced`), or also that this replica leads (`Leading`). With `Leading` a rolling
    /// update needs `maxUnavailable: 100%`, as the generated Deployment has it: no new pod is ready before the old leader is
    /// gone.
    "ReadyWhen" ready_when: ReadyWhen = Preset::Text("Synced");
}

// === impl Defaults ===

impl Defaults {
    /// What this machine says of itself, for the operator named `operator`. The client's namespace is still to be told.
    #[must_use]
    pub fn of_this_machine(operator: impl Into<String>) -> Self {
        Self {
            operator: operator.into(),
            client_namespace: None,
            host_name: rustix::system::uname().nodename().to_str().ok().map(str::to_owned),
            cpus: std::thread::available_parallelism().ok(),
            for_pods: false,
        }
    }
}

// === impl KubeOps ===

impl KubeOps {
    /// Reads and checks the section.
    ///
    /// # Errors
    /// All that is wrong with it at once, each with key, value, what was expected and the layer that it came from.
    pub fn from_settings(settings: &Settings, defaults: &Defaults) -> Result<(Self, Vec<Warning>), Problems> {
        let mut reader = Reader::new(settings, defaults);
        let draft = Draft::read(&mut reader);
        checks::check(&draft, &mut reader);
        let (problems, warnings) = reader.finish(KEYS);
        match draft.finish(random_uuid()) {
            Some(kube_ops) => problems.or((kube_ops, warnings)),
            // What could not be read has been told.
            None => Err(problems),
        }
    }

    /// Which LeaderLock replicas elect their leader by, if they do, as far as that can be read.
    #[must_use]
    pub fn leader_lock_in(settings: &Settings) -> Option<LeaderLockApi> {
        let defaults = Defaults { for_pods: true, ..Defaults::default() };
        let draft = Draft::read(&mut Reader::new(settings, &defaults));
        let chosen = draft.leader_election_lock == Some(LeaderElectionLock::LeaderLock);
        draft.leader_lock_api_version.filter(|_| chosen && draft.enable_leader_election == Some(true))
    }

    /// The LeaderLock that replicas elect their leader by, if they do.
    #[must_use]
    pub fn leader_lock(&self) -> Option<LeaderLockApi> {
        let chosen = self.leader_election_lock == LeaderElectionLock::LeaderLock;
        (chosen && self.enable_leader_election).then_some(self.leader_lock_api_version)
    }

    /// The identity that this replica takes leadership as: `<Name>_<PodUid>`, and without a PodUid a random id in its
    /// place, which stays the same for the life of this value and its clones.
    #[must_use]
    pub fn holder_identity(&self) -> String {
        holder_identity(&self.name, self.pod_uid.as_ref().unwrap_or(&self.instance))
    }
}
