//! Leader for life: locks that go with their holder's pod. No kubelet runs here: pods are objects, and the test says what
//! becomes of them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::harness::{A_SECOND, Cluster, LOCK, NAMESPACE, PATIENCE, Recipe, Replica, new_directory, say};
use crate::rights::{rule, wait_told};

/// A lease and more, if there were one.
const WATCHED: Duration = Duration::from_secs(4);
/// Who may not do all that is needed.
const USER: &str = "limited";

const KINDS: [Kind; 3] = [
    Kind { lock: "ConfigMap", api: "v1", plural: "configmaps" },
    Kind { lock: "LeaderLock", api: "coordination.kubeops.rs/v1", plural: "leaderlocks" },
    Kind { lock: "LeaderLock", api: "coralogix.com/v1", plural: "leaderlocks" },
];

#[derive(Clone, Copy, Debug)]
struct Kind {
    lock: &'static str,
    api: &'static str,
    plural: &'static str,
}

impl Kind {
    fn on(self, recipe: Recipe) -> Recipe {
        let recipe = recipe.set("KubeOps__LeaderElectionLock", self.lock);
        if self.api == "v1" { recipe } else { recipe.set("KubeOps__LeaderLockApiVersion", self.api) }
    }

    fn locks(self, cluster: &Cluster) -> Api<DynamicObject> {
        let (group, version) = self.api.rsplit_once('/').unwrap_or(("", self.api));
        let resource = ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: self.api.to_owned(),
            kind: self.lock.to_owned(),
            plural: self.plural.to_owned(),
        };
        Api::namespaced_with(cluster.client.clone(), NAMESPACE, &resource)
    }

    /// Installs its definition as an administrator does.
    async fn install(self, cluster: &Cluster) {
        let recipe = self.on(cluster.replica("admin")).argument("install");
        let output = recipe.run().await;
        assert!(output.status.success(), "guestbook install: {output:?}");
    }
}

fn pods(cluster: &Cluster) -> Api<Pod> {
    Api::namespaced(cluster.client.clone(), NAMESPACE)
}

/// Creates a pod of that name, which nobody schedules; its uid.
async fn create_pod(cluster: &Cluster, name: &str) -> String {
    let pod =
        json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "operator", "image": "none" }] } });
    let pod = serde_json::from_value(pod).expect("a pod");
    let pod = pods(cluster).create(&PostParams::default(), &pod).await.expect("create the pod");
    pod.metadata.uid.expect("a uid")
}

/// Ends the pod as the kubelet does when the last container is gone.
async fn delete_pod(cluster: &Cluster, name: &str) -> Instant {
    let deleted = Instant::now();
    let at_once = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    pods(cluster).delete(name, &at_once).await.expect("delete the pod");
    deleted
}

/// A replica in a new pod of that name, with a lock of that kind.
async fn in_pod(cluster: &Cluster, kind: Kind, name: &str) -> Recipe {
    let uid = create_pod(cluster, name).await;
    kind.on(cluster.replica(name)).set("POD_UID", &uid)
}

/// The first leads, the second stands by.
async fn two(recipes: [&Recipe; 2]) -> [Replica; 2] {
    let first = recipes[0].start();
    first.wait_says_it_leads(true, PATIENCE).await;
    let second = recipes[1].start();
    second.wait_ready().await;
    assert_eq!(second.says_it_leads().await, Ok(false), "{}", second.log());
    [first, second]
}

