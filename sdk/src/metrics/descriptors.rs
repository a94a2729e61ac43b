//! What every metric is called, counts and is labelled with: the reference of metrics is made of it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::families::Families;
use super::text;

/// A metric, as `/metrics` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Descriptor {
    /// Its name in the Prometheus text format: counters end with `_total`, a histogram's samples with `_bucket`, `_sum` and
    /// `_count`. The unit, where there is one, is part of the name: `_seconds` or `_bytes`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it counts or measures.
    pub help: String,
    /// The names of its labels; [`LABELS`] says what they mean.
    pub labels: Vec<String>,
}

/// Every label that metrics have, with its meaning.
pub const LABELS: [(&str, &str); 7] = [
    ("code", "HTTP status code of the answer; `<error>` if there was none"),
    ("controller", "name of the controller"),
    ("host", "the API server, as host and port"),
    ("kind", "kind of the objects that are watched"),
    ("method", "HTTP method"),
    ("name", "name of the lock; for `workqueue_*` that of the controller, as in Go's operators"),
    ("result", "how a reconcile ended: `success`, `error` or `requeue_after`"),
];

/// A metric that has no samples, and so no description, until somebody counts.
pub(super) trait Example {
    /// Has a sample from now on, with labels that say nothing.
    fn make_example(&self);
}

impl<L, M, C> Example for Family<L, M, C>
where
    L: Clone + Default + std::hash::Hash + Eq,
    M: Clone,
    C: MetricConstructor<M>,
{
    fn make_example(&self) {
        self.get_or_create_owned(&L::default());
    }
}

impl<N, A> Example for Counter<N, A> {
    fn make_example(&self) {}
}

impl<N, A> Example for Gauge<N, A> {
    fn make_example(&self) {}
}

/// Every metric that an operator may tell, sorted by name. Those of the process (`process_*`) are there on Linux only.
#[must_use]
pub fn descriptors() -> Vec<Descriptor> {
    let mut registry = Registry::default();
    let _keeps_what_is_registered = Families::with_examples(&mut registry);
    let text = text::classic(&text::open_metrics(&registry));
    let mut found: Vec<Descriptor> = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(help)) => found.push(Descriptor {
                name: name.to_owned(),
                kind: String::new(),
                help: help.to_owned(),
                labels: Vec::new(),
            }),
            (Some("#"), Some("TYPE"), _, Some(kind)) => {
                if let Some(last) = found.last_mut() {
                    kind.clone_into(&mut last.kind);
                }
            }
            _ => {
                if let Some(last) = found.last_mut().filter(|last| last.labels.is_empty()) {
                    last.labels = labels(line);
                }
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// The names of a sample's labels. Values of examples hold no `,` and no `=`. A bucket's limit is no label of the metric.
fn labels(sample: &str) -> Vec<String> {
    let labels = sample.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(labels, _)| labels);
    let names = labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name);
    names.filter(|name| *name != "le").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn of(name: &str) -> Descriptor {
        descriptors().into_iter().find(|found| found.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    #[test]
    fn a_metric_is_described_with_its_labels() {
        let reconciles = of("controller_runtime_reconcile_total");
        assert_eq!(reconciles.kind, "counter");
        assert_eq!(reconciles.help, "Reconciles, by how they ended.");
        assert_eq!(reconciles.labels, ["controller", "result"]);
        let queue = of("workqueue_queue_duration_seconds");
        assert_eq!(
            (queue.kind.as_str(), queue.labels),
            ("histogram", vec!["name".to_owned(), "controller".to_owned()])
        );
        assert_eq!(of("kubeops_runtime_ping_seconds").labels, Vec::<String>::new());
    }

    #[test]
    fn every_label_is_explained_and_no_other() {
        let used: BTreeSet<String> = descriptors().into_iter().flat_map(|found| found.labels).collect();
        let explained: BTreeSet<String> = LABELS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(used, explained);
    }

    #[test]
    fn an_operator_tells_what_is_described_and_nothing_else() {
        let metrics = super::super::Metrics::new();
        metrics.lock("l").changed(std::time::Duration::ZERO);
        let (_controller, _watch) = (metrics.controller("c"), metrics.watch("k"));
        metrics.fenced_write();
        let text = metrics.encode(false);
        let told: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let described = descriptors();
        let mut described: BTreeSet<&str> = described.iter().map(|found| found.name.as_str()).collect();
        // Told once a request was sent.
        assert!(described.remove("rest_client_requests_total"));
        assert_eq!(told, described);
    }
}
