//! The tables of built-in kinds. What the real server makes of the objects themselves, it fills with defaults: only the tables are compared.

use serde_json::{Value, json};

use crate::case::cases;
use crate::session::Session;

cases!("kubectl tables":
    workloads,
    pods,
    jobs,
    services,
    events,
    the_rest,
);

async fn create(s: &mut Session, object: &Value) {
    s.kubectl_with(&["create", "-f", "-"], &object.to_string()).await;
}

async fn set_status(s: &mut Session, what: &str, status: &Value) {
    let patch = json!({ "status": status }).to_string();
    s.kubectl(&["patch", what, "--type=merge", "--subresource=status", "-p", &patch]).await;
}

async fn show(s: &mut Session, what: &str) {
    s.kubectl(&["get", what]).await;
    s.kubectl(&["get", what, "-o", "wide"]).await;
}

fn workload(kind: &str, more: &Value) -> Value {
    let containers = json!([{"name": "a", "image": "one"}, {"name": "b", "image": "two:2"}]);
    let mut spec = json!({
        "selector": {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["front"]}]},
        "template": {"metadata": {"labels": {"app": "x", "tier": "front"}}, "spec": {"containers": containers}},
    });
    json_patch::merge(&mut spec, more);
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec})
}

async fn workloads(s: &mut Session) {
    create(s, &workload("Deployment", &json!({"replicas": 3}))).await;
    show(s, "deployments").await;
    let status = json!({"replicas": 3, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1});
    set_status(s, "deployment/x", &status).await;
    show(s, "deployments").await;
    create(s, &workload("ReplicaSet", &json!({}))).await;
    set_status(s, "replicaset/x", &json!({"replicas": 1, "readyReplicas": 1})).await;
    show(s, "replicasets").await;
    create(s, &workload("StatefulSet", &json!({"serviceName": "x", "replicas": 2}))).await;
    show(s, "statefulsets").await;
    create(s, &workload("DaemonSet", &json!({"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}))).await;
    show(s, "daemonsets").await;
}

async fn pods(s: &mut Session) {
    let containers = json!([{"name": "a", "image": "one"}, {"name": "b", "image": "two"}]);
    let pod = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": containers, "readinessGates": [{"conditionType": "example.com/open"}]},
        })
    };
    for name in ["fresh", "running", "failing", "leaving"] {
        create(s, &pod(name)).await;
    }
    let of = |name: &str, restarts: i64, state: Value| {
        let ready = state["running"].is_object();
        json!({"name": name, "image": "i", "imageID": "", "ready": ready, "restartCount": restarts, "state": state})
    };
    let running = json!({"running": {"startedAt": "2025-01-01T00:00:00Z"}});
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let conditions = json!([{"type": "Ready", "status": "True"}, {"type": "example.com/open", "status": "True"}]);
    let status = |phase: &str, statuses: &[Value]| json!({"phase": phase, "podIPs": [{"ip": "10.1.2.3"}], "podIP": "10.1.2.3", "conditions": conditions, "containerStatuses": statuses});
    set_status(s, "pod/running", &status("Running", &[of("a", 0, running.clone()), of("b", 0, running.clone())])).await;
    set_status(s, "pod/failing", &status("Running", &[of("a", 2, waiting), of("b", 0, running)])).await;
    s.kubectl(&[
        "patch",
        "pod",
        "leaving",
        "--type=merge",
        "-p",
        r#"{"metadata": {"finalizers": ["example.com/held"]}}"#,
    ])
    .await;
    s.kubectl(&["delete", "pod", "leaving", "--wait=false"]).await;
    show(s, "pods").await;
}

async fn jobs(s: &mut Session) {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "one"}]}});
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"},
        "spec": {"completions": 3, "parallelism": 2, "template": template},
    });
    create(s, &job).await;
    s.kubectl(&["get", "jobs"]).await;
}

async fn services(s: &mut Session) {
    let service = |name: &str, spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec});
    let ports = json!([{"name": "a", "port": 80}, {"name": "b", "port": 53, "protocol": "UDP"}]);
    // The real server gives others an address.
    create(s, &service("headless", json!({"clusterIP": "None", "ports": ports, "selector": {"app": "x", "a": "b"}})))
        .await;
    create(s, &service("elsewhere", json!({"type": "ExternalName", "externalName": "example.com"}))).await;
    show(s, "services").await;
}

async fn events(s: &mut Session) {
    let event = |name: &str, more: &Value| {
        let mut event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name}, "type": "Normal", "reason": "Tried",
            "message": "it was tried", "involvedObject": {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "namespace": "$ns"},
        });
        json_patch::merge(&mut event, more);
        event
    };
    let times = json!({"firstTimestamp": "2025-01-01T00:00:00Z", "lastTimestamp": "2025-02-01T00:00:00Z", "count": 3});
    create(s, &event("old", &times)).await;
    create(
        s,
        &event("sourced", &json!({"lastTimestamp": "2025-02-01T00:00:00Z", "source": {"component": "c", "host": "h"}})),
    )
    .await;
    create(s, &event("new", &json!({
        "eventTime": "2025-01-01T00:00:00.000000Z", "reportingComponent": "example.com/c", "reportingInstance": "c-1", "action": "Try",
        "series": {"count": 5, "lastObservedTime": "2025-03-01T00:00:00.000000Z"},
    })))
    .await;
    show(s, "events").await;
    show(s, "events.v1.events.k8s.io").await;
    s.kubectl(&["events"]).await;
}

async fn the_rest(s: &mut Session) {
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "x"}});
    create(s, &lease).await;
    s.kubectl(&["get", "leases"]).await;
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}});
    create(s, &role).await;
    s.kubectl(&["get", "roles"]).await;
    create(s, &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}})).await;
    s.kubectl(&["get", "serviceaccounts"]).await;
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "Yg==", "b": "Yg=="}});
    create(s, &secret).await;
    s.kubectl(&["get", "secrets"]).await;
}
