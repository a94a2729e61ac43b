//! What standing and leading cost while nothing happens.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use kubeops_testkit::AuditEvent;

use super::side::{Index, Side};
use crate::harness::{Cluster, say};

const MINUTE: Duration = Duration::from_secs(60);
/// What comes after a start: Events, the last statuses.
const QUIET: Duration = Duration::from_secs(10);

/// A table of requests and CPU time in a minute.
pub(super) async fn measure(cluster: &Cluster, sides: &mut [Side; 2]) -> String {
    tokio::time::sleep(QUIET).await;
    let mut all: Vec<(usize, Index, Duration)> = Vec::new();
    for (at, side) in sides.iter_mut().enumerate() {
        all.extend([0, 1].map(|index| (at, index, cpu_time(side.process_id(index)))));
    }
    say("a quiet minute");
    let begun = Timestamp::now();
    tokio::time::sleep(MINUTE).await;
    let window = cluster.ledger().since(begun);

    let mut text =
        "| a minute of | program | writes of the lock | other writes | reads | watches opened | CPU time |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for (at, index, before) in all {
        let cpu = cpu_time(sides[at].process_id(index)).saturating_sub(before);
        let side = &sides[at];
        let leads = side.leader().await == index;
        let requests = window.of(side.users[index]);
        let count = |fits: fn(&AuditEvent) -> bool| requests.such(fits).len();
        let of_lock = count(|event| event.is_write() && event.resource == "leases");
        let other = count(AuditEvent::is_write) - of_lock;
        let watches = count(|event| event.verb == "watch");
        let reads = requests.len() - of_lock - other - watches;
        let role = if leads { "the leader" } else { "a standby" };
        let cpu = cpu.as_secs_f64() * 1000.0;
        writeln!(
            text,
            "| {role} | {} | {of_lock} | {other} | {reads} | {watches} | {cpu:.1} ms ({:.4} % of a core) |",
            side.program,
            cpu / 600.0
        )
        .expect("into a String");
    }
    text
}

/// What its threads have had of a CPU, in nanoseconds; those that have ended are left out.
fn cpu_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("threads of a process that runs");
    let of_thread = |thread: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    threads.filter_map(of_thread).sum()
}