/// The pod that owns the lock.
async fn holder(locks: &Api<DynamicObject>) -> Option<String> {
    let lock = locks.get_opt(LOCK).await.expect("get the lock")?;
    lock.metadata.owner_references?.first().map(|owner| owner.name.clone())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_leader_hands_over_and_its_pod_takes_the_lock_with_it() {
    let cluster = Cluster::start().await;
    for kind in KINDS {
        kind.install(&cluster).await;
    }
    // It looks for new kinds every half a minute.
    cluster.plane.start_controller_manager().expect("start the controllers");
    cluster.guestbooks.create_many("book", 1).await;
    for kind in KINDS {
        let locks = kind.locks(&cluster);
        // By the pod's name alone: the uid is asked for.
        let first = in_pod(&cluster, kind, "replica-a").await.unset("POD_UID");
        let second = in_pod(&cluster, kind, "replica-b").await;
        let [mut leader, mut standby] = two([&first, &second]).await;
        assert_eq!(holder(&locks).await.as_deref(), Some("replica-a"));

        let stopped = Instant::now();
        assert_eq!(leader.stop().await, 0);
        standby.wait_says_it_leads(true, PATIENCE).await;
        let took = stopped.elapsed();
        assert!(took < A_SECOND * 2, "{took:?}");
        assert_eq!(holder(&locks).await.as_deref(), Some("replica-b"));

        // Killed with its pod: the garbage collector of the real controller manager frees the lock.
        let again = first.start();
        again.wait_ready().await;
        standby.kill();
        assert_eq!(standby.ended().await, 137);
        assert_eq!(again.says_it_leads().await, Ok(false), "a pod that is there holds its lock");
        let deleted = delete_pod(&cluster, "replica-b").await;
        again.wait_says_it_leads(true, PATIENCE).await;
        say(format!("{kind:?}: stop to the next leader {took:.3?}, pod's deletion to it {:.3?}", deleted.elapsed()));
        cluster.guestbooks.prove_reconciling("book-0", kind.api).await;
        drop(again);
        delete_pod(&cluster, "replica-a").await;
    }
}

/// All that the sample does, but for the lock and its ConfigMaps.
fn rules_without_lock() -> Vec<PolicyRule> {
    let group = "guestbook.example.com";
    vec![
        rule(group, &["guestbooks", "guestbooks/status", "guestbooks/finalizers"], &["*"]),
        rule("apps", &["deployments"], &["*"]),
        rule("", &["services", "events"], &["*"]),
    ]
}

fn admin(cluster: &Cluster) -> PathBuf {
    cluster.plane.kubeconfig_for("admin").expect("write a kubeconfig")
}

/// As the kubelet says it of a pod that it has evicted.
fn evicted() -> Value {
    let ended = json!({ "terminated": { "exitCode": 137 } });
    let container = json!({
        "name": "operator", "image": "none", "imageID": "", "ready": false, "restartCount": 0, "state": ended,
    });
    json!({ "status": { "phase": "Failed", "reason": "Evicted", "containerStatuses": [container] } })
}

/// Looks for a while that the one leads and the other does not.
async fn assert_only_first_leads(replicas: &[Replica; 2], first_answers: bool, what: &str) {
    let start = Instant::now();
    while start.elapsed() < WATCHED {
        assert_eq!(replicas[1].says_it_leads().await, Ok(false), "{what}: two lead");
        if first_answers {
            assert_eq!(replicas[0].says_it_leads().await, Ok(true), "{what}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_leader_that_is_frozen_cut_off_or_not_answered_has_nobody_next_to_it() {
    let cluster = Cluster::start().await;
    cluster.guestbooks.create_many("book", 1).await;
    for kind in &KINDS[..2] {
        kind.install(&cluster).await;
        let begun = Timestamp::now();
        let proxy = cluster.plane.proxy().expect("open a proxy");
        let through_proxy = cluster.plane.kubeconfig_via("replica-a", &proxy).expect("a kubeconfig through the proxy");
        let first = in_pod(&cluster, *kind, "replica-a").await.kubeconfig(&through_proxy);
        let second = in_pod(&cluster, *kind, "replica-b").await;
        let mut replicas = two([&first, &second]).await;

        replicas[0].freeze();
        assert_only_first_leads(&replicas, false, "frozen").await;
        replicas[0].resume();
        proxy.cut();
        assert_only_first_leads(&replicas, true, "cut off").await;
        proxy.mend();
        proxy.hang();
        assert_only_first_leads(&replicas, true, "not answered").await;
        proxy.mend();
        cluster.guestbooks.prove_reconciling("book-0", kind.lock).await;
        assert_eq!(replicas[0].says_it_leads().await, Ok(true), "there was nothing to lose");
        let writes = cluster.ledger().of("replica-b").since(begun).writes();
        assert_eq!(writes.len(), 0, "a standby writes nothing: {:#?}", writes.lines());

        // Evicted, says the test in the kubelet's place: the lock goes, and not the pod.
        let patch = Patch::Strategic(evicted());
        pods(&cluster).patch_status("replica-a", &PatchParams::default(), &patch).await.expect("evict the pod");
        replicas[1].wait_says_it_leads(true, PATIENCE).await;
        replicas[0].wait_says_it_leads(false, PATIENCE).await;
        assert_eq!(holder(&kind.locks(&cluster)).await.as_deref(), Some("replica-b"));
        assert!(pods(&cluster).get_opt("replica-a").await.expect("get the pod").is_some());
        let [mut old, mut new] = replicas;
        assert_eq!((old.stop().await, new.stop().await), (0, 0));
        for name in ["replica-a", "replica-b"] {
            delete_pod(&cluster, name).await;
        }
        assert_eq!(holder(&kind.locks(&cluster)).await, None, "given back");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn what_keeps_a_lock_from_being_taken_is_told_with_what_mends_it() {
    let cluster = Cluster::start().await;
    cluster.guestbooks.create_many("book", 1).await;
    let [config_map, leader_lock, _] = KINDS;

    // A ConfigMap of somebody else.
    let foreign =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": LOCK }, "data": { "key": "value" } });
    let foreign = serde_json::from_value(foreign).expect("a ConfigMap");
    let locks = config_map.locks(&cluster);
    let foreign = locks.create(&PostParams::default(), &foreign).await.expect("create it");
    let mut rules = rules_without_lock();
    rules.extend([rule("", &["configmaps"], &["list", "watch", "patch"]), rule("", &["pods"], &["list", "watch"])]);
    cluster.plane.limited_user(USER, &rules).await.expect("limit the user");
    let limited = in_pod(&cluster, config_map, USER).await;
    let mut replica = limited.start();
    wait_told(&replica, &["nobody can lead", "ConfigMap default/guestbook-leader has data"]).await;
    assert_eq!(locks.get(LOCK).await.expect("get it"), foreign, "not touched");

    // It goes, and there is no right to create one.
    locks.delete(LOCK, &DeleteParams::default()).await.expect("delete it");
    wait_told(&replica, &["apiGroups: ['']", "resources: [configmaps], verbs: [create]", "namespace default"]).await;
    rules.push(rule("", &["configmaps"], &["create", "delete"]));
    cluster.plane.limited_user(USER, &rules).await.expect("grant the right");
    replica.wait_says_it_leads(true, PATIENCE).await;
    assert_eq!(replica.stop().await, 0);

    // There is no such kind.
    let mut replica = leader_lock.on(limited.clone()).kubeconfig(&admin(&cluster)).start();
    wait_told(&replica, &["does not serve leaderlocks.coordination.kubeops.rs", "install"]).await;
    replica.wait_health("/startupz", 503).await;
    leader_lock.install(&cluster).await;
    replica.wait_says_it_leads(true, PATIENCE).await;
    assert_eq!(replica.stop().await, 0);

    // There is no such pod.
    delete_pod(&cluster, USER).await;
    let replica = leader_lock.on(limited).kubeconfig(&admin(&cluster)).start();
    wait_told(&replica, &["this replica can't lead", "there is no pod default/limited"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_name_of_its_pod_a_replica_ends_and_says_how_to_tell_it() {
    let directory = new_directory();
    let recipe = Recipe::new("replica-a", &directory.join("no-such-kubeconfig"), &directory).unset("KubeOps__Name");
    let output = KINDS[0].on(recipe).run().await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{text}");
    let line = "- { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }";
    assert!(text.lines().any(|told| told.trim() == line), "{text}");
}
