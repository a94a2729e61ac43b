//! `cargo xtask builtin-kinds`: what a real server knows of its built-in kinds, as data for the in-memory cluster.
//!
//! Names, scopes, verbs and subresources come from discovery; fields, list keys and merge keys from OpenAPI v3.

mod server;
mod types;

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value, json};

use self::server::Server;
use self::types::Types;
use crate::error::Error;
use crate::workspace;

/// Writes `testkit/src/cluster/builtin.json`.
pub(crate) fn run() -> Result<(), Error> {
    let server = Server::start()?;
    let mut types = Types::default();
    let mut resources = Vec::new();
    for path in group_versions(&server)? {
        let group_version = GroupVersion::read(&server, &path)?;
        types.add(&group_version.open_api);
        resources.extend(group_version.resources());
    }
    for resource in &mut resources {
        let gvk = ["group", "version", "kind"].map(|field| text(&resource[field]).to_owned());
        if let Some(name) = types.of_kind(&gvk) {
            resource["type"] = types::short(&name).into();
        }
    }
    let types = types.reachable(resources.iter().filter_map(|resource| resource["type"].as_str()));
    let version = server.get("/version")?;
    let file = written(&version, &resources, &types);
    let path = workspace::root().join("testkit").join("src").join("cluster").join("builtin.json");
    fs::write(&path, file).map_err(Error::io(format!("write {}", path.display())))?;
    println!("{}: {} resources, {} types", path.display(), resources.len(), types.len());
    Ok(())
}

/// The paths of all groups and versions, in the order of discovery.
fn group_versions(server: &Server) -> Result<Vec<String>, Error> {
    let groups = server.get("/apis")?;
    let versions = list(&groups["groups"]).flat_map(|group| list(&group["versions"]));
    let paths = versions.map(|version| format!("apis/{}", text(&version["groupVersion"])));
    Ok(std::iter::once("api/v1".to_owned()).chain(paths).collect())
}

/// What the server tells of one of them.
struct GroupVersion {
    group: String,
    version: String,
    discovery: Value,
    open_api: Value,
}

impl GroupVersion {
    fn read(server: &Server, path: &str) -> Result<Self, Error> {
        let mut parts = path.split('/').skip(1).map(str::to_owned);
        let (first, second) = (parts.next().unwrap_or_default(), parts.next());
        let (group, version) = second.map_or((String::new(), first.clone()), |version| (first, version));
        let discovery = server.get(&format!("/{path}"))?;
        Ok(Self { group, version, discovery, open_api: server.get(&format!("/openapi/v3/{path}"))? })
    }

    fn resources(&self) -> Vec<Value> {
        let whole = list(&self.discovery["resources"]).filter(|resource| !text(&resource["name"]).contains('/'));
        whole.map(|resource| self.resource(resource)).collect()
    }

    fn resource(&self, told: &Value) -> Value {
        let plural = text(&told["name"]);
        let mut resource = json!({
            "group": self.group, "version": self.version, "kind": told["kind"], "plural": plural,
            "singular": told["singularName"], "namespaced": told["namespaced"], "verbs": told["verbs"],
        });
        for optional in ["shortNames", "categories"] {
            if told[optional].is_array() {
                resource[optional] = told[optional].clone();
            }
        }
        let subresources: Map<String, Value> = list(&self.discovery["resources"])
            .filter_map(|other| {
                let (owner, name) = text(&other["name"]).split_once('/')?;
                (owner == plural).then(|| (name.to_owned(), self.subresource(other)))
            })
            .collect();
        if !subresources.is_empty() {
            resource["subresources"] = Value::Object(subresources);
        }
        resource
    }

    fn subresource(&self, told: &Value) -> Value {
        let or_ours = |field: &str, ours: &str| told[field].as_str().unwrap_or(ours).to_owned();
        json!({
            "group": or_ours("group", &self.group), "version": or_ours("version", &self.version),
            "kind": told["kind"], "verbs": told["verbs"],
        })
    }
}

/// One line a resource and a type, so that a newer server's differences can be read.
fn written(version: &Value, resources: &[Value], types: &BTreeMap<String, Value>) -> String {
    let version = json!({"gitVersion": version["gitVersion"], "major": version["major"], "minor": version["minor"]});
    let resources: Vec<String> = resources.iter().map(Value::to_string).collect();
    let types: Vec<String> = types.iter().map(|(name, fields)| format!("{}:{fields}", json!(name))).collect();
    let (resources, types) = (resources.join(",\n"), types.join(",\n"));
    format!("{{\"version\":{version},\n\"resources\":[\n{resources}\n],\n\"types\":{{\n{types}\n}}}}\n")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
