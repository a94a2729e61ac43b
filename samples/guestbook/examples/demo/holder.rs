//! Who holds the lock, by a watch on the Lease.

use futures::{Stream, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event, watcher};
use kube::{Api, Client};

/// The sample's lock, in the namespace of the kubeconfig.
pub(crate) const LOCK: &str = "guestbook-leader";
pub(crate) const NAMESPACE: &str = "default";

/// Who holds the lock, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    identity: String,
    since: Option<Timestamp>,
}

impl Holder {
    /// The replica's name: the identity is `<name>_<uid>`, and a name holds no `_`.
    pub(crate) fn replica(&self) -> &str {
        self.identity.split_once('_').map_or(&self.identity, |(name, _)| name)
    }

    /// Time of day, UTC as in the logs.
    pub(crate) fn since(&self) -> String {
        self.since.map_or_else(|| "?".to_owned(), |since| since.strftime("%H:%M:%SZ").to_string())
    }

    fn of(lease: Lease) -> Option<Self> {
        let spec = lease.spec?;
        let identity = spec.holder_identity.filter(|identity| !identity.is_empty())?;
        Some(Self { identity, since: spec.acquire_time.map(|time| time.0) })
    }
}

/// The holder, `None` if there is none, at each version of the lock: also at renewals, which change nothing.
pub(crate) fn holders(client: Client) -> impl Stream<Item = Result<Option<Holder>, watcher::Error>> + Unpin + Send {
    let leases: Api<Lease> = Api::namespaced(client, NAMESPACE);
    let only_the_lock = Config::default().fields(&format!("metadata.name={LOCK}"));
    let events = watcher(leases, only_the_lock).default_backoff();
    events
        .filter_map(async |event| match event {
            Ok(Event::Apply(lease) | Event::InitApply(lease)) => Some(Ok(Holder::of(lease))),
            Ok(Event::Delete(_)) => Some(Ok(None)),
            Ok(Event::Init | Event::InitDone) => None,
            Err(error) => Some(Err(error)),
        })
        .boxed()
}
