//! Making an object the child of another. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;

use super::reconcile::is_namespaced;
use crate::cache::Entity;

/// Why an owned object could not be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// Owner references don't reach into other namespaces: the garbage collector would delete the child.
    #[error(
        "{kind} `{name}` is in namespace `{namespace}`, and its owner in `{owner}`: an owned object has its owner's namespace"
    )]
    OtherNamespace {
        /// The child's kind.
        kind: String,
        /// The child's name.
        name: String,
        /// The child's namespace.
        namespace: String,
        /// The owner's namespace.
        owner: String,
    },
    /// An object without a namespace can't be owned by one that has one.
    #[error("{kind} `{name}` has no namespace, and its owner has: only owners without a namespace can own it")]
    ClusterScoped {
        /// The child's kind.
        kind: String,
        /// The child's name.
        name: String,
    },
    /// The owner has no namespace to take the child's from.
    #[error("{kind} `{name}` needs a namespace: its owner has none")]
    NoNamespace {
        /// The child's kind.
        kind: String,
        /// The child's name.
        name: String,
    },
    /// Server-side apply needs a name.
    #[error("an owned {kind} needs a name")]
    NoName {
        /// The child's kind.
        kind: String,
    },
    /// An object has one controller at most.
    #[error("{kind} `{name}` names {owner} as its controller already")]
    OtherController {
        /// The child's kind.
        kind: String,
        /// The child's name.
        name: String,
        /// Kind and name of its controller.
        owner: String,
    },
    /// The owner was never on a server: it has no name or no UID.
    #[error("the owner has no name or no uid: it does not come from a server")]
    NoOwner,
    /// The server refused it, or can't be reached.
    #[error("{kind} `{name}` could not be applied")]
    Refused {
        /// The child's kind.
        kind: String,
        /// The child's name.
        name: String,
        /// What the server said.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Makes `child` ready to be applied as owned by `owner`: namespace, controller owner reference, no managed fields (the server
/// refuses an apply that has some). Tells the child's name.
pub(super) fn adopt<K: Entity, O: Resource<DynamicType = ()> + 'static>(
    owner: &K,
    child: &mut O,
) -> Result<String, ApplyError> {
    let kind = O::kind(&()).into_owned();
    let Some(name) = child.meta().name.clone().filter(|name| !name.is_empty()) else {
        return Err(ApplyError::NoName { kind });
    };
    let reference = owner.controller_owner_ref(&()).ok_or(ApplyError::NoOwner)?;
    let namespace = namespace(owner, child, &kind, &name)?;
    let meta = child.meta_mut();
    if let Some(other) = controller(meta).filter(|other| other.uid != reference.uid) {
        let owner = format!("{} `{}`", other.kind, other.name);
        return Err(ApplyError::OtherController { kind, name, owner });
    }
    let references = meta.owner_references.get_or_insert_default();
    references.retain(|other| other.uid != reference.uid);
    references.push(reference);
    meta.namespace = namespace;
    meta.managed_fields = None;
    Ok(name)
}

fn namespace<K: Entity, O: Resource<DynamicType = ()> + 'static>(
    owner: &K,
    child: &O,
    kind: &str,
    name: &str,
) -> Result<Option<String>, ApplyError> {
    let (kind, name) = (kind.to_owned(), name.to_owned());
    let namespace = child.meta().namespace.clone();
    match (&owner.meta().namespace, is_namespaced::<O>()) {
        (Some(_), false) => Err(ApplyError::ClusterScoped { kind, name }),
        (None, false) => Ok(None),
        (None, true) if namespace.is_none() => Err(ApplyError::NoNamespace { kind, name }),
        (None, true) => Ok(namespace),
        (Some(owner), true) => match namespace {
            Some(namespace) if namespace != *owner => {
                Err(ApplyError::OtherNamespace { kind, name, namespace, owner: owner.clone() })
            }
            _ => Ok(Some(owner.clone())),
        },
    }
}

fn controller(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references.iter().flatten().find(|reference| reference.controller == Some(true))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Secret};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta, OwnerReference};

    use super::{ApplyError, adopt};

    fn meta(namespace: Option<&str>, name: &str) -> ObjectMeta {
        ObjectMeta {
            namespace: namespace.map(str::to_owned),
            name: Some(name.to_owned()),
            uid: Some(format!("uid-{name}")),
            ..ObjectMeta::default()
        }
    }

    fn owner() -> ConfigMap {
        ConfigMap { metadata: meta(Some("shop"), "owner"), ..ConfigMap::default() }
    }

    fn secret(namespace: Option<&str>) -> Secret {
        Secret { metadata: meta(namespace, "child"), ..Secret::default() }
    }

    #[test]
    fn a_child_gets_its_owners_namespace_and_reference_once() {
        let mut child = secret(None);
        child.metadata.managed_fields = Some(vec![ManagedFieldsEntry::default()]);
        for _ in 0..2 {
            assert_eq!(adopt(&owner(), &mut child).unwrap(), "child");
        }
        assert_eq!(child.metadata.namespace.as_deref(), Some("shop"));
        assert_eq!(child.metadata.managed_fields, None);
        let references = child.metadata.owner_references.unwrap();
        let [reference] = references.as_slice() else { panic!("{references:?}") };
        assert_eq!((reference.kind.as_str(), reference.uid.as_str()), ("ConfigMap", "uid-owner"));
        assert_eq!(reference.controller, Some(true));
    }

    #[test]
    fn children_elsewhere_are_refused() {
        let elsewhere = adopt(&owner(), &mut secret(Some("other")));
        assert!(matches!(elsewhere, Err(ApplyError::OtherNamespace { .. })), "{elsewhere:?}");
        let mut node = Node { metadata: meta(None, "node"), ..Node::default() };
        let clusterwide = adopt(&owner(), &mut node);
        assert!(matches!(clusterwide, Err(ApplyError::ClusterScoped { .. })), "{clusterwide:?}");
    }

    #[test]
    fn an_owner_without_a_namespace_owns_anywhere_but_not_nowhere() {
        let owner = Namespace { metadata: meta(None, "owner"), ..Namespace::default() };
        assert!(adopt(&owner, &mut secret(Some("other"))).is_ok());
        let nowhere = adopt(&owner, &mut secret(None));
        assert!(matches!(nowhere, Err(ApplyError::NoNamespace { .. })), "{nowhere:?}");
    }

    #[test]
    fn a_child_of_another_controller_is_refused() {
        let mut child = secret(None);
        child.metadata.owner_references = Some(vec![OwnerReference {
            kind: "Shop".to_owned(),
            name: "first".to_owned(),
            uid: "uid-first".to_owned(),
            controller: Some(true),
            ..OwnerReference::default()
        }]);
        let stolen = adopt(&owner(), &mut child);
        assert!(matches!(stolen, Err(ApplyError::OtherController { .. })), "{stolen:?}");
    }

    #[test]
    fn an_owner_that_never_was_on_a_server_owns_nothing() {
        let orphan = adopt(&ConfigMap::default(), &mut secret(None));
        assert!(matches!(orphan, Err(ApplyError::NoOwner)), "{orphan:?}");
    }
}
