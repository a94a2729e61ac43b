//! OpenMetrics, and what older scrapers read.

use std::collections::HashSet;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// OpenMetrics 1.0, with its end mark.
pub(super) fn open_metrics(registry: &Registry) -> String {
    let mut text = String::new();
    // Only a writer can fail here, and a `String` does not.
    let _written = encode(&mut text, registry);
    text
}

/// The same in the Prometheus text format 0.0.4: there a counter is described by the name of its sample (`…_total`), and
/// there are neither units nor an end mark.
pub(super) fn classic(open_metrics: &str) -> String {
    let counters: HashSet<&str> = open_metrics.lines().filter_map(counter).collect();
    let mut text = String::with_capacity(open_metrics.len() + counters.len() * 12);
    for line in open_metrics.lines() {
        match described(line) {
            Some((_, _, "UNIT")) => {}
            Some((name, rest, keyword)) if counters.contains(name) => {
                text.extend(["# ", keyword, " ", name, "_total ", rest, "\n"]);
            }
            None if line == "# EOF" => {}
            Some(_) | None => text.extend([line, "\n"]),
        }
    }
    text
}

/// Name, rest and keyword of a line that describes a metric.
fn described(line: &str) -> Option<(&str, &str, &str)> {
    let (keyword, described) = line.strip_prefix("# ")?.split_once(' ')?;
    let (name, rest) = described.split_once(' ')?;
    Some((name, rest, keyword))
}

fn counter(line: &str) -> Option<&str> {
    line.strip_prefix("# TYPE ")?.strip_suffix(" counter")
}
