//! What stands around the Deployment.

use serde_json::json;

use super::deployment::METRICS;
use super::{Manifest, Options};

/// The Service in front of the metrics, and how many replicas may be evicted at once.
pub(super) fn objects(options: &Options) -> Vec<Manifest> {
    let metrics = options.metrics_port.map(|port| metrics(port, options));
    // With a single replica that is ready it would allow every eviction, or none.
    let several = options.lock.is_some() && !options.only_leader_ready;
    let budget = several.then(|| disruption_budget(options));
    metrics.into_iter().chain(budget).collect()
}

fn metrics(port: u16, options: &Options) -> Manifest {
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": options.metadata(&options.name_of(METRICS), &options.namespace),
        "spec": {
            "ports": [{ "name": METRICS, "port": port, "protocol": "TCP", "targetPort": METRICS }],
            "selector": options.selector(),
        },
    });
    Manifest::new("service", service)
}

fn disruption_budget(options: &Options) -> Manifest {
    let budget = json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": options.metadata(&options.name(), &options.namespace),
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": options.selector() } },
    });
    Manifest::new("pod-disruption-budget", budget)
}
