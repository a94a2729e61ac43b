//! What the watches tell health checks.

/// How one watch is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheState {
    /// The kind that is watched.
    pub kind: String,
    /// The namespace that is watched; `None`: all of them, or a kind without.
    pub namespace: Option<String>,
    /// Everything was listed once, and the kind is still there.
    pub synced: bool,
    /// The server does not know the kind: its CRD is not installed.
    pub missing: bool,
    /// Why the watch does not work at the moment.
    pub last_error: Option<String>,
    /// The watch does something now and then, if only to try again.
    pub moving: bool,
}
