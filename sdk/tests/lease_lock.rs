//! What a Lease lock asks the API server for, and what it makes of the answers.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests are sentences, and end by a panic")]

use std::convert::Infallible;

use futures::StreamExt as _;
use http::{Request, Response};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::client::Body;
use kube::{Api, Client, Resource as _};
use kubeops::leadership::election::{Observation, Put, Spec, Stamp};
use kubeops::leadership::lock::{LeaseLock, Lock, LockError};
use kubeops_testkit::cluster::Fault;
use kubeops_testkit::{AuditEvent, Cluster};
use serde_json::{Value, json};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const CANDIDATE: &str = "candidate";

/// A lock, and others who can write it too.
struct Scene {
    cluster: Cluster,
    lock: LeaseLock,
    leases: Api<Lease>,
}

impl Scene {
    async fn start() -> Self {
        let cluster = Cluster::start().await;
        let lock = LeaseLock::new(cluster.client(CANDIDATE), "default", "lock");
        let leases = Api::default_namespaced(cluster.client("other"));
        Self { cluster, lock, leases }
    }

    /// With a lock of another, with more in it than the election needs, which was read.
    async fn with_lock() -> (Self, Put) {
        let scene = Self::start().await;
        let maps: Api<ConfigMap> = Api::default_namespaced(scene.cluster.client("other"));
        let map = serde_json::from_value(json!({ "metadata": { "name": "owner" } })).unwrap();
        let owner = maps.create(&PostParams::default(), &map).await.unwrap().owner_ref(&());
        let lease = json!({
            "metadata": { "name": "lock", "labels": { "team": "a" }, "ownerReferences": [owner] },
            "spec": { "holderIdentity": "other", "leaseDurationSeconds": 15, "strategy": "OldestEmulationVersion" },
        });
        scene.leases.create(&PostParams::default(), &serde_json::from_value(lease).unwrap()).await.unwrap();
        let takeover = scene.takeover().await;
        (scene, takeover)
    }

    /// A takeover of the lock as it is read now.
    async fn takeover(&self) -> Put {
        let Observation::Present(record) = self.lock.read().await.unwrap() else { panic!("no lock") };
        Put { base: Some((record.version, record.uid)), spec: mine() }
    }

    /// Somebody else renews it.
    async fn renew(&self) -> u64 {
        let renewed = Patch::Merge(json!({ "spec": { "renewTime": format!("{:.6}", self.cluster.now()) } }));
        let lease = self.leases.patch("lock", &PatchParams::default(), &renewed).await.unwrap();
        lease.metadata.resource_version.unwrap().parse().unwrap()
    }

    /// What the candidate asked for.
    fn asked(&self) -> Vec<AuditEvent> {
        self.cluster.requests().into_iter().filter(|request| request.user == CANDIDATE).collect()
    }

    fn last(&self) -> AuditEvent {
        self.asked().pop().unwrap()
    }
}

fn mine() -> Spec {
    Spec {
        holder: Some("me".to_owned()),
        duration: Some(15),
        acquired: Some(Stamp::from_micros(1)),
        renewed: Some(Stamp::from_micros(2)),
        transitions: Some(1),
        foreign: String::new(),
    }
}

