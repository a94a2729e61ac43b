//! A CRD that is created or changed: what the server fills in, and what it refuses.

use serde_json::{Map, Value, json};

use super::{formats, structural};
use crate::cluster::status::{Cause, Status};

const DNS_LABEL: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// Checks a CRD that is created, or is to replace `old`, and fills in what the server fills in.
pub(crate) fn admit(crd: &mut Value, old: Option<&Value>) -> Result<(), Vec<Cause>> {
    fill_in(crd);
    let mut found = Vec::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, plural) = (text(&crd["spec"]["group"]), text(&crd["spec"]["names"]["plural"]));
    let name = &crd["metadata"]["name"];
    if text(name) != format!("{plural}.{group}") {
        found.push(Cause::invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
    }
    spec(&crd["spec"], &mut found);
    stored_versions(crd, &mut found);
    if let Some(old) = old {
        immutable(crd, old, &mut found);
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Whether a CRD asks for nothing that can't be had here; rules only if somebody evaluates them, or they are left aside.
pub(crate) fn supported(crd: &Value, leaves_rules_unevaluated: bool) -> Result<(), Status> {
    if crd["spec"]["conversion"]["strategy"] == "Webhook" {
        return Err(Status::unsupported("conversion of custom resources by a webhook"));
    }
    let mut found = None;
    for version in crd["spec"]["versions"].as_array().into_iter().flatten() {
        let schema = &version["schema"]["openAPIV3Schema"];
        look_for_formats(schema, &mut found);
        if !leaves_rules_unevaluated {
            let at = format!("version {}", version["name"].as_str().unwrap_or_default());
            look_for_rules(schema, &at, &mut found);
        }
    }
    found.map_or(Ok(()), |what| Err(Status::unsupported(what)))
}

fn look_for_rules(schema: &Value, at: &str, found: &mut Option<String>) {
    let Some(rule) = schema["x-kubernetes-validations"].as_array().and_then(|rules| rules.first()) else {
        return each_below(schema, |inner, name| look_for_rules(inner, &format!("{at}, {name}"), found));
    };
    let rule = rule["rule"].as_str().unwrap_or_default();
    found.get_or_insert_with(|| {
        format!(
            "CEL rules of custom resources (x-kubernetes-validations): {rule:?} at {at}; \
             Cluster::leave_rules_unevaluated() takes them without evaluating them"
        )
    });
}

fn look_for_formats(schema: &Value, found: &mut Option<String>) {
    if let Some(format) = schema["format"].as_str().filter(|format| formats::is_unsupported(format)) {
        found.get_or_insert_with(|| format!("the format {format:?} of custom resources' fields"));
    }
    each_below(schema, |inner, _| look_for_formats(inner, found));
}

fn each_below(schema: &Value, mut each: impl FnMut(&Value, &str)) {
    match schema {
        Value::Object(fields) => {
            fields.iter().filter(|(_, value)| !value.is_string()).for_each(|(name, value)| each(value, name));
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, "[]")),
        _ => {}
    }
}

fn fill_in(crd: &mut Value) {
    let Some(spec) = crd["spec"].as_object_mut() else { return };
    if let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut put = |name: &str, value: String| {
            if names.get(name).and_then(Value::as_str).unwrap_or_default().is_empty() && !kind.is_empty() {
                names.insert(name.to_owned(), value.into());
            }
        };
        put("singular", kind.to_lowercase());
        put("listKind", format!("{kind}List"));
    }
    spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
    let storage = storage_version(spec);
    let Some(crd) = crd.as_object_mut() else { return };
    let status = crd.entry("status").or_insert_with(|| Value::Object(Map::new()));
    if !status.is_object() {
        *status = json!({});
    }
    if let Some(status) = status.as_object_mut() {
        status.entry("conditions").or_insert(Value::Null);
        status.entry("acceptedNames").or_insert_with(|| json!({"plural": "", "kind": ""}));
        if let Some(storage) = storage {
            let mut stored = status.get("storedVersions").and_then(Value::as_array).cloned().unwrap_or_default();
            if !stored.contains(&storage) {
                stored.push(storage);
            }
            status.insert("storedVersions".to_owned(), Value::Array(stored));
        }
    }
}

