//! The alerts and the dashboard in `docs/monitoring` ask for what an operator tells, and for nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::pages::{cluster, leads, put, replica, until};
use crate::scrape::scrape;

/// What stands between metrics in a query.
const WORDS: [&str; 11] =
    ["and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Metrics that a PromQL expression names.
fn metrics(expression: &str) -> BTreeSet<String> {
    let mut metrics = BTreeSet::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let word_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_:.$".contains(c))).unwrap_or(rest.len());
        if matches!(first, '{' | '[' | '"') {
            let close = match first {
                '{' => '}',
                '[' => ']',
                other => other,
            };
            let end = rest[1..].find(close).map_or(rest.len(), |end| end + 2);
            rest = &rest[end..];
        } else if word_end == 0 {
            rest = &rest[first.len_utf8()..];
        } else {
            let (word, after) = rest.split_at(word_end);
            let next = after.trim_start();
            let is_call = ["(", "by ", "without "].iter().any(|start| next.starts_with(start));
            rest = after;
            if ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word) && is_call {
                rest = after.split_once(')').map_or("", |(_, after)| after);
            } else if !is_call && !WORDS.contains(&word) && !first.is_ascii_digit() && first != '$' {
                metrics.insert(word.to_owned());
            }
        }
    }
    metrics
}

/// Every query in a dashboard, those of its variables too.
fn queries(dashboard: &Value, found: &mut Vec<String>) {
    match dashboard {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("expr", Value::String(query)) => found.push(query.clone()),
                    ("query", Value::String(query)) => {
                        let of_labels = query.strip_prefix("label_values(").and_then(|rest| rest.rsplit_once(','));
                        found.extend(of_labels.map(|(query, _)| query.to_owned()));
                    }
                    (_, value) => queries(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

#[test]
fn metrics_are_found_in_queries() {
    let query =
        r#"sum by (namespace, name) (rate(a_total{code=~"5..|<error>"}[10m] offset 5m)) / on (job) b > bool 1e3 and c"#;
    assert_eq!(metrics(query), ["a_total", "b", "c"].map(str::to_owned).into());
}

#[tokio::test(start_paused = true)]
async fn alerts_and_dashboard_name_only_metrics_that_a_running_operator_tells() {
    let alerts: Value = serde_saphyr::from_str(&read("alerts.yaml")).unwrap();
    let rules = alerts["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    let mut asked: Vec<String> = rules.map(|rule| rule["expr"].as_str().unwrap().to_owned()).collect();
    let of_alerts = asked.len();
    queries(&serde_json::from_str(&read("dashboard.json")).unwrap(), &mut asked);
    assert!(of_alerts >= 5 && asked.len() >= of_alerts + 15, "{asked:#?}");

    let cluster = cluster().await;
    let running = replica(&cluster, "a").await;
    put(&cluster, "one", "{}").await;
    until("it leads", async || leads(&running).await).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let told = scrape(&running).await;
    for query in asked {
        let named = metrics(&query);
        assert!(!named.is_empty(), "no metric in {query}");
        let unknown: Vec<_> = named.iter().filter(|name| !told.names().contains(name.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?} in {query}");
    }
}
