//! The base's `kustomization.yaml`.

use serde_json::{Value, json};

use super::Options;
use super::deployment::settings_name;

pub(super) const KUSTOMIZATION: &str = "kustomization.yaml";

/// All files of the base. The ConfigMap is made by kustomize, which puts a hash into its name: new settings are new pods.
pub(super) fn base(resources: &[&str], options: &Options) -> Value {
    let files: Vec<&str> = options.settings.iter().map(|file| file.name.as_str()).collect();
    let mut kustomization = kustomization(resources);
    kustomization["configMapGenerator"] = json!([generator(options, &files)]);
    kustomization
}

pub(super) fn kustomization(resources: &[&str]) -> Value {
    json!({ "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": resources })
}

pub(super) fn generator(options: &Options, files: &[&str]) -> Value {
    json!({ "name": settings_name(options), "namespace": options.namespace, "files": files })
}
