//! Electors of leaders for life against one lock, with faults, in paused time.

#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests are sentences"
)]

mod chaos;
mod site;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kube::Client;
use kubeops::leadership::clock::Clock;
use kubeops::leadership::life::{LeaderLockApi, LifeElector, LifeOptions};
use kubeops::leadership::{ElectionOptions, ElectorError, EndReason, Leadership, Term, holder_identity, random_uuid};
use kubeops::metrics::Metrics;
use serde_json::json;
use site::{Kind, LOCK, Site, Way};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const HOUR: Duration = Duration::from_secs(3600);
const LEASE: Duration = Duration::from_secs(15);
/// What a few requests take.
const A_MOMENT: Duration = Duration::from_millis(50);

pub struct Replica {
    leadership: Leadership,
    way: Way,
    stop: CancellationToken,
    run: JoinHandle<Result<(), ElectorError>>,
}

/// A process in a new pod of that name.
async fn replica(site: &Site, name: &str) -> Replica {
    let uid = site.pod(name).await;
    process(site, name, &uid)
}

/// A process in that pod.
fn process(site: &Site, name: &str, uid: &str) -> Replica {
    process_with(site, name, uid, |_| {})
}

fn process_with(site: &Site, name: &str, uid: &str, change: impl FnOnce(&mut LifeOptions)) -> Replica {
    process_by(site.client(name), site, name, uid, change)
}

fn process_by(client: Client, site: &Site, name: &str, uid: &str, change: impl FnOnce(&mut LifeOptions)) -> Replica {
    let timing = ElectionOptions::new(holder_identity(name, uid));
    let mut options =
        LifeOptions { pod: name.to_owned(), pod_uid: Some(uid.to_owned()), process: random_uuid(), timing };
    change(&mut options);
    let (lock, events, way) = (site.lock(client), site.client("events"), site.way(name));
    let (elector, leadership) = LifeElector::new(lock, options, Clock::tokio(), Metrics::default(), events);
    let stop = CancellationToken::new();
    let run = elector.as_only_bearer().run(std::future::ready(()), stop.clone(), HOUR);
    Replica { leadership, way, stop, run: tokio::spawn(run) }
}

impl Replica {
    async fn leads(&mut self) -> Term {
        self.leads_after(0).await
    }

    async fn leads_after(&mut self, term: u64) -> Term {
        timeout(HOUR, self.leadership.next_term(term)).await.expect("does not lead").expect("its elector has ended")
    }

    async fn stops(self) {
        self.stop.cancel();
        timeout(HOUR, self.run).await.expect("does not stop").unwrap().unwrap();
    }
}

const KINDS: [Kind; 3] =
    [Kind::ConfigMap, Kind::LeaderLock(LeaderLockApi::KubeOps), Kind::LeaderLock(LeaderLockApi::Coralogix)];

#[tokio::test(start_paused = true)]
async fn one_of_three_leads_for_hours_and_hands_over_without_a_wait() {
    for kind in KINDS {
        let site = Site::start(kind).await;
        let mut first = replica(&site, "a").await;
        let term = first.leads().await;
        let (mut second, third) = (replica(&site, "b").await, replica(&site, "c").await);
        sleep(HOUR).await;
        assert!(term.is_valid() && site.holder().await.as_deref() == Some("a"), "{kind:?}");
        assert!(second.leadership.term().is_none() && third.leadership.term().is_none());
        third.stops().await;
        let stopped = Instant::now();
        first.stop.cancel();
        let next = second.leads().await;
        assert!(stopped.elapsed() < A_MOMENT, "{:?}", stopped.elapsed());
        let token = |term: &Term| term.fencing_token().unwrap().parse::<u64>().unwrap();
        assert!(token(&next) > token(&term));
        first.run.await.unwrap().unwrap();
        assert!(!term.is_valid() && term.end_reason() == Some(EndReason::Stopped));
        second.stops().await;
        assert_eq!(site.holder().await, None, "given back");
    }
}

