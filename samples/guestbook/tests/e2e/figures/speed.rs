//! How long it takes until there is a leader again.

use std::time::Duration;

use jiff::Timestamp;

use super::side::{Index, Side, sleep_at_random};
use super::table::{Aim, Table};
use super::{LEASE, RETRY};
use crate::harness::{Cluster, Ledger, Times, say, write_old_lock};

/// Between renewals, of ours and of Go's.
const RENEWALS: Duration = Duration::from_millis(3_400);
/// For the first writes of a new leader, before anything else begins.
const SETTLED: Duration = Duration::from_millis(500);

/// One who led, or was to come back, and since when that could not be.
#[derive(Clone, Copy)]
struct Change {
    old: Index,
    new: Index,
    at: Timestamp,
}

/// When the next leader was there.
struct Taken {
    lock: Timestamp,
    first_write: Timestamp,
}

impl Taken {
    fn by(user: &str, since: Timestamp, ledger: &Ledger) -> Self {
        let of_new = ledger.of(user).since(since);
        let lock = of_new.lease_writes().first().expect("it took the lock").received;
        let first_write = of_new.since(lock).work().first().expect("it wrote").received;
        Self { lock, first_write }
    }
}

/// SIGTERM to the leader, one side after the other.
pub(super) async fn handovers(cluster: &Cluster, sides: &mut [Side; 2], rounds: usize, table: &mut Table) {
    let mut changes = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for (side, changes) in sides.iter_mut().zip(&mut changes) {
            let old = side.leader().await;
            sleep_at_random(RETRY).await;
            changes.push(Change { old, new: 1 - old, at: Timestamp::now() });
            side.terminate(old);
            side.ended(old).await;
            side.wait_leads(1 - old).await;
            tokio::time::sleep(SETTLED).await;
            side.start(old);
            side.wait_stands(old).await;
        }
        say(format!("handover {round} of {rounds}"));
    }
    let ledger = cluster.ledger();
    for (side, changes) in sides.iter().zip(&changes) {
        let [mut release, mut lock, mut write, mut whole, mut reconciled] = [const { Times::new() }; 5];
        for Change { old, new, at } in changes {
            let taken = Taken::by(side.users[*new], *at, &ledger);
            let given_back = ledger.of(side.users[*old]).between(*at, taken.lock).lease_writes();
            let given_back = given_back.last().expect("it gave the lock back").received;
            release.push_from(*at, given_back);
            lock.push_from(given_back, taken.lock);
            write.push_from(given_back, taken.first_write);
            whole.push_from(*at, taken.first_write);
            let statuses = ledger.of(side.users[*new]).since(taken.lock).such(|event| event.subresource == "status");
            if let Some(done) = statuses.first().and_then(|status| status.completed) {
                reconciled.push_from(*at, done);
            }
        }
        let aims = aims_of_ours(side, &[(0.5, 15), (0.99, 100)]);
        table.add("clean handover: SIGTERM to the release", side.program, &release, &[]);
        table.add("clean handover: release to the next holder's write of the lock", side.program, &lock, &[]);
        table.add("clean handover: release to the new leader's first write", side.program, &write, &[]);
        table.add("clean handover: SIGTERM to the new leader's first write", side.program, &whole, &aims);
        if reconciled.len() > 0 {
            table.add("clean handover: SIGTERM to the end of the first reconcile", side.program, &reconciled, &[]);
        }
    }
}

