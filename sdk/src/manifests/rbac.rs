//! The operator's identity, and its roles.

use serde_json::{Value, json};

use super::rights::{Rights, Rules};
use super::{Lock, LockKind, Manifest, Options};

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
        objects.extend(flow_schema(of_lock, options));
    }
    objects
}

fn service_account(options: &Options) -> Manifest {
    let metadata = options.metadata(&options.name(), &options.namespace);
    Manifest::new("service-account", json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }))
}

fn cluster_role(rules: &Rules, options: &Options) -> [Manifest; 2] {
    let metadata = options.cluster_metadata(&options.cluster_name());
    let [role, binding] = bound("ClusterRole", &metadata, rules, options);
    [Manifest::new("cluster-role", role), Manifest::new("cluster-role-binding", binding)]
}

fn role(name: &str, namespace: &str, suffix: &str, rules: &Rules, options: &Options) -> [Manifest; 2] {
    let [role, binding] = bound("Role", &options.metadata(name, namespace), rules, options);
    [Manifest::new(format!("role{suffix}"), role), Manifest::new(format!("role-binding{suffix}"), binding)]
}

/// A role of this kind, and the binding of the same name that gives it to the operator.
fn bound(kind: &str, metadata: &Value, rules: &Rules, options: &Options) -> [Value; 2] {
    let role = json!({ "apiVersion": API, "kind": kind, "metadata": metadata, "rules": rules.to_json() });
    let binding = json!({
        "apiVersion": API,
        "kind": format!("{kind}Binding"),
        "metadata": metadata,
        "roleRef": { "apiGroup": GROUP, "kind": kind, "name": metadata["name"] },
        "subjects": [subject(options)],
    });
    [role, binding]
}

fn subject(options: &Options) -> Value {
    json!({ "kind": "ServiceAccount", "name": options.name(), "namespace": options.namespace })
}

/// The API server has a priority level for elections, and by itself lets only Kubernetes' own components into it.
/// <https://kubernetes.io/docs/concepts/cluster-administration/flow-control/>
///
/// ConfigMaps may be what the operator makes: its requests for those are not let in. A lock that is not renewed can wait.
fn flow_schema(lock: &Lock, options: &Options) -> Option<Manifest> {
    let (group, resource) = match lock.kind {
        LockKind::Lease => ("coordination.k8s.io", "leases"),
        LockKind::LeaderLock(group) => (group, "leaderlocks"),
        LockKind::ConfigMap => return None,
    };
    let locks =
        json!({ "apiGroups": [group], "resources": [resource], "namespaces": [lock.namespace], "verbs": ["*"] });
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
                "resourceRules": [locks],
                "subjects": [{ "kind": "ServiceAccount", "serviceAccount": account }],
            }],
        },
    });
    Some(Manifest::new("flow-schema", schema))
}
