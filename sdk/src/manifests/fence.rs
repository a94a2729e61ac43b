//! The fence in the API server: it refuses writes of the operator's ServiceAccount by every pod but the one that the Lease names.
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rights::Rights;
use super::{Manifest, Options};
use crate::controller::Registration;
use crate::leadership::POLICY;

const API: &str = "admissionregistration.k8s.io/v1";
/// Of a kind whose writes are fenced, besides its objects themselves.
const SUBRESOURCES: [&str; 3] = ["finalizers", "scale", "status"];
const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];
/// Whoever may use a token that is bound to the pod which holds the Lease. The API server takes name and uid from the token.
pub(super) const HOLDER: &str = "has(params.spec.holderIdentity) && has(request.userInfo.extra) \
    && 'authentication.kubernetes.io/pod-name' in request.userInfo.extra \
    && 'authentication.kubernetes.io/pod-uid' in request.userInfo.extra \
    && params.spec.holderIdentity == request.userInfo.extra['authentication.kubernetes.io/pod-name'][0] \
    + '_' + request.userInfo.extra['authentication.kubernetes.io/pod-uid'][0]";

/// Policy and binding; none if it is not asked for, or if the controllers write nothing.
pub(super) fn objects<S>(controllers: &[Registration<S>], options: &Options) -> Vec<Manifest> {
    let Some(lock) = options.lock.as_ref().filter(|_| options.fence) else { return Vec::new() };
    let rules = rules(controllers, options);
    if rules.is_empty() {
        return Vec::new();
    }
    let name = format!("{}.{}.{POLICY}", options.name(), options.namespace);
    let account = format!("system:serviceaccount:{}:{}", options.namespace, options.name());
    let policy = json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": options.cluster_metadata(&name),
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": { "apiVersion": "coordination.k8s.io/v1", "kind": "Lease" },
            "matchConstraints": { "resourceRules": rules, "excludeResourceRules": exempt(&lock.name) },
            "matchConditions": [{
                "name": "operator",
                "expression": format!("request.userInfo.username == '{account}'"),
            }],
            "validations": [{
                "expression": HOLDER,
                "message": format!("only the pod that holds the Lease {}/{} may write this", lock.namespace, lock.name),
                "reason": "Forbidden",
            }],
        },
    });
    let binding = json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": options.cluster_metadata(&name),
        "spec": {
            "policyName": name,
            "paramRef": { "name": lock.name, "namespace": lock.namespace, "parameterNotFoundAction": "Deny" },
            "validationActions": ["Deny"],
        },
    });
    vec![Manifest::new("fence-policy", policy), Manifest::new("fence-policy-binding", binding)]
}

/// What controllers may write, and only they: CRDs are installed, and the lock is written, by replicas that do not lead.
pub(super) fn rules<S>(controllers: &[Registration<S>], options: &Options) -> Vec<Value> {
    let options =
        Options { watched: Vec::new(), installs_crds: false, labels_pod: false, lock: None, ..options.clone() };
    let Rights { cluster, .. } = Rights::of(controllers, &options);
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (group, resource) in cluster.written() {
        groups.entry(group.to_owned()).or_default().extend(with_subresources(resource));
    }
    let rule = |(group, mut resources): (String, Vec<String>)| {
        resources.sort();
        resources.dedup();
        // It can't stand beside others.
        if resources.iter().any(|resource| resource == "*/*") {
            resources = vec!["*/*".to_owned()];
        }
        json!({ "apiGroups": [group], "apiVersions": ["*"], "operations": OPERATIONS, "resources": resources })
    };
    groups.into_iter().map(rule).collect()
}

/// The lock, and Events, which undo nothing and are often on their way when a term ends.
pub(super) fn exempt(lock: &str) -> Value {
    let mut leases = every("coordination.k8s.io", "leases");
    leases["resourceNames"] = json!([lock]);
    json!([leases, every("", "events"), every("events.k8s.io", "events")])
}

fn every(group: &str, resource: &str) -> Value {
    json!({ "apiGroups": [group], "apiVersions": ["*"], "operations": ["*"], "resources": [resource] })
}

fn with_subresources(resource: &str) -> Vec<String> {
    match resource {
        "*" => vec!["*/*".to_owned()],
        _ if resource.contains('/') => vec![resource.to_owned()],
        _ => {
            let subresources = SUBRESOURCES.iter().map(|subresource| format!("{resource}/{subresource}"));
            std::iter::once(resource.to_owned()).chain(subresources).collect()
        }
    }
}
