//! Field selectors: `metadata.name=a,status.phase!=b`.

use serde_json::Value;

use crate::cluster::events;
use crate::cluster::resources::Kind;
use crate::cluster::status::Status;
use crate::cluster::store::{Key, Object};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    path: Path,
    equal: bool,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    Name,
    Namespace,
    /// Of an event: who saw it, in the old field or else in the new one.
    EventSource,
    /// A JSON pointer into the object.
    Pointer(String),
}

/// Fields of built-in kinds that can be selected by, besides name and namespace.
fn selectable(kind: &Kind) -> Option<&'static [&'static str]> {
    Some(match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => &[
            "spec.hostNetwork",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.nominatedNodeName",
            "status.phase",
            "status.podIP",
        ],
        ("", "events") => &[
            "involvedObject.apiVersion",
            "involvedObject.fieldPath",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.resourceVersion",
            "involvedObject.uid",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "secrets") => &["type"],
        ("", "namespaces") => &["status.phase"],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "replicationcontrollers") | ("apps", "replicasets") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        ("certificates.k8s.io", "certificatesigningrequests") => &["spec.signerName"],
        _ => return None,
    })
}

impl Field {
    pub(super) fn holds(&self, key: &Key, object: &Object) -> bool {
        let equal = match &self.path {
            Path::Name => key.name == self.value,
            Path::Namespace => key.namespace == self.value,
            Path::EventSource => {
                let object = object.value();
                let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
                let source = text(&object["source"]["component"]).or_else(|| text(&object["reportingComponent"]));
                source.unwrap_or_default() == self.value
            }
            Path::Pointer(pointer) => match object.value().pointer(pointer) {
                Some(Value::String(text)) => *text == self.value,
                // As the server's types show what was not set.
                Some(Value::Null) | None => matches!(self.value.as_str(), "" | "0" | "false"),
                Some(other) => {
                    let text = other.to_string();
                    text == self.value
                }
            },
        };
        equal == self.equal
    }
}

/// Reads a selector of this kind.
pub(super) fn read(kind: &Kind, text: &str) -> Result<Vec<Field>, Status> {
    let mut fields = Vec::new();
    for term in split_terms(text).into_iter().filter(|term| !term.is_empty()) {
        let invalid = || Status::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"));
        let (name, value) = term.split_once('=').ok_or_else(invalid)?;
        let (name, equal) = name.strip_suffix('!').map_or((name, true), |name| (name, false));
        let value = if equal { value.strip_prefix('=').unwrap_or(value) } else { value };
        let value = unescaped(value).map_err(|why| Status::bad_request(format!("invalid field selector: {why}")))?;
        // That no field be nothing holds of everything.
        if !(name.is_empty() && value.is_empty()) {
            fields.push(Field { path: path(kind, name)?, equal, value });
        }
    }
    Ok(fields)
}

/// At commas, unless there is a backslash before them.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|letter: char| {
        let ends = letter == ',' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    })
    .collect()
}

fn unescaped(value: &str) -> Result<String, String> {
    let mut read = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(next @ ('\\' | ',' | '=')) => read.push(next),
                Some(next) => return Err(format!("invalid escape sequence: \\{next}")),
                None => return Err("invalid escape sequence: \\".to_owned()),
            },
            ',' | '=' => return Err(format!("unescaped character in value: {}", u32::from(letter))),
            _ => read.push(letter),
        }
    }
    Ok(read)
}

fn path(kind: &Kind, name: &str) -> Result<Path, Status> {
    if kind.is(events::GROUP, "events") && !name.starts_with("metadata.") {
        let field = events::selectable_in_core(name);
        let field = field.ok_or_else(|| Status::bad_request(format!("field label not supported: {name}")))?;
        return Ok(Path::Pointer(format!("/{}", field.replace('.', "/"))));
    }
    let custom = kind
        .custom
        .as_ref()
        .is_some_and(|custom| custom.selectable.iter().any(|path| path.trim_start_matches('.') == name));
    match name {
        "metadata.name" => Ok(Path::Name),
        "metadata.namespace" if kind.namespaced || selectable(kind).is_none() => Ok(Path::Namespace),
        "source" if kind.is("", "events") => Ok(Path::EventSource),
        "status.successful" if kind.is("batch", "jobs") => Ok(Path::Pointer("/status/succeeded".to_owned())),
        name if custom || selectable(kind).is_some_and(|known| known.contains(&name)) => {
            Ok(Path::Pointer(format!("/{}", name.replace('.', "/"))))
        }
        name if kind.custom.is_some() || selectable(kind).is_some() => {
            Err(Status::bad_request(format!("field label not supported: {name}")))
        }
        name => {
            let known = r#"only "metadata.name", "metadata.namespace""#;
            Err(Status::bad_request(format!("{name:?} is not a known field selector: {known}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::resources::Resources;
    use super::super::Selector;

    #[test]
    fn fields_that_cannot_be_selected_by_are_refused() {
        let resources = Resources::default();
        let read = |plural: &str, fields: &str| {
            Selector::read(resources.find("", "v1", plural).unwrap(), "", fields).map_err(|status| status.message)
        };
        assert!(read("pods", "spec.nodeName=n,metadata.name!=x").is_ok());
        assert_eq!(read("pods", "spec.bogus=1").unwrap_err(), "field label not supported: spec.bogus");
        let known = r#""data.x" is not a known field selector: only "metadata.name", "metadata.namespace""#;
        assert_eq!(read("configmaps", "data.x=1").unwrap_err(), known);
    }
}
