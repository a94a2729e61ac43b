//! Electors against one lock, with faults, in paused time.

#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests are sentences"
)]

mod absurd;
mod blocked;
mod chaos;
mod clocks;
mod deleted;
mod old_records;
mod site;
mod slow;
mod stepping_down;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::Request;
use kube::Client;
use kube::client::Body;
use kubeops::leadership::clock::Clock;
use kubeops::leadership::{ElectionOptions, Elector, ElectorError, Leadership, Term, fence};
use kubeops::metrics::Metrics;

use kubeops_testkit::cluster::Cut;
use site::{Site, Way};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const HOUR: Duration = Duration::from_secs(3600);
const LEASE: Duration = Duration::from_secs(15);

struct Replica {
    leadership: Leadership,
    way: Way,
    stop: CancellationToken,
    run: JoinHandle<Result<(), ElectorError>>,
}

fn replica(site: &Site, name: &str) -> Replica {
    patient_replica(site, name, HOUR)
}

/// A replica whose work gets `patience` to drain.
fn patient_replica(site: &Site, name: &str, patience: Duration) -> Replica {
    replica_by(Clock::tokio(), site, name, patience)
}

fn replica_by(clock: Clock, site: &Site, name: &str, patience: Duration) -> Replica {
    replica_with(ElectionOptions::new(name), clock, site, site.client(name), patience)
}

fn replica_with(options: ElectionOptions, clock: Clock, site: &Site, client: Client, patience: Duration) -> Replica {
    let way = site.way(&options.identity);
    let (lock, events) = (site.lock(client), site.client("events"));
    let (elector, leadership) = Elector::new(lock, options, clock, Metrics::default(), events);
    let stop = CancellationToken::new();
    let run = tokio::spawn(elector.run(std::future::ready(()), stop.clone(), patience));
    Replica { leadership, way, stop, run }
}

impl Replica {
    async fn leads(&mut self) -> Term {
        self.leads_after(0).await
    }

    async fn leads_after(&mut self, term: u64) -> Term {
        timeout(HOUR, self.leadership.next_term(term)).await.expect("does not lead").expect("its elector has ended")
    }
}

