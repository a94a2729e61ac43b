//! Leader election of a release, switched on and checked as ACK's guide has it: enabled by value, then the Lease, its holder, the
//! Events and the log lines are looked at, and the lock is moved to another namespace.

use std::collections::BTreeSet;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::ListParams;

use crate::harness::{Cluster, DEMO, LOCK_OF_DEMO, PATIENCE, Replica, eventually};

const HOME: &str = "one";
const ACCOUNT: &str = "system:serviceaccount:one:demo-guestbook-operator";

/// As many pods as the Deployment says, each of them ready.
async fn start_pods(cluster: &Cluster, prefix: &str) -> Vec<Replica> {
    let deployment = cluster.deployment(HOME, DEMO).await;
    let count = deployment.spec.expect("a spec").replicas.expect("replicas");
    let mut pods = Vec::new();
    for number in 0..count {
        pods.push(cluster.pod_of(HOME, DEMO, &format!("{prefix}-{number}")).await.start());
    }
    for pod in &pods {
        pod.wait_ready().await;
    }
    pods
}

async fn stop_pods(pods: Vec<Replica>) {
    for mut pod in pods {
        assert_eq!(pod.stop().await, 0);
    }
}

/// Runs the commands for who leads that the chart's notes tell, word by word, and returns what they print.
async fn as_the_notes_say(cluster: &Cluster, notes: &str) -> String {
    let mut printed = String::new();
    for command in notes.lines().filter_map(|line| line.trim().strip_prefix("kubectl get ")) {
        let words: Vec<&str> = std::iter::once("get").chain(command.split(' ')).collect();
        printed += &cluster.kubectl(&words).await;
    }
    printed
}

/// The one pod that the notes' commands name as the leader, in the Lease and in an Event of it.
async fn wait_leader(cluster: &Cluster, notes: &str, pods: &[Replica]) -> usize {
    eventually("Lease and Event name one and the same pod", PATIENCE, async || {
        let printed = as_the_notes_say(cluster, notes).await;
        let is_named = |pod: &Replica| {
            let identity = cluster.identity_of(pod.name());
            let held = printed.lines().any(|line| line.starts_with(LOCK_OF_DEMO) && line.contains(&identity));
            let became = format!("{identity} became leader");
            held && printed.lines().any(|line| line.contains("LeaderElection") && line.contains(&became))
        };
        pods.iter().position(is_named).ok_or(printed)
    })
    .await
}

/// Where the operator may use Leases, and which.
async fn lock_rights(cluster: &Cluster) -> BTreeSet<Option<String>> {
    let grants = cluster.grants().await.into_iter();
    grants.filter(crate::harness::Grant::is_of_lock).map(|grant| grant.namespace).collect()
}

async fn leases(cluster: &Cluster, namespace: &str) -> Vec<Lease> {
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), namespace);
    leases.list(&ListParams::default()).await.expect("list Leases").items
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

async fn prove_working(cluster: &Cluster, message: &str) {
    cluster.guestbooks.prove_reconciling("book-0", message).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn election_is_disabled_enabled_looked_at_and_moved_by_values() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;

    // Disabled: one pod at a time, and nothing of a lock.
    let notes = cluster.release(&chart, &["leaderElection.enabled=false", "deployment.replicas=1"]).await;
    assert!(!notes.contains("Who leads"), "{notes}");
    let spec = cluster.deployment(HOME, DEMO).await.spec.expect("a spec");
    let strategy = spec.strategy.and_then(|strategy| strategy.type_);
    assert_eq!((spec.replicas, strategy.as_deref()), (Some(1), Some("Recreate")));
    assert_eq!(lock_rights(&cluster).await, BTreeSet::new());
    let pods = start_pods(&cluster, "alone").await;
    cluster.guestbooks.create_many("book", 1).await;
    prove_working(&cluster, "by the only one").await;
    assert_eq!(leases(&cluster, HOME).await, []);
    let asked = cluster.ledger().of(ACCOUNT).such(|event| event.resource == "leases");
    assert_eq!(asked.len(), 0, "{:#?}", asked.lines());
    stop_pods(pods).await;

    // Enabled.
    let notes = cluster.release(&chart, &["deployment.replicas=3"]).await;
    let spec = cluster.deployment(HOME, DEMO).await.spec.expect("a spec");
    let strategy = spec.strategy.and_then(|strategy| strategy.type_);
    assert_eq!((spec.replicas, strategy.as_deref()), (Some(3), Some("RollingUpdate")));
    assert_eq!(lock_rights(&cluster).await, BTreeSet::from([Some(HOME.to_owned())]));
    let pods = start_pods(&cluster, "home").await;
    let leader = wait_leader(&cluster, &notes, &pods).await;
    for (number, pod) in pods.iter().enumerate() {
        let told = pod.log_lines(&["became leader", LOCK_OF_DEMO]).len();
        assert_eq!(told, usize::from(number == leader), "the log of {}: {}", pod.name(), pod.log());
    }
    // Whoever does not know what the lock is called finds it by the operator's name.
    let found = ["get", "leases", "--all-namespaces", "--selector=app.kubernetes.io/name=guestbook", "--output=name"];
    assert_eq!(cluster.kubectl(&found).await.trim(), format!("lease.coordination.k8s.io/{LOCK_OF_DEMO}"));
    prove_working(&cluster, "by the leader").await;

    // Moved, with nobody there meanwhile: who looks at another Lease does not see who leads.
    cluster.kubectl(&["create", "namespace", "locks"]).await;
    cluster.release(&chart, &["deployment.replicas=0"]).await;
    assert_eq!(cluster.deployment(HOME, DEMO).await.spec.and_then(|spec| spec.replicas), Some(0));
    stop_pods(pods).await;
    let notes = cluster.release(&chart, &["deployment.replicas=2", "leaderElection.namespace=locks"]).await;
    assert_eq!(lock_rights(&cluster).await, BTreeSet::from([Some("locks".to_owned())]));
    let pods = start_pods(&cluster, "moved").await;
    wait_leader(&cluster, &notes, &pods).await;
    assert_eq!(leases(&cluster, HOME).await.iter().map(holder).collect::<Vec<_>>(), [""], "given back, and left");
    prove_working(&cluster, "with the lock elsewhere").await;
    stop_pods(pods).await;

    let denied = cluster.ledger().of(ACCOUNT).such(|event| event.code == Some(403));
    assert_eq!(denied.len(), 0, "{:#?}", denied.lines());
}
