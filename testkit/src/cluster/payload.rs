//! The body of a request: collected, and read as the server's decoder does.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde_json::{Map, Value};

use super::body::Cut;
use super::go;
use super::media::Media;
use super::request::{PatchKind, Request, Verb};
use super::status::Status;

/// As the server limits it, in bytes.
const LONGEST_BODY: usize = 3 * 1024 * 1024;

/// A body as a whole, unless it is longer than the server takes.
pub(super) async fn collect(body: impl http_body::Body<Data = Bytes>) -> Result<Result<Bytes, Status>, Cut> {
    let mut body = pin!(body);
    let mut read = BytesMut::new();
    let mut length = 0;
    // What is too long is read nevertheless: a client that is still sending would take an answer for a break of the connection.
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Cut)?.into_data() else { continue };
        length += data.len();
        if length <= LONGEST_BODY {
            read.extend_from_slice(&data);
        }
    }
    match length {
        ..=LONGEST_BODY => Ok(Ok(read.freeze())),
        _ => Ok(Err(Status::too_large(LONGEST_BODY))),
    }
}

/// What the body says; `null` where there is none to read.
pub(super) fn read(request: &Request, body: &Bytes) -> Result<Value, Status> {
    let is_patch = matches!(request.verb, Verb::Patch(kind) if kind != PatchKind::Apply);
    let unreadable = |why: String| match request.verb {
        Verb::Patch(PatchKind::Strategic) => Status::bad_request(why),
        _ if is_patch => Status::bad_request(format!("error decoding patch: {why}")),
        Verb::Patch(_) => Status::bad_request(format!("error decoding YAML: {why}")),
        _ => {
            let why = format!("couldn't get version/kind; json parse error: {why} ({})", summary(body));
            Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): {why}",
                request.kind.kind
            ))
        }
    };
    match request.verb {
        Verb::Get | Verb::List | Verb::Watch => return Ok(Value::Null),
        Verb::Delete | Verb::DeleteCollection if body.is_empty() => return Ok(Value::Null),
        _ if body.is_empty() => return Err(unreadable("unexpected end of JSON input".to_owned())),
        _ => {}
    }
    match request.media {
        Media::Json if request.verb != Verb::Patch(PatchKind::Apply) => {
            let read = serde_json::from_slice(body).map_err(|error| match error.is_eof() {
                true => unreadable("unexpected end of JSON input".to_owned()),
                false => unreadable(error.to_string()),
            });
            // `null` is an object in which nothing is set.
            let value =
                read.map(|value: Value| if value.is_null() && !is_patch { Value::Object(Map::new()) } else { value })?;
            match no_head(&value).filter(|_| !is_patch) {
                Some(why) => Err(unreadable(why)),
                None => Ok(value),
            }
        }
        // Most YAML is JSON, which is read faster.
        _ => serde_json::from_slice(body)
            .or_else(|_| serde_saphyr::from_slice(body).map_err(|error| unreadable(error.to_string()))),
    }
}

/// Why it can't be told from an object's head what it is, in the words of the server's decoder.
fn no_head(value: &Value) -> Option<String> {
    const HEAD: &str =
        r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
    if !value.is_object() {
        return Some(format!("json: cannot unmarshal {} into Go value of type {HEAD}", go::kind_of(value)));
    }
    let field =
        ["apiVersion", "kind"].into_iter().find(|field| !matches!(value[field], Value::Null | Value::String(_)))?;
    let found = go::kind_of(&value[field]);
    Some(format!("json: cannot unmarshal {found} into Go struct field .{field} of type string"))
}

/// As much of a body as the server shows.
fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let start = &body[..body.len().min(SHOWN)];
    let shown = match start.first() {
        None => return "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(start).into_owned(),
        Some(_) => start.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if body.len() > SHOWN { format!("{shown} ...") } else { shown }
}
