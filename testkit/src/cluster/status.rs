//! The API's own errors: a `Status` with code, reason, message and details as the real server gives them.

use serde_json::{Map, Value, json};

use super::convert;
use super::resources::Kind;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    details: Map<String, Value>,
    shows_details: bool,
    /// With which a list may go on.
    continue_token: Option<String>,
}

/// One field that is wrong, of an object that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Such as `FieldValueRequired`.
    pub(crate) reason: &'static str,
    /// Without the field.
    pub(crate) message: String,
    /// Such as `spec.replicas`.
    pub(crate) field: String,
}

impl Status {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let shows_details = matches!(code, 404 | 405);
        Self { code, reason, message: message.into(), details: Map::new(), shows_details, continue_token: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", kind.resource())).about(kind, name)
    }

    pub(crate) fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} {name:?} already exists", kind.resource())).about(kind, name)
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, why: impl AsRef<str>) -> Self {
        let why = why.as_ref();
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// As the server says it where it knows the kind, not the resource.
    pub(crate) fn conflict_of_kind(kind: &Kind, name: &str, why: &str) -> Self {
        let group_kind = kind.group_kind();
        let message = format!("Operation cannot be fulfilled on {group_kind} {name:?}: {why}");
        Self::new(409, "Conflict", message).about(kind, name).with_detail("kind", kind.kind.clone())
    }

    /// What Go's own errors end as: no reason, no details.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(crate) fn forbidden(kind: &Kind, name: &str, why: impl AsRef<str>) -> Self {
        let message = format!("{} {name:?} is forbidden: {}", kind.resource(), why.as_ref());
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    /// An object that was understood but is wrong, with every field that is.
    pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let status = Self::invalid_as(&kind.stored_group_kind(), name, causes).about(kind, name);
        let mut status = status.with_detail("kind", kind.kind.clone());
        if convert::table_of_other(&kind.group, &kind.plural).is_some() {
            // It is checked as what it is stored as.
            status.details.remove("group");
        }
        status
    }

    /// As [`invalid`](Self::invalid), where the server names the resource.
    pub(crate) fn invalid_resource(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        Self::invalid_as(kind.resource(), name, causes).about(kind, name)
    }

    /// A scale that is wrong, of whatever kind.
    pub(crate) fn invalid_scale(name: &str, causes: &[Cause]) -> Self {
        let status = Self::invalid_as("Scale.autoscaling", name, causes).with_detail("name", name);
        status.with_detail("group", "autoscaling").with_detail("kind", "Scale")
    }

    /// What was asked with is wrong, such as `PatchOptions`.
    pub(crate) fn invalid_options(options: &str, causes: &[Cause]) -> Self {
        let status = Self::invalid_as(&format!("{options}.meta.k8s.io"), "", causes);
        status.with_detail("group", "meta.k8s.io").with_detail("kind", options)
    }

    fn invalid_as(what: &str, name: &str, causes: &[Cause]) -> Self {
        let mut told: Vec<String> = Vec::new();
        for Cause { field, message, .. } in causes {
            let text = format!("{field}: {message}");
            // The message tells each but once.
            if !told.contains(&text) {
                told.push(text);
            }
        }
        let told = match told.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut status = Self::new(422, "Invalid", format!("{what} {name:?} is invalid: {told}"));
        let causes = causes
            .iter()
            .map(|Cause { reason, message, field }| json!({"reason": reason, "message": message, "field": field}));
        status.details.insert("causes".to_owned(), causes.collect());
        status
    }

    /// A part of the real API that this one does not have. Told rather than answered wrongly.
    pub(crate) fn unsupported(what: impl AsRef<str>) -> Self {
        Self::new(501, "NotImplemented", format!("the in-memory cluster does not support {}", what.as_ref()))
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    /// Of what can be listed only.
    pub(crate) fn watch_not_supported(kind: &Kind) -> Self {
        let message = format!("watch is not supported on resources of kind {:?}", kind.resource());
        Self::new(405, "MethodNotAllowed", message).about(kind, "")
    }

    pub(crate) fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// A body of more than `limit` bytes.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {limit}"))
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// Shows `details` although nothing is in it.
    #[must_use]
    pub(crate) fn with_empty_details(mut self) -> Self {
        self.shows_details = true;
        self
    }

    #[must_use]
    pub(crate) fn with_continue(mut self, token: String) -> Self {
        self.continue_token = Some(token);
        self
    }

    /// Adds to `details`.
    #[must_use]
    pub(crate) fn with_detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    fn about(self, kind: &Kind, name: &str) -> Self {
        let status = if name.is_empty() { self } else { self.with_detail("name", name) };
        let status = if kind.group.is_empty() { status } else { status.with_detail("group", kind.group.clone()) };
        status.with_detail("kind", kind.plural.clone())
    }

    pub(crate) fn to_json(&self) -> Value {
        let Self { code, reason, message, details, shows_details, continue_token } = self;
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "code": code,
        });
        if !reason.is_empty() {
            status["reason"] = (*reason).into();
        }
        if let Some(token) = continue_token {
            status["metadata"]["continue"] = token.clone().into();
        }
        if !details.is_empty() || *shows_details {
            status["details"] = Value::Object(details.clone());
        }
        status
    }
}

impl Cause {
    pub(crate) fn required(field: impl Into<String>, why: &str) -> Self {
        let message = if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
        Self { reason: "FieldValueRequired", message, field: field.into() }
    }

    pub(crate) fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self { reason: "FieldValueInvalid", message: format!("Invalid value: {value}: {why}"), field: field.into() }
    }

    /// `supported` as the server lists them: quoted, with commas between.
    pub(crate) fn not_supported(field: impl Into<String>, said: &str, supported: &str) -> Self {
        let message = format!("Unsupported value: {said:?}: supported values: {supported}");
        Self { reason: "FieldValueNotSupported", message, field: field.into() }
    }

    pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self { reason: "FieldValueForbidden", message: format!("Forbidden: {why}"), field: field.into() }
    }
}
