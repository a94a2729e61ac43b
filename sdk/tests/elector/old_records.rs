//! A lock that nobody has renewed for hours, and processes that start then.

use kubeops::leadership::clock::Reading;

use super::*;

/// The way to the site of a replica that starts, by a wall clock that is off by so many hours.
fn starts_by_a_wall_clock_that_is_off(site: &Site, hours: i64) -> Replica {
    let tokio = Clock::tokio();
    let clock = Clock::from_both(move || {
        let Reading { clock, wall } = tokio.read();
        let off = HOUR * u32::try_from(hours.unsigned_abs()).unwrap();
        Reading { clock, wall: if hours < 0 { wall - off } else { wall + off } }
    });
    replica_by(clock, site, "late", HOUR)
}

/// A holder dies, and this much time goes by, on all clocks.
async fn left_alone_for(site: &Site, time: Duration) -> Clock {
    let clock = Clock::tokio();
    let mut first = replica_by(clock.clone(), site, "a", HOUR);
    first.leads().await;
    first.run.abort();
    sleep(time).await;
    clock
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_hours_later_leads_at_once() {
    let site = Site::start().await;
    let clock = left_alone_for(&site, HOUR * 3).await;
    let start = Instant::now();
    replica_by(clock, &site, "late", HOUR).leads().await;
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn told_not_to_trust_wall_clocks_it_waits_for_the_lease() {
    let site = Site::start().await;
    let clock = left_alone_for(&site, HOUR * 3).await;
    let start = Instant::now();
    let options = ElectionOptions { trust_age: false, ..ElectionOptions::new("late") };
    replica_with(options, clock, &site, site.client("late"), HOUR).leads().await;
    assert!(start.elapsed() >= LEASE, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_wall_clock_takes_nothing_from_a_leader_that_lives() {
    for hours in [-5, 5] {
        let site = Site::start().await;
        let mut first = replica(&site, "a");
        let term = first.leads().await;
        sleep(LEASE * 2).await;
        let late = starts_by_a_wall_clock_that_is_off(&site, hours);
        sleep(LEASE * 2).await;
        assert!(term.is_valid() && late.leadership.term().is_none(), "off by {hours} h");
        assert_eq!(site.holders().await, ["a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_may_be_a_minute_old_is_waited_for() {
    let site = Site::start().await;
    let clock = left_alone_for(&site, Duration::from_secs(60)).await;
    let start = Instant::now();
    replica_by(clock, &site, "late", HOUR).leads().await;
    assert!(start.elapsed() >= LEASE, "{:?}", start.elapsed());
}
