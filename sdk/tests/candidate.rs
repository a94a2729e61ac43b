//! Leadership without controllers: jobs, guards and changes, against a cluster in memory that is reached over TLS.

#![allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests are sentences"
)]

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use futures::StreamExt as _;
use http::HeaderValue;
use http::header::USER_AGENT;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Config};
use kubeops::is_fenced;
use kubeops::leadership::{Candidate, CandidateError, Change, EndReason, run_as_leader};
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::Serving;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const LOCK: &str = "nightly-report";
/// Far longer than anything here takes, unless it hangs.
const GENEROUS: Duration = Duration::from_secs(120);
const HOUR: Duration = Duration::from_secs(3600);

struct Site {
    cluster: Cluster,
    serving: Serving,
}

impl Site {
    async fn start() -> Self {
        let cluster = Cluster::start().await;
        let serving = cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { cluster, serving }
    }

    async fn candidate(&self, name: &str) -> Candidate {
        Candidate::lease(LOCK).config(self.config(name).await).identity(name).replica_in_process()
    }

    async fn config(&self, user: &str) -> Config {
        let kubeconfig = Kubeconfig::from_yaml(&self.serving.kubeconfig(user)).unwrap();
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap()
    }

    fn leases(&self) -> Api<Lease> {
        Api::default_namespaced(self.cluster.client("kubectl"))
    }

    async fn holder(&self) -> Option<String> {
        self.leases().get(LOCK).await.unwrap().spec.unwrap().holder_identity
    }

    async fn until_released(&self) {
        let released = |lease: &Lease| {
            let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
            holder.is_none_or(str::is_empty)
        };
        let _lease: Lease = timeout(GENEROUS, self.cluster.until(LOCK, released)).await.unwrap();
    }
}

fn map(name: &str) -> ConfigMap {
    ConfigMap { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, ..ConfigMap::default() }
}

#[tokio::test]
async fn a_job_is_done_once_at_a_time_and_the_lock_is_given_back() {
    let site = Site::start().await;
    let (done, is_done) = oneshot::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = over.clone();
    // A lock that is not given back is waited for longer than this test may take.
    let candidate = site.candidate("a").await.timing(HOUR, HOUR / 2, HOUR / 8);
    let first = run_as_leader(candidate, |leader| async move {
        begun.send(()).unwrap();
        is_done.await.unwrap();
        let maps: Api<ConfigMap> = Api::default_namespaced(leader.client().clone());
        maps.create(&PostParams::default(), &map("report")).await.unwrap();
        over.store(true, SeqCst);
        leader.id()
    });
    let first = tokio::spawn(first);
    has_begun.await.unwrap();
    assert_eq!(site.holder().await.as_deref(), Some("a"));
    let second = run_as_leader(site.candidate("b").await, |_| async move { is_over.load(SeqCst) });
    let second = tokio::spawn(second);
    done.send(()).unwrap();
    assert_eq!(timeout(GENEROUS, first).await.unwrap().unwrap().unwrap(), Some(1));
    assert_eq!(timeout(GENEROUS, second).await.unwrap().unwrap().unwrap(), Some(true), "not before the first");
    assert_eq!(site.holder().await.as_deref(), Some(""));
}

#[tokio::test]
async fn work_whose_lock_is_lost_is_dropped_and_can_write_no_more() {
    let site = Site::start().await;
    let (begun, has_begun) = oneshot::channel();
    let work = run_as_leader(site.candidate("a").await, |leader| async move {
        begun.send(leader.client().clone()).ok().unwrap();
        std::future::pending::<()>().await;
    });
    let work = tokio::spawn(work);
    let client = has_begun.await.unwrap();
    site.leases().delete(LOCK, &DeleteParams::default()).await.unwrap();
    assert!(timeout(GENEROUS, work).await.unwrap().unwrap().unwrap().is_none());
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    assert!(is_fenced(&maps.create(&PostParams::default(), &map("late")).await.unwrap_err()));
}

#[tokio::test]
async fn a_guard_that_is_dropped_gives_the_lock_back_as_one_that_is_released_does() {
    let site = Site::start().await;
    for release in [true, false] {
        let guard = timeout(GENEROUS, site.candidate("a").await.acquire()).await.unwrap().unwrap();
        assert_eq!(site.holder().await.as_deref(), Some("a"));
        if release {
            guard.release().await.unwrap();
            assert_eq!(site.holder().await.as_deref(), Some(""));
        } else {
            drop(guard);
            site.until_released().await;
        }
    }
}

#[tokio::test]
async fn work_that_is_dropped_gives_the_lock_back() {
    let site = Site::start().await;
    let (begun, has_begun) = oneshot::channel();
    let work = tokio::spawn(run_as_leader(site.candidate("a").await, |_| async move {
        begun.send(()).unwrap();
        std::future::pending::<()>().await;
    }));
    has_begun.await.unwrap();
    work.abort();
    site.until_released().await;
}

#[tokio::test]
async fn a_stop_lets_work_end_and_gives_the_lock_back_and_nobody_stands_any_more() {
    let site = Site::start().await;
    let stop = CancellationToken::new();
    let (first, second) = (site.candidate("a").await.stop_on(stop.clone()), site.candidate("b").await);
    let asked = stop.clone();
    let (begun, has_begun) = oneshot::channel();
    let first = tokio::spawn(run_as_leader(first.clone(), |leader| async move {
        begun.send(()).unwrap();
        leader.draining().await;
        leader.is_valid()
    }));
    has_begun.await.unwrap();
    let waits = tokio::spawn(run_as_leader(second.stop_on(asked.clone()), |_| async {}));
    stop.cancel();
    assert_eq!(timeout(GENEROUS, first).await.unwrap().unwrap().unwrap(), Some(true), "it could end its work");
    assert_eq!(site.holder().await.as_deref(), Some(""), "given back");
    let refused = timeout(GENEROUS, waits).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(refused, CandidateError::Stopped), "{refused:?}");
    let again = run_as_leader(site.candidate("a").await.stop_on(asked), |_| async {});
    assert!(matches!(timeout(GENEROUS, again).await.unwrap(), Err(CandidateError::Stopped)));
}