#[tokio::test(start_paused = true)]
async fn the_lock_goes_with_the_pod_and_not_with_the_process() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    first.leads().await;
    let mut second = replica(&site, "b").await;
    sleep(LEASE).await;
    first.run.abort();
    sleep(HOUR).await;
    assert!(second.leadership.term().is_none(), "its pod may start it again");
    site.delete_pod("a").await;
    let deleted = Instant::now();
    second.leads().await;
    assert!(deleted.elapsed() < A_MOMENT, "{:?}", deleted.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_started_again_leads_at_once_with_a_greater_token() {
    let site = Site::start(Kind::ConfigMap).await;
    let uid = site.pod("a").await;
    let mut first = process(&site, "a", &uid);
    let token = |term: &Term| term.fencing_token().unwrap().parse::<u64>().unwrap();
    let first_token = token(&first.leads().await);
    first.run.abort();
    let started = Instant::now();
    let term = process(&site, "a", &uid).leads().await;
    assert!(started.elapsed() < A_MOMENT, "{:?}", started.elapsed());
    assert!(token(&term) > first_token);
    assert_eq!(term.identity(), format!("a_{uid}"));
}

#[tokio::test(start_paused = true)]
async fn an_evicted_pod_loses_its_lock_and_is_not_touched() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    let term = first.leads().await;
    let mut second = replica(&site, "b").await;
    sleep(LEASE).await;
    // What a node that is not ready, or one that is gone, leaves behind.
    site.set_status("a", &json!({ "conditions": [{ "type": "Ready", "status": "False" }] })).await;
    let by_gc = json!([{ "type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC" }]);
    site.set_status("a", &json!({ "phase": "Failed", "conditions": by_gc })).await;
    sleep(HOUR).await;
    assert!(term.is_valid() && second.leadership.term().is_none(), "its containers may live");

    site.set_status("a", &json!({ "conditions": [] })).await;
    site.evicted("a").await;
    let evicted = Instant::now();
    second.leads().await;
    assert!(evicted.elapsed() < A_MOMENT, "{:?}", evicted.elapsed());
    sleep(HOUR).await;
    assert!(site.pods().get_opt("a").await.unwrap().is_some());
    // No kubelet has ended the process here: it has no pod to lead for any more.
    assert!(!term.is_valid() && first.leadership.term().is_none());
    second.stops().await;
    sleep(HOUR).await;
    assert!(first.leadership.term().is_none());
}

