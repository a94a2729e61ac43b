//! The chart's roles and the manifests' are the same, whatever the settings: what `manifests.rs` shows of the ones holds for the others.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Cluster, DEMO, OPERATOR, SYSTEM, say};

/// Settings as `generate` gets them, and as the chart does: some are values of their own there.
struct Variant {
    what: &'static str,
    generated: &'static [&'static str],
    values: &'static [&'static str],
}

const VARIANTS: [Variant; 9] = [
    Variant { what: "as it is", generated: &[], values: &[] },
    Variant {
        what: "without election",
        generated: &["KubeOps:EnableLeaderElection=false"],
        values: &["leaderElection.enabled=false", "deployment.replicas=1"],
    },
    Variant {
        what: "some namespaces",
        generated: &["KubeOps:Namespaces:0=a", "KubeOps:Namespaces:1=b"],
        values: &["appsettings.KubeOps.Namespaces={a,b}"],
    },
    Variant {
        what: "the lock in a watched namespace",
        generated: &["KubeOps:Namespaces:0=a", "KubeOps:LeaderElectionNamespace=a"],
        values: &["appsettings.KubeOps.Namespaces={a}", "leaderElection.namespace=a"],
    },
    Variant {
        what: "the lock elsewhere",
        generated: &["KubeOps:Namespaces:0=a", "KubeOps:LeaderElectionNamespace=locks"],
        values: &["appsettings.KubeOps.Namespaces={a}", "leaderElection.namespace=locks"],
    },
    Variant {
        what: "a label for the leader's pod",
        generated: &["KubeOps:LeaderElectionLabelPod=true"],
        values: &["appsettings.KubeOps.LeaderElectionLabelPod=true"],
    },
    Variant {
        what: "another lock",
        generated: &["KubeOps:LeaderElectionId=other"],
        values: &["appsettings.KubeOps.LeaderElectionId=other"],
    },
    Variant {
        what: "a ConfigMap for life",
        generated: &["KubeOps:LeaderElectionLock=ConfigMap"],
        values: &["leaderElection.lock=ConfigMap"],
    },
    Variant {
        what: "the LeaderLock of zio-k8s",
        generated: &["KubeOps:LeaderElectionLock=LeaderLock", "KubeOps:LeaderLockApiVersion=coralogix.com/v1"],
        values: &["leaderElection.lock=LeaderLock", "leaderElection.leaderLockApiVersion=coralogix.com/v1"],
    },
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn the_chart_and_the_manifests_grant_the_same_rights() {
    let cluster = Cluster::start_bare().await;
    let chart = cluster.chart(&[]).await;
    for Variant { what, generated, values } in VARIANTS {
        let of_manifests = rights(&manifests(&cluster, generated).await, OPERATOR);
        // By default the release's name is in that of the lock.
        let lock = ["appsettings.KubeOps.LeaderElectionId=guestbook-leader"];
        let of_chart = rights(&cluster.rendered(&chart, SYSTEM, &[&lock, values].concat()).await, DEMO);
        assert!(!of_manifests.is_empty());
        assert_eq!(of_chart, of_manifests, "{what}");
        say(format!("{what}: {} rights", of_chart.len()));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_chart_of_an_operator_that_installs_its_crds_lets_it() {
    let cluster = Cluster::start_bare().await;
    let installs = "KubeOps:InstallCrds=true";
    let chart = cluster.chart(&["--set", installs]).await;
    let lock = ["appsettings.KubeOps.LeaderElectionId=guestbook-leader"];
    let of_chart = rights(&cluster.rendered(&chart, SYSTEM, &lock).await, DEMO);
    let of_manifests = rights(&manifests(&cluster, &[installs]).await, OPERATOR);
    assert!(of_chart.iter().any(|right| right.contains("customresourcedefinitions")), "{of_chart:#?}");
    assert_eq!(of_chart, of_manifests);
}

/// The generated manifests with these settings, object by object.
async fn manifests(cluster: &Cluster, settings: &[&str]) -> Vec<Value> {
    let root = concat!("--content-root=", env!("CARGO_MANIFEST_DIR"));
    let set = settings.iter().flat_map(|setting| ["--set", setting]);
    let arguments = ["generate", "manifests", "--format=json", root].into_iter().chain(set);
    let output = cluster.command(&arguments.collect::<Vec<_>>()).await;
    assert!(output.status.success(), "{output:?}");
    let list: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    list["items"].as_array().expect("a List").clone()
}

/// What the ServiceAccount `account` may do, a line for each verb: only what a binding gives it counts.
fn rights(objects: &[Value], account: &str) -> BTreeSet<String> {
    let bindings =
        objects.iter().filter(|object| object["kind"].as_str().is_some_and(|kind| kind.ends_with("Binding")));
    let mut rights = BTreeSet::new();
    for binding in bindings {
        let subject = &binding["subjects"][0];
        assert_eq!((text(&subject["name"]), text(&subject["namespace"])), (account, SYSTEM));
        let (role, namespace) = (&binding["roleRef"], &binding["metadata"]["namespace"]);
        let is_bound = |object: &&Value| {
            let metadata = &object["metadata"];
            object["kind"] == role["kind"] && metadata["name"] == role["name"] && metadata["namespace"] == *namespace
        };
        let role = objects.iter().find(is_bound).unwrap_or_else(|| panic!("no role for {binding}"));
        let rules = role["rules"].as_array().expect("rules");
        rights.extend(rules.iter().flat_map(|rule| lines(rule, namespace.as_str().unwrap_or("everywhere"))));
    }
    rights
}

fn lines(rule: &Value, place: &str) -> Vec<String> {
    let names = list(&rule["resourceNames"]).join(",");
    let mut lines = Vec::new();
    for group in list(&rule["apiGroups"]) {
        for resource in list(&rule["resources"]) {
            lines.extend(
                list(&rule["verbs"]).iter().map(|verb| format!("{place}: {verb} {resource}.{group} [{names}]")),
            );
        }
    }
    lines
}

fn list(values: &Value) -> Vec<&str> {
    values.as_array().into_iter().flatten().map(text).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
