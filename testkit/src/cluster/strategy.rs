//! How kinds differ in what the server does with a write: what Kubernetes calls the strategy of a resource.
//!
//! Neither discovery nor OpenAPI tells it. The lines were seen on a real server (1.36), by creating, updating and deleting one object of each kind;
//! but not those of apiservices, flowschemas, prioritylevelconfigurations and validatingadmissionpolicies with their bindings, nor that a
//! CRD is updated by version only: these follow the server's source as remembered, and are still to be asked.

use super::resources::Kind;

/// Built-in resources whose `metadata.generation` counts changes of what is wished; others leave it alone.
const COUNT_GENERATIONS: &[&str] = &[
    "customresourcedefinitions.apiextensions.k8s.io",
    "cronjobs.batch",
    "daemonsets.apps",
    "deployments.apps",
    "endpointslices.discovery.k8s.io",
    "flowschemas.flowcontrol.apiserver.k8s.io",
    "ingressclasses.networking.k8s.io",
    "ingresses.networking.k8s.io",
    "jobs.batch",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "networkpolicies.networking.k8s.io",
    "poddisruptionbudgets.policy",
    "pods",
    "podtemplates",
    "priorityclasses.scheduling.k8s.io",
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    "replicasets.apps",
    "replicationcontrollers",
    "statefulsets.apps",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

/// A delete that leaves nothing is answered with the object; for others with a `Status`.
const RETURN_THE_DELETED: &[&str] = &[
    "csidrivers.storage.k8s.io",
    "csinodes.storage.k8s.io",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "resourcequotas",
    "serviceaccounts",
    "services",
    "storageclasses.storage.k8s.io",
    "volumeattachments.storage.k8s.io",
];

/// A PUT of one that is not there creates it.
const CREATED_BY_UPDATE: &[&str] = &[
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "endpoints",
    "events",
    "events.events.k8s.io",
    "leases.coordination.k8s.io",
    "limitranges",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "runtimeclasses.node.k8s.io",
    "services",
];

/// A PUT must say which version it replaces. So must one of any custom resource.
const UPDATED_BY_VERSION: &[&str] = &[
    "apiservices.apiregistration.k8s.io",
    "csidrivers.storage.k8s.io",
    "csinodes.storage.k8s.io",
    "csistoragecapacities.storage.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "leases.coordination.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "poddisruptionbudgets.policy",
    "runtimeclasses.node.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "volumeattachments.storage.k8s.io",
];

/// What belongs to one of these stays when it is deleted and nothing else is asked for.
const ORPHAN_BY_DEFAULT: &[&str] = &["jobs.batch", "replicationcontrollers"];

impl Kind {
    pub(crate) fn counts_generations(&self) -> bool {
        self.custom.is_some() || COUNT_GENERATIONS.contains(&self.resource())
    }

    pub(crate) fn returns_the_deleted(&self) -> bool {
        RETURN_THE_DELETED.contains(&self.resource())
    }

    pub(crate) fn is_created_by_update(&self) -> bool {
        CREATED_BY_UPDATE.contains(&self.resource())
    }

    pub(crate) fn is_updated_by_version(&self) -> bool {
        self.custom.is_some() || UPDATED_BY_VERSION.contains(&self.resource())
    }

    /// What whoever uses it is warned of.
    pub(crate) fn deprecation(&self) -> Option<&'static str> {
        match self.resource() {
            "componentstatuses" => Some("v1 ComponentStatus is deprecated in v1.19+"),
            "endpoints" => Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
            _ => None,
        }
    }

    /// Where its objects lie in the real server's storage: messages of it show that.
    pub(crate) fn storage_prefix(&self) -> String {
        match (self.group.as_str(), self.plural.as_str()) {
            ("", "endpoints") => "services/endpoints".to_owned(),
            ("", "nodes") => "minions".to_owned(),
            ("", "replicationcontrollers") => "controllers".to_owned(),
            ("", "services") => "services/specs".to_owned(),
            ("networking.k8s.io", "ingresses") => "ingress".to_owned(),
            (group, plural) if self.custom.is_some() || group == "apiextensions.k8s.io" => format!("{group}/{plural}"),
            (_, plural) => plural.to_owned(),
        }
    }

    pub(crate) fn orphans_by_default(&self) -> bool {
        ORPHAN_BY_DEFAULT.contains(&self.resource())
    }
}

#[cfg(test)]
mod tests {
    use super::super::resources::Resources;
    use super::*;

    #[test]
    fn every_resource_that_is_told_apart_exists() {
        let resources = Resources::default();
        let lists = [COUNT_GENERATIONS, RETURN_THE_DELETED, CREATED_BY_UPDATE, UPDATED_BY_VERSION, ORPHAN_BY_DEFAULT];
        for name in lists.into_iter().flatten() {
            assert!(resources.all().iter().any(|kind| kind.resource() == *name), "{name}");
        }
    }
}
