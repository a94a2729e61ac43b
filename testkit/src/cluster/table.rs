//! The rows of `kubectl get`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::encode;
use super::request::Request;
use super::resources::Kind;
use super::state::State;
use super::store::Object;

/// A column: how it is called, of what type it is, and where its cells come from.
struct Column {
    definition: Value,
    path: String,
}

/// Built-in kinds with columns besides name and age: resource, column, path. Of many the real server shows more.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("configmaps", "Data", "#data"),
    ("leases.coordination.k8s.io", "Holder", ".spec.holderIdentity"),
    ("namespaces", "Status", ".status.phase"),
    ("pods", "Status", ".status.phase"),
    ("secrets", "Type", ".type"),
    ("secrets", "Data", "#data"),
    ("customresourcedefinitions.apiextensions.k8s.io", "Created At", ".metadata.creationTimestamp"),
    ("deployments.apps", "Up-to-date", ".status.updatedReplicas"),
    ("deployments.apps", "Available", ".status.availableReplicas"),
];

/// A table of these objects; `metadata` of the list that it stands for.
pub(crate) fn of(request: &Request, state: &State, objects: &[&Object], metadata: Option<Value>) -> Value {
    let columns = columns(&request.kind);
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells: Vec<Value> = columns.iter().map(|column| cell(column, object.value(), state.now)).collect();
            let shown = match request.options.include_object.as_str() {
                "None" => Value::Null,
                "Object" => object.value().clone(),
                _ => encode::metadata_only(object),
            };
            json!({"cells": cells, "object": shown})
        })
        .collect();
    let version = objects.first().map(|object| object.version().to_string()).unwrap_or_default();
    let metadata = metadata.unwrap_or_else(|| json!({"resourceVersion": version}));
    let definitions: Vec<Value> = columns.into_iter().map(|column| column.definition).collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions, "rows": rows,
    })
}

fn columns(kind: &Kind) -> Vec<Column> {
    let column = |name: &str, of: &str, format: &str, description: &str, priority: i64, path: &str| Column {
        definition: json!({
            "name": name, "type": of, "format": format, "description": description, "priority": priority,
        }),
        path: path.to_owned(),
    };
    let mut columns =
        vec![column("Name", "string", "name", "Name must be unique within a namespace.", 0, ".metadata.name")];
    let age = || column("Age", "date", "", "When it was created.", 0, ".metadata.creationTimestamp");
    let Some(custom) = &kind.custom else {
        let own = COLUMNS.iter().filter(|(resource, ..)| *resource == kind.resource());
        columns.extend(own.map(|(_, name, path)| column(name, "string", "", "", 0, path)));
        columns.push(age());
        return columns;
    };
    if custom.columns.is_empty() {
        columns.push(age());
    }
    for told in &custom.columns {
        let text = |field: &str| told[field].as_str().unwrap_or_default();
        let priority = told["priority"].as_i64().unwrap_or(0);
        columns.push(column(
            text("name"),
            text("type"),
            text("format"),
            text("description"),
            priority,
            text("jsonPath"),
        ));
    }
    columns
}

fn cell(column: &Column, object: &Value, now: Timestamp) -> Value {
    if let Some(field) = column.path.strip_prefix('#') {
        return object[field].as_object().map_or(0, serde_json::Map::len).into();
    }
    let found = at(object, &column.path);
    if column.definition["type"] != "date" {
        return match found {
            Some(Value::Object(_) | Value::Array(_)) => found.map(Value::to_string).into(),
            found => found.cloned().unwrap_or_default(),
        };
    }
    let time = found.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    time.map_or_else(|| "<unknown>".into(), |time| age(now.duration_since(time).as_secs()).into())
}

/// By a JSON path as in CRDs: `.spec.a`, `.items[0]`, `.status.conditions[?(@.type=="Ready")].status`.
fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut found = object;
    let mut rest = path.trim_start_matches("{").trim_end_matches('}');
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("[?(@.") {
            let (condition, after) = inner.split_once(")]")?;
            let (field, wanted) = condition.split_once("==")?;
            let wanted = wanted.trim().trim_matches(['"', '\'']);
            let field = field.trim();
            found = found.as_array()?.iter().find(|item| item[field] == wanted)?;
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            found = match index.parse::<usize>() {
                Ok(index) => found.get(index)?,
                Err(_) => found.get(index.trim_matches(['"', '\'']))?,
            };
            rest = after;
        } else {
            let inner = rest.strip_prefix('.').unwrap_or(rest);
            // A dot that is part of a name is written `\.`.
            let mut escaped = false;
            let end = inner.find(|c: char| {
                let ends = !escaped && matches!(c, '.' | '[');
                escaped = c == '\\';
                ends
            });
            let (field, after) = inner.split_at(end.unwrap_or(inner.len()));
            found = found.get(field.replace('\\', ""))?;
            rest = after;
        }
    }
    Some(found)
}

/// As kubectl tells ages: two units at most, and only one when it is long.
fn age(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let with = |much: i64, unit: &str, less: i64, smaller: &str| match less {
        0 => format!("{much}{unit}"),
        less => format!("{much}{unit}{less}{smaller}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => with(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => with(days / 365, "y", days % 365, "d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_json_path() {
        let object = json!({"spec": {"a": [{"b": 1}], "x.y": "dot"}, "status": {"conditions": [
            {"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"},
        ]}});
        assert_eq!(at(&object, ".spec.a[0].b"), Some(&json!(1)));
        assert_eq!(at(&object, r".spec.x\.y"), Some(&json!("dot")));
        assert_eq!(at(&object, r#".status.conditions[?(@.type=="Ready")].status"#), Some(&json!("True")));
        assert_eq!(at(&object, ".spec.gone"), None);
    }

    #[test]
    fn ages_are_told_as_kubectl_tells_them() {
        let told = [5, 119, 125, 599, 700, 10_800, 11_000, 100_000, 180_000, 700_000, 70_000_000].map(age);
        assert_eq!(told, ["5s", "119s", "2m5s", "9m59s", "11m", "3h", "3h3m", "27h", "2d2h", "8d", "2y80d"]);
    }
}
