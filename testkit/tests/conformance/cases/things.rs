//! The custom resource that cases use. Each case has its own: a CRD is the whole cluster's.

use serde_json::{Value, json};

/// Where those of the case's namespace are.
pub(super) const ALL: &str = "/apis/$ns.example.com/v1/namespaces/$ns/things";

/// One of them.
pub(super) const X: &str = "/apis/$ns.example.com/v1/namespaces/$ns/things/x";

pub(super) const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

pub(super) const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.$ns.example.com";

/// With a status, and few rules.
pub(super) fn crd() -> Value {
    crd_of(&json!({
        "spec": {"type": "object", "properties": {
            "replicas": {"type": "integer", "minimum": 0},
            "title": {"type": "string", "default": "untitled"},
            "tags": {"type": "array", "items": {"type": "string"}},
        }},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }))
}

/// With these properties beside what every object has.
pub(super) fn crd_of(properties: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.$ns.example.com"},
        "spec": {
            "group": "$ns.example.com", "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "shortNames": ["tg"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
            }],
        },
    })
}

/// With these properties of `spec`.
pub(super) fn of_spec(properties: &Value) -> Value {
    crd_of(&json!({"spec": {"type": "object", "properties": properties}}))
}

pub(super) fn thing(name: &str) -> Value {
    json!({"apiVersion": "$ns.example.com/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"replicas": 1}})
}

pub(super) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/$ns/deployments";

/// With all that the real server would fill in: defaults of built-in kinds are not what cases are about.
pub(super) fn deployment(name: &str, containers: &[Value]) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}}, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": containers, "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
                    "securityContext": {}, "schedulerName": "default-scheduler",
                },
            },
        },
    })
}

/// As [`deployment`].
pub(super) fn container(name: &str) -> Value {
    json!({
        "name": name, "image": "example.com/image:1", "imagePullPolicy": "IfNotPresent", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    })
}
