//! A user who may not do what the operator needs: the log names the right, and the rule that grants it.

use k8s_openapi::api::rbac::v1::PolicyRule;

use crate::harness::{Cluster, PATIENCE, Replica, eventually};

const USER: &str = "limited";

pub(crate) fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> PolicyRule {
    let owned = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    PolicyRule {
        api_groups: owned(&[group]),
        resources: owned(resources),
        verbs: owned(verbs).unwrap_or_default(),
        ..PolicyRule::default()
    }
}

/// All that the sample does, but for the core kinds that it owns.
fn all_but_core() -> Vec<PolicyRule> {
    let group = "guestbook.example.com";
    let guestbooks = ["guestbooks", "guestbooks/status", "guestbooks/finalizers"];
    vec![
        rule(group, &guestbooks, &["get", "list", "watch", "update", "patch"]),
        rule("apps", &["deployments"], &["get", "list", "watch", "create", "patch", "delete"]),
        rule("coordination.k8s.io", &["leases"], &["get", "list", "watch", "create", "update"]),
        rule("", &["events"], &["create", "patch"]),
    ]
}

fn core(resources: &[&str], verbs: &[&str]) -> PolicyRule {
    rule("", resources, verbs)
}

const ALL_VERBS: [&str; 6] = ["get", "list", "watch", "create", "patch", "delete"];

/// Waits for a line that holds all of `words`.
pub(crate) async fn wait_told(replica: &Replica, words: &[&str]) -> String {
    eventually(&format!("a line that names {words:?}"), PATIENCE, async || {
        let nearest = || replica.log_lines(&words[..2]).into_iter().next();
        replica.log_lines(words).into_iter().next().ok_or_else(|| format!("the nearest: {:?}", nearest()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_watch_without_a_right_names_it_and_goes_on_once_it_is_granted() {
    let cluster = Cluster::start().await;
    let mut rules = all_but_core();
    rules.push(core(&["configmaps"], &ALL_VERBS));
    cluster.plane.limited_user(USER, &rules).await.expect("limit the user");
    let mut replica = cluster.replica(USER).start();

    // Verb, resource, where, and the rule as it stands in a ClusterRole.
    let line = wait_told(&replica, &["services", "list", "all namespaces", "apiGroups", "resources", "verbs"]).await;
    assert!(line.contains("watch"), "the rule grants all that the cache needs: {line}");
    replica.wait_health("/readyz", 503).await;
    replica.wait_health("/livez", 200).await;

    rules.push(core(&["services"], &ALL_VERBS));
    cluster.plane.limited_user(USER, &rules).await.expect("grant the right");
    replica.wait_ready().await;
    cluster.guestbooks.create_many("book", 1).await;
    cluster.guestbooks.wait_settled("book-0").await;
    replica.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_write_without_a_right_names_it_and_is_retried() {
    let cluster = Cluster::start().await;
    let mut rules = all_but_core();
    rules.push(core(&["services"], &ALL_VERBS));
    rules.push(core(&["configmaps"], &["get", "list", "watch"]));
    cluster.plane.limited_user(USER, &rules).await.expect("limit the user");
    let mut replica = cluster.replica(USER).start();
    replica.wait_ready().await;
    cluster.guestbooks.create_many("book", 1).await;

    wait_told(&replica, &["configmaps", "patch", "default", "apiGroups", "resources", "verbs"]).await;
    let failed = replica.metric("controller_runtime_reconcile_errors_total", &[]).await.expect("the metric");
    assert!(failed >= 1.0, "counted as failed");

    rules.push(core(&["configmaps"], &ALL_VERBS));
    cluster.plane.limited_user(USER, &rules).await.expect("grant the right");
    cluster.guestbooks.wait_settled("book-0").await;
    replica.assert_running();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_lock_without_a_right_names_it_and_nothing_is_reconciled() {
    let cluster = Cluster::start().await;
    let mut rules: Vec<PolicyRule> = all_but_core();
    rules.retain(|rule| rule.api_groups != Some(vec!["coordination.k8s.io".to_owned()]));
    rules.push(core(&["services", "configmaps"], &ALL_VERBS));
    cluster.plane.limited_user(USER, &rules).await.expect("limit the user");
    cluster.guestbooks.create_many("book", 1).await;
    let mut replica = cluster.replica(USER).start();

    wait_told(&replica, &["leases", "list", "default", "apiGroups", "resources", "verbs"]).await;
    replica.wait_health("/startupz", 503).await;
    let writes = cluster.ledger().of(USER).writes();
    assert_eq!(writes.len(), 0, "no lock, no work: {:#?}", writes.lines());
    replica.assert_running();

    rules.push(rule("coordination.k8s.io", &["leases"], &["get", "list", "watch", "create", "update"]));
    cluster.plane.limited_user(USER, &rules).await.expect("grant the right");
    cluster.guestbooks.wait_settled("book-0").await;
}
