//! A witness: every version of the lock and of the guestbooks that a watch of the test's own saw, and when it saw it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, DynamicObject};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Error, Event, watcher};
use kube::{Client, ResourceExt};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::guestbooks::{Guestbooks, reconciled_by};
use super::{NAMESPACE, replica_of};

/// One version of the lock.
#[derive(Clone, Debug)]
pub(crate) struct LeaseSeen {
    pub(crate) at: Instant,
    version: u64,
    pub(crate) uid: String,
    /// The object was deleted.
    pub(crate) gone: bool,
    /// `None` when nobody holds it.
    pub(crate) holder: Option<String>,
    pub(crate) duration: Duration,
    pub(crate) transitions: i32,
}

impl LeaseSeen {
    pub(crate) fn is_held(&self) -> bool {
        self.holder.is_some()
    }

    /// Somebody holds it, and not the one with `identity`.
    pub(crate) fn is_held_by_other_than(&self, identity: &str) -> bool {
        self.holder.as_deref().is_some_and(|holder| holder != identity)
    }

    fn new(lease: &Lease, gone: bool) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.filter(|holder| !holder.is_empty() && !gone);
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_default();
        Self {
            at: Instant::now(),
            version: version(lease),
            uid: lease.uid().unwrap_or_default(),
            gone,
            holder,
            duration: Duration::from_secs(seconds),
            transitions: spec.lease_transitions.unwrap_or_default(),
        }
    }
}

/// One version of a guestbook.
#[derive(Clone, Debug)]
pub(crate) struct GuestbookSeen {
    pub(crate) at: Instant,
    version: u64,
    status: Value,
    pub(crate) name: String,
    pub(crate) reconciled_by: Option<String>,
}

#[derive(Debug, Default)]
struct Seen {
    leases: Vec<LeaseSeen>,
    guestbooks: Vec<GuestbookSeen>,
}

/// A moment in a history: what was seen before it is left out of a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    leases: usize,
    guestbooks: usize,
}

/// Watches until it is dropped, also over restarts of the API server.
#[derive(Debug)]
pub(crate) struct History {
    seen: Arc<Mutex<Seen>>,
    news: watch::Receiver<()>,
    watches: [JoinHandle<()>; 2],
}

impl History {
    pub(crate) fn begin(client: &Client, lock: &str, guestbooks: &Guestbooks) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (tell, news) = watch::channel(());
        let tell = Arc::new(tell);

        let leases: Api<Lease> = Api::namespaced(client.clone(), NAMESPACE);
        let only_the_lock = Config::default().fields(&format!("metadata.name={lock}"));
        let record = recorder(&seen, &tell, |seen, lease: &Lease, gone| seen.leases.push(LeaseSeen::new(lease, gone)));
        let of_lock = tokio::spawn(follow(watcher(leases, only_the_lock).default_backoff().boxed(), record));

