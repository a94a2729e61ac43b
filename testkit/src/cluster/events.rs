//! Events: operators write those of events.k8s.io, kubectl reads those of the core group, and they are the same.
//!
//! Unlike those of other built-in kinds they are validated, as every operator writes some: the rules are those of the server's
//! `ValidateEventCreate` and `ValidateEventUpdate`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::names;
use super::resources::Kind;
use super::status::Cause;

pub(crate) const GROUP: &str = "events.k8s.io";

/// The same field in the core group and in events.k8s.io, where its name differs.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

const LONGEST_NOTE: usize = 1024;
const LONGEST_WORD: usize = 128;
const LEAST_COUNT: i64 = 2;

/// Namespaces for events about what is in no namespace.
const OF_THE_CLUSTER: [&str; 2] = ["default", "kube-system"];

pub(crate) fn is_events(kind: &Kind) -> bool {
    kind.plural == "events" && matches!(kind.group.as_str(), "" | GROUP)
}

fn is_new(kind: &Kind) -> bool {
    kind.group == GROUP
}

/// As in events.k8s.io. `apiVersion` is the caller's to set, here and below.
pub(crate) fn of_core(event: &Value) -> Value {
    let mut event = renamed(event, |name| NAMES.iter().find(|(core, _)| *core == name).map(|(_, new)| *new));
    if let Some(fields) = event.as_object_mut() {
        // The core group shows these even where they are empty.
        fields.retain(|name, value| !(name.starts_with("reporting") && *value == ""));
    }
    event
}

pub(crate) fn to_core(event: &Value) -> Value {
    let mut event = renamed(event, |name| NAMES.iter().find(|(_, new)| *new == name).map(|(core, _)| *core));
    if let Some(fields) = event.as_object_mut() {
        fields.insert("apiVersion".to_owned(), "v1".into());
        show_in_core(fields);
    }
    event
}

fn renamed(event: &Value, other: impl Fn(&str) -> Option<&'static str>) -> Value {
    let fields = event.as_object().into_iter().flatten();
    fields.map(|(name, value)| (other(name).unwrap_or(name).to_owned(), value.clone())).collect()
}

/// Fills in what is shown although it was not set.
pub(crate) fn complete(kind: &Kind, fields: &mut Map<String, Value>) {
    if is_new(kind) {
        for name in ["regarding", "deprecatedSource"] {
            fields.entry(name).or_insert_with(|| json!({}));
        }
        for name in ["eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"] {
            fields.entry(name).or_insert(Value::Null);
        }
    } else {
        show_in_core(fields);
    }
}

fn show_in_core(fields: &mut Map<String, Value>) {
    for name in ["involvedObject", "source"] {
        fields.entry(name).or_insert_with(|| json!({}));
    }
    for name in ["eventTime", "firstTimestamp", "lastTimestamp"] {
        fields.entry(name).or_insert(Value::Null);
    }
    for name in ["reportingComponent", "reportingInstance"] {
        fields.entry(name).or_insert_with(|| "".into());
    }
}

/// By which field of a stored event those of events.k8s.io can be selected.
pub(crate) fn selectable_in_core(field: &str) -> Option<String> {
    match field {
        "reason" | "type" => Some(field.to_owned()),
        "reportingController" => Some("reportingComponent".to_owned()),
        _ => {
            let part = field.strip_prefix("regarding.")?;
            let known = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];
            known.contains(&part).then(|| format!("involvedObject.{part}"))
        }
    }
}

/// What is wrong with an event that is created, or is to replace `old`; both as they are stored.
pub(crate) fn validate(kind: &Kind, event: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = of_any_age(kind, event);
    if !is_new(kind) {
        return causes;
    }
    match old {
        None => {
            causes.extend(series(event));
            causes.extend(of_new(event));
        }
        Some(old) => {
            if event["series"] != old["series"] {
                causes.extend(series(event));
            }
            causes.extend(changed(event, old));
        }
    }
    causes
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_default()
}

