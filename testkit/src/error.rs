//! What can go wrong with the test kit itself.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Why a control plane, a cluster that is served, a process or a proxy could not do what the test asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No folder with the programs.
    #[error("no control plane to start: {reason}; run `cargo xtask control-plane`, or set KUBEBUILDER_ASSETS")]
    NoBinaries {
        /// What was looked for, and where.
        reason: String,
    },
    /// A file, a port or a process could not be had.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody else listens there.
    #[error("{address} is taken: choose another port, or 0 for one that is free")]
    PortTaken {
        /// Where the cluster was to be served.
        address: SocketAddr,
    },
    /// A program ended though it should go on.
    #[error("{program} ended with code {code}; the end of its log:\n{log}")]
    Ended {
        /// Its name.
        program: String,
        /// Its exit code; 128 and the signal's number if a signal ended it.
        code: i32,
        /// The last lines it wrote.
        log: String,
    },
    /// A program did not get ready, or did not end, in time.
    #[error("{program} {state} after {waited:?}: {last}; the end of its log:\n{log}")]
    TooSlow {
        /// Its name.
        program: String,
        /// What it should not be any more, such as "is not ready".
        state: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// What was seen last.
        last: String,
        /// The last lines it wrote.
        log: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// A user who has an admin's certificate cannot be limited.
    #[error("user {user} was given out as an admin before: limit it first")]
    AlreadyAdmin {
        /// Its name.
        user: String,
    },
    /// An address that is none.
    #[error("cannot make a URL")]
    Url(#[from] http::uri::InvalidUri),
    /// The API server refused, or could not be asked.
    #[error("cannot ask the API server")]
    Kube(#[source] Box<kube::Error>),
    /// The audit log holds a line that is none of its own.
    #[error("{}: line {line} is no audit event", path.display())]
    AuditLine {
        /// The log.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        Self::Kube(Box::new(error))
    }
}
