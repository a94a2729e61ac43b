//! What the server shows of its own kinds, after its `pkg/printers/internalversion/printers.go`. Where that shows a default, so does this: built-in
//! objects are not defaulted here.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{age, pods};
use crate::cluster::selectors;

/// Name, type, priority (1: only when asked for more), and what its cells are.
pub(super) type Column = (&'static str, &'static str, i64, fn(&Value, Timestamp) -> Value);

pub(super) const NAME: Column = ("Name", "string", 0, |object, _| object["metadata"]["name"].clone());
const AGE: Column = ("Age", "string", 0, |object, now| age::since(&object["metadata"]["creationTimestamp"], now));
const CREATED_AT: Column = ("Created At", "date", 0, |object, _| object["metadata"]["creationTimestamp"].clone());
const CONTAINERS: Column = ("Containers", "string", 1, |object, _| of_containers(object, "name"));
const IMAGES: Column = ("Images", "string", 1, |object, _| of_containers(object, "image"));
const SELECTOR: Column = ("Selector", "string", 1, |object, _| {
    let selector = selectors::of_object(&object["spec"]["selector"]);
    if selector.is_empty() { "<none>".into() } else { selector.into() }
});
const READY_OF_REPLICAS: Column = ("Ready", "string", 0, |object, _| {
    let wished = object["spec"]["replicas"].as_i64().unwrap_or(1);
    format!("{}/{wished}", number(&object["status"]["readyReplicas"])).into()
});

/// All of a resource, such as `deployments.apps`. Of those that are not known here, name and age.
pub(super) fn columns(resource: &str) -> Vec<Column> {
    match resource {
        "configmaps" => vec![
            NAME,
            ("Data", "string", 0, |object, _| (length(&object["data"]) + length(&object["binaryData"])).into()),
            AGE,
        ],
        "secrets" => vec![
            NAME,
            ("Type", "string", 0, |object, _| or(&object["type"], "Opaque")),
            ("Data", "string", 0, |object, _| length(&object["data"]).into()),
            AGE,
        ],
        "namespaces" => vec![NAME, ("Status", "string", 0, |object, _| or(&object["status"]["phase"], "")), AGE],
        "leases.coordination.k8s.io" => {
            vec![NAME, ("Holder", "string", 0, |object, _| or(&object["spec"]["holderIdentity"], "")), AGE]
        }
        "customresourcedefinitions.apiextensions.k8s.io"
        | "roles.rbac.authorization.k8s.io"
        | "clusterroles.rbac.authorization.k8s.io" => vec![NAME, CREATED_AT],
        "events" | "events.events.k8s.io" => EVENTS.to_vec(),
        "pods" => [&[NAME], pods::COLUMNS.as_slice(), &[AGE], pods::WIDE.as_slice()].concat(),
        "services" => SERVICES.to_vec(),
        "deployments.apps" => DEPLOYMENTS.to_vec(),
        "replicasets.apps" | "replicationcontrollers" => REPLICA_SETS.to_vec(),
        "statefulsets.apps" => vec![NAME, READY_OF_REPLICAS, AGE, CONTAINERS, IMAGES],
        "daemonsets.apps" => DAEMON_SETS.to_vec(),
        "jobs.batch" => JOBS.to_vec(),
        _ => vec![NAME, AGE],
    }
}