/// SIGKILL to both leaders at once: what takes time is the lease.
pub(super) async fn crashes(cluster: &Cluster, sides: &mut [Side; 2], rounds: usize, table: &mut Table) {
    let mut changes = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        let leaders = [sides[0].leader().await, sides[1].leader().await];
        // Renewals, not the takeover, are what others go by.
        tokio::time::sleep(RENEWALS).await;
        sleep_at_random(RENEWALS).await;
        for ((side, changes), old) in sides.iter_mut().zip(&mut changes).zip(leaders) {
            changes.push(Change { old, new: 1 - old, at: Timestamp::now() });
            side.kill(old);
            side.ended(old).await;
        }
        for (side, old) in sides.iter_mut().zip(leaders) {
            side.wait_leads(1 - old).await;
            tokio::time::sleep(SETTLED).await;
        }
        for (side, old) in sides.iter_mut().zip(leaders) {
            side.start(old);
            side.wait_stands(old).await;
        }
        say(format!("crash {round} of {rounds}"));
    }
    let ledger = cluster.ledger();
    for (side, changes) in sides.iter().zip(&changes) {
        let [mut lock, mut write] = [const { Times::new() }; 2];
        for Change { old, new, at } in changes {
            let taken = Taken::by(side.users[*new], *at, &ledger);
            let renewals = ledger.of(side.users[*old]).between(Timestamp::MIN, *at).lease_writes();
            lock.push_from(renewals.last().expect("it renewed").received, taken.lock);
            write.push_from(*at, taken.first_write);
        }
        let aims = aims_of_ours(side, &[(1.0, millis(LEASE) + 100)]);
        table.add("crash: last renewal to the takeover", side.program, &lock, &aims);
        table.add("crash: SIGKILL to the new leader's first write", side.program, &write, &[]);
    }
}

/// The only replica is killed when it has led for longer than a lease, and started again at once.
pub(super) async fn restarts(cluster: &Cluster, sides: &mut [Side; 2], rounds: usize, table: &mut Table) {
    let mut leaders = [0; 2];
    for (side, leader) in sides.iter_mut().zip(&mut leaders) {
        *leader = side.leader().await;
        side.terminate(1 - *leader);
        side.ended(1 - *leader).await;
    }
    let mut changes = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        // Go's waits for a lease; so ours has led for one by then.
        tokio::time::sleep(if round == 0 { LEASE + RENEWALS } else { RENEWALS }).await;
        for ((side, changes), one) in sides.iter_mut().zip(&mut changes).zip(leaders) {
            side.kill(one);
            side.ended(one).await;
            changes.push(start_alone(side, one).await);
        }
        say(format!("restart {round} of {rounds}"));
    }
    for (side, leader) in sides.iter_mut().zip(leaders) {
        side.terminate(leader);
        side.ended(leader).await;
    }
    starts("container started again in the same pod", cluster, sides, &changes, table);
}

/// Nobody runs, and the lock was last written hours ago by somebody who is gone.
pub(super) async fn old_locks(cluster: &Cluster, sides: &mut [Side; 2], rounds: usize, table: &mut Table) {
    let mut changes = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        for (side, changes) in sides.iter_mut().zip(&mut changes) {
            write_old_lock(&side.leases(cluster), side.lock, LEASE).await;
            changes.push(start_alone(side, 0).await);
            side.kill(0);
            side.ended(0).await;
        }
        say(format!("cold start {round} of {rounds}"));
    }
    starts("cold start on a lock that is hours old", cluster, sides, &changes, table);
}

async fn start_alone(side: &mut Side, one: Index) -> Change {
    let at = Timestamp::now();
    side.start(one);
    side.wait_leads(one).await;
    tokio::time::sleep(SETTLED).await;
    Change { old: one, new: one, at }
}

fn starts(what: &str, cluster: &Cluster, sides: &[Side; 2], changes: &[Vec<Change>; 2], table: &mut Table) {
    let ledger = cluster.ledger();
    for (side, changes) in sides.iter().zip(changes) {
        let [mut asked, mut lock, mut write] = [const { Times::new() }; 3];
        for Change { new, at, .. } in changes {
            let taken = Taken::by(side.users[*new], *at, &ledger);
            asked.push_from(*at, ledger.of(side.users[*new]).since(*at).first().expect("it asked").received);
            lock.push_from(*at, taken.lock);
            write.push_from(*at, taken.first_write);
        }
        let aims = aims_of_ours(side, &[(1.0, 100)]);
        table.add(&format!("{what}: start to the first request"), side.program, &asked, &[]);
        table.add(&format!("{what}: start to the lock"), side.program, &lock, &aims);
        table.add(&format!("{what}: start to the first write"), side.program, &write, &[]);
    }
}

/// Of Go's there are none.
fn aims_of_ours(side: &Side, aims: &[(f64, u64)]) -> Vec<Aim> {
    let ours = side.lock == crate::harness::LOCK;
    let aims = aims.iter().filter(|_| ours);
    aims.map(|&(share, most)| Aim { share, most: Duration::from_millis(most) }).collect()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("not that long")
}
