//! The CRDs of several controllers.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use super::GenerateError;

/// Each CRD once, in the order of their names: several controllers may share a kind.
pub(crate) fn by_name(
    crds: &[CustomResourceDefinition],
) -> Result<BTreeMap<&str, &CustomResourceDefinition>, GenerateError> {
    let mut named = BTreeMap::new();
    for crd in crds {
        let name = crd.metadata.name.as_deref().unwrap_or_default();
        if *named.entry(name).or_insert(crd) != crd {
            return Err(GenerateError::Conflict(name.to_owned()));
        }
    }
    Ok(named)
}