        let record = recorder(&seen, &tell, |seen, guestbook: &DynamicObject, _| {
            seen.guestbooks.push(GuestbookSeen {
                at: Instant::now(),
                version: version(guestbook),
                status: guestbook.data["status"].clone(),
                name: guestbook.name_any(),
                reconciled_by: reconciled_by(guestbook).map(str::to_owned),
            });
        });
        let every = watcher(guestbooks.api.clone(), Config::default()).default_backoff().boxed();
        let of_guestbooks = tokio::spawn(follow(every, record));
        Self { seen, news, watches: [of_lock, of_guestbooks] }
    }

    pub(crate) fn mark(&self) -> Mark {
        let seen = lock(&self.seen);
        Mark { leases: seen.leases.len(), guestbooks: seen.guestbooks.len() }
    }

    /// Who holds the lock, as far as was seen.
    pub(crate) fn holder(&self) -> Option<String> {
        lock(&self.seen).leases.last().and_then(|lease| lease.holder.clone())
    }

    /// Waits until somebody holds the lock for whom `wanted` holds, and returns the identity.
    pub(crate) async fn wait_holder(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let newest_fits = |seen: &Seen| seen.leases.last().and_then(|one| one.holder.clone()).filter(|one| wanted(one));
        self.when(what, super::PATIENCE, newest_fits).await
    }

    /// Waits until the replica `name` holds the lock, and returns its identity.
    pub(crate) async fn wait_leader(&self, name: &str) -> String {
        self.wait_holder(&format!("{name} holds the lock"), |holder| replica_of(holder) == name).await
    }

    pub(crate) fn last_lease(&self) -> LeaseSeen {
        lock(&self.seen).leases.last().expect("the lock has been seen").clone()
    }

    /// The first version of the lock after `mark` that fits; waits for it.
    pub(crate) async fn first_lease(&self, what: &str, mark: Mark, fits: impl Fn(&LeaseSeen) -> bool) -> LeaseSeen {
        let first = |seen: &Seen| seen.leases[mark.leases..].iter().find(|lease| fits(lease)).cloned();
        self.when(what, super::PATIENCE, first).await
    }

    /// The first status that `identity` wrote after `mark`; waits for it.
    pub(crate) async fn first_status_by(&self, identity: &str, mark: Mark) -> GuestbookSeen {
        let by = |one: &&GuestbookSeen| one.reconciled_by.as_deref() == Some(identity);
        let first = |seen: &Seen| seen.guestbooks[mark.guestbooks..].iter().find(by).cloned();
        self.when(&format!("a status written by {identity}"), super::PATIENCE, first).await
    }

    pub(crate) fn leases_since(&self, mark: Mark) -> Vec<LeaseSeen> {
        lock(&self.seen).leases[mark.leases..].to_vec()
    }

    /// Changes of `status.reconciledBy` to `identity` seen after the instant: statuses that it wrote over those of somebody else.
    pub(crate) fn taken_by_after(&self, identity: &str, after: Instant) -> Vec<GuestbookSeen> {
        let mut writer: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        let seen = lock(&self.seen);
        let taken = seen.guestbooks.iter().filter(|one| {
            let by = one.reconciled_by.as_deref();
            let before = writer.insert(&one.name, by).flatten();
            one.at > after && by == Some(identity) && before != by
        });
        taken.cloned().collect()
    }

    /// Statuses that were written by one that did not hold the lock any more, and how many there were in all. The server numbers all versions in
    /// one row, so this does not depend on when the watches told of them.
    pub(crate) fn stale_statuses(&self) -> (Vec<GuestbookSeen>, usize) {
        let seen = lock(&self.seen);
        let holder_at = |version: u64| {
            let held = seen.leases.iter().filter(|lease| lease.version < version).max_by_key(|lease| lease.version);
            held.and_then(|lease| lease.holder.as_deref())
        };
        let mut newest: BTreeMap<&str, &Value> = BTreeMap::new();
        let written = seen.guestbooks.iter().filter(|one| newest.insert(&one.name, &one.status) != Some(&one.status));
        let written: Vec<&GuestbookSeen> = written.filter(|one| one.reconciled_by.is_some()).collect();
        let stale = written.iter().filter(|one| one.reconciled_by.as_deref() != holder_at(one.version));
        (stale.copied().cloned().collect(), written.len())
    }

    /// Waits until `look` finds something; looks again whenever something was seen.
    async fn when<T>(&self, what: &str, within: Duration, look: impl Fn(&Seen) -> Option<T>) -> T {
        let mut news = self.news.clone();
        let found = async {
            loop {
                news.mark_unchanged();
                if let Some(found) = look(&lock(&self.seen)) {
                    return found;
                }
                news.changed().await.expect("the history goes on");
            }
        };
        match tokio::time::timeout(within, found).await {
            Ok(found) => found,
            Err(_) => {
                let seen = lock(&self.seen);
                let newest = &seen.leases[seen.leases.len().saturating_sub(5)..];
                panic!("not seen within {within:?}: {what}; the lock's newest versions: {newest:#?}")
            }
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

fn version(object: &impl ResourceExt) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Puts one version on record and wakes whoever waits for news.
fn recorder<K, P: Fn(&mut Seen, &K, bool) + Send>(
    seen: &Arc<Mutex<Seen>>,
    tell: &Arc<watch::Sender<()>>,
    put: P,
) -> impl FnMut(&K, bool) + Send + use<K, P> {
    let (seen, tell) = (seen.clone(), tell.clone());
    move |object, gone| {
        put(&mut lock(&seen), object, gone);
        tell.send_replace(());
    }
}

/// Hands each version on once. After a list it also tells what was deleted meanwhile, which a list does not show.
async fn follow<K: ResourceExt + Clone>(
    mut events: impl Stream<Item = Result<Event<K>, Error>> + Unpin,
    mut record: impl FnMut(&K, bool),
) {
    let mut known: BTreeMap<String, K> = BTreeMap::new();
    let mut before_the_list: BTreeMap<String, K> = BTreeMap::new();
    let same = |old: &K, new: &K| old.uid() == new.uid() && old.resource_version() == new.resource_version();
    while let Some(event) = events.next().await {
        // An error is the watcher's own business: it lists again, which tells what was missed.
        let Ok(event) = event else { continue };
        match event {
            Event::Init => before_the_list = std::mem::take(&mut known),
            Event::InitApply(object) | Event::Apply(object) => {
                let name = object.name_any();
                let old = before_the_list.remove(&name).or_else(|| known.remove(&name));
                if !old.is_some_and(|old| same(&old, &object)) {
                    record(&object, false);
                }
                known.insert(name, object);
            }
            Event::InitDone => std::mem::take(&mut before_the_list).values().for_each(|object| record(object, true)),
            Event::Delete(object) => {
                known.remove(&object.name_any());
                record(&object, true);
            }
        }
    }
}