fn storage_version(spec: &Map<String, Value>) -> Option<Value> {
    let versions = spec.get("versions")?.as_array()?;
    versions.iter().find(|version| version["storage"] == true).map(|version| version["name"].clone())
}

fn spec(spec: &Value, found: &mut Vec<Cause>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if text(&spec["group"]).is_empty() {
        found.push(Cause::required("spec.group", ""));
    } else if !text(&spec["group"]).contains('.') {
        let why = "should be a domain with at least one dot";
        found.push(Cause::invalid("spec.group", &spec["group"], why));
    }
    match text(&spec["scope"]).as_str() {
        "Namespaced" | "Cluster" => {}
        "" => found.push(Cause::required("spec.scope", "")),
        _ => {
            let allowed = ["Cluster", "Namespaced"].map(Value::from);
            found.push(super::causes::not_supported("spec.scope", &spec["scope"], &allowed));
        }
    }
    if spec["preserveUnknownFields"] == true {
        let why =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        found.push(Cause::invalid("spec.preserveUnknownFields", &true.into(), why));
    }
    let versions: Vec<Value> = spec["versions"].as_array().cloned().unwrap_or_default();
    one_storage_version(&versions, found);
    schemas(&versions, found);
    for (index, version) in versions.iter().enumerate() {
        let at =
            |what: &str| if all_same(&versions, what) { "spec".to_owned() } else { format!("spec.versions[{index}]") };
        if index == 0 || !all_same(&versions, "subresources") {
            scale(&version["subresources"]["scale"], &at("subresources"), found);
        }
        if index == 0 || !all_same(&versions, "additionalPrinterColumns") {
            columns(&version["additionalPrinterColumns"], &at("additionalPrinterColumns"), found);
        }
    }
    names(&spec["names"], found);
}

/// What all versions have in common, the server holds once for all of them.
fn all_same(versions: &[Value], what: &str) -> bool {
    versions.iter().all(|version| version[what] == versions[0][what])
}

fn one_storage_version(versions: &[Value], found: &mut Vec<Cause>) {
    let shown: Vec<String> = versions.iter().map(shown_version).collect();
    let wrong = |why: &str| {
        let message = format!("Invalid value: [{}]: {why}", shown.join(","));
        Cause { reason: "FieldValueInvalid", message, field: "spec.versions".to_owned() }
    };
    let mut names: Vec<String> = versions.iter().map(|version| version["name"].to_string()).collect();
    names.sort();
    names.dedup();
    if names.len() < versions.len() {
        found.push(wrong("must contain unique version names"));
    }
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        found.push(wrong("must have exactly one version marked as storage version"));
    }
}

/// As the server's own type has it, where what all versions have in common lies elsewhere.
fn shown_version(version: &Value) -> String {
    let truth = |name: &str| version[name] == true;
    format!(
        r#"{{"Name":{},"Served":{},"Storage":{},"Deprecated":{},"DeprecationWarning":{},"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}}"#,
        version["name"],
        truth("served"),
        truth("storage"),
        truth("deprecated"),
        version["deprecationWarning"],
    )
}

fn schemas(versions: &[Value], found: &mut Vec<Cause>) {
    let is_shared = !versions.is_empty() && all_same(versions, "schema");
    for (index, version) in versions.iter().enumerate() {
        let schema = &version["schema"]["openAPIV3Schema"];
        if !schema.is_object() {
            found.push(Cause::required(format!("spec.versions[{index}].schema.openAPIV3Schema"), ""));
        } else if !is_shared {
            found.extend(structural::check(schema, &format!("spec.versions[{index}].schema.openAPIV3Schema")));
        } else if index == 0 {
            found.extend(structural::check(schema, "spec.validation.openAPIV3Schema"));
        }
    }
}

fn scale(scale: &Value, at: &str, found: &mut Vec<Cause>) {
    if !scale.is_object() {
        return;
    }
    for (name, below) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
        let field = format!("{at}.subresources.scale.{name}");
        match scale[name].as_str().unwrap_or_default() {
            "" => found.push(Cause::required(field, "")),
            path if !path.starts_with(below) => {
                let why = format!("should be a json path under {}", below.trim_end_matches('.'));
                found.push(Cause::invalid(field, &path.into(), &why));
            }
            _ => {}
        }
    }
}

