//! An elector on a thread of its own, over work that blocks every thread of its runtime.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use kubeops::leadership::{LeadershipState, OwnThread};
use tokio::runtime::Builder;

use super::*;

const WORKERS: usize = 2;
/// In real time: what blocks is a thread, not a task.
const SHORT_LEASE: Duration = Duration::from_secs(2);

fn options() -> ElectionOptions {
    ElectionOptions {
        lease_duration: SHORT_LEASE,
        renew_deadline: Duration::from_millis(1600),
        retry_period: Duration::from_millis(400),
        ..ElectionOptions::new("a")
    }
}

/// Asks again and again, from a thread that is none of the runtime's.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn while_every_thread_is_blocked_the_lease_is_kept_and_then_given_up() {
    let work = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().unwrap();
    let own = OwnThread::new("leader-election").unwrap();
    let cluster = work.block_on(kubeops_testkit::Cluster::start());
    let (lock, events) = {
        let _spawns_there = own.enter();
        (kubeops::leadership::lock::LeaseLock::new(cluster.client("a"), "default", "lock"), cluster.client("a"))
    };
    let (elector, leadership) = Elector::new(lock, options(), Clock::boot(), Metrics::default(), events);
    let stop = CancellationToken::new();
    let elector = elector.for_work_on(work.handle().clone()).run(std::future::ready(()), stop.clone(), HOUR);
    let run = work.spawn(own.run(elector));
    let term = until("a term", || leadership.term());

    let (unblock, blocked): (Vec<_>, Vec<_>) = (0..WORKERS).map(|_| mpsc::channel::<()>()).unzip();
    for blocked in blocked {
        work.spawn(async move { blocked.recv() });
    }
    let start = Instant::now();
    let ended = until("an end of the term", || (!term.is_valid()).then(Instant::now));
    assert!(ended - start > SHORT_LEASE * 2, "it was renewed meanwhile: {:?}", ended - start);
    let leader = until("a standby", || match leadership.current() {
        LeadershipState::Standby { leader } => Some(leader),
        LeadershipState::Leading(_) => None,
    });
    assert_eq!(leader.as_deref(), Some("a"), "left to expire");

    drop(unblock);
    let next = until("a term after the work goes on", || leadership.term());
    assert!(next.id() > term.id());
    stop.cancel();
    work.block_on(run).unwrap().unwrap().unwrap();
    assert!(matches!(leadership.current(), LeadershipState::Standby { leader: None }), "released");
}