const DEPLOYMENTS: [Column; 8] = [
    NAME,
    READY_OF_REPLICAS,
    ("Up-to-date", "string", 0, |object, _| number(&object["status"]["updatedReplicas"]).into()),
    ("Available", "string", 0, |object, _| number(&object["status"]["availableReplicas"]).into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const REPLICA_SETS: [Column; 8] = [
    NAME,
    ("Desired", "integer", 0, |object, _| object["spec"]["replicas"].as_i64().unwrap_or(1).into()),
    ("Current", "integer", 0, |object, _| number(&object["status"]["replicas"]).into()),
    ("Ready", "integer", 0, |object, _| number(&object["status"]["readyReplicas"]).into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const DAEMON_SETS: [Column; 11] = [
    NAME,
    ("Desired", "integer", 0, |object, _| number(&object["status"]["desiredNumberScheduled"]).into()),
    ("Current", "integer", 0, |object, _| number(&object["status"]["currentNumberScheduled"]).into()),
    ("Ready", "integer", 0, |object, _| number(&object["status"]["numberReady"]).into()),
    ("Up-to-date", "integer", 0, |object, _| number(&object["status"]["updatedNumberScheduled"]).into()),
    ("Available", "integer", 0, |object, _| number(&object["status"]["numberAvailable"]).into()),
    ("Node Selector", "string", 0, |object, _| labels(&object["spec"]["template"]["spec"]["nodeSelector"])),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const JOBS: [Column; 8] = [
    NAME,
    ("Status", "string", 0, |object, _| job_status(object).into()),
    ("Completions", "string", 0, |object, _| {
        let done = number(&object["status"]["succeeded"]);
        let spec = &object["spec"];
        match (spec["completions"].as_i64(), spec["parallelism"].as_i64()) {
            (Some(wished), _) => format!("{done}/{wished}").into(),
            (None, Some(at_once @ 2..)) => format!("{done}/1 of {at_once}").into(),
            _ => format!("{done}/1").into(),
        }
    }),
    ("Duration", "string", 0, |object, now| {
        let time = |field: &str| object["status"][field].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let end = time("completionTime").unwrap_or(now);
        time("startTime").map_or_else(|| "".into(), |start| age::of_seconds(end.duration_since(start).as_secs()).into())
    }),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const SERVICES: [Column; 7] = [
    NAME,
    ("Type", "string", 0, |object, _| or(&object["spec"]["type"], "ClusterIP")),
    ("Cluster-IP", "string", 0, |object, _| or(&object["spec"]["clusterIP"], "<none>")),
    ("External-IP", "string", 0, |object, _| external_address(object).into()),
    ("Port(s)", "string", 0, |object, _| {
        let ports = items(&object["spec"]["ports"]).map(|port| {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            match port["nodePort"].as_i64() {
                Some(of_node) => format!("{}:{of_node}/{protocol}", number(&port["port"])),
                None => format!("{}/{protocol}", number(&port["port"])),
            }
        });
        or_none(&ports.collect::<Vec<_>>())
    }),
    AGE,
    ("Selector", "string", 1, |object, _| labels(&object["spec"]["selector"])),
];

const EVENTS: [Column; 10] = [
    ("Last Seen", "string", 0, |event, now| {
        let times = [&event["series"]["lastObservedTime"], &event["lastTimestamp"], &event["deprecatedLastTimestamp"]];
        let last = times.into_iter().find(|time| time.is_string());
        last.map_or_else(|| first_seen(event, now), |time| age::since(time, now))
    }),
    ("Type", "string", 0, |event, _| or(&event["type"], "")),
    ("Reason", "string", 0, |event, _| or(&event["reason"], "")),
    ("Object", "string", 0, |event, _| {
        let about = about(event);
        let kind = about["kind"].as_str().unwrap_or_default().to_lowercase();
        about["name"].as_str().map_or_else(|| kind.clone(), |name| format!("{kind}/{name}")).into()
    }),
    ("Subobject", "string", 1, |event, _| or(&about(event)["fieldPath"], "")),
    ("Source", "string", 1, |event, _| {
        let source = if event["source"].is_object() { &event["source"] } else { &event["deprecatedSource"] };
        let text = |first: &Value, second: &Value| first.as_str().or(second.as_str()).unwrap_or_default().to_owned();
        // The older name of the reporter, and the newer.
        let component = text(&source["component"], text_of(event, ["reportingComponent", "reportingController"]));
        let instance = text(&source["host"], &event["reportingInstance"]);
        if instance.is_empty() { component.into() } else { format!("{component}, {instance}").into() }
    }),
    ("Message", "string", 0, |event, _| text_of(event, ["message", "note"]).as_str().unwrap_or_default().trim().into()),
    ("First Seen", "string", 1, first_seen),
    ("Count", "string", 1, |event, _| {
        let counts = [&event["series"]["count"], &event["count"], &event["deprecatedCount"]];
        counts.into_iter().filter_map(Value::as_i64).find(|count| *count != 0).unwrap_or(1).into()
    }),
    ("Name", "string", 1, |event, _| event["metadata"]["name"].clone()),
];

/// What an event is about, in the words of either group.
fn about(event: &Value) -> &Value {
    text_of(event, ["involvedObject", "regarding"])
}

fn first_seen(event: &Value, now: Timestamp) -> Value {
    let times = [&event["firstTimestamp"], &event["deprecatedFirstTimestamp"], &event["eventTime"]];
    age::since(times.into_iter().find(|time| time.is_string()).unwrap_or(&Value::Null), now)
}

/// The field that is there.
fn text_of<'a>(object: &'a Value, [one, other]: [&str; 2]) -> &'a Value {
    if object[one].is_null() { &object[other] } else { &object[one] }
}

fn job_status(job: &Value) -> &'static str {
    let is = |wanted: &str| {
        items(&job["status"]["conditions"])
            .any(|condition| condition["type"] == wanted && condition["status"] == "True")
    };
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if job["metadata"]["deletionTimestamp"].is_string() => "Terminating",
        () if is("Suspended") => "Suspended",
        () if is("FailureTarget") => "FailureTarget",
        () if is("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn external_address(service: &Value) -> String {
    let spec = &service["spec"];
    let outside = items(&spec["externalIPs"]).filter_map(Value::as_str);
    let balancers = items(&service["status"]["loadBalancer"]["ingress"])
        .filter_map(|ingress| ingress["ip"].as_str().or(ingress["hostname"].as_str()));
    let (addresses, none): (Vec<&str>, _) = match spec["type"].as_str() {
        Some("ExternalName") => return spec["externalName"].as_str().unwrap_or_default().to_owned(),
        Some("LoadBalancer") => (balancers.chain(outside).collect(), "<pending>"),
        _ => (outside.collect(), "<none>"),
    };
    if addresses.is_empty() { none.to_owned() } else { addresses.join(",") }
}

fn of_containers(object: &Value, field: &str) -> Value {
    let containers = items(&object["spec"]["template"]["spec"]["containers"]);
    containers.map(|container| container[field].as_str().unwrap_or_default()).collect::<Vec<_>>().join(",").into()
}

fn labels(labels: &Value) -> Value {
    let labels = labels.as_object().into_iter().flatten();
    let texts = labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
    or_none(&texts.collect::<Vec<_>>())
}

fn or_none(texts: &[String]) -> Value {
    if texts.is_empty() { "<none>".into() } else { texts.join(",").into() }
}

pub(super) fn items(list: &Value) -> impl DoubleEndedIterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

pub(super) fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// A text, or what is shown where there is none.
pub(super) fn or(value: &Value, none: &str) -> Value {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or(none).into()
}

fn length(map: &Value) -> usize {
    map.as_object().map_or(0, Map::len)
}