#[tokio::test]
async fn changes_tell_of_terms_and_of_other_leaders() {
    let site = Site::start().await;
    let standing = site.candidate("a").await.start().await.unwrap();
    let mut changes = pin!(standing.changes());
    let mut next = async || timeout(GENEROUS, changes.next()).await.unwrap();
    let Some(Change::Started(term)) = next().await else { panic!("does not lead") };
    assert!(matches!(next().await, Some(Change::Leader(Some(leader))) if leader == "a"));
    let other = site.candidate("b").await.start().await.unwrap();
    let mut seen_by_other = pin!(other.changes());
    let seen = timeout(GENEROUS, seen_by_other.next()).await.unwrap();
    assert!(matches!(seen, Some(Change::Leader(Some(leader))) if leader == "a"));
    standing.stop().await.unwrap();
    let stopped = next().await;
    assert!(matches!(&stopped, Some(Change::Stopped { reason: EndReason::Stopped, .. })), "{stopped:?}");
    assert!(!term.is_valid());
    let mut leads = pin!(seen_by_other.filter(|change| std::future::ready(matches!(change, Change::Started(_)))));
    assert!(timeout(GENEROUS, leads.next()).await.unwrap().is_some());
}

#[tokio::test]
async fn the_lease_names_who_writes_it() {
    let site = Site::start().await;
    let mut config = site.config("a").await;
    for named in [None, Some("reports/7 (night)")] {
        config.headers = named.map(|name| (USER_AGENT, HeaderValue::from_static(name))).into_iter().collect();
        let candidate = Candidate::lease(LOCK).config(config.clone());
        let guard = timeout(GENEROUS, candidate.acquire()).await.unwrap().unwrap();
        let lease = site.leases().get(LOCK).await.unwrap();
        let managers: Vec<_> = lease.metadata.managed_fields.iter().flatten().map(|by| by.manager.clone()).collect();
        let expected = if named.is_some() { "reports" } else { "kubeops" };
        assert!(managers.contains(&Some(expected.to_owned())), "{managers:?}");
        guard.release().await.unwrap();
    }
}

#[tokio::test]
async fn each_start_of_one_candidate_has_a_name_of_its_own() {
    let site = Site::start().await;
    let candidate = Candidate::lease(LOCK).config(site.config("a").await);
    let first = timeout(GENEROUS, candidate.clone().acquire()).await.unwrap().unwrap();
    let name = first.leader().identity().to_owned();
    first.release().await.unwrap();
    let second = timeout(GENEROUS, candidate.acquire()).await.unwrap().unwrap();
    assert_ne!(second.leader().identity(), name);
    second.release().await.unwrap();
}

#[tokio::test]
async fn a_second_candidate_for_one_lock_in_one_process_is_refused_unless_the_first_is_about_to_end() {
    let site = Site::start().await;
    let candidate = |name| Candidate::lease(LOCK).identity(name);
    let first = candidate("a").config(site.config("a").await).start().await.unwrap();
    let refused = candidate("b").config(site.config("b").await).start().await.unwrap_err();
    let told = "`a` of this process stands for the lock default/nightly-report already; only one of the two could lead";
    assert_eq!(refused.to_string(), told);
    let _other = Candidate::lease("another").config(site.config("a").await).start().await.unwrap();
    drop(first);
    let third = candidate("b").config(site.config("b").await).acquire();
    timeout(GENEROUS, third).await.unwrap().unwrap().release().await.unwrap();
}

#[tokio::test]
async fn times_that_would_allow_two_leaders_are_refused_before_anything_is_asked() {
    let seconds = Duration::from_secs;
    let refused = Candidate::lease(LOCK).timing(seconds(10), seconds(10), seconds(2)).start().await.unwrap_err();
    assert!(matches!(refused, CandidateError::Elector(_)), "{refused:?}");
    assert!(refused.to_string().contains("renew deadline"), "{refused}");
}

#[tokio::test]
async fn a_lock_for_life_goes_with_a_pod_that_has_to_be_known() {
    let site = Site::start().await;
    let told = Candidate::config_map(LOCK).config(site.config("a").await).acquire().await.unwrap_err().to_string();
    assert!(told.contains("- { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }"), "{told}");

    let pods: Api<Pod> = Api::default_namespaced(site.cluster.client("kubectl"));
    let pod =
        serde_json::json!({ "metadata": { "name": "a-0" }, "spec": { "containers": [{ "name": "a", "image": "i" }] } });
    let pod = pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(site.cluster.client("kubectl"));
    for _ in 0..2 {
        let candidate = Candidate::config_map(LOCK).config(site.config("a").await).pod("a-0", None);
        let owner = run_as_leader(candidate, |leader| async move {
            let maps: Api<ConfigMap> = Api::default_namespaced(leader.client().clone());
            assert!(leader.identity().starts_with("a-0_"), "{}", leader.identity());
            maps.get(LOCK).await.unwrap().metadata.owner_references.unwrap().remove(0).uid
        });
        let owner = timeout(GENEROUS, owner).await.unwrap().unwrap();
        assert_eq!(owner, pod.metadata.uid);
        assert_eq!(maps.get_opt(LOCK).await.unwrap(), None, "given back");
    }
}