#[tokio::test(start_paused = true)]
async fn one_of_three_leads_and_a_clean_handover_waits_for_nothing() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    let term = first.leads().await;
    let (mut second, third) = (replica(&site, "b"), replica(&site, "c"));
    sleep(LEASE * 4).await;
    assert!(term.is_valid(), "renewed all the time");
    assert!(second.leadership.term().is_none() && third.leadership.term().is_none());

    third.stop.cancel();
    third.run.await.unwrap().unwrap();
    let stopped = Instant::now();
    first.stop.cancel();
    second.leads().await;
    assert!(stopped.elapsed() < Duration::from_millis(50), "{:?}", stopped.elapsed());
    first.run.await.unwrap().unwrap();
    assert!(!term.is_valid());
    assert_eq!(site.holders().await, ["a", "", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_crashed_leader_is_followed_when_its_lease_has_run_out_and_not_before() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    first.leads().await;
    let mut second = replica(&site, "b");
    sleep(LEASE).await;
    first.run.abort();
    let crashed = Instant::now();
    second.leads().await;
    let after = crashed.elapsed();
    assert!(after <= LEASE + Duration::from_millis(200), "{after:?}");
    assert!(after >= LEASE - Duration::from_secs(4), "{after:?}: its last renewal may have been that long ago");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_ends_its_term_before_another_begins_and_stands_again() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    let term = first.leads().await;
    let mut second = replica(&site, "b");
    sleep(LEASE).await;
    first.way.cut();
    second.leads().await;
    assert!(!term.is_valid());
    first.way.mend();
    sleep(LEASE * 2).await;
    assert!(first.leadership.term().is_none(), "the other one is respected");
    second.stop.cancel();
    assert_eq!(first.leads_after(term.id()).await.id(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stands_still_between_a_renewal_and_its_term_ends_that_term_for_good() {
    let site = Site::start().await;
    let tokio = Clock::tokio();
    let (stands_still, slept) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let when = stands_still.clone();
    // The next who reads the clock gets the time, and then so much passes that the term is over, and its renewal is not.
    let clock = Clock::from_fn(move || {
        let now = tokio.now() + Duration::from_secs(slept.load(Ordering::SeqCst));
        if when.swap(false, Ordering::SeqCst) {
            slept.fetch_add(8, Ordering::SeqCst);
        }
        now
    });
    let mut only = replica_by(clock, &site, "a", HOUR);
    let term = only.leads().await;
    only.way.at_next_write(move || stands_still.store(true, Ordering::SeqCst));
    only.leads_after(term.id()).await;
    assert!(!term.is_valid());
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_settled_by_reads_and_the_term_goes_on() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    only.way.lose_answers();
    sleep(LEASE * 10).await;
    assert!(term.is_valid());
}

#[tokio::test(start_paused = true)]
async fn the_lock_is_released_only_after_the_work_and_is_renewed_until_then() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    let term = first.leads().await;
    let work = term.begin_work().unwrap();
    let mut second = replica(&site, "b");
    first.stop.cancel();
    term.draining().await;
    assert!(term.begin_work().is_none(), "no new work");
    sleep(LEASE * 3).await;
    assert!(term.is_valid() && second.leadership.term().is_none(), "drains, and is still renewed");
    drop(work);
    second.leads().await;
    first.run.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_left_to_expire_when_a_write_of_the_term_has_no_answer() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    let term = first.leads().await;
    let mut second = replica(&site, "b");
    site.way("writer").cut();
    let client = fence(&site.client("writer"), &term, &Metrics::default());
    let write = Request::put("/api/v1/namespaces/a/configmaps/b").body(Body::empty()).unwrap();
    timeout(Duration::from_secs(1), client.send(write)).await.unwrap_err();
    let stopped = Instant::now();
    first.stop.cancel();
    first.run.await.unwrap().unwrap();
    assert_eq!(site.holders().await, ["a"], "not released");
    second.leads().await;
    assert!(stopped.elapsed() > LEASE - Duration::from_secs(4), "{:?}", stopped.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_takes_too_long_ends_the_term_and_the_lock_is_released_when_the_work_has_ended() {
    let site = Site::start().await;
    let mut first = patient_replica(&site, "a", Duration::from_secs(20));
    let term = first.leads().await;
    let work = term.begin_work().unwrap();
    let stopped = Instant::now();
    first.stop.cancel();
    term.ended().await;
    assert_eq!(stopped.elapsed().as_secs(), 20);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(site.holder().await.as_deref(), Some("a"), "not released while work goes on");
    drop(work);
    first.run.await.unwrap().unwrap();
    assert_eq!(site.holders().await, ["a", ""]);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_holder_ends_the_term_at_once_and_is_followed_when_it_has_run_out() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    site.write_as_foreigner("kubectl").await;
    let written = Instant::now();
    term.ended().await;
    assert!(written.elapsed() < Duration::from_millis(20), "{:?}", written.elapsed());
    only.leads_after(1).await;
    assert!(written.elapsed() >= LEASE);
    assert_eq!(site.holders().await, ["a", "kubectl", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lock_ends_the_term_and_the_same_process_leads_again_at_once() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    site.delete().await;
    let deleted = Instant::now();
    only.leads_after(term.id()).await;
    assert!(!term.is_valid());
    assert!(deleted.elapsed() < Duration::from_millis(50), "{:?}", deleted.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_new_term_waits_for_the_work_of_the_old_one() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    let work = term.begin_work().unwrap();
    site.delete().await;
    term.ended().await;
    sleep(Duration::from_secs(10)).await;
    assert!(only.leadership.term().is_none());
    drop(work);
    only.leads_after(term.id()).await;
}

#[tokio::test(start_paused = true)]
async fn work_that_never_ends_ends_the_elector_with_an_error_that_names_its_term() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    let _work = term.begin_work().unwrap();
    site.delete().await;
    let error = timeout(HOUR, only.run).await.unwrap().unwrap().unwrap_err();
    assert!(error.to_string().contains("work of term 1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn work_is_given_time_to_end_by_a_process_that_stood_still() {
    let site = Site::start().await;
    let (tokio, slept) = (Clock::tokio(), Arc::new(AtomicU64::new(0)));
    let asleep = slept.clone();
    let clock = Clock::from_fn(move || tokio.now() + Duration::from_secs(asleep.load(Ordering::SeqCst)));
    let mut only = replica_by(clock, &site, "a", HOUR);
    let term = only.leads().await;
    let work = term.begin_work().unwrap();
    site.delete().await;
    term.ended().await;
    slept.store(3600, Ordering::SeqCst);
    sleep(Duration::from_secs(2)).await;
    drop(work);
    only.leads_after(term.id()).await;
}

#[tokio::test(start_paused = true)]
async fn options_that_would_allow_two_leaders_are_refused() {
    let site = Site::start().await;
    let options = ElectionOptions::new("a");
    let as_long = ElectionOptions { renew_deadline: LEASE, ..options.clone() };
    let endless = ElectionOptions { lease_duration: Duration::MAX, ..options };
    for (options, wrong) in [(as_long, "renew deadline"), (endless, "lease duration")] {
        let only = replica_with(options, Clock::tokio(), &site, site.client("a"), HOUR);
        let error = timeout(HOUR, only.run).await.unwrap().unwrap().unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
    assert_eq!(site.holder().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_elector_ends_its_term() {
    let site = Site::start().await;
    let mut only = replica(&site, "a");
    let term = only.leads().await;
    only.run.abort();
    timeout(Duration::from_secs(1), term.ended()).await.unwrap();
    assert_eq!(site.holder().await.as_deref(), Some("a"), "and leaves the lock to expire");
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_was_cut_off_without_knowing_finds_back_to_its_watch() {
    let site = Site::start().await;
    let mut first = replica(&site, "a");
    first.leads().await;
    let mut second = replica(&site, "b");
    sleep(LEASE).await;
    second.way.cut();
    sleep(LEASE * 4).await;
    second.way.mend();
    sleep(LEASE * 2).await;
    assert!(second.leadership.term().is_none(), "the holder was there all the time");
    let stopped = Instant::now();
    first.stop.cancel();
    second.leads().await;
    assert!(stopped.elapsed() < Duration::from_millis(50), "{:?}", stopped.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_watch_ends_the_elector_and_its_term() {
    let site = Site::start().await;
    let is_defect = Arc::new(AtomicBool::new(false));
    let (its_site, panics) = (site.clone(), is_defect.clone());
    let way = tower::service_fn(move |request: Request<Body>| {
        let watches = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let (answer, panics) = (its_site.service("a").oneshot(request), panics.clone());
        async move {
            let answer = answer.await?;
            assert!(!(watches && panics.load(Ordering::SeqCst)), "a defect");
            Ok::<_, Cut>(answer)
        }
    });
    let client = Client::new(way, "default");
    let mut only = replica_with(ElectionOptions::new("a"), Clock::tokio(), &site, client, HOUR);
    let term = only.leads().await;
    is_defect.store(true, Ordering::SeqCst);
    only.way.end_watches();
    assert!(timeout(HOUR, only.run).await.unwrap().unwrap_err().is_panic());
    assert!(!term.is_valid());
}