fn columns(columns: &Value, at: &str, found: &mut Vec<Cause>) {
    for (index, column) in columns.as_array().into_iter().flatten().enumerate() {
        let field = |name: &str| format!("{at}.additionalPrinterColumns[{index}].{name}");
        let text = |name: &str| column[name].as_str().unwrap_or_default();
        let allowed = format!("must be one of {}", COLUMN_TYPES.join(","));
        if text("name").is_empty() {
            found.push(Cause::required(field("name"), ""));
        }
        if text("type").is_empty() {
            found.push(Cause::required(field("type"), &allowed));
        } else if !COLUMN_TYPES.contains(&text("type")) {
            found.push(Cause::invalid(field("type"), &column["type"], &allowed));
        }
        if text("jsonPath").is_empty() {
            found.push(Cause::required(field("JSONPath"), ""));
        }
    }
}

fn names(names: &Value, found: &mut Vec<Cause>) {
    let text = |name: &str| names[name].as_str().unwrap_or_default();
    for name in ["plural", "singular", "kind", "listKind"] {
        if text(name).is_empty() {
            found.push(Cause::required(format!("spec.names.{name}"), ""));
        }
    }
    for name in ["plural", "singular", "kind", "listKind"].into_iter().filter(|name| !text(name).is_empty()) {
        let any_case = name.to_lowercase().contains("kind");
        label(&format!("spec.names.{name}"), text(name), any_case, found);
    }
    for list in ["shortNames", "categories"] {
        for (index, name) in names[list].as_array().into_iter().flatten().filter_map(Value::as_str).enumerate() {
            label(&format!("spec.names.{list}[{index}]"), name, false, found);
        }
    }
    if !text("kind").is_empty() && text("kind") == text("listKind") {
        found.push(Cause::invalid("spec.names.listKind", &names["listKind"], "kind and listKind may not be the same"));
    }
}

fn label(field: &str, name: &str, any_case: bool, found: &mut Vec<Cause>) {
    let is_label = |name: &str| {
        name.len() <= 63 && formats::pattern_of(&format!("^{DNS_LABEL}$")).is_ok_and(|pattern| pattern.is_match(name))
    };
    if is_label(&if any_case { name.to_lowercase() } else { name.to_owned() }) {
        return;
    }
    let case = if any_case { "may have mixed case, but should otherwise match: " } else { "" };
    let why = format!(
        "{case}a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, \
         and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{DNS_LABEL}')"
    );
    found.push(Cause::invalid(field, &name.into(), &why));
}

fn stored_versions(crd: &Value, found: &mut Vec<Cause>) {
    let stored = crd["status"]["storedVersions"].as_array();
    if stored.is_none_or(Vec::is_empty) {
        found.push(Cause::invalid("status.storedVersions", &Value::Null, "must have at least one stored version"));
    }
    let known =
        |name: &Value| crd["spec"]["versions"].as_array().into_iter().flatten().any(|version| version["name"] == *name);
    for (index, name) in stored.into_iter().flatten().enumerate().filter(|(_, name)| !known(name)) {
        let shown = name.as_str().unwrap_or_default();
        let why = format!(
            "missing from spec.versions; {shown} was previously a storage version, and must remain in spec.versions until a \
             storage migration ensures no data remains persisted in {shown} and removes {shown} from status.storedVersions"
        );
        found.push(Cause::invalid(format!("status.storedVersions[{index}]"), name, &why));
    }
}

/// What cannot change once the kind is served.
fn immutable(crd: &Value, old: &Value, found: &mut Vec<Cause>) {
    let conditions = old["status"]["conditions"].as_array();
    let established = conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
    let each = [
        ("group", "/spec/group", true),
        ("scope", "/spec/scope", established),
        ("names.kind", "/spec/names/kind", established),
        ("names.plural", "/spec/names/plural", true),
    ];
    for (field, pointer, is_fixed) in each {
        let (new, old) = (crd.pointer(pointer).unwrap_or(&Value::Null), old.pointer(pointer).unwrap_or(&Value::Null));
        if is_fixed && new != old {
            let field = format!("spec.{field}");
            // What the name of the CRD tells as well is told once.
            found.retain(|cause| cause.field != "metadata.name");
            found.push(Cause::invalid(field, new, "field is immutable"));
        }
    }
}
