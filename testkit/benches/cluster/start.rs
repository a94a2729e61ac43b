//! From nothing to the first answer.

use std::time::Duration;

use criterion::Criterion;
use kubeops_testkit::Cluster;

use crate::given::{Begun, CONFIG_MAPS, get, runtime, send};
use crate::is_wanted;

/// What is read once a process (the built-in kinds and types) is told apart: the first cluster pays for it, the others share it.
pub(crate) fn start(c: &mut Criterion) {
    if is_wanted("start/first of the process") {
        println!("start/first of the process  time:   [{:.2?}]", first_answer());
    }
    c.bench_function("start/service", |b| b.iter_custom(|times| (0..times).map(|_| first_answer()).sum()));
}

fn first_answer() -> Duration {
    let runtime = runtime();
    let begun = Begun::now();
    runtime.block_on(async {
        let cluster = Cluster::start().await;
        send(&mut cluster.service("bench"), get(CONFIG_MAPS)).await;
        begun.elapsed()
    })
}
