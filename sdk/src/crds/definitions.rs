//! The definitions that an operator's controllers bring.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

/// Two definitions of one name differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two different definitions of {0}: controllers of one kind must share its type")]
pub struct Conflicting(pub String);

/// Each CRD once, in the order of their names: several controllers may share a kind.
pub(crate) fn by_name(
    crds: &[CustomResourceDefinition],
) -> Result<BTreeMap<&str, &CustomResourceDefinition>, Conflicting> {
    let mut named = BTreeMap::new();
    for crd in crds {
        let name = crd.metadata.name.as_deref().unwrap_or_default();
        if *named.entry(name).or_insert(crd) != crd {
            return Err(Conflicting(name.to_owned()));
        }
    }
    Ok(named)
}
