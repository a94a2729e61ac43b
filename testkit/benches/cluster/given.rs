//! What is asked of the cluster, and how.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use kubeops_testkit::cluster::{ApiService, ResponseBody};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::Service;

pub(crate) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
pub(crate) const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

/// One thread, as the aims are for one core.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A time on the clock that stands while other programs have the processor.
#[derive(Clone, Copy)]
pub(crate) struct Begun(Duration);

impl Begun {
    pub(crate) fn now() -> Self {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Self(Duration::try_from(time).unwrap())
    }

    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0 - self.0
    }
}

pub(crate) fn name(index: usize) -> String {
    format!("object-{index:05}")
}

/// Of the size that is usual: about 1 KB with what the server adds.
pub(crate) fn config_map(index: usize, round: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": name(index), "namespace": "default",
            "labels": {"app.kubernetes.io/name": "web", "app.kubernetes.io/managed-by": "bench"},
        },
        "data": {
            "log-level": "info", "round": round.to_string(),
            "address": format!("https://web-{index}.default.svc.cluster.local:8443/api/v1"),
            "config.yaml": "server:\n  port: 8080\n  timeout: 30s\nworkers: 4\nretries:\n  most: 5\n  wait: 250ms\n".repeat(3),
        },
    })
}

/// As a leader renews it. A real server wants to be told which version is updated.
pub(crate) fn lease(index: usize, round: usize, version: &str) -> Value {
    let mut metadata = json!({"name": name(index), "namespace": "default"});
    if !version.is_empty() {
        metadata["resourceVersion"] = version.into();
    }
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
        "spec": {
            "holderIdentity": "replica-a", "leaseDurationSeconds": 15, "leaseTransitions": 1,
            "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": format!("2026-01-01T00:00:00.{round:06}Z"),
        },
    })
}

pub(crate) fn request(method: Method, uri: String, content_type: &str, body: &Value) -> Request<Full<Bytes>> {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let builder = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, content_type);
    builder.header(header::USER_AGENT, "bench/1").body(Full::new(body)).unwrap()
}

pub(crate) fn create(collection: &str, object: &Value) -> Request<Full<Bytes>> {
    request(Method::POST, collection.to_owned(), "application/json", object)
}

pub(crate) fn get(uri: &str) -> Request<Full<Bytes>> {
    request(Method::GET, uri.to_owned(), "application/json", &Value::Null)
}

/// The answer's body, which may be one without end.
pub(crate) async fn open(service: &mut ApiService, request: Request<Full<Bytes>>) -> ResponseBody {
    let response = service.call(request).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body()
}

pub(crate) async fn send(service: &mut ApiService, request: Request<Full<Bytes>>) -> Bytes {
    open(service, request).await.collect().await.unwrap().to_bytes()
}

/// Creates this many ConfigMaps.
pub(crate) async fn fill(service: &mut ApiService, count: usize) {
    for index in 0..count {
        send(service, create(CONFIG_MAPS, &config_map(index, 0))).await;
    }
}
