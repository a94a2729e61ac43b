//! One client writes, one request after the other.

use std::time::Duration;

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use http::{Method, Request};
use http_body_util::Full;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::ApiService;
use serde_json::{Value, json};

use crate::given::{Begun, CONFIG_MAPS, LEASES, config_map, create, fill, lease, name, request, runtime, send};

/// As many in one go, on a cluster of their own.
const WRITES: usize = 999;

pub(crate) fn writes(c: &mut Criterion) {
    let mut group = c.benchmark_group("writes");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Elements(WRITES as u64));
    through_service(&mut group);
    through_kube(&mut group);
    group.finish();
}

fn through_service(group: &mut BenchmarkGroup<'_, WallTime>) {
    let each = |write: fn(usize) -> Request<Full<Bytes>>| (0..WRITES).map(write).collect::<Vec<_>>();
    bench(group, "ConfigMap create", 0, || each(|index| create(CONFIG_MAPS, &config_map(index, 0))));
    bench(group, "ConfigMap update", WRITES, || {
        each(|index| put("application/json", Method::PUT, index, &config_map(index, 1)))
    });
    bench(group, "ConfigMap merge patch", WRITES, || {
        each(|index| put("application/merge-patch+json", Method::PATCH, index, &json!({"data": {"round": "1"}})))
    });
    bench(group, "ConfigMap JSON patch", WRITES, || {
        let patch = json!([{"op": "replace", "path": "/data/round", "value": "1"}]);
        (0..WRITES).map(|index| put("application/json-patch+json", Method::PATCH, index, &patch)).collect()
    });
    bench(group, "ConfigMap apply, new", 0, || each(|index| apply(index, 0)));
    bench(group, "ConfigMap apply, changed", WRITES, || each(|index| apply(index, 1)));
    bench(group, "Lease create", 0, || each(|index| create(LEASES, &lease(index, 0, ""))));
    group.bench_function("service/Lease update", |b| {
        b.iter_custom(|times| (0..times).map(|_| runtime().block_on(renew())).sum());
    });
}

/// Times `requests` on a cluster that has this many ConfigMaps.
fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    objects: usize,
    requests: impl Fn() -> Vec<Request<Full<Bytes>>>,
) {
    group.bench_function(format!("service/{name}"), |b| {
        b.iter_custom(|times| {
            let timed = |_| {
                runtime().block_on(async {
                    let cluster = Cluster::start().await;
                    let mut service = cluster.service("bench");
                    fill(&mut service, objects).await;
                    send_all(&mut service, requests()).await
                })
            };
            (0..times).map(timed).sum()
        });
    });
}

async fn send_all(service: &mut ApiService, requests: Vec<Request<Full<Bytes>>>) -> Duration {
    let begun = Begun::now();
    for request in requests {
        send(service, request).await;
    }
    begun.elapsed()
}

fn put(content_type: &str, method: Method, index: usize, body: &Value) -> Request<Full<Bytes>> {
    request(method, format!("{CONFIG_MAPS}/{}", name(index)), content_type, body)
}

fn apply(index: usize, round: usize) -> Request<Full<Bytes>> {
    let uri = format!("{CONFIG_MAPS}/{}?fieldManager=bench&force=true", name(index));
    request(Method::PATCH, uri, "application/apply-patch+yaml", &config_map(index, round))
}

/// A leader that renews its lease again and again, each time from the version that it was given.
async fn renew() -> Duration {
    let cluster = Cluster::start().await;
    let mut service = cluster.service("bench");
    let uri = format!("{LEASES}/{}", name(0));
    let mut answer = send(&mut service, create(LEASES, &lease(0, 0, ""))).await;
    let begun = Begun::now();
    for round in 0..WRITES {
        let text = std::str::from_utf8(&answer).unwrap();
        let version = text.split(r#""resourceVersion":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let update = request(Method::PUT, uri.clone(), "application/json", &lease(0, round + 1, version));
        answer = send(&mut service, update).await;
    }
    begun.elapsed()
}

fn through_kube(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.bench_function("kube/ConfigMap create, update and merge patch", |b| {
        b.iter_custom(|times| (0..times).map(|_| runtime().block_on(typed())).sum());
    });
}

/// As many writes, a third of them of each verb.
async fn typed() -> Duration {
    let cluster = Cluster::start().await;
    let api: Api<ConfigMap> = Api::namespaced(cluster.client("bench"), "default");
    let maps = |round: usize| -> Vec<ConfigMap> {
        (0..WRITES.div_ceil(3)).map(|index| serde_json::from_value(config_map(index, round)).unwrap()).collect()
    };
    let (created, updated) = (maps(0), maps(1));
    let patch = Patch::Merge(json!({"data": {"round": "2"}}));
    let begun = Begun::now();
    for (index, (new, changed)) in created.iter().zip(&updated).enumerate() {
        let name = name(index);
        api.create(&PostParams::default(), new).await.unwrap();
        api.replace(&name, &PostParams::default(), changed).await.unwrap();
        api.patch(&name, &PatchParams::default(), &patch).await.unwrap();
    }
    begun.elapsed()
}
