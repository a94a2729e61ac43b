//! What ends `dev` before it was asked to end.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::crds::InstallError;
use crate::settings::Problems;

/// `dev` could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevError {
    /// The replicas would not start with these settings: all problems at once.
    #[error("{0}")]
    Settings(Problems),
    /// A file of samples cannot be understood.
    #[error("{}: {problem}", path.display())]
    Sample {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// `--port` is somebody else's.
    #[error("port {port} is taken by another program: name a free one by --port, or leave --port out")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The cluster, or a process, could not be had.
    #[error(transparent)]
    Kit(#[from] kubeops_testkit::Error),
    /// The CRDs are not installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A replica's program cannot be run.
    #[error("{name} cannot be started; the end of its log: {log}")]
    NotStarted {
        /// The replica.
        name: String,
        /// What the system says of it.
        log: String,
    },
    /// No replica took the lock.
    #[error("no replica leads after {waited:?}; what they say of it stands above")]
    NoLeader {
        /// How long it was waited for.
        waited: Duration,
    },
    /// A file, a folder or a signal handler could not be had.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

impl DevError {
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    /// What the process is to exit with.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Settings(_)) { 78 } else { 1 }
    }
}
