//! Leader for life: locks that go with their holder's pod. No kubelet runs here: pods are objects, and the test says what
//! becomes of them.

use std::time::Instant;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, PostParams};
use serde_json::json;

use crate::harness::{A_SECOND, Cluster, LOCK, NAMESPACE, PATIENCE, Recipe, Replica, eventually, say};

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
    let pod = json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "operator", "image": "none" }] } });
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