fn creation() -> Put {
    Put { base: None, spec: mine() }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_a_quorum_list_of_one_name_so_that_absence_has_a_version() {
    let scene = Scene::start().await;
    let Observation::Absent { version } = scene.lock.read().await.unwrap() else { panic!("there is none") };
    assert_ne!(version, 0);
    let AuditEvent { verb, uri, .. } = scene.last();
    assert_eq!((verb.as_str(), uri), ("list", format!("{LEASES}?&fieldSelector=metadata.name%3Dlock")));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_the_object_as_read_with_only_the_fields_of_the_election_changed() {
    let (scene, takeover) = Scene::with_lock().await;
    let before = scene.leases.get("lock").await.unwrap();
    scene.lock.put(takeover).await.unwrap();
    assert_eq!(scene.last().verb, "update");
    let now = scene.leases.get("lock").await.unwrap();
    assert_eq!(now.metadata.uid, before.metadata.uid);
    assert_eq!(
        (&now.metadata.labels, &now.metadata.owner_references),
        (&before.metadata.labels, &before.metadata.owner_references)
    );
    let expected = json!({
        "holderIdentity": "me", "leaseDurationSeconds": 15, "leaseTransitions": 1, "strategy": "OldestEmulationVersion",
        "acquireTime": "1970-01-01T00:00:00.000001Z", "renewTime": "1970-01-01T00:00:00.000002Z",
    });
    assert_eq!(json!(now.spec), expected);
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_a_put_without_version_and_uid() {
    let scene = Scene::start().await;
    scene.lock.put(creation()).await.unwrap();
    let AuditEvent { verb, name, code, .. } = scene.last();
    assert_eq!((verb.as_str(), name.as_str(), code), ("update", "lock", Some(201)));
    // What was written counts as read.
    let takeover = scene.takeover().await;
    scene.lock.put(takeover).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_not_based_on_the_newest_object_is_a_conflict_without_being_sent() {
    let (scene, Put { base, .. }) = Scene::with_lock().await;
    let (version, uid) = base.unwrap();
    let asked = scene.asked().len();
    for base in [(version - 1, uid), (version, "another".to_owned())] {
        let put = Put { base: Some(base), spec: mine() };
        assert!(matches!(scene.lock.put(put).await, Err(LockError::Conflict)));
    }
    assert_eq!(scene.asked().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_because_the_lock_is_another_is_told_from_all_others() {
    let (scene, takeover) = Scene::with_lock().await;
    scene.renew().await;
    // Of an old version, of none on a Lease that is there, and of a version of one that is not.
    assert!(matches!(scene.lock.put(takeover.clone()).await, Err(LockError::Conflict)));
    assert!(matches!(scene.lock.put(creation()).await, Err(LockError::Conflict)));
    scene.leases.delete("lock", &DeleteParams::default()).await.unwrap();
    assert!(matches!(scene.lock.put(takeover.clone()).await, Err(LockError::Conflict)));
    let refuse = |code| drop(scene.cluster.faults(CANDIDATE).next(Fault::Refuse { code, retry_after: None }).clone());
    for (code, put) in [(422, &takeover), (404, &creation()), (401, &takeover), (429, &takeover), (500, &takeover)] {
        refuse(code);
        let error = scene.lock.put(put.clone()).await.unwrap_err();
        assert!(!matches!(error, LockError::Conflict), "{code}: {error}");
    }
    refuse(403);
    let Err(LockError::Forbidden { rule, .. }) = scene.lock.put(takeover).await else { panic!("not forbidden") };
    assert!(rule.contains("leases") && rule.contains("namespace default"), "{rule}");
}

/// A lock on a server that answers everything with this.
fn answered_with(answer: &Value) -> LeaseLock {
    let answer = answer.to_string().into_bytes();
    let service = tower::service_fn(move |_: Request<Body>| {
        let answer = Body::from(answer.clone());
        async { Ok::<_, Infallible>(Response::new(answer)) }
    });
    LeaseLock::new(Client::new(service, "default"), "default", "lock")
}

#[tokio::test(start_paused = true)]
async fn labels_are_put_on_the_lease_and_others_stay() {
    let (scene, takeover) = Scene::with_lock().await;
    let labelled = LeaseLock::new(scene.cluster.client(CANDIDATE), "default", "lock").labelled("example.com/of", "us");
    labelled.read().await.unwrap();
    labelled.put(takeover).await.unwrap();
    let labels = async || scene.leases.get("lock").await.unwrap().metadata.labels.unwrap_or_default();
    let both = [("example.com/of", "us"), ("team", "a")].map(|(label, value)| (label.to_owned(), value.to_owned()));
    assert_eq!(labels().await, both.into());
    scene.leases.delete("lock", &DeleteParams::default()).await.unwrap();
    labelled.read().await.unwrap();
    labelled.put(creation()).await.unwrap();
    assert_eq!(labels().await.into_keys().collect::<Vec<_>>(), ["example.com/of"], "a new one has them too");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_makes_no_sense_is_an_error() {
    let scene = Scene::start().await;
    scene.cluster.faults(CANDIDATE).next(Fault::Garble);
    scene.lock.read().await.unwrap_err();
    // No server says this, but some are no real ones.
    let list = |metadata: Value, items: Value| json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "LeaseList", "metadata": metadata, "items": items });
    let odd = json!([{ "metadata": { "name": "lock", "uid": "u", "resourceVersion": "seven" }, "spec": {} }]);
    for answer in [list(json!({ "resourceVersion": "9" }), odd), list(json!({}), json!([]))] {
        answered_with(&answer).read().await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_starts_right_after_what_was_read_and_needs_a_read() {
    let (scene, _) = Scene::with_lock().await;
    let unread = LeaseLock::new(scene.cluster.client("unread"), "default", "lock");
    assert!(matches!(unread.watch().await, Err(LockError::Expired)), "nothing was read yet");

    // What happens elsewhere makes the list newer than the object in it.
    Api::<ConfigMap>::default_namespaced(scene.cluster.client("other"))
        .delete("owner", &DeleteParams::orphan())
        .await
        .unwrap();
    let takeover = scene.takeover().await;
    let told = scene.lock.watch().await.unwrap();
    let from = |watch: AuditEvent| -> u64 {
        let (_, from) = watch.uri.split_once("resourceVersion=").unwrap();
        from.split('&').next().unwrap().parse().unwrap()
    };
    assert!(from(scene.last()) > takeover.base.unwrap().0, "of the list, not of the object");
    let renewed = scene.renew().await;
    scene.leases.delete("lock", &DeleteParams::default()).await.unwrap();
    let told: Vec<Observation> = told.take(2).map(Result::unwrap).collect().await;
    assert_eq!(told[0].version(), renewed);
    let Observation::Absent { version: deleted } = told[1] else { panic!("it is gone: {told:?}") };

    scene.lock.put(creation()).await.unwrap();
    scene.leases.delete("lock", &DeleteParams::default()).await.unwrap();
    scene.cluster.compact();
    let told: Vec<_> = scene.lock.watch().await.unwrap().collect().await;
    assert!(from(scene.last()) > deleted);
    assert!(matches!(told[..], [Err(LockError::Expired)]), "{told:?}");
    assert!(matches!(scene.lock.watch().await, Err(LockError::Expired)), "to be read again first");
}
