//! What the API server was asked, from its own audit log.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use crate::Error;

/// Everything is logged, at the level that has no bodies; no stage is left out, so that both ends of a request are known.
pub(crate) const POLICY: &str =
    r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}"#;

/// The audit log of a control plane. Nothing is lost or delayed in it: the server writes that it received a request before it does
/// anything about it. That a request is complete may be written a moment after the client has its answer.
#[derive(Clone, Debug)]
pub struct Audit {
    path: PathBuf,
}

/// One request that the API server received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEvent {
    /// Who asked.
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; of other paths the HTTP method in lower case.
    pub verb: String,
    /// The resource's plural name; empty for paths such as `/readyz`.
    pub resource: String,
    /// Such as `status`; empty for the resource itself.
    pub subresource: String,
    /// Its API group; empty for the core group.
    pub group: String,
    /// Empty for what has none, and for requests over all namespaces.
    pub namespace: String,
    /// Empty for lists and watches.
    pub name: String,
    /// Path and query.
    pub uri: String,
    /// The HTTP status; `None` as long as nothing was answered. A watch has one as soon as it runs.
    pub code: Option<u16>,
    /// When the server received it.
    pub received: Timestamp,
    /// When the answer was complete; `None` as long as it is not, also of a watch that runs.
    pub completed: Option<Timestamp>,
    /// What the client calls itself.
    pub user_agent: String,
}

impl AuditEvent {
    /// Whether it asked for a change: anything but get, list and watch.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch" | "head" | "options")
    }
}

impl Audit {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// All requests so far, in the order in which they were received, those of the server's own clients too (users `system:…`).
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn requests(&self) -> Result<Vec<AuditEvent>, Error> {
        let text = fs::read_to_string(&self.path).map_err(Error::io(format!("read {}", self.path.display())))?;
        // What follows the last line feed is being written just now.
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut requests: HashMap<String, AuditEvent> = HashMap::new();
        for (index, line) in complete.lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|source| Error::AuditLine {
                path: self.path.clone(),
                line: index + 1,
                source,
            })?;
            match requests.get_mut(&line.audit_id) {
                Some(request) => line.add_to(request),
                None => {
                    let (id, request) = line.into_request();
                    requests.insert(id, request);
                }
            }
        }
        let mut requests: Vec<AuditEvent> = requests.into_values().collect();
        requests.sort_by_key(|request| request.received);
        Ok(requests)
    }

    /// All requests of one user, in the order in which they were received.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn requests_of(&self, user: &str) -> Result<Vec<AuditEvent>, Error> {
        let mut requests = self.requests()?;
        requests.retain(|request| request.user == user);
        Ok(requests)
    }
}

/// One line: one stage of one request, <https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(rename = "auditID")]
    audit_id: String,
    stage: Stage,
    #[serde(rename = "requestURI")]
    request_uri: String,
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: ObjectRef,
    response_status: Option<ResponseStatus>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum Stage {
    RequestReceived,
    ResponseStarted,
    ResponseComplete,
    Panic,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    api_group: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl Line {
    fn into_request(self) -> (String, AuditEvent) {
        let mut request = AuditEvent {
            user: self.user.username.clone(),
            verb: self.verb.clone(),
            resource: self.object_ref.resource.clone(),
            subresource: self.object_ref.subresource.clone(),
            group: self.object_ref.api_group.clone(),
            namespace: self.object_ref.namespace.clone(),
            name: self.object_ref.name.clone(),
            uri: self.request_uri.clone(),
            code: None,
            received: self.request_received_timestamp,
            completed: None,
            user_agent: self.user_agent.clone(),
        };
        let id = self.audit_id.clone();
        self.add_to(&mut request);
        (id, request)
    }

    /// A later stage knows more: the answer, and the name of what a create made.
    fn add_to(self, request: &mut AuditEvent) {
        if let Some(status) = self.response_status {
            request.code = Some(status.code);
        }
        if matches!(self.stage, Stage::ResponseComplete | Stage::Panic) {
            request.completed = Some(self.stage_timestamp);
        }
        if !self.object_ref.name.is_empty() {
            request.name = self.object_ref.name;
        }
    }
}
