//! The cases, by topic.

mod apply;
mod conflicts;
mod crds;
mod discovery;
mod events;
mod finalizers;
mod gc;
mod kubectl_apply;
mod kubectl_delete;
mod kubectl_get;
mod kubectl_tables;
mod kubectl_wait;
mod kubectl_write;
mod paging;
mod patches;
mod scale;
mod schema;
mod selectors;
mod status;
mod strategic;
mod things;
mod verbs;
mod watch;

use serde_json::{Value, json};

use crate::case::Case;

/// The resource that most cases use: it has no defaults, no status and no generation.
const CONFIG_MAPS: &str = "/api/v1/namespaces/$ns/configmaps";

pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [
        verbs::CASES,
        conflicts::CASES,
        patches::CASES,
        strategic::CASES,
        apply::CASES,
        watch::CASES,
        selectors::CASES,
        paging::CASES,
        finalizers::CASES,
        gc::CASES,
        status::CASES,
        scale::CASES,
        schema::CASES,
        crds::CASES,
        events::CASES,
        discovery::CASES,
        kubectl_get::CASES,
        kubectl_tables::CASES,
        kubectl_apply::CASES,
        kubectl_write::CASES,
        kubectl_delete::CASES,
        kubectl_wait::CASES,
    ]
    .into_iter()
    .flatten()
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": "1"}})
}

/// `object` with one field set: `path` as a JSON pointer, whose last part may be new.
fn with(mut object: Value, path: &str, value: impl Into<Value>) -> Value {
    let (parent, field) = path.rsplit_once('/').unwrap_or_default();
    let parent = object.pointer_mut(parent).expect("a case's object has the parent of what it sets");
    parent[field] = value.into();
    object
}
