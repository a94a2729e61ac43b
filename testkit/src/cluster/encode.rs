//! Objects, lists and events as the bytes of an answer, in the form that was asked for.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use super::convert;
use super::media::Output;
use super::request::Request;
use super::resources::Kind;
use super::state::State;
use super::status::Status;
use super::store::Object;
use super::table;
use super::verbs::List;

/// One object.
pub(crate) fn object(request: &Request, state: &State, object: &Object) -> Bytes {
    let mut out = BytesMut::with_capacity(object.fields_json().len() + 100);
    write_object(&mut out, request, state, object);
    out.freeze()
}

fn write_object(out: &mut BytesMut, request: &Request, state: &State, object: &Object) {
    let changed = convert::changed(&request.kind, object);
    let object = changed.as_ref().unwrap_or(object);
    match request.output {
        Output::Whole => {
            head(out, &request.kind);
            out.extend_from_slice(object.fields_json());
            out.put_u8(b'}');
        }
        Output::Metadata => {
            out.extend_from_slice(br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#);
            out.extend_from_slice(object.metadata_json());
            out.put_u8(b'}');
        }
        Output::Table => put(out, &table::of(request, state, &[object], None)),
    }
}

fn head(out: &mut BytesMut, kind: &Kind) {
    out.extend_from_slice(b"{\"kind\":\"");
    out.extend_from_slice(kind.kind.as_bytes());
    out.extend_from_slice(b"\",\"apiVersion\":\"");
    if !kind.group.is_empty() {
        out.extend_from_slice(kind.group.as_bytes());
        out.put_u8(b'/');
    }
    out.extend_from_slice(kind.version.as_bytes());
    out.put_u8(b'"');
}

fn put(out: &mut BytesMut, value: &Value) {
    out.extend_from_slice(value.to_string().as_bytes());
}

pub(crate) fn metadata_only(object: &Object) -> Value {
    let metadata = object.value()["metadata"].clone();
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

/// Joined from what each object is as JSON anyway.
pub(crate) fn list(request: &Request, state: &State, list: &List) -> Bytes {
    let mut metadata = json!({"resourceVersion": list.version.to_string()});
    if let Some(token) = &list.continue_token {
        metadata["continue"] = token.clone().into();
    } else if request.kind.custom.is_some() && request.output == Output::Whole {
        // Lists of custom resources show it always.
        metadata["continue"] = "".into();
    }
    if let Some(remaining) = list.remaining {
        metadata["remainingItemCount"] = remaining.into();
    }
    if request.output == Output::Table {
        let items: Vec<Arc<Object>> = list.items.iter().map(|item| convert::shown(&request.kind, item)).collect();
        let items: Vec<&Object> = items.iter().map(|item| &**item).collect();
        return Bytes::from(table::of(request, state, &items, Some(metadata)).to_string());
    }
    let (list_kind, api_version) = match request.output {
        Output::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
        _ => (request.kind.list_kind(), request.kind.api_version()),
    };
    let size: usize = list.items.iter().map(|object| object.fields_json().len() + 60).sum();
    let mut out = BytesMut::with_capacity(size + 200);
    let start =
        format!("{{\"kind\":\"{list_kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},\"items\":[");
    out.extend_from_slice(start.as_bytes());
    for (index, object) in list.items.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        // The server's own types leave out in lists what the list says; custom resources do not.
        if request.output == Output::Whole && request.kind.custom.is_none() {
            let object = convert::shown(&request.kind, object);
            out.put_u8(b'{');
            out.extend_from_slice(object.fields_json().get(1..).unwrap_or_default());
            out.put_u8(b'}');
        } else {
            write_object(&mut out, request, state, object);
        }
    }
    out.extend_from_slice(b"]}");
    out.freeze()
}

/// One event of a watch.
pub(crate) fn event(out: &mut BytesMut, name: &str, request: &Request, state: &State, object: &Object) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    write_object(out, request, state, object);
    out.extend_from_slice(b"}\n");
}

/// Tells a version that the client may go on from; `ends_initial` that all that was there has been sent.
pub(crate) fn bookmark(out: &mut BytesMut, request: &Request, version: u64, ends_initial: bool) {
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if ends_initial {
        metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    let kind = &request.kind;
    let object = match request.output {
        Output::Whole => json!({"kind": kind.kind, "apiVersion": kind.api_version(), "metadata": metadata}),
        Output::Metadata => {
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
        }
        Output::Table => {
            json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": [], "rows": []})
        }
    };
    put(out, &json!({"type": "BOOKMARK", "object": object}));
    out.put_u8(b'\n');
}

/// What ends a watch that has missed something.
pub(crate) fn error(out: &mut BytesMut, status: &Status) {
    put(out, &json!({"type": "ERROR", "object": status.to_json()}));
    out.put_u8(b'\n');
}
