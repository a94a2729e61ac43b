//! The kind `LeaderLock`: an object that is nothing but a lock, so that no right to ConfigMaps is needed.

use std::fmt;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ApiResource;
use kube::{CustomResource, CustomResourceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nothing: all that a lock says is in its metadata.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[kube(
    group = "coordination.kubeops.rs",
    version = "v1",
    kind = "LeaderLock",
    plural = "leaderlocks",
    singular = "leaderlock",
    shortname = "ll",
    namespaced,
    doc = "Who leads: the pod that owns it, for as long as that pod is there."
)]
pub struct LeaderLockSpec {}

/// Which `LeaderLock`: all who stand for one lock must mean the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaderLockApi {
    /// `coordination.kubeops.rs/v1`.
    #[default]
    KubeOps,
    /// `coralogix.com/v1`, which is zio-k8s'.
    Coralogix,
}

impl LeaderLockApi {
    /// Both.
    pub const ALL: [Self; 2] = [Self::KubeOps, Self::Coralogix];

    /// The API group.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::KubeOps => "coordination.kubeops.rs",
            Self::Coralogix => "coralogix.com",
        }
    }

    /// The definition of the kind.
    #[must_use]
    pub fn definition(self) -> CustomResourceDefinition {
        let mut crd = LeaderLock::crd();
        self.group().clone_into(&mut crd.spec.group);
        crd.metadata.name = Some(format!("{}.{}", crd.spec.names.plural, self.group()));
        crd
    }

    pub(super) fn resource(self) -> ApiResource {
        let mut resource = LeaderLock::api_resource();
        self.group().clone_into(&mut resource.group);
        resource.api_version = self.to_string();
        resource
    }
}

impl fmt::Display for LeaderLockApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/v1", self.group())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_definition_is_that_of_zio_k8s_in_either_group() {
        for api in LeaderLockApi::ALL {
            let crd = serde_json::to_value(api.definition()).unwrap();
            assert_eq!(crd["metadata"]["name"], format!("leaderlocks.{}", api.group()));
            assert_eq!((&crd["spec"]["group"], &crd["spec"]["scope"]), (&json!(api.group()), &json!("Namespaced")));
            let names = json!({
                "kind": "LeaderLock", "plural": "leaderlocks", "singular": "leaderlock", "shortNames": ["ll"],
            });
            assert_eq!(crd["spec"]["names"], names);
            let [version] = crd["spec"]["versions"].as_array().unwrap().as_slice() else { panic!("several versions") };
            assert_eq!(
                (&version["name"], &version["served"], &version["storage"]),
                (&json!("v1"), &json!(true), &json!(true))
            );
            let schema = &version["schema"]["openAPIV3Schema"];
            assert_eq!(schema["properties"]["spec"]["type"], "object");
            let resource = api.resource();
            assert_eq!(resource.api_version, api.to_string());
            assert_eq!((resource.group.as_str(), resource.plural.as_str()), (api.group(), "leaderlocks"));
        }
    }
}
