//! Kinds that are served in several versions or groups, all from one table.
//!
//! Versions of a custom kind differ in `apiVersion` and in what their schemas know: conversion by a webhook is refused when the CRD is
//! registered. Events are stored as those of the core group. Of other kinds one version is served, the rest is refused by name.

use std::sync::Arc;

use serde_json::Value;

use super::crd::{self, StoredAs};
use super::resources::Kind;
use super::status::Status;
use super::store::Object;
use super::{events, secrets};

/// What the objects of a kind need to become those of its table, and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conversion {
    None,
    /// Another `apiVersion`, another schema.
    Version,
    Events,
}

fn conversion(kind: &Kind) -> Conversion {
    match &kind.custom {
        Some(custom) if custom.stored_as.is_some() => Conversion::Version,
        Some(_) => Conversion::None,
        None if kind.is(events::GROUP, "events") => Conversion::Events,
        None => Conversion::None,
    }
}

/// The table that the objects of `plural` in `group` lie in, if it is that of another group.
pub(crate) fn table_of_other(group: &str, plural: &str) -> Option<&'static str> {
    (group == events::GROUP && plural == "events").then_some("events")
}

/// Refuses what would have to be converted in a way that is not there, rather than to answer wrongly.
pub(crate) fn supported(kind: &Kind) -> Result<(), Status> {
    if kind.is("autoscaling", "horizontalpodautoscalers") && kind.version == "v1" {
        return Err(Status::unsupported("HorizontalPodAutoscalers of autoscaling/v1: use those of autoscaling/v2"));
    }
    Ok(())
}

/// A stored object as one of this kind; itself if it is one.
pub(crate) fn shown(kind: &Kind, object: &Arc<Object>) -> Arc<Object> {
    changed(kind, object).map_or_else(|| object.clone(), Arc::new)
}

/// A stored object as one of this kind, if it is not one as it is.
pub(crate) fn changed(kind: &Kind, object: &Object) -> Option<Object> {
    let conversion = conversion(kind);
    if conversion == Conversion::None || object.value()["apiVersion"] == kind.api_version() {
        return None;
    }
    let mut value = match conversion {
        Conversion::Events => events::of_core(object.value()),
        _ => object.value().clone(),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), kind.api_version().into());
    }
    if conversion == Conversion::Version {
        // Defaults are those of the version that was stored.
        crd::prune(kind, &mut value);
    }
    Some(Object::new(value, object.version()))
}

/// An object of this kind as it is stored.
pub(crate) fn stored(kind: &Kind, mut value: Value) -> Value {
    if conversion(kind) == Conversion::Events {
        return events::to_core(&value);
    }
    if let (Some(stored_as), Some(fields)) = (stored_as(kind), value.as_object_mut()) {
        fields.insert("apiVersion".to_owned(), stored_as.api_version.clone().into());
    }
    value
}

/// What is left of an object of this kind once it is stored, if that is less than all of it.
pub(crate) fn kept(kind: &Kind, value: &Value) -> Option<Value> {
    let stored_as = stored_as(kind).filter(|stored_as| stored_as.api_version != kind.api_version())?;
    let mut kept = value.clone();
    stored_as.prune(&mut kept);
    Some(kept)
}

fn stored_as(kind: &Kind) -> Option<&StoredAs> {
    kind.custom.as_ref()?.stored_as.as_deref()
}

/// What a kind's objects show even where it was not set.
pub(crate) fn complete(kind: &Kind, value: &mut Value) {
    let Some(fields) = value.as_object_mut() else { return };
    if events::is_events(kind) {
        events::complete(kind, fields);
    } else if kind.is("", "secrets") {
        secrets::complete(fields);
    }
}
