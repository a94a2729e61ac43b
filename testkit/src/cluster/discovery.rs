//! What is not objects: version, health, and which groups, versions and resources there are.

use std::collections::BTreeMap;

use http::request::Parts;
use http::{HeaderValue, Method, Response, header};
use serde_json::{Value, json};

use super::answer;
use super::body::ResponseBody;
use super::openapi;
use super::resources::{self, Kind, Resources, Version};
use super::status::Status;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

pub(crate) fn answer(parts: &Parts, resources: &Resources) -> Response<ResponseBody> {
    let path = parts.uri.path().trim_matches('/');
    if parts.method != Method::GET {
        return answer::no_such_path();
    }
    let aggregated = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let aggregated =
        aggregated.is_some_and(|accept| accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2;"));
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        ["version"] => answer::json(200, &version()),
        ["healthz" | "livez" | "readyz", ..] => text("ok"),
        ["api" | "apis"] if aggregated => aggregated_answer(path, resources),
        ["api"] => {
            let address = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}]);
            answer::json(
                200,
                &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address}),
            )
        }
        ["apis"] => {
            let groups: Vec<Value> = groups(resources).iter().map(|(name, versions)| group(name, versions)).collect();
            answer::json(200, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        ["apis", name] => match groups(resources).iter().find(|(group, _)| group == name) {
            Some((name, versions)) => {
                let mut found = group(name, versions);
                found["kind"] = "APIGroup".into();
                found["apiVersion"] = "v1".into();
                answer::json(200, &found)
            }
            None => answer::no_such_path(),
        },
        ["api", version] => resource_list("", version, resources),
        ["apis", group, version] => resource_list(group, version, resources),
        ["openapi", "v3"] => openapi::index(resources),
        ["openapi", "v3", place @ ..] => openapi::document(parts, &place.join("/"), resources),
        ["openapi", "v2"] => openapi::document_v2(parts),
        _ => answer::no_such_path(),
    }
}

fn version() -> Value {
    let Version { git_version, major, minor } = resources::version();
    json!({
        "major": major, "minor": minor, "gitVersion": git_version, "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "", "platform": "memory",
    })
}

fn text(text: &'static str) -> Response<ResponseBody> {
    let mut response = answer::whole(200, text.into());
    let media = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

/// All but the core group, with their versions, the preferred one first.
fn groups(resources: &Resources) -> Vec<(&str, Vec<&str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for kind in resources.all().iter().filter(|kind| !kind.group.is_empty()) {
        match groups.iter_mut().find(|(name, _)| *name == kind.group) {
            Some((_, versions)) if versions.contains(&kind.version.as_str()) => {}
            Some((_, versions)) => versions.push(&kind.version),
            None => groups.push((&kind.group, vec![&kind.version])),
        }
    }
    for (_, versions) in &mut groups {
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    }
    groups
}

/// Stable versions before beta before alpha, higher numbers first.
fn rank(version: &str) -> (u8, u32, u32) {
    let number = |text: &str| text.parse().unwrap_or(0);
    let rest = version.trim_start_matches('v');
    match (rest.split_once("beta"), rest.split_once("alpha")) {
        (Some((major, minor)), _) => (1, number(major), number(minor)),
        (_, Some((major, minor))) => (0, number(major), number(minor)),
        _ => (2, number(rest), 0),
    }
}

fn group(name: &str, versions: &[&str]) -> Value {
    let version = |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let all: Vec<Value> = versions.iter().map(version).collect();
    json!({"name": name, "preferredVersion": all.first(), "versions": all})
}

fn resource_list(group: &str, version: &str, resources: &Resources) -> Response<ResponseBody> {
    let kinds: Vec<&Kind> = of_version(resources, group, version).collect();
    let Some(first) = kinds.first() else {
        return if resources.has_built_in(group) {
            answer::of_status(&Status::no_such_resource())
        } else {
            answer::no_such_path()
        };
    };
    let mut list = Vec::new();
    for kind in &kinds {
        let mut resource = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind, "verbs": kind.verbs,
        });
        if !kind.short_names.is_empty() {
            resource["shortNames"] = json!(kind.short_names);
        }
        if !kind.categories.is_empty() {
            resource["categories"] = json!(kind.categories);
        }
        list.push(resource);
        for (name, sub) in &kind.subresources {
            let mut resource = json!({
                "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced, "kind": sub.kind,
                "verbs": sub.verbs,
            });
            if (sub.group.as_str(), sub.version.as_str()) != (group, version) {
                resource["group"] = sub.group.clone().into();
                resource["version"] = sub.version.clone().into();
            }
            list.push(resource);
        }
    }
    let mut all = json!({"kind": "APIResourceList", "groupVersion": first.api_version(), "resources": list});
    if !group.is_empty() {
        // Of the core group it is left out.
        all["apiVersion"] = "v1".into();
    }
    answer::json(200, &all)
}

fn of_version<'a>(resources: &'a Resources, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Kind> {
    let all = resources.all().iter().map(|kind| &**kind);
    all.filter(move |kind| kind.group == group && kind.version == version)
}

/// All at once, as newer clients ask for it.
fn aggregated_answer(path: &str, resources: &Resources) -> Response<ResponseBody> {
    let groups = if path == "api" { vec![("", vec!["v1"])] } else { groups(resources) };
    let items: Vec<Value> = groups
        .into_iter()
        .map(|(group, versions)| {
            let version = |version: &&str| {
                let kinds: Vec<Value> = of_version(resources, group, version).map(aggregated_resource).collect();
                json!({"version": version, "freshness": "Current", "resources": kinds})
            };
            let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions.iter().map(version).collect::<Vec<_>>()})
        })
        .collect();
    let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    let mut response = answer::json(200, &list);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(AGGREGATED));
    response
}

fn aggregated_resource(kind: &Kind) -> Value {
    let response_kind =
        |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let subresources: BTreeMap<&str, Value> = kind
        .subresources
        .iter()
        .map(|(name, sub)| {
            let told = json!({
                "subresource": name, "responseKind": response_kind(&sub.group, &sub.version, &sub.kind), "verbs": sub.verbs,
            });
            (name.as_str(), told)
        })
        .collect();
    let mut resource = json!({
        "resource": kind.plural, "responseKind": response_kind(&kind.group, &kind.version, &kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" }, "singularResource": kind.singular, "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        resource["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        resource["categories"] = json!(kind.categories);
    }
    if !subresources.is_empty() {
        resource["subresources"] = subresources.into_values().collect();
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_versions_are_preferred() {
        let mut versions = ["v1beta1", "v1", "v2alpha1", "v2", "v1beta2"];
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
        assert_eq!(versions, ["v2", "v1", "v1beta2", "v1beta1", "v2alpha1"]);
    }
}
