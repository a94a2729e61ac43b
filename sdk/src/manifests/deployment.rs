//! The Deployment.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Manifest, Options};

/// Replicas with leader election: one works, and one is ready to.
pub(super) const REPLICAS: u32 = 2;
const CONTAINER: &str = "operator";
const HEALTH: &str = "health";
pub(super) const METRICS: &str = "metrics";
const SETTINGS: &str = "settings";
/// What a stop takes besides the operator's own: the signal's way, and the end of the process.
const GRACE_MARGIN: Duration = Duration::from_secs(5);

pub(super) fn deployment(options: &Options) -> Manifest {
    let selector = options.selector();
    let mut spec = json!({
        "selector": { "matchLabels": selector },
        "template": { "metadata": { "labels": options.labels() }, "spec": pod(options) },
    });
    if options.lock.is_some() {
        spec["replicas"] = json!(REPLICAS);
        if options.only_leader_ready {
            // No other pod gets ready before the leader is stopped: a rollout that keeps one available would wait for ever.
            spec["strategy"] = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "100%" } });
        }
    } else {
        // Two at once would both work.
        spec["replicas"] = json!(1);
        spec["strategy"] = json!({ "type": "Recreate" });
    }
    let metadata = options.metadata(&options.name(), &options.namespace);
    let object = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec });
    Manifest::new("deployment", object)
}

/// The ConfigMap that the settings files are in.
pub(super) fn settings_name(options: &Options) -> String {
    options.name_of(SETTINGS)
}

/// A pod that the restricted Pod Security Standard accepts.
/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
fn pod(options: &Options) -> Value {
    let spread = json!({
        "labelSelector": { "matchLabels": options.selector() },
        "matchLabelKeys": ["pod-template-hash"],
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
    });
    json!({
        "containers": [container(options)],
        "securityContext": pod_security(),
        "serviceAccountName": options.name(),
        "terminationGracePeriodSeconds": grace(options),
        "topologySpreadConstraints": [spread],
        "volumes": [{ "name": SETTINGS, "configMap": { "name": settings_name(options) } }],
    })
}

pub(super) fn pod_security() -> Value {
    json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } })
}

/// Seconds between the request to stop and the kill.
pub(super) fn grace(options: &Options) -> u64 {
    let time = options.shutdown_timeout + GRACE_MARGIN;
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn container(options: &Options) -> Value {
    let folder = folder(options);
    let mut container = json!({
        "name": CONTAINER,
        "image": options.image,
        "args": arguments(&folder, options),
        "env": variables(),
        "resources": resources(),
        "securityContext": container_security(),
        "volumeMounts": [{ "name": SETTINGS, "mountPath": folder, "readOnly": true }],
    });
    let ports = [(HEALTH, options.health_port), (METRICS, options.metrics_port)];
    let ports = ports.iter().filter_map(|(name, port)| Some(json!({ "name": name, "containerPort": (*port)? })));
    container["ports"] = ports.collect();
    if options.health_port.is_some() {
        for (name, probe) in probes().as_object().into_iter().flatten() {
            container[name] = probe.clone();
        }
    }
    container
}

/// Where the settings files are in the container.
pub(super) fn folder(options: &Options) -> String {
    format!("/etc/{}", options.name())
}

fn arguments(folder: &str, options: &Options) -> Vec<String> {
    let set = options.set.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]);
    ["run".to_owned(), format!("--content-root={folder}")].into_iter().chain(set).collect()
}

/// What the defaults of identity and lock are made from.
pub(super) fn variables() -> Value {
    let from_field =
        |variable: &str, path: &str| json!({ "name": variable, "valueFrom": { "fieldRef": { "fieldPath": path } } });
    json!([
        from_field("POD_NAME", "metadata.name"),
        from_field("POD_NAMESPACE", "metadata.namespace"),
        from_field("POD_UID", "metadata.uid"),
    ])
}

/// No limit of CPU: a throttled leader can't renew its lock in time.
pub(super) fn resources() -> Value {
    json!({ "limits": { "memory": "256Mi" }, "requests": { "cpu": "10m", "memory": "64Mi" } })
}

pub(super) fn container_security() -> Value {
    json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] }, "readOnlyRootFilesystem": true })
}

pub(super) fn probes() -> Value {
    let probe = |path: &str, period: u32, failures: u32| {
        json!({
            "httpGet": { "path": path, "port": HEALTH },
            "periodSeconds": period,
            "failureThreshold": failures,
            "timeoutSeconds": 2,
        })
    };
    json!({
        // Five minutes: longer than a cluster needs to let its API server answer. Until then a restart would help nobody.
        "startupProbe": probe("/startupz", 2, 150),
        "livenessProbe": probe("/livez", 10, 3),
        "readinessProbe": probe("/readyz", 5, 2),
    })
}
