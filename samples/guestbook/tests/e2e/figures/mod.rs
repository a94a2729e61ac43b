//! What an election costs and how fast it is, beside client-go's: `cargo xtask bench leadership`. Two of each program stand for a
//! lock of their own, on one API server, by the same settings. All instants are the server's, in its audit log, and those of this
//! machine's clock, which is the server's too.

mod side;
mod speed;
mod steady;
mod table;

use std::time::Duration;

use crate::harness::{Cluster, rounds, say};

use side::Side;
use table::Table;

const GUESTBOOKS: usize = 20;
const HANDOVERS: usize = 100;
/// Crashes, restarts and cold starts wait for leases: so many times fewer than handovers.
const FEWER: usize = 10;

/// What both are told: lease duration, renew deadline and retry period of 15, 10 and 2 s.
const LEASE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a chore: cargo xtask bench leadership"]
async fn figures_of_leadership() {
    let cluster = Cluster::start_alone().await;
    cluster.guestbooks.create_many("book", GUESTBOOKS).await;
    let mut sides = [Side::ours(&cluster), Side::go(&cluster)];
    for side in &mut sides {
        side.start_both().await;
    }
    cluster.guestbooks.wait_all_settled(GUESTBOOKS).await;

    let handovers = rounds(HANDOVERS);
    let fewer = (handovers / FEWER).max(2);
    let mut table = Table::default();
    let steady = steady::measure(&cluster, &mut sides).await;
    speed::handovers(&cluster, &mut sides, handovers, &mut table).await;
    speed::crashes(&cluster, &mut sides, fewer, &mut table).await;
    speed::restarts(&cluster, &mut sides, fewer, &mut table).await;
    speed::old_locks(&cluster, &mut sides, fewer, &mut table).await;

    let text = format!("{table}\n{steady}");
    say(&text);
    if let Some(path) = std::env::var_os("KUBEOPS_FIGURES") {
        std::fs::write(path, text).expect("write the figures");
    }
}
