//! OpenMetrics, and what older scrapers read.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// OpenMetrics 1.0, with its end mark.
pub(super) fn open_metrics(registry: &Registry) -> String {
    let mut text = String::new();
    // Only a writer can fail here, and a `String` does not.
    let _written = encode(&mut text, registry);
    text
}

/// The same in the Prometheus text format 0.0.4: there a counter's `# TYPE` line names the sample (`…_total`), and there
/// are neither units nor an end mark.
pub(super) fn classic(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 1024);
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        // HELP comes right before TYPE, which alone tells that it is a counter.
        let type_line = if line.starts_with("# HELP ") { lines.peek().copied() } else { Some(line) };
        match type_line.and_then(counter_name).and_then(|name| line.split_once(name)) {
            Some((before, after)) if line.starts_with('#') => {
                let name = type_line.and_then(counter_name).unwrap_or_default();
                text.extend([before, name, "_total", after, "\n"]);
            }
            _ => text.extend([line, "\n"]),
        }
    }
    text
}

fn counter_name(line: &str) -> Option<&str> {
    line.strip_prefix("# TYPE ")?.strip_suffix(" counter")
}
