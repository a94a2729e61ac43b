//! Kinds that are registered at run time.

mod admit;
mod causes;
mod established;
mod formats;
mod lists;
mod replicas;
mod structural;
mod trim;
mod validate;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::resources::{Kind, Subresource};
use super::status::{Cause, Status};

pub(crate) use self::admit::{admit, supported};
pub(crate) use self::established::{establish, terminate};

/// The group and plural of what registers kinds.
pub(crate) const GROUP: &str = "apiextensions.k8s.io";
pub(crate) const PLURAL: &str = "customresourcedefinitions";

/// What a CRD says of one version of its kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CustomKind {
    /// `spec.versions[].schema.openAPIV3Schema`.
    pub(crate) schema: Value,
    /// `spec.versions[].additionalPrinterColumns`.
    pub(crate) columns: Vec<Value>,
    /// Below `spec.versions[].subresources.scale`.
    pub(crate) scale: Option<Value>,
    /// `spec.versions[].selectableFields`.
    pub(crate) selectable: Vec<String>,
    /// Whether this version is the one that objects are stored as.
    pub(crate) storage: bool,
    pub(crate) list_kind: String,
    /// What objects of another version become when they are stored, if this is one of several.
    pub(crate) stored_as: Option<Arc<StoredAs>>,
}

/// The version that objects of a kind are stored as.
#[derive(Debug, PartialEq)]
pub(crate) struct StoredAs {
    pub(crate) api_version: String,
    schema: Value,
}

/// The kinds that a CRD serves, one for each served version.
pub(crate) fn register(crd: &Value) -> Result<Vec<Kind>, Status> {
    let spec = &crd["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<String>>();
    let names = &spec["names"];
    let group = text(&spec["group"]);
    let versions = spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true);
    let stored_as = stored_as(spec).map(Arc::new);
    let kinds = versions.map(|version| {
        let subresource = |(name, kind, group, at): (&str, &str, &str, &str)| {
            let verbs = ["get", "patch", "update"].map(str::to_owned).to_vec();
            let sub = Subresource { group: group.into(), version: at.into(), kind: kind.into(), verbs };
            (name.to_owned(), sub)
        };
        let (kind, name) = (text(&names["kind"]), text(&version["name"]));
        let mut subresources: BTreeMap<String, Subresource> = BTreeMap::new();
        if version["subresources"]["status"].is_object() {
            subresources.extend([subresource(("status", &kind, &group, &name))]);
        }
        if version["subresources"]["scale"].is_object() {
            subresources.extend([subresource(("scale", "Scale", "autoscaling", "v1"))]);
        }
        let custom = CustomKind {
            schema: version["schema"]["openAPIV3Schema"].clone(),
            columns: version["additionalPrinterColumns"].as_array().cloned().unwrap_or_default(),
            scale: version["subresources"].get("scale").cloned(),
            selectable: version["selectableFields"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|field| text(&field["jsonPath"]))
                .collect(),
            storage: version["storage"] == true,
            stored_as: stored_as.clone(),
            list_kind: names["listKind"].as_str().map_or_else(|| format!("{kind}List"), str::to_owned),
        };
        let verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
        let singular = names["singular"].as_str().map_or_else(|| kind.to_lowercase(), str::to_owned);
        Kind {
            group: group.clone(),
            version: name,
            plural: text(&names["plural"]),
            singular,
            short_names: texts(&names["shortNames"]),
            categories: texts(&names["categories"]),
            namespaced: spec["scope"] == "Namespaced",
            verbs: verbs.map(str::to_owned).to_vec(),
            subresources,
            type_name: None,
            custom: Some(custom.into()),
            kind,
            ..Kind::default()
        }
        .finished()
    });
    Ok(kinds.collect())
}

fn stored_as(spec: &Value) -> Option<StoredAs> {
    let versions = spec["versions"].as_array().filter(|versions| versions.len() > 1)?;
    let storage = versions.iter().find(|version| version["storage"] == true)?;
    let api_version = format!("{}/{}", spec["group"].as_str()?, storage["name"].as_str()?);
    Some(StoredAs { api_version, schema: storage["schema"]["openAPIV3Schema"].clone() })
}

impl StoredAs {
    /// Takes out what the version that is stored does not know.
    pub(crate) fn prune(&self, object: &mut Value) {
        trim::prune(&self.schema, object);
    }
}

/// Fills in the defaults of the schema.
pub(crate) fn default(kind: &Kind, object: &mut Value) {
    if let Some(custom) = &kind.custom {
        trim::default(&custom.schema, object);
    }
}

/// Takes out what the schema does not know. Gives the paths of what went, for `fieldValidation`.
pub(crate) fn prune(kind: &Kind, object: &mut Value) -> Vec<String> {
    kind.custom.as_ref().map_or_else(Vec::new, |custom| trim::prune(&custom.schema, object))
}

/// Holds an object against the schema; `old` is the one that it is to replace. Of a write to the status, only that is looked at, and what
/// is wrong is told from there.
pub(crate) fn validate(
    kind: &Kind,
    object: &Value,
    old: Option<&Value>,
    subresource: Option<&str>,
) -> Result<(), Vec<Cause>> {
    let Some(custom) = &kind.custom else { return Ok(()) };
    let mut found = if subresource == Some("status") {
        let schema = &custom.schema["properties"]["status"];
        let of_status = object
            .get("status")
            .map(|status| validate::validate(schema, status, old.and_then(|old| old.get("status"))));
        of_status.into_iter().flatten().map(|cause| causes::below("status", cause)).collect()
    } else {
        validate::validate(&custom.schema, object, old)
    };
    let of_lists = lists::validate(&custom.schema, object, "");
    // An object that was wrong in this before may stay so.
    if old.is_none_or(|old| lists::validate(&custom.schema, old, "").is_empty()) {
        found.extend(of_lists);
    }
    if let Some(scale) = &custom.scale {
        found.extend(replicas::validate(scale, object, subresource == Some("status")));
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

#[cfg(test)]
mod tests;
