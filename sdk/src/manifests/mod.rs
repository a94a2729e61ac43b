//! What a cluster needs to run an operator, from its registrations and options: CRDs, RBAC, Deployment and what goes with it, as
//! manifests for kustomize and as a Helm chart; and the Dockerfile of its image.
//!
//! Nothing here talks to a cluster. The same input gives the same text.

mod deployment;
mod dockerfile;
mod error;
mod fence;
mod files;
mod folder;
mod helm;
mod kustomize;
mod options;
mod overlay;
mod rbac;
mod rights;
mod services;
#[cfg(test)]
mod tests;
mod text;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use crate::BoxError;
use crate::controller::Registration;
use crate::crds::definitions::by_name;

pub use error::GenerateError;
pub use text::Format;

pub(crate) use dockerfile::dockerfile;
pub(crate) use files::Files;
pub(crate) use folder::{Difference, Folder};
pub(crate) use helm::chart;
pub(crate) use options::{Lock, LockKind, Options, SettingsFile};
pub(crate) use text::{json, yaml};

/// The objects of an operator, in the order in which a cluster is to get them.
#[derive(Clone, Debug)]
pub(crate) struct Manifests {
    objects: Vec<Manifest>,
    options: Options,
}

/// One object, and what its file is called.
#[derive(Clone, Debug)]
struct Manifest {
    /// Without its extension.
    file: String,
    object: Value,
}

/// The CRDs of these controllers as objects, by their names.
fn crds<S>(controllers: &[Registration<S>]) -> Result<Vec<(String, Value)>, GenerateError> {
    let crds: Vec<_> = controllers.iter().filter_map(|controller| controller.crd.clone()).collect();
    by_name(&crds)?.into_values().map(object).collect()
}

fn object(crd: &CustomResourceDefinition) -> Result<(String, Value), GenerateError> {
    let name = crd.metadata.name.clone().unwrap_or_default();
    let object = serde_json::to_value(crd).map_err(BoxError::from).map_err(GenerateError::serialize(&name))?;
    Ok((name, object))
}

impl Manifests {
    /// Those of an operator with these controllers.
    ///
    /// # Errors
    /// If two controllers bring different definitions of one kind.
    pub(crate) fn of<S>(controllers: &[Registration<S>], options: Options) -> Result<Self, GenerateError> {
        let mut objects = Vec::new();
        if options.own_namespace {
            objects.push(namespace(&options));
        }
        let of_lock = options.lock_crd().map(object).transpose()?;
        for (name, crd) in crds(controllers)?.into_iter().chain(of_lock) {
            objects.push(Manifest::new(format!("crd-{name}"), crd));
        }
        objects.extend(rbac::objects(&rights::Rights::of(controllers, &options), &options));
        objects.extend(fence::objects(controllers, &options));
        objects.push(deployment::deployment(&options));
        objects.extend(services::objects(&options));
        Ok(Self { objects, options })
    }
}

impl Manifest {
    fn new(file: impl Into<String>, object: Value) -> Self {
        Self { file: file.into(), object }
    }
}

/// One that takes in nothing but restricted pods, which the operator's are.
fn namespace(options: &Options) -> Manifest {
    let mut labels = options.labels();
    labels["pod-security.kubernetes.io/enforce"] = json!("restricted");
    let metadata = json!({ "name": options.namespace, "labels": labels });
    Manifest::new("namespace", json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata }))
}
