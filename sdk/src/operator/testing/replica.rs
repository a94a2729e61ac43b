//! As what, and through what, an operator runs in a test that wants to choose.

use std::fmt;

use crate::leadership::clock::Clock;

/// A replica of an operator in a test: its name, its way to the cluster, its clock and its settings. For
/// [`Operator::start_as`](super::Operator::start_as).
#[must_use = "a replica does nothing until an operator is started as it"]
pub struct Replica<S> {
    pub(super) name: String,
    pub(super) service: S,
    pub(super) clock: Clock,
    pub(super) only_bearer: bool,
    pub(super) settings: Vec<(String, String)>,
}

impl<S> Replica<S> {
    /// The replica `name`, whose requests go through `service`: that of a [`Cluster`](kubeops_testkit::Cluster), or one
    /// that does something to them on the way. Its clock is tokio's.
    pub fn new(name: impl Into<String>, service: S) -> Self {
        let clock = Clock::tokio();
        Self { name: name.into(), service, clock, only_bearer: false, settings: Vec::new() }
    }

    /// With clocks of its own.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// With a setting, such as `KubeOps:LeaderElectionLeaseDuration` and `3s`.
    pub fn with_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }

    /// Whoever had the identity in its settings is dead, as the kernel says of earlier containers of a pod.
    pub fn as_only_bearer(mut self) -> Self {
        self.only_bearer = true;
        self
    }
}

impl<S> fmt::Debug for Replica<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("name", &self.name).field("settings", &self.settings).finish_non_exhaustive()
    }
}
