//! The operator's identity, and its roles.

use serde_json::{Value, json};

use super::rights::{Rights, Rules};
use super::{Manifest, Options};

const GROUP: &str = "rbac.authorization.k8s.io";
const API: &str = "rbac.authorization.k8s.io/v1";
/// Of the FlowSchema: before the one for all ServiceAccounts, which has 9000.
pub(super) const PRECEDENCE: u32 = 1000;
const LEADER_ELECTION: &str = "leader-election";

/// ServiceAccount, roles with their bindings, and how the API server is to queue the elector's requests.
pub(super) fn objects(rights: &Rights, options: &Options) -> Vec<Manifest> {
    let mut objects = vec![service_account(options)];
    let Rights { cluster, namespaces, lock } = rights;
    if !cluster.is_empty() {
        objects.extend(cluster_role(cluster, options));
    }
    for (namespace, rules) in namespaces {
        objects.extend(role(&options.name(), namespace, &format!("-{namespace}"), rules, options));
    }
    if let Some(of_lock) = &options.lock {
        let name = options.name_of(LEADER_ELECTION);
        objects.extend(role(&name, &of_lock.namespace, &format!("-{LEADER_ELECTION}"), lock, options));
        objects.push(flow_schema(&of_lock.namespace, options));
    }
    objects
}

fn service_account(options: &Options) -> Manifest {
    let metadata = options.metadata(&options.name(), &options.namespace);
    Manifest::new("service-account", json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }))
}

fn cluster_role(rules: &Rules, options: &Options) -> [Manifest; 2] {
    let name = options.cluster_name();
    let metadata = options.cluster_metadata(&name);
    let role = json!({ "apiVersion": API, "kind": "ClusterRole", "metadata": metadata, "rules": rules.to_json() });
    let binding = json!({
        "apiVersion": API,
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": name },
        "subjects": [subject(options)],
    });
    [Manifest::new("cluster-role", role), Manifest::new("cluster-role-binding", binding)]
}

fn role(name: &str, namespace: &str, suffix: &str, rules: &Rules, options: &Options) -> [Manifest; 2] {
    let metadata = options.metadata(name, namespace);
    let role = json!({ "apiVersion": API, "kind": "Role", "metadata": metadata, "rules": rules.to_json() });
    let binding = json!({
        "apiVersion": API,
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": { "apiGroup": GROUP, "kind": "Role", "name": name },
        "subjects": [subject(options)],
    });
    [Manifest::new(format!("role{suffix}"), role), Manifest::new(format!("role-binding{suffix}"), binding)]
}

fn subject(options: &Options) -> Value {
    json!({ "kind": "ServiceAccount", "name": options.name(), "namespace": options.namespace })
}

/// The API server has a priority level for elections, and by itself lets only Kubernetes' own components into it.
/// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>
fn flow_schema(namespace: &str, options: &Options) -> Manifest {
    let leases = json!({
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "namespaces": [namespace],
        "verbs": ["*"],
    });
    let account = json!({ "name": options.name(), "namespace": options.namespace });
    // A name without `:`, which only RBAC's may have.
    let name = format!("{}.{}", options.name(), options.namespace);
    let schema = json!({
        "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
        "kind": "FlowSchema",
        "metadata": options.cluster_metadata(&name),
        "spec": {
            "distinguisherMethod": { "type": "ByUser" },
            "matchingPrecedence": PRECEDENCE,
            "priorityLevelConfiguration": { "name": "leader-election" },
            "rules": [{
                "resourceRules": [leases],
                "subjects": [{ "kind": "ServiceAccount", "serviceAccount": account }],
            }],
        },
    });
    Manifest::new("flow-schema", schema)
}
