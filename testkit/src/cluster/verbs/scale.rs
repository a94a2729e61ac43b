//! The scale subresource: the replicas of whatever has some, in the same words for all.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, metadata, write};
use crate::cluster::request::Request;
use crate::cluster::selectors;
use crate::cluster::state::State;
use crate::cluster::status::Status;
use crate::cluster::store::Object;

/// Where a kind keeps its replicas, as JSON pointers.
struct Paths {
    wished: String,
    actual: String,
    selector: Option<String>,
}

fn paths(request: &Request) -> Paths {
    let custom = request.kind.custom.as_ref().and_then(|custom| custom.scale.as_ref());
    let path = |field: &str| custom.and_then(|scale| scale[field].as_str()).map(|path| path.replace('.', "/"));
    Paths {
        wished: path("specReplicasPath").unwrap_or_else(|| "/spec/replicas".to_owned()),
        actual: path("statusReplicasPath").unwrap_or_else(|| "/status/replicas".to_owned()),
        selector: path("labelSelectorPath"),
    }
}

/// The scale of an object.
pub(super) fn of(request: &Request, live: &Object) -> Result<Value, Status> {
    let Paths { wished, actual, selector } = paths(request);
    let value = live.value();
    let number = |path: &str| value.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = live.metadata(field) {
            metadata[field] = value.clone();
        }
    }
    let mut status = json!({"replicas": number(&actual)});
    let selector = match selector {
        Some(path) => value.pointer(&path).and_then(Value::as_str).map(str::to_owned),
        None if request.kind.custom.is_some() => None,
        None => Some(selectors::of_object(&value["spec"]["selector"])),
    };
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        status["selector"] = selector.into();
    }
    let mut scale =
        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": {}, "status": status});
    let wished = number(&wished);
    if wished != 0 {
        scale["spec"]["replicas"] = wished.into();
    }
    Ok(scale)
}

pub(super) fn save(state: &mut State, request: &Request, live: &Arc<Object>, scale: &Value) -> Result<Answer, Status> {
    let Paths { wished, .. } = paths(request);
    let mut new = live.value().clone();
    let said = scale["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    let version = if said.is_empty() { live.version().to_string() } else { said.to_owned() };
    metadata::metadata(&mut new)?.insert("resourceVersion".to_owned(), version.into());
    let mut place = &mut new;
    for part in wished.split('/').filter(|part| !part.is_empty()) {
        place = metadata::object(place)?.entry(part).or_insert_with(|| json!({}));
    }
    *place = json!(scale["spec"]["replicas"].as_i64().unwrap_or(0));
    match write::save(state, request, live, new)? {
        Answer::Stored(code, object) => Ok(Answer::Made(code, of(request, &object)?)),
        other => Ok(other),
    }
}
