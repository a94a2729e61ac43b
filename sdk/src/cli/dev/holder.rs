//! Who holds the lock, by a watch on the Lease.

use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::watch_object;
use kube::{Api, Client};

/// Who holds the lock, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) identity: String,
    pub(super) since: Option<Timestamp>,
}

impl Holder {
    /// The replica's name: the identity is `<name>_<uid>`, and a name holds no `_`.
    pub(super) fn replica(&self) -> &str {
        self.identity.split_once('_').map_or(&self.identity, |(name, _)| name)
    }

    /// Time of day, UTC as in the logs.
    pub(super) fn time(&self) -> String {
        self.since.map_or_else(|| "?".to_owned(), |since| since.strftime("%H:%M:%SZ").to_string())
    }

    fn of(lease: Lease) -> Option<Self> {
        let spec = lease.spec?;
        let identity = spec.holder_identity.filter(|identity| !identity.is_empty())?;
        Some(Self { identity, since: spec.acquire_time.map(|time| time.0) })
    }
}

/// The holder, `None` if there is none, at each version of the lock: also at renewals, which change nothing. A watch that
/// breaks is opened again.
pub(super) fn holders(
    client: Client,
    namespace: &str,
    lock: &str,
) -> impl Stream<Item = Option<Holder>> + Unpin + Send {
    let leases: Api<Lease> = Api::namespaced(client, namespace);
    let versions = watch_object(leases, lock).default_backoff();
    versions.filter_map(async |lease| Some(lease.ok()?.and_then(Holder::of))).boxed()
}
