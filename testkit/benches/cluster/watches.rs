//! One client writes, many watch.

use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput};
use futures::{StreamExt, TryStreamExt, future};
use http::Request;
use http_body_util::{BodyExt, Full};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{WatchEvent, WatchParams};
use kubeops_testkit::Cluster;
use tokio::task::JoinHandle;

use crate::given::{Begun, CONFIG_MAPS, config_map, create, get, open, runtime, send};

/// Watchers, and writes that each of them sees.
const SHAPES: [(usize, usize); 3] = [(1, 10_000), (10, 1_000), (100, 100)];

pub(crate) fn watches(c: &mut Criterion) {
    let mut group = c.benchmark_group("watch");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for (watchers, writes) in SHAPES {
        group.throughput(Throughput::Elements((watchers * writes) as u64));
        let shape = format!("{writes} writes x {watchers} watchers");
        group.bench_function(format!("service/{shape}"), |b| {
            b.iter_custom(|times| (0..times).map(|_| runtime().block_on(lines(watchers, writes))).sum());
        });
        group.bench_function(format!("kube/{shape}"), |b| {
            b.iter_custom(|times| (0..times).map(|_| runtime().block_on(events(watchers, writes))).sum());
        });
    }
    // Those who watch something else are not to be woken.
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("service/1000 writes x 1000 watchers of another kind", |b| {
        b.iter_custom(|times| (0..times).map(|_| runtime().block_on(bystanders(1_000, 1_000))).sum());
    });
    group.finish();
}

/// The time until every watcher has read a line for each write.
async fn lines(watchers: usize, writes: usize) -> Duration {
    let cluster = Cluster::start().await;
    let mut readers = Vec::new();
    for _ in 0..watchers {
        let mut body = open(&mut cluster.service("bench"), get(&format!("{CONFIG_MAPS}?watch=1"))).await;
        readers.push(tokio::spawn(async move {
            let mut left = writes;
            while left > 0 {
                let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
                left -= frame.iter().filter(|byte| **byte == b'\n').count();
            }
        }));
    }
    until_read(&cluster, writes, readers).await
}

/// The time of the writes, and until all who read them are done.
async fn until_read(cluster: &Cluster, writes: usize, readers: Vec<JoinHandle<()>>) -> Duration {
    let mut service = cluster.service("bench");
    let requests = creates(writes);
    let begun = Begun::now();
    for request in requests {
        send(&mut service, request).await;
        // Watchers read each event when it comes, and not all of them at the end.
        tokio::task::yield_now().await;
    }
    future::try_join_all(readers).await.unwrap();
    begun.elapsed()
}

/// The time until every watcher has been given an object for each write.
async fn events(watchers: usize, writes: usize) -> Duration {
    let cluster = Cluster::start().await;
    let mut readers = Vec::new();
    for _ in 0..watchers {
        let api: Api<ConfigMap> = Api::namespaced(cluster.client("bench"), "default");
        let watch = api.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        readers.push(tokio::spawn(async move {
            let added = watch.try_filter(|event| future::ready(matches!(event, WatchEvent::Added(_))));
            added.take(writes).try_for_each(|_| future::ok(())).await.unwrap();
        }));
    }
    until_read(&cluster, writes, readers).await
}

/// The time of the writes while others watch what is not written.
async fn bystanders(watchers: usize, writes: usize) -> Duration {
    let cluster = Cluster::start().await;
    let mut service = cluster.service("bench");
    for _ in 0..watchers {
        let mut body = open(&mut cluster.service("bench"), get("/api/v1/secrets?watch=1")).await;
        tokio::spawn(async move { body.frame().await.is_some() });
    }
    tokio::task::yield_now().await;
    let requests = creates(writes);
    let begun = Begun::now();
    for request in requests {
        send(&mut service, request).await;
        tokio::task::yield_now().await;
    }
    begun.elapsed()
}

fn creates(count: usize) -> Vec<Request<Full<Bytes>>> {
    (0..count).map(|index| create(CONFIG_MAPS, &config_map(index, 0))).collect()
}