fn of_any_age(kind: &Kind, event: &Value) -> Vec<Cause> {
    let about = text(&event["involvedObject"], "namespace");
    let namespace = text(&event["metadata"], "namespace");
    let elsewhere = || Cause::invalid("involvedObject.namespace", &json!(about), "does not match event.namespace");
    if event["eventTime"].is_null() {
        let fits = if about.is_empty() { matches!(namespace, "" | "default") } else { about == namespace };
        return if fits { Vec::new() } else { vec![elsewhere()] };
    }
    let mut causes = Vec::new();
    if about.is_empty() && !OF_THE_CLUSTER.contains(&namespace) {
        causes.push(elsewhere());
    }
    let reporter = if is_new(kind) { "reportingController" } else { "reportingComponent" };
    let name = text(event, "reportingComponent");
    if name.is_empty() {
        causes.push(Cause::required(reporter, ""));
    }
    causes.extend(names::not_qualified(name).iter().map(|why| Cause::invalid(reporter, &json!(name), why)));
    for field in ["reportingInstance", "action", "reason"] {
        if text(event, field).is_empty() {
            causes.push(Cause::required(field, ""));
        }
        causes.extend(too_long(event, field, LONGEST_WORD));
    }
    causes.extend(too_long(event, "message", LONGEST_NOTE));
    causes
}

fn too_long(event: &Value, field: &str, most: usize) -> Option<Cause> {
    let why = format!("can have at most {most} characters");
    (text(event, field).len() > most).then(|| Cause::invalid(field, &json!(""), &why))
}

fn series(event: &Value) -> Vec<Cause> {
    let series = &event["series"];
    let mut causes = Vec::new();
    if series.is_null() {
        return causes;
    }
    if series["count"].as_i64().unwrap_or(0) < LEAST_COUNT {
        causes.push(Cause::invalid("series.count", &json!(""), "should be at least 2"));
    }
    if series["lastObservedTime"].is_null() {
        causes.push(Cause::required("series.lastObservedTime", ""));
    }
    causes
}

fn of_new(event: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if event["eventTime"].is_null() {
        causes.push(Cause::required("eventTime", ""));
    }
    let kind = text(event, "type");
    if !matches!(kind, "Normal" | "Warning") {
        causes.push(Cause::invalid("type", &json!(""), &format!("has invalid value: {kind}")));
    }
    let source = &event["source"];
    let is_set = |field: &&&str| match **field {
        "count" => event["count"].as_i64().unwrap_or(0) != 0,
        "source" => !text(source, "component").is_empty() || !text(source, "host").is_empty(),
        field => !event[field].is_null(),
    };
    let unset = ["firstTimestamp", "lastTimestamp", "count", "source"];
    causes.extend(unset.iter().filter(is_set).map(|field| Cause::invalid(*field, &json!(""), "needs to be unset")));
    causes
}

/// What happened stays; only how often may change.
fn changed(event: &Value, old: &Value) -> Vec<Cause> {
    const STAY: [&str; 13] = [
        "involvedObject",
        "reason",
        "message",
        "source",
        "firstTimestamp",
        "lastTimestamp",
        "count",
        "reason",
        "type",
        "action",
        "related",
        "reportingComponent",
        "reportingInstance",
    ];
    let told = |field: &str, value: &Value| {
        let name = if field == "reportingComponent" { "reportingController" } else { field };
        Cause::invalid(name, value, "field is immutable")
    };
    let mut causes: Vec<Cause> =
        STAY.iter().filter(|field| event[**field] != old[**field]).map(|field| told(field, &event[*field])).collect();
    let time = |event: &Value| event["eventTime"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    if time(event) != time(old) {
        causes.push(told("eventTime", &event["eventTime"]));
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_goes_to_the_core_group_and_back() {
        let event = json!({"apiVersion": "events.k8s.io/v1", "note": "n", "regarding": {"name": "x"}, "reportingController": "c",
            "reportingInstance": "i", "deprecatedSource": {}, "eventTime": "2025-01-01T00:00:00.000000Z",
            "deprecatedFirstTimestamp": null, "deprecatedLastTimestamp": null});
        let core = to_core(&event);
        assert_eq!(
            (&core["message"], &core["involvedObject"], &core["apiVersion"]),
            (&json!("n"), &json!({"name": "x"}), &json!("v1"))
        );
        let mut back = of_core(&core);
        back["apiVersion"] = "events.k8s.io/v1".into();
        assert_eq!(back, event);
    }

    #[test]
    fn what_happened_stays() {
        let event = json!({"reason": "A", "series": {"count": 2, "lastObservedTime": "t"}, "eventTime": "2025-01-01T00:00:00.5Z"});
        let mut new = event.clone();
        new["eventTime"] = "2025-01-01T00:00:00.500000Z".into();
        assert_eq!(changed(&new, &event), []);
        new["reason"] = "B".into();
        assert_eq!(changed(&new, &event).len(), 2, "the server looks at the reason twice");
    }
}
