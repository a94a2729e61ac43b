//! Long lists.

use criterion::{Criterion, Throughput};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::ListParams;
use kubeops_testkit::Cluster;

use crate::given::{CONFIG_MAPS, fill, get, runtime, send};

const OBJECTS: usize = 10_000;

pub(crate) fn lists(c: &mut Criterion) {
    let runtime = runtime();
    let cluster = runtime.block_on(Cluster::start());
    let mut service = cluster.service("bench");
    let mut group = c.benchmark_group("list");
    group.throughput(Throughput::Elements(OBJECTS as u64)).sample_size(10);
    let mut full = false;
    // Filled only if something of it is to be measured.
    let mut fill_once = || {
        if !std::mem::replace(&mut full, true) {
            runtime.block_on(fill(&mut cluster.service("bench"), OBJECTS));
        }
    };
    for (name, query) in [("all", ""), ("by label", "?labelSelector=app.kubernetes.io/name%3Dweb")] {
        let uri = format!("{CONFIG_MAPS}{query}");
        group.bench_function(format!("service/{name}"), |b| {
            fill_once();
            b.iter(|| runtime.block_on(send(&mut service, get(&uri))));
        });
    }
    let api: Api<ConfigMap> = Api::namespaced(cluster.client("bench"), "default");
    group.bench_function("kube/all", |b| {
        fill_once();
        b.iter(|| runtime.block_on(api.list(&ListParams::default())).unwrap());
    });
    group.finish();
}
