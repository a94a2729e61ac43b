//! Long lists.

use std::cell::LazyCell;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use futures::FutureExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::ListParams;
use kubeops_testkit::Cluster;
use tokio::runtime::Runtime;

use crate::given::{Begun, CONFIG_MAPS, fill, get, runtime, send};

const OBJECTS: usize = 10_000;

pub(crate) fn lists(c: &mut Criterion) {
    let runtime = runtime();
    let cluster = LazyCell::new(|| {
        let cluster = runtime.block_on(Cluster::start());
        runtime.block_on(fill(&mut cluster.service("bench"), OBJECTS));
        cluster
    });
    let mut group = c.benchmark_group("list");
    group.throughput(Throughput::Elements(OBJECTS as u64)).sample_size(10);
    for (name, query) in [("all", ""), ("by label", "?labelSelector=app.kubernetes.io/name%3Dweb")] {
        let uri = format!("{CONFIG_MAPS}{query}");
        group.bench_function(format!("service/{name}"), |b| {
            let mut service = cluster.service("bench");
            b.iter_custom(|times| (0..times).map(|_| timed(&runtime, send(&mut service, get(&uri)))).sum());
        });
    }
    group.bench_function("kube/all", |b| {
        let _entered = runtime.enter();
        let api: Api<ConfigMap> = Api::namespaced(cluster.client("bench"), "default");
        let params = ListParams::default();
        b.iter_custom(|times| (0..times).map(|_| timed(&runtime, api.list(&params).map(Result::unwrap))).sum());
    });
    group.finish();
}

fn timed<T>(runtime: &Runtime, answer: impl Future<Output = T>) -> Duration {
    let begun = Begun::now();
    let answer = runtime.block_on(answer);
    let elapsed = begun.elapsed();
    drop(answer);
    elapsed
}
