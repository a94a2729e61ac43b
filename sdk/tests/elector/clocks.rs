//! Suspend, a hypervisor's pause and a wall clock that is set, played by clocks of the test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use kubeops::leadership::clock::{Clock, Reading};

use super::*;

/// What a wall clock may say: seconds since 1970.
const TODAY: Duration = Duration::from_secs(1_800_000_000);

/// Two clocks that run as tokio's does, until one of them is moved.
#[derive(Clone, Default)]
struct Clocks {
    clock: Arc<AtomicI64>,
    wall: Arc<AtomicI64>,
}

impl Clocks {
    fn clock(&self) -> Clock {
        let (tokio, moved) = (Clock::tokio(), self.clone());
        Clock::from_both(move || {
            let (slept, set) = (moved.clock.load(SeqCst), moved.wall.load(SeqCst));
            let wall = tokio.now() + TODAY + Duration::from_secs(set.max(0).unsigned_abs());
            let clock = tokio.now() + Duration::from_secs(slept.max(0).unsigned_abs());
            Reading { clock, wall: wall - Duration::from_secs(set.min(0).unsigned_abs()) }
        })
    }

    /// The machine sleeps: both clocks run on, and tokio's timers do not.
    fn suspend(&self, seconds: i64) {
        self.clock.fetch_add(seconds, SeqCst);
        self.wall.fetch_add(seconds, SeqCst);
    }

    /// A hypervisor holds the machine: no clock of its own runs on, and the wall clock is set right at the end. Or somebody
    /// sets it.
    fn set_wall(&self, seconds: i64) {
        self.wall.fetch_add(seconds, SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_term_is_over_at_the_first_look_after_a_suspend_or_a_pause_of_the_hypervisor() {
    for pause in [Clocks::suspend, Clocks::set_wall] {
        let (site, clocks) = (Site::start().await, Clocks::default());
        let mut only = replica_by(clocks.clock(), &site, "a", HOUR);
        let term = only.leads().await;
        pause(&clocks, 9);
        assert!(term.is_valid(), "less than the renew deadline since the last renewal");
        pause(&clocks, 20);
        // Nothing has been polled since: who holds the term finds it out itself.
        assert!(!term.is_valid() && term.begin_work().is_none());
        assert_eq!(site.holder().await.as_deref(), Some("a"));
        only.leads_after(term.id()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_a_pause_of_the_hypervisor_begins_and_extends_nothing() {
    let (site, clocks) = (Site::start().await, Clocks::default());
    let mut only = replica_by(clocks.clock(), &site, "a", HOUR);
    let term = only.leads().await;
    let pause = clocks.clone();
    only.way.at_next_write(move || pause.set_wall(60));
    timeout(HOUR, term.ended()).await.unwrap();
    let next = only.leads_after(term.id()).await;
    assert!(!term.is_valid() && next.is_valid());
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_costs_nothing_and_does_not_lengthen_a_term() {
    let (site, clocks) = (Site::start().await, Clocks::default());
    let mut only = replica_by(clocks.clock(), &site, "a", HOUR);
    let term = only.leads().await;
    clocks.set_wall(-3600);
    sleep(LEASE * 3).await;
    assert!(term.is_valid(), "renewed by the other clock");
    only.way.cut();
    let start = Instant::now();
    timeout(HOUR, term.ended()).await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_standby_waits_as_long_whatever_its_wall_clock_says() {
    let (site, clocks) = (Site::start().await, Clocks::default());
    let mut first = replica(&site, "a");
    let term = first.leads().await;
    let mut second = replica_by(clocks.clock(), &site, "b", HOUR);
    sleep(LEASE).await;
    first.way.cut();
    let start = Instant::now();
    clocks.set_wall(3600);
    timeout(HOUR, term.ended()).await.unwrap();
    second.leads().await;
    assert!(start.elapsed() >= LEASE - Duration::from_secs(4), "{:?}", start.elapsed());
}
