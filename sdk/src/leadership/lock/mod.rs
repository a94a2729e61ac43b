//! Locks: objects in the cluster that name who leads.

mod dated;
mod lease;
mod object;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::ObjectReference;

use super::election::{Dates, Observation, Put};

pub use lease::LeaseLock;
pub(super) use object::{Found, Object, parse_version};

/// An object in the cluster that an [`Elector`](super::Elector) reads, writes and watches.
pub trait Lock: Send + Sync + 'static {
    /// Reads the lock with a quorum, so that its absence has a version too.
    fn read(&self) -> BoxFuture<'_, Result<Observation, LockError>>;

    /// When the newest read was answered, and when the lock that it showed was written. `None` if that is not known.
    fn dates(&self) -> Option<Dates> {
        None
    }

    /// Which other installation it belongs to, by the newest state seen.
    fn other_installation(&self) -> Option<String> {
        None
    }

    /// Writes the lock if it is still what `put` was based on, and creates it if it was based on nothing.
    fn put(&self, put: Put) -> BoxFuture<'_, Result<Observation, LockError>>;

    /// Opens a watch that starts right after what was read last, so that nothing is missed between them. Ends after some
    /// minutes, and is then opened again.
    fn watch(&self) -> BoxFuture<'_, Result<LockWatch, LockError>>;

    /// The object, as Events refer to it.
    fn reference(&self) -> ObjectReference;
}

/// What a watch of a lock tells.
pub type LockWatch = BoxStream<'static, Result<Observation, LockError>>;

/// Why a lock could not be read, written or watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The lock is not what the write was based on.
    #[error("the lock was changed meanwhile")]
    Conflict,
    /// The server no longer knows the version that the watch was to start at: read first.
    #[error("the version to watch from is too old")]
    Expired,
    /// This identity has not the right to do it.
    #[error("{message}; grant it with this rule: {rule}")]
    Forbidden {
        /// The API server's words: they name user, verb, resource and namespace.
        message: String,
        /// The RBAC rule that would grant it.
        rule: String,
    },
    /// The API server has no such kind.
    #[error(
        "the API server does not serve {resource} of version {version}: install the definition with the operator's command \
         `install`"
    )]
    NotServed {
        /// Plural and group.
        resource: String,
        /// The version.
        version: String,
    },
    /// There was no answer in time.
    #[error("the API server does not answer")]
    Silent,
    /// Anything else that the API server said.
    #[error("the API server refused: {message} ({code})")]
    Refused {
        /// The API server's words.
        message: String,
        /// The HTTP status.
        code: u16,
    },
    /// What kept the API server from saying something.
    #[error("the lock can't be reached")]
    Api(#[source] Box<kube::Error>),
    /// The control plane chooses its holder among candidates that say so: coordinated leader election.
    #[error(
        "the lock has the strategy {strategy}: the control plane chooses its holder, and this replica cannot stand for it; \
         choose another name for this operator's lock, or take `strategy` out of its spec"
    )]
    Coordinated {
        /// `spec.strategy`.
        strategy: String,
    },
    /// What was written is not what has become of it.
    #[error(
        "the API server keeps the lock without its owner or its annotation {annotation}: an admission webhook or policy takes them \
         out; exempt the lock from it"
    )]
    Altered {
        /// What the lock is marked with.
        annotation: &'static str,
    },
    /// The object is not a lock that could be understood.
    #[error("the lock can't be understood: {0}")]
    Unreadable(String),
}
