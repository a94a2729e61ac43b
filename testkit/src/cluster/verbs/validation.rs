//! What every object's metadata must hold to.

use serde_json::{Value, json};

use crate::cluster::names::{self, LABEL_LENGTH, SUBDOMAIN, is_label};
use crate::cluster::resources::Kind;
use crate::cluster::status::Cause;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an \
    alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and \
    end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

const NO_FINALIZER: &str = "name is neither a standard finalizer name nor is it fully qualified";

/// Finalizers that need no domain.
const STANDARD_FINALIZERS: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];

const SUBDOMAIN_LENGTH: usize = 253;

/// The name of a new object.
pub(super) fn name(kind: &Kind, name: &str) -> Vec<Cause> {
    let cause = |why: &str| vec![Cause::invalid("metadata.name", &json!(name), why)];
    if name.is_empty() {
        return vec![Cause::required("metadata.name", "name or generateName is required")];
    }
    let (length, rule, holds): (usize, &str, bool) = match (kind.group.as_str(), kind.plural.as_str()) {
        // Roles have names such as `system:node`: whatever can be part of a path.
        ("rbac.authorization.k8s.io", _) => {
            return match name {
                "." | ".." => cause(&format!("may not be '{name}'")),
                _ if name.contains('/') => cause("may not contain '/'"),
                _ if name.contains('%') => cause("may not contain '%'"),
                _ => Vec::new(),
            };
        }
        ("", "namespaces") => (LABEL_LENGTH, LABEL, is_label(name)),
        ("", "services") => {
            (LABEL_LENGTH, LABEL_1035, is_label(name) && name.starts_with(|first: char| first.is_ascii_lowercase()))
        }
        _ => (SUBDOMAIN_LENGTH, SUBDOMAIN, name.split('.').all(is_label)),
    };
    if name.len() > length {
        return cause(&format!("must be no more than {length} characters"));
    }
    if holds { Vec::new() } else { cause(rule) }
}

/// Labels, annotations, finalizers and owners.
pub(super) fn metadata(kind: &Kind, object: &Value) -> Vec<Cause> {
    let metadata = &object["metadata"];
    let mut causes = Vec::new();
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        causes.extend(qualified_name("metadata.labels", key));
        let wrong = names::no_label_value(value.as_str().unwrap_or_default());
        causes.extend(wrong.map(|why| Cause::invalid("metadata.labels", value, why)));
    }
    for (key, _) in metadata["annotations"].as_object().into_iter().flatten() {
        causes.extend(qualified_name("metadata.annotations", &key.to_lowercase()));
    }
    let finalizers = metadata["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for (index, finalizer) in finalizers.enumerate() {
        causes.extend(qualified_name("metadata.finalizers", finalizer));
        if kind.custom.is_none() && !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer) {
            let field = format!("metadata.finalizers[{index}]");
            causes.push(Cause::invalid(field, &json!(finalizer), NO_FINALIZER));
        }
    }
    for owner in metadata["ownerReferences"].as_array().into_iter().flatten() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let why = if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                causes.push(Cause::invalid(format!("metadata.ownerReferences.{field}"), &json!(""), why));
            }
        }
    }
    let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
    let controllers: Vec<&Value> = owners.filter(|owner| owner["controller"] == true).collect();
    if let [one, another, ..] = controllers.as_slice() {
        let why = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
            text(&one["kind"]),
            text(&one["name"]),
            text(&another["kind"]),
            text(&another["name"]),
        );
        causes.push(Cause::invalid("metadata.ownerReferences", &metadata["ownerReferences"], &why));
    }
    causes
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn qualified_name(field: &str, name: &str) -> Vec<Cause> {
    names::not_qualified(name).into_iter().map(|why| Cause::invalid(field, &json!(name), &why)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::resources::Resources;
    use super::*;

    fn told(plural: &str, wished: &str) -> Vec<Cause> {
        name(Resources::default().find("", "v1", plural).unwrap(), wished)
    }

    #[test]
    fn names_hold_to_the_rule_of_their_kind() {
        assert!(told("configmaps", "a.b-c.1").is_empty());
        assert!(told("configmaps", "X_y")[0].message.contains("RFC 1123 subdomain"));
        assert!(told("namespaces", "a.b")[0].message.contains("RFC 1123 label"));
        assert!(told("services", "1a")[0].message.contains("DNS-1035"));
    }

    #[test]
    fn labels_hold_to_theirs() {
        let resources = Resources::default();
        let kind = resources.find("", "v1", "configmaps").unwrap();
        let labels = json!({"metadata": {"labels": {"example.com/a": "b", "A b": "1", "c": "-"}}});
        let fields: Vec<String> = metadata(kind, &labels).into_iter().map(|cause| cause.message).collect();
        assert_eq!(fields.len(), 2);
        assert!(fields[0].starts_with("Invalid value: \"A b\": name part must"));
    }
}
