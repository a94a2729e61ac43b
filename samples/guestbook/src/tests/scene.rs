//! A cluster with the kind installed, the replicas that run on it, and a user who keeps them busy.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::{await_condition, conditions::is_deleted};
use kube::{Api, Resource, ResourceExt};
use kubeops::operator::RunningOperator;
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::Faults;
use serde_json::json;
use tokio::task::JoinHandle;

use super::ledger::Ledger;
use crate::guestbook::{Guestbook, GuestbookSpec};
use crate::operator;

pub(super) const LOCK: &str = "guestbook-leader";
/// Between two changes of [`Traffic`].
pub(super) const PAUSE: Duration = Duration::from_secs(3);
/// Who uses the cluster.
const USER: &str = "somebody";

pub(super) struct Scene {
    pub(super) cluster: Cluster,
    pub(super) books: Api<Guestbook>,
}

/// Keeps changing guestbooks until it is dropped, so that a leader has work under way at whatever moment a test strikes.
pub(super) struct Traffic(JoinHandle<()>);

impl Scene {
    pub(super) async fn start() -> Self {
        let scene = Self::start_bare().await;
        scene.cluster.install::<Guestbook>().await;
        scene
    }

    /// Without the CRD.
    pub(super) async fn start_bare() -> Self {
        let cluster = Cluster::start().await;
        let books = Api::default_namespaced(cluster.client(USER));
        Self { cluster, books }
    }

    pub(super) async fn replica(&self, name: &str) -> RunningOperator {
        operator().start_replica_on(&self.cluster, name, &[]).await
    }

    /// A replica that leads already.
    pub(super) async fn leader(&self, name: &str) -> RunningOperator {
        let replica = self.replica(name).await;
        self.lock(held_by(name)).await;
        replica
    }

    /// `replica-a`, which leads, and `replica-b`, which stands by.
    pub(super) async fn two_replicas(&self) -> (RunningOperator, RunningOperator) {
        let leader = self.leader("replica-a").await;
        let standby = self.replica("replica-b").await;
        // Its caches are warm, and it watches the lock.
        tokio::time::sleep(Duration::from_secs(1)).await;
        (leader, standby)
    }

    /// Two replicas at work, without a pause.
    pub(super) async fn busy(&self) -> ((RunningOperator, RunningOperator), Vec<String>, Traffic) {
        let replicas = self.two_replicas().await;
        let names = self.create_many(3).await;
        self.all_settled(&names).await;
        let traffic = self.traffic(&names);
        (replicas, names, traffic)
    }

    pub(super) async fn create(&self, name: &str) -> Guestbook {
        let spec = GuestbookSpec { title: format!("Guests of {name}"), message: String::new(), replicas: 1 };
        self.books.create(&PostParams::default(), &Guestbook::new(name, spec)).await.unwrap()
    }

    /// Guestbooks `book-0`, `book-1`, …, and their names.
    pub(super) async fn create_many(&self, count: usize) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|number| format!("book-{number}")).collect();
        join_all(names.iter().map(|name| self.create(name))).await;
        names
    }

    /// Changes the spec, so that there is something to reconcile.
    pub(super) async fn touch(&self, name: &str, message: &str) {
        let patch = Patch::Merge(json!({ "spec": { "message": message } }));
        self.books.patch(name, &PatchParams::default(), &patch).await.unwrap();
    }

    /// Deletes it, and waits until it is gone.
    pub(super) async fn delete(&self, name: &str) {
        let book = self.books.get(name).await.unwrap();
        self.books.delete(name, &DeleteParams::default()).await.unwrap();
        self.gone(&book).await;
    }

    /// Waits until just this one is gone.
    pub(super) async fn gone(&self, book: &Guestbook) {
        let is_gone = is_deleted(book.metadata.uid.as_ref().unwrap());
        await_condition(self.books.clone(), &book.name_any(), is_gone).await.unwrap();
    }

    /// Waits until it is reconciled as it is now.
    pub(super) async fn settled(&self, name: &str) -> Guestbook {
        self.cluster.until(name, Guestbook::is_applied).await
    }

    pub(super) async fn all_settled(&self, names: &[String]) -> Vec<Guestbook> {
        let mut settled = Vec::new();
        for name in names {
            settled.push(self.settled(name).await);
        }
        settled
    }

    /// Changes it, and waits until `replica` has reconciled just that.
    pub(super) async fn reconciled_by(&self, replica: &str, name: &str) {
        self.touch(name, &format!("reconciled by {replica}, {}", self.cluster.now())).await;
        self.cluster.until(name, |book: &Guestbook| book.is_applied() && by(replica)(book)).await;
    }

    /// Waits until the lock is as wished.
    pub(super) async fn lock(&self, is: impl Fn(&Lease) -> bool) -> Lease {
        self.cluster.until(LOCK, is).await
    }

    pub(super) fn faults(&self, replica: &str) -> Faults {
        self.cluster.faults(replica)
    }

    /// Who asked for what when.
    pub(super) fn ledger(&self) -> Ledger {
        self.ledger_from(0)
    }

    /// How much stands in the ledger: much happens in one instant where time is paused.
    pub(super) fn mark(&self) -> usize {
        self.cluster.requests().len()
    }

    /// What came after a mark.
    pub(super) fn ledger_from(&self, mark: usize) -> Ledger {
        Ledger::new(self.cluster.requests().split_off(mark))
    }

    /// The API of a kind, as the user.
    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::default_namespaced(self.cluster.client(USER))
    }

    pub(super) fn traffic(&self, names: &[String]) -> Traffic {
        let (books, names) = (self.books.clone(), names.to_vec());
        Traffic(tokio::spawn(async move {
            for (number, name) in names.iter().cycle().enumerate() {
                let patch = Patch::Merge(json!({ "spec": { "message": format!("visit {number}") } }));
                books.patch(name, &PatchParams::default(), &patch).await.unwrap();
                tokio::time::sleep(PAUSE).await;
            }
        }))
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether the lock is held by this replica.
pub(super) fn held_by(replica: &str) -> impl Fn(&Lease) -> bool {
    let prefix = format!("{replica}_");
    move |lease| {
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        holder.is_some_and(|holder| holder.starts_with(&prefix))
    }
}

/// Whether a guestbook was reconciled last by this replica.
pub(super) fn by(replica: &str) -> impl Fn(&Guestbook) -> bool {
    let prefix = format!("{replica}_");
    move |book| {
        let leader = book.status.as_ref().and_then(|status| status.reconciled_by.as_deref());
        leader.is_some_and(|leader| leader.starts_with(&prefix))
    }
}
