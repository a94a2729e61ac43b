//! OpenAPI v3: which paths there are, and what objects are made of. As much of it as clients go by: no descriptions, no answers.

mod schemas;
mod v2;

use std::collections::BTreeMap;

use http::Response;
use http::request::Parts;
use serde_json::{Map, Value, json};

pub(crate) use self::v2::document as document_v2;
use super::answer;
use super::body::ResponseBody;
use super::media::accepts_json;
use super::resources::{self, Kind, Resources};

/// Where each group and version is described.
pub(crate) fn index(resources: &Resources) -> Response<ResponseBody> {
    let paths: Map<String, Value> = resources
        .all()
        .iter()
        .map(|kind| place(kind))
        .map(|place| (place.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{place}")})))
        .collect();
    answer::json(200, &json!({ "paths": paths }))
}

/// The document of one group and version: `place` is what its paths begin with, such as `apis/apps/v1`.
pub(crate) fn document(parts: &Parts, place: &str, resources: &Resources) -> Response<ResponseBody> {
    let kinds: Vec<&Kind> =
        resources.all().iter().map(|kind| &**kind).filter(|kind| self::place(kind) == place).collect();
    if kinds.is_empty() {
        return answer::nothing(404);
    }
    if !accepts_json(&parts.headers) {
        return answer::nothing(406);
    }
    let paths: BTreeMap<String, Value> = kinds.iter().flat_map(|kind| paths(kind)).collect();
    answer::json(
        200,
        &json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": resources::version().git_version},
            "paths": paths,
            "components": {"schemas": schemas::of(&kinds)},
        }),
    )
}

fn place(kind: &Kind) -> String {
    let root = if kind.group.is_empty() { "api" } else { "apis" };
    format!("{root}/{}", kind.api_version())
}

/// What can be done at the paths of a kind.
fn paths(kind: &Kind) -> Vec<(String, Value)> {
    let namespace = if kind.namespaced { "namespaces/{namespace}/" } else { "" };
    let all = format!("/{}/{namespace}{}", place(kind), kind.plural);
    let one = format!("{all}/{{name}}");
    let own = (kind.group.as_str(), kind.version.as_str(), kind.kind.as_str());
    let mut paths = vec![
        (
            all,
            operations(kind, own, &kind.verbs, &[("list", "get"), ("create", "post"), ("deletecollection", "delete")]),
        ),
        (one.clone(), operations(kind, own, &kind.verbs, &OF_ONE)),
    ];
    paths.extend(kind.subresources.iter().map(|(name, sub)| {
        let of = (sub.group.as_str(), sub.version.as_str(), sub.kind.as_str());
        (format!("{one}/{name}"), operations(kind, of, &sub.verbs, &OF_ONE))
    }));
    paths.retain(|(_, operations)| operations.as_object().is_some_and(|operations| !operations.is_empty()));
    paths
}

/// Verbs, and the methods that they are asked by.
const OF_ONE: [(&str, &str); 4] = [("get", "get"), ("update", "put"), ("patch", "patch"), ("delete", "delete")];

fn operations(
    kind: &Kind,
    (group, version, name): (&str, &str, &str),
    verbs: &[String],
    methods: &[(&str, &str)],
) -> Value {
    let there = methods.iter().filter(|(verb, _)| verbs.iter().any(|known| known == verb));
    let operation = |(verb, method): &(&str, &str)| {
        let parameters: Vec<Value> = parameters(verb).iter().map(|name| parameter(name)).collect();
        let mut operation = json!({
            "parameters": parameters,
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": verb,
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": name},
        });
        if *verb == "patch" {
            let content: Map<String, Value> = patches(kind).map(|media| (media.to_owned(), json!({}))).collect();
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        ((*method).to_owned(), operation)
    };
    there.map(operation).collect::<Map<String, Value>>().into()
}

/// What may stand in the query. Clients look here whether they may ask for a dry run, or to have fields validated.
fn parameters(verb: &str) -> &'static [&'static str] {
    match verb {
        "create" | "update" => &["dryRun", "fieldManager", "fieldValidation"],
        "patch" => &["dryRun", "fieldManager", "fieldValidation", "force"],
        "delete" => &["dryRun", "gracePeriodSeconds", "propagationPolicy"],
        _ => &[],
    }
}

fn parameter(name: &str) -> Value {
    let of = match name {
        "force" => "boolean",
        "gracePeriodSeconds" => "integer",
        _ => "string",
    };
    json!({"name": name, "in": "query", "schema": {"type": of, "uniqueItems": true}})
}

fn patches(kind: &Kind) -> impl Iterator<Item = &'static str> {
    let strategic = kind.custom.is_none().then_some("application/strategic-merge-patch+json");
    ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
        .into_iter()
        .chain(strategic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_says_what_may_be_asked_of_it() {
        let resources = Resources::default();
        let of = |group, version, plural| paths(resources.find(group, version, plural).unwrap());
        let paths: BTreeMap<String, Value> = of("apps", "v1", "deployments").into_iter().collect();
        let patch = &paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
        assert_eq!(
            patch["x-kubernetes-group-version-kind"],
            json!({"group": "apps", "version": "v1", "kind": "Deployment"})
        );
        let names: Vec<_> =
            patch["parameters"].as_array().unwrap().iter().map(|parameter| &parameter["name"]).collect();
        assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
        let scale = &paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["patch"];
        assert_eq!(scale["x-kubernetes-group-version-kind"]["kind"], "Scale");
        assert!(
            of("authorization.k8s.io", "v1", "subjectaccessreviews").iter().all(|(path, _)| !path.ends_with("{name}"))
        );
    }
}
