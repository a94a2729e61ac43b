//! What many objects weigh.

use std::fs;

use kubeops_testkit::Cluster;

use crate::given::{CONFIG_MAPS, fill, get, name, runtime, send};

const OBJECTS: usize = 20_000;

/// By how much the process grows, as the kernel counts it (resident pages): with what the allocator keeps, the history of the last
/// writes and the record of the requests.
pub(crate) fn memory() {
    let runtime = runtime();
    let cluster = runtime.block_on(Cluster::start());
    let mut service = cluster.service("bench");
    // What is read once a process is not the objects'.
    runtime.block_on(fill(&mut service, 1));
    let one = runtime.block_on(send(&mut service, get(&format!("{CONFIG_MAPS}/{}", name(0))))).len();
    let cluster = runtime.block_on(Cluster::start());
    let Some(before) = resident_megabytes() else { return };
    runtime.block_on(fill(&mut cluster.service("bench"), OBJECTS));
    let grown = resident_megabytes().unwrap_or(before) - before;
    println!("memory/{OBJECTS} objects of {one} bytes   [{grown:.1} MB]\n");
}

/// `None` where the kernel is not Linux.
fn resident_megabytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
