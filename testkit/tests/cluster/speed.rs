//! Printed, not asserted: `cargo test --release --test cluster -- --ignored speed --nocapture`.

use std::time::Instant;

use kube::api::{ListParams, PostParams};
use kubeops_testkit::Cluster;
use serde_json::json;

use crate::given::{config_map, config_maps};

#[tokio::test]
#[ignore = "a measurement"]
async fn speed_of_writes_and_lists() {
    let start = Instant::now();
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    api.list(&ListParams::default()).await.unwrap();
    println!("start to first answer: {:?}", start.elapsed());
    let start = Instant::now();
    for index in 0..20_000 {
        api.create(&PostParams::default(), &config_map(&format!("x{index}"), json!({}))).await.unwrap();
    }
    println!("20000 creates: {:?}", start.elapsed());
    let start = Instant::now();
    let list = api.list(&ListParams::default().limit(10_000)).await.unwrap();
    println!("list of {}: {:?}", list.items.len(), start.elapsed());
}
