//! Which media the bodies of requests and answers are of: content negotiation.

use http::{HeaderMap, Method, header};

use super::request::{PatchKind, Verb};
use super::resources::Kind;
use super::status::Status;

/// What kubectl says then: some of its commands, such as `kubectl create namespace`, write nothing else.
const NO_PROTOBUF: &str = "the in-memory cluster reads application/json and application/yaml, not application/vnd.kubernetes.protobuf; \
    with kubectl, write what you create as YAML, and use `create -f` or `apply --server-side -f`";

/// What an object or a list of them is given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Whole,
    /// `kubectl get`'s rows.
    Table,
    /// Nothing but its metadata.
    Metadata,
}

/// How a body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Yaml,
}

fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

pub(super) fn patch_kind(headers: &HeaderMap, kind: &Kind) -> Result<PatchKind, Status> {
    match content_type(headers) {
        "application/json-patch+json" => Ok(PatchKind::Json),
        "application/merge-patch+json" => Ok(PatchKind::Merge),
        "application/strategic-merge-patch+json" if kind.custom.is_none() => Ok(PatchKind::Strategic),
        "application/apply-patch+yaml" => Ok(PatchKind::Apply),
        _ if kind.custom.is_none() => {
            Err(Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type").with_empty_details())
        }
        _ => {
            let accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            Err(unsupported_media(accepted))
        }
    }
}

pub(super) fn of_body(method: &Method, headers: &HeaderMap) -> Result<Media, Status> {
    match content_type(headers) {
        "application/yaml" => Ok(Media::Yaml),
        _ if method == Method::PATCH => Ok(Media::Json),
        "" | "application/json" | "*/*" => Ok(Media::Json),
        "application/vnd.kubernetes.protobuf" => Err(Status::new(415, "UnsupportedMediaType", NO_PROTOBUF)),
        _ => Err(unsupported_media("application/json, application/yaml, application/vnd.kubernetes.protobuf")),
    }
}

fn unsupported_media(accepted: &str) -> Status {
    let message =
        format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
    Status::new(415, "UnsupportedMediaType", message)
}

fn is_json(media: &str) -> bool {
    matches!(media, "" | "*/*" | "application/*" | "application/json")
}

/// Whether JSON is among what the client wishes.
pub(crate) fn accepts_json(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else { return true };
    accept.split(',').any(|wish| is_json(wish.split(';').next().unwrap_or_default().trim()))
}

/// The first form that we have, in the order in which the client wishes them.
pub(super) fn output(headers: &HeaderMap, kind: &Kind, verb: Verb) -> Result<Output, Status> {
    let mut unknown_form = false;
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else {
        return Ok(Output::Whole);
    };
    for wish in accept.split(',') {
        let mut parts = wish.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        if !is_json(media) {
            continue;
        }
        match parts.find_map(|part| part.strip_prefix("as=")) {
            None => return Ok(Output::Whole),
            Some("Table") => return Ok(Output::Table),
            Some("PartialObjectMetadata") if verb == Verb::List => {
                let package = match &kind.custom {
                    Some(_) => "unstructured.Unstructured".to_owned(),
                    None => format!("{}.{}", kind.internal_package(), kind.kind),
                };
                let message =
                    format!("you requested PartialObjectMetadata, but the requested object is a list (*{package}List)");
                return Err(Status::new(406, "NotAcceptable", message));
            }
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Ok(Output::Metadata),
            Some(_) => unknown_form = true,
        }
    }
    let all = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    if unknown_form {
        return Err(Status::new(406, "NotAcceptable", format!("only the following media types are accepted: {all}")));
    }
    let watches = match verb {
        Verb::List | Verb::Watch => ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
        _ => "",
    };
    let message = format!("406: Not Acceptable\n\nAvailable representations: {all}{watches}");
    Err(Status::new(406, "NotAcceptable", message).with_empty_details())
}
