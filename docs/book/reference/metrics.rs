//! Every metric.

use kubeops::metrics::{Descriptor, LABELS, descriptors};

use super::markdown::{code, codes, plain, table};

const INTRODUCTION: &str = "\
# Metrics

Every metric that an operator tells at `/metrics` on `KubeOps:MetricsAddress`, leader or not, in the Prometheus text format or, for those who
ask for it, in OpenMetrics. Names and labels are those of controller-runtime and client-go where these have the metric; what only this
SDK has begins with `kubeops_`. Times are in seconds and sizes in bytes, as the names say. `controller_runtime_*`, `workqueue_*` and
`kubeops_cache_objects` are there for every controller and kind from the start, at zero.
";

/// Headings, and with what the names below them begin. The first that fits counts.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Leadership", &["leader_election_", "controller_leadership_", "kubeops_lea", "kubeops_fenced_"]),
    ("Reconciles", &["controller_runtime_"]),
    ("Work queues", &["workqueue_"]),
    ("Caches and requests", &["kubeops_cache_", "kubeops_watch_", "kubeops_undeserializable_", "rest_client_"]),
    ("Process", &["process_", "kubeops_runtime_"]),
    ("Others", &[""]),
];

pub(crate) fn page() -> String {
    let mut left = descriptors();
    let mut page = INTRODUCTION.to_owned();
    for (heading, starts) in GROUPS {
        let (group, others) = left.into_iter().partition::<Vec<_>, _>(|metric| begins(metric, starts));
        left = others;
        if !group.is_empty() {
            page += &format!("\n## {heading}\n\n{}", table(["Metric", "Meaning"], group.iter().map(row)));
        }
    }
    let labels = LABELS.iter().map(|(name, meaning)| [code(name), (*meaning).to_owned()]);
    page += &format!(
        "\nThose that begin with `process_` are there on Linux only.\n\n## Labels\n\n{}",
        table(["Label", "Meaning"], labels)
    );
    page
}

fn begins(metric: &Descriptor, starts: &[&str]) -> bool {
    starts.iter().any(|start| metric.name.starts_with(start))
}

/// Names are long: what stands with them stands below.
fn row(metric: &Descriptor) -> [String; 2] {
    let Descriptor { name, kind, help, labels, .. } = metric;
    let by = if labels.is_empty() { String::new() } else { format!(", by {}", codes(labels)) };
    [format!("{}<br>{kind}{by}", code(name)), plain(help.trim_end_matches('.'))]
}
