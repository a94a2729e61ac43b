//! What a Lease lock asks the API server for, and what it makes of the answers.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests are sentences")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use http::{Method, Request, Response};
use kube::client::Body;
use kubeops::leadership::election::{Observation, Put, Spec, Stamp};
use kubeops::leadership::lock::{LeaseLock, Lock, LockError};
use serde_json::{Value, json};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

/// An API server that answers as it is told, and remembers what it was asked.
#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    requests: Arc<Mutex<Vec<(Method, String, Value)>>>,
}

impl Server {
    fn lock(&self) -> LeaseLock {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                server.requests.lock().unwrap().push((parts.method, parts.uri.to_string(), body));
                let (status, answer) = server.answers.lock().unwrap().pop_front().unwrap();
                let answer = Response::builder().status(status).body(Body::from(answer.into_bytes()));
                Ok::<_, std::io::Error>(answer.unwrap())
            }
        });
        LeaseLock::new(kube::Client::new(service, "default"), "default", "lock")
    }

    fn answers(&self, status: u16, answer: &Value) {
        self.answers.lock().unwrap().push_back((status, answer.to_string()));
    }

    fn refuses(&self, status: u16) {
        self.answers(
            status,
            &json!({ "kind": "Status", "status": "Failure", "message": "no", "reason": "x", "code": status }),
        );
    }

    fn last(&self) -> (Method, String, Value) {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    fn asked(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn lease(version: u64) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "lock", "namespace": "default", "uid": "u", "resourceVersion": version.to_string(),
            "labels": { "team": "a" },
            "ownerReferences": [{ "apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "o" }],
            "managedFields": [{ "manager": "kubectl" }],
        },
        "spec": { "holderIdentity": "other", "leaseDurationSeconds": 15, "strategy": "OldestEmulationVersion" },
    })
}

fn list(version: u64, items: &[Value]) -> Value {
    let metadata = json!({ "resourceVersion": version.to_string() });
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "LeaseList", "metadata": metadata, "items": items })
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

fn takeover(version: u64) -> Put {
    Put { base: Some((version, "u".to_owned())), spec: mine() }
}

/// A lock that has read version 7.
async fn that_read(server: &Server) -> LeaseLock {
    let lock = server.lock();
    server.answers(200, &list(9, &[lease(7)]));
    assert_eq!(lock.read().await.unwrap().version(), 7);
    lock
}

#[tokio::test]
async fn a_read_is_a_quorum_list_of_one_name_so_that_absence_has_a_version() {
    let server = Server::default();
    server.answers(200, &list(9, &[]));
    assert_eq!(server.lock().read().await.unwrap(), Observation::Absent { version: 9 });
    let (method, uri, _) = server.last();
    assert_eq!((method, uri.as_str()), (Method::GET, &*format!("{LEASES}?&fieldSelector=metadata.name%3Dlock")));
}

#[tokio::test]
async fn a_write_is_the_object_as_read_with_only_the_fields_of_the_election_changed() {
    let server = Server::default();
    let lock = that_read(&server).await;
    server.answers(200, &lease(10));
    lock.put(takeover(7)).await.unwrap();
    let (method, uri, body) = server.last();
    assert_eq!((method, uri), (Method::PUT, format!("{LEASES}/lock?")));
    let mut expected = lease(7);
    expected["metadata"].as_object_mut().unwrap().remove("managedFields");
    expected["spec"] = json!({
        "holderIdentity": "me", "leaseDurationSeconds": 15, "leaseTransitions": 1, "strategy": "OldestEmulationVersion",
        "acquireTime": "1970-01-01T00:00:00.000001Z", "renewTime": "1970-01-01T00:00:00.000002Z",
    });
    assert_eq!(body, expected, "uid and version among it");
}

#[tokio::test]
async fn a_creation_is_a_put_without_version_and_uid() {
    let server = Server::default();
    let lock = server.lock();
    server.answers(201, &lease(10));
    lock.put(Put { base: None, spec: mine() }).await.unwrap();
    let (method, _, body) = server.last();
    assert_eq!(method, Method::PUT);
    assert_eq!(body["metadata"], json!({ "name": "lock", "namespace": "default" }));
    assert_eq!(body["kind"], "Lease");
}

#[tokio::test]
async fn a_write_that_is_not_based_on_the_newest_object_is_a_conflict_without_being_sent() {
    let server = Server::default();
    let lock = that_read(&server).await;
    let asked = server.asked();
    for base in [(6, "u"), (7, "another")] {
        let put = Put { base: Some((base.0, base.1.to_owned())), spec: mine() };
        assert!(matches!(lock.put(put).await, Err(LockError::Conflict)));
    }
    assert_eq!(server.asked(), asked);
}

#[tokio::test]
async fn a_refusal_because_the_lock_is_another_is_told_from_all_others() {
    let server = Server::default();
    let lock = that_read(&server).await;
    let creation = || Put { base: None, spec: mine() };
    for (status, put, conflict) in [
        (409, takeover(7), true),
        (409, creation(), true),
        // A write without a version on a Lease that is there.
        (422, creation(), true),
        (422, takeover(7), false),
        (404, creation(), false),
        (401, takeover(7), false),
        (429, takeover(7), false),
        (500, takeover(7), false),
    ] {
        server.refuses(status);
        let error = lock.put(put).await.unwrap_err();
        assert_eq!(matches!(error, LockError::Conflict), conflict, "{status}: {error}");
    }
    server.refuses(403);
    let Err(LockError::Forbidden { rule, .. }) = lock.put(takeover(7)).await else { panic!("not forbidden") };
    assert!(rule.contains("leases") && rule.contains("namespace default"), "{rule}");
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_an_error() {
    let server = Server::default();
    let lock = server.lock();
    let mut odd = lease(7);
    odd["metadata"]["resourceVersion"] = json!("seven");
    for answer in [json!("what?"), list(9, &[odd]), json!({ "kind": "LeaseList", "metadata": {}, "items": [] })] {
        server.answers(200, &answer);
        lock.read().await.unwrap_err();
    }
}

#[tokio::test]
async fn a_watch_starts_right_after_what_was_read_and_needs_a_read() {
    let server = Server::default();
    assert!(matches!(server.lock().watch().await, Err(LockError::Expired)), "nothing was read yet");

    let lock = that_read(&server).await;
    let events = [
        json!({ "type": "MODIFIED", "object": lease(11) }),
        json!({ "type": "BOOKMARK", "object": { "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "resourceVersion": "20", "creationTimestamp": null } } }),
        json!({ "type": "DELETED", "object": lease(21) }),
    ];
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    server.answers.lock().unwrap().push_back((200, lines));
    let told: Vec<Observation> = lock.watch().await.unwrap().map(Result::unwrap).collect().await;
    assert!(server.last().1.contains("resourceVersion=9"), "of the list, not of the object: {}", server.last().1);
    assert_eq!(told.iter().map(Observation::version).collect::<Vec<_>>(), [11, 21]);
    assert_eq!(told[1], Observation::Absent { version: 21 });

    let gone = json!({ "type": "ERROR", "object": { "kind": "Status", "status": "Failure", "message": "too old",
        "reason": "Expired", "code": 410 } });
    server.answers(200, &gone);
    let told: Vec<_> = lock.watch().await.unwrap().collect().await;
    assert!(server.last().1.contains("resourceVersion=21"), "{}", server.last().1);
    assert!(matches!(told[..], [Err(LockError::Expired)]), "{told:?}");
    assert!(matches!(lock.watch().await, Err(LockError::Expired)), "to be read again first");
}
