//! How fast the in-memory cluster is, and what it weighs: printed, not asserted.
//!
//! ```text
//! cargo bench -p kubeops-testkit --bench cluster              all of it, some minutes
//! cargo bench -p kubeops-testkit --bench cluster -- writes    what has this in its name
//! ```
//!
//! `cargo bench --profile dev …` shows it as users' tests have it, without optimization.
//!
//! Criterion prints the least, the middle and the most that is likely, and what changed since it ran last. `service` is asked as a tower
//! service, with requests that are there already, and its answers are read to the last byte but not understood; `kube` is asked through
//! `kube::Api` with types, and what kube itself takes is in it. Everything runs on one thread and never waits: what is counted is that
//! thread's processor time, so that other programs on the machine disturb it less.
//!
//! | name | aim |
//! | --- | --- |
//! | `start` | the first answer of a new cluster within 5 ms |
//! | `writes/service` | 20,000 a second of each but apply |
//! | `watch/service` | 100,000 events a second, the writes that cause them included |
//! | `list/service` | 10,000 objects within 100 ms |
//! | `memory` | 20,000 objects within 100 MB |
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "it prints, and what cannot be measured panics"
)]

mod given;
mod lists;
mod memory;
mod start;
mod watches;
mod writes;

use criterion::{Criterion, criterion_group};

criterion_group!(benches, start::start, writes::writes, watches::watches, lists::lists);

fn main() {
    // First, while the process has nothing of the others' to reuse.
    if is_wanted("memory") {
        memory::memory();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}

/// As criterion decides it for what it measures itself.
fn is_wanted(name: &str) -> bool {
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    filter.is_none_or(|filter| name.contains(&filter))
}
