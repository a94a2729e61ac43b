//! Electors of leaders for life against one lock, with faults, in paused time.

#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests are sentences"
)]

mod site;

use std::time::Duration;

use kubeops::leadership::clock::Clock;
use kubeops::leadership::life::{LeaderLockApi, LifeElector, LifeOptions};
use kubeops::leadership::{ElectionOptions, ElectorError, EndReason, Leadership, Term, holder_identity};
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
    let timing = ElectionOptions::new(holder_identity(name, uid));
    let mut options = LifeOptions { pod: name.to_owned(), pod_uid: Some(uid.to_owned()), timing };
    change(&mut options);
    let (lock, events, way) = (site.lock(name), site.client("events"), site.way(name));
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