#[tokio::test(start_paused = true)]
async fn locks_of_other_programs_are_waited_for_and_followed() {
    for kind in KINDS {
        let site = Site::start(kind).await;
        site.pod("go-or-scala").await;
        site.create_for("go-or-scala").await;
        let mut replica = replica(&site, "a").await;
        sleep(HOUR).await;
        assert!(replica.leadership.term().is_none());
        // As zio-k8s releases it.
        site.delete().await;
        let deleted = Instant::now();
        replica.leads().await;
        assert!(deleted.elapsed() < A_MOMENT, "{kind:?}: {:?}", deleted.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_config_map_that_is_no_lock_is_not_touched() {
    let site = Site::start(Kind::ConfigMap).await;
    let foreign = site.create(&json!({ "metadata": { "name": LOCK }, "data": { "key": "value" } })).await;
    let mut replica = replica(&site, "a").await;
    sleep(HOUR).await;
    assert!(replica.leadership.term().is_none());
    assert_eq!(site.locks().get(LOCK).await.unwrap(), foreign);
    site.delete().await;
    replica.leads().await;
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_deleted_ends_the_term_and_the_pod_that_is_there_leads_again() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut replica = replica(&site, "a").await;
    let term = replica.leads().await;
    site.delete().await;
    let deleted = Instant::now();
    let next = replica.leads_after(term.id()).await;
    assert!(!term.is_valid() && deleted.elapsed() < A_MOMENT);
    assert_eq!(term.end_reason(), Some(EndReason::Deleted));
    assert!(next.is_valid());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_deleted_by_force_leads_no_more_although_its_process_lives() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    let term = first.leads().await;
    let mut second = replica(&site, "b").await;
    sleep(LEASE).await;
    site.delete_pod("a").await;
    second.leads().await;
    sleep(A_MOMENT).await;
    assert!(!term.is_valid());
    second.stops().await;
    sleep(HOUR).await;
    assert_eq!(site.holder().await, None, "nobody leads for a pod that is not there");
    // A pod of the same name is another.
    let uid = site.pod("a").await;
    sleep(HOUR).await;
    assert_eq!(site.holder().await, None);
    process(&site, "a", &uid).leads().await;
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_that_take_themselves_for_one_pod_one_leads() {
    let site = Site::start(Kind::ConfigMap).await;
    let uid = site.pod("a").await;
    let mut first = process(&site, "a", &uid);
    let term = first.leads().await;
    // On another machine, with a copy of the pod's variables: the kernel has no objection.
    let mut second = process(&site, "a", &uid);
    second.leads().await;
    timeout(A_MOMENT, term.ended()).await.expect("two lead");
    sleep(HOUR).await;
    assert!(first.leadership.term().is_none() && second.leadership.term().is_some());
    second.stops().await;
    first.leads_after(term.id()).await;
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_does_not_stay_is_not_written_again_and_again() {
    let site = Site::start(Kind::ConfigMap).await;
    let (uid, sent) = (site.pod("a").await, Arc::default());
    let way = site.way("a");
    let replica = process_by(site.unmarking_client("a", Arc::clone(&sent)), &site, "a", &uid, |_| {});
    way.mend();
    sleep(LEASE * 4).await;
    assert!(replica.leadership.term().is_none());
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent > 10 && sent < 100, "{sent} requests in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_goes_on_and_nobody_else_leads() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    let term = first.leads().await;
    let second = replica(&site, "b").await;
    sleep(LEASE).await;
    first.way.cut();
    sleep(HOUR).await;
    assert!(term.is_valid() && second.leadership.term().is_none());
    first.way.mend();
    sleep(HOUR).await;
    assert!(term.is_valid(), "there was nothing to lose");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_was_cut_off_when_its_lock_went_finds_it_out_by_a_read() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    let term = first.leads().await;
    let mut second = replica(&site, "b").await;
    sleep(LEASE).await;
    first.way.cut();
    first.way.end_watches();
    sleep(LEASE).await;
    site.delete_pod("a").await;
    second.leads().await;
    first.way.mend();
    timeout(LEASE, term.ended()).await.expect("it must find out");
}

#[tokio::test(start_paused = true)]
async fn a_standby_asks_for_nothing_and_a_leader_neither() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    first.leads().await;
    let _second = replica(&site, "b").await;
    sleep(LEASE).await;
    let asked =
        |verbs: &[&str]| site.cluster.requests().into_iter().filter(|it| verbs.contains(&it.verb.as_str())).count();
    let before = asked(&["list", "get", "create", "update", "patch", "delete"]);
    sleep(HOUR).await;
    assert_eq!(asked(&["list", "get", "create", "update", "patch", "delete"]), before);
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_settled_by_reads() {
    let site = Site::start(Kind::ConfigMap).await;
    let uid = site.pod("a").await;
    let way = site.way("a");
    let mut first = process(&site, "a", &uid);
    way.lose_answers();
    first.leads().await;
    let mut second = replica(&site, "b").await;
    sleep(LEASE).await;
    first.stops().await;
    let stopped = Instant::now();
    second.leads().await;
    assert!(stopped.elapsed() < A_MOMENT, "its deletion was committed");
}

#[tokio::test(start_paused = true)]
async fn the_lock_is_held_until_the_work_has_ended_and_kept_if_a_stop_says_so() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    let term = first.leads().await;
    let work = term.begin_work();
    let mut second = replica(&site, "b").await;
    first.stop.cancel();
    sleep(LEASE).await;
    assert!(term.is_valid() && term.is_draining() && second.leadership.term().is_none());
    drop(work);
    second.leads().await;
    first.run.await.unwrap().unwrap();
    second.stops().await;

    let uid = site.pod("c").await;
    let mut keeps = process_with(&site, "c", &uid, |options| options.timing.release_on_stop = false);
    keeps.leads().await;
    keeps.stops().await;
    assert_eq!(site.holder().await.as_deref(), Some("c"));
    process(&site, "c", &uid).leads().await;
}

#[tokio::test(start_paused = true)]
async fn who_steps_down_lets_another_lead() {
    let site = Site::start(Kind::ConfigMap).await;
    let mut first = replica(&site, "a").await;
    let term = first.leads().await;
    let mut second = replica(&site, "b").await;
    sleep(LEASE).await;
    assert!(term.step_down("maintenance"));
    let asked = Instant::now();
    second.leads().await;
    assert!(asked.elapsed() < A_MOMENT, "{:?}", asked.elapsed());
    assert_eq!(term.end_reason(), Some(EndReason::SteppedDown { reason: "maintenance".to_owned() }));
    second.stops().await;
    first.leads_after(term.id()).await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_an_earlier_container_has_sent_and_lands_late_hits_nobody() {
    let site = Site::start(Kind::ConfigMap).await;
    let (uid, late) = (site.pod("a").await, Arc::new(AtomicU64::new(0)));
    let client = site.exactly_late_client("a", late.clone());
    let mut first = process_by(client, &site, "a", &uid, |_| {});
    first.leads().await;
    let mut second = replica(&site, "b").await;
    sleep(LEASE).await;
    late.store(5_000, Ordering::SeqCst);
    first.stop.cancel();
    sleep(A_MOMENT).await;
    first.run.abort();

    let mut again = process(&site, "a", &uid);
    let term = again.leads().await;
    // It would not even hear of it.
    again.way.cut();
    sleep(LEASE).await;
    assert!(term.is_valid() && second.leadership.term().is_none());
    again.way.mend();
    again.stops().await;
    second.leads().await;
}
