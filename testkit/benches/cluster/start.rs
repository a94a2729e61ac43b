//! From nothing to the first answer.

use criterion::{BatchSize, Criterion};
use kubeops_testkit::Cluster;

use crate::given::{CONFIG_MAPS, get, runtime, send};

/// What is read once a process (the built-in kinds and types) is told apart: the first cluster pays for it, the others share it.
pub(crate) fn start(c: &mut Criterion) {
    let runtime = runtime();
    let first = || {
        runtime.block_on(async {
            let cluster = Cluster::start().await;
            let list = send(&mut cluster.service("bench"), get(CONFIG_MAPS)).await;
            (cluster, list)
        })
    };
    let begun = std::time::Instant::now();
    drop(first());
    println!("start/once a process      time:   [{:.2?}]", begun.elapsed());
    c.bench_function("start/service", |b| b.iter_batched(|| (), |()| first(), BatchSize::PerIteration));
}
