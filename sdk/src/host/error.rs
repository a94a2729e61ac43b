//! How a host ends, if not as asked.

use std::time::Duration;

use super::Signal;
use crate::BoxError;
use crate::chain::chain;

/// Why a host did not simply stop as it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Services failed, or did not stop.
    #[error("{}", list(failures))]
    Services {
        /// All of them, in the order in which it happened; never empty. The first is what stopped the host.
        failures: Vec<ServiceFailure>,
    },
    /// A second signal came before the stop that the first one asked for was done.
    #[error("ended at once by a second {signal}; still running: {}", still_running.join(", "))]
    Interrupted {
        /// The second signal.
        signal: Signal,
        /// Names of the services that had not ended.
        still_running: Vec<String>,
    },
}

/// A service that did not run until it was told to stop, or did not end then.
#[derive(Debug, thiserror::Error)]
#[error("service `{service}` {kind}")]
#[non_exhaustive]
pub struct ServiceFailure {
    /// The name that it was added under.
    pub service: String,
    /// What happened.
    pub kind: FailureKind,
}

/// What happened to a service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FailureKind {
    /// [`HostedService::start`](super::HostedService::start) failed.
    #[error("could not start: {}", chain(.0.as_ref()))]
    NotStarted(BoxError),
    /// It returned `Ok` although nobody had told it to stop.
    #[error("ended although it was not told to")]
    EndedEarly,
    /// It returned an error.
    #[error("failed: {}", chain(.0.as_ref()))]
    Failed(BoxError),
    /// It panicked, with this text.
    #[error("panicked: {0}")]
    Panicked(String),
    /// It was told to stop and had not ended when the shutdown timeout was over.
    #[error("did not end within the shutdown timeout of {0:?}")]
    DidNotEnd(Duration),
    /// It was cut off, because services that were to end before it had not when the shutdown timeout was over.
    #[error("was cut off: later services had not ended within the shutdown timeout")]
    CutOff,
}

impl HostError {
    /// What the process is to exit with: 1, or what shells use for the signal (130, 143). After [`HostError::Interrupted`]
    /// the process is to exit at once: dropping the runtime would wait for blocked threads.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Services { .. } => 1,
            Self::Interrupted { signal, .. } => signal.exit_code(),
        }
    }
}

fn list(failures: &[ServiceFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
