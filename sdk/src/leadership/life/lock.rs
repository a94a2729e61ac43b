//! The lock of a leader for life: a ConfigMap or a LeaderLock that its holder's pod owns.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Client;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use serde_json::json;

use super::election::{Foreign, Held, Holder, Lock, Mark, Seen};
use super::leader_lock::LeaderLockApi;
use crate::leadership::lock::{Found, LockError, Object, parse_version};
use crate::leadership::watcher::{Events, Source};

/// An annotation that is new in each term.
const TERM: &str = "coordination.kubeops.rs/term";

/// A lock that is held for life: an object that goes with its holder's pod.
///
/// Needs the verbs `list`, `watch`, `patch` and `delete` on that one object, `create` on its kind, which can't be bound to a name, and
/// `list` and `watch` on pods.
#[derive(Clone, Debug)]
pub struct LifeLock {
    kind: Kind,
    at: Object,
    name: String,
    namespace: String,
    labels: BTreeMap<String, String>,
    uid: Arc<Mutex<Option<String>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ConfigMap,
    LeaderLock(LeaderLockApi),
}

impl LifeLock {
    /// The ConfigMap of this name and namespace, as the Go operator framework's `leader.Become` has it. `client` should be of its
    /// own, without a retry policy.
    #[must_use]
    pub fn config_map(client: Client, namespace: &str, name: &str) -> Self {
        Self::new(Kind::ConfigMap, client, namespace, name)
    }

    /// The LeaderLock of this name and namespace, whose CRD has to be installed.
    #[must_use]
    pub fn leader_lock(client: Client, api: LeaderLockApi, namespace: &str, name: &str) -> Self {
        Self::new(Kind::LeaderLock(api), client, namespace, name)
    }

    fn new(kind: Kind, client: Client, namespace: &str, name: &str) -> Self {
        let resource = kind.resource();
        let rule = format!(
            "apiGroups: [{}], resources: [{}], resourceNames: [{name}], verbs: [list, watch, patch, delete], in a Role of namespace \
             {namespace}",
            in_yaml(&resource.group),
            resource.plural
        );
        let at = Object::new(client, resource, namespace, name, rule);
        let (name, namespace) = (name.to_owned(), namespace.to_owned());
        Self { kind, at, name, namespace, labels: BTreeMap::new(), uid: Arc::default() }
    }

    /// Puts a label on the lock when it is created.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(label.into(), value.into());
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(super) fn client(&self) -> Client {
        self.at.api().clone().into_client()
    }

    /// Where it is, for people: `ConfigMap default/name`.
    pub(super) fn reference(&self) -> ObjectReference {
        self.at.reference(self.uid.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    pub(super) async fn list(&self) -> Result<Seen, LockError> {
        self.seen(&self.at.read().await?)
    }

    /// Creates it with that pod as its owner.
    pub(super) async fn create(&self, owner: &Holder, mark: &Mark) -> Result<Seen, LockError> {
        let object = self.owned_by(owner, mark);
        match self.at.api().create(&PostParams::default(), &object).await {
            Ok(created) => self.written(created, mark),
            Err(kube::Error::Api(status)) if status.code == 409 => Err(LockError::Conflict),
            Err(error) => Err(self.uncreated(self.at.error(error))),
        }
    }

    /// Marks it if it is still this very one.
    pub(super) async fn touch(&self, uid: &str, version: u64, mark: &Mark) -> Result<Seen, LockError> {
        let annotations = json!({ (TERM): mark.to_string() });
        let metadata = json!({ "uid": uid, "resourceVersion": version.to_string(), "annotations": annotations });
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        match self.at.api().patch(&self.name, &PatchParams::default(), &patch).await {
            Ok(touched) => self.written(touched, mark),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Err(LockError::Conflict),
            Err(error) => Err(self.at.error(error)),
        }
    }

    fn written(&self, object: DynamicObject, mark: &Mark) -> Result<Seen, LockError> {
        let version = parse_version(object.metadata.resource_version.as_deref())?;
        self.at.advance(version);
        let seen = self.seen(&Found::written(version, object))?;
        let is_marked = seen.held().is_some_and(|held| held.mark.as_ref() == Some(mark));
        if is_marked { Ok(seen) } else { Err(LockError::Altered { annotation: TERM }) }
    }

    /// Deletes it if it is still this very one. `Ok`: it is gone, whoever deleted it, or goes once its finalizers are gone.
    pub(super) async fn delete(&self, uid: &str, version: u64) -> Result<(), LockError> {
        let preconditions = Preconditions { resource_version: Some(version.to_string()), uid: Some(uid.to_owned()) };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        match self.at.api().delete(&self.name, &params).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 => Err(LockError::Conflict),
            Err(error) => Err(self.at.error(error)),
        }
    }

    fn owned_by(&self, owner: &Holder, mark: &Mark) -> DynamicObject {
        let mut object = self.at.blank();
        object.metadata.owner_references = Some(vec![OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: owner.name.clone(),
            uid: owner.uid.clone(),
            ..OwnerReference::default()
        }]);
        object.metadata.annotations = Some(BTreeMap::from([(TERM.to_owned(), mark.to_string())]));
        if !self.labels.is_empty() {
            object.metadata.labels = Some(self.labels.clone());
        }
        if let Kind::LeaderLock(_) = self.kind {
            object.data = json!({ "spec": {} });
        }
        object
    }

    fn uncreated(&self, error: LockError) -> LockError {
        let ApiResource { group, plural, .. } = self.kind.resource();
        match error {
            LockError::Forbidden { message, rule: _ } => {
                let (group, namespace) = (in_yaml(&group), &self.namespace);
                let rule = format!(
                    "apiGroups: [{group}], resources: [{plural}], verbs: [create], in a Role of namespace {namespace}"
                );
                LockError::Forbidden { message, rule }
            }
            error => error,
        }
    }

    fn seen(&self, found: &Found) -> Result<Seen, LockError> {
        let (lock, uid) = match &found.object {
            Some(object) => (read(object)?, object.metadata.uid.clone()),
            None => (Lock::Absent, None),
        };
        *self.uid.lock().unwrap_or_else(PoisonError::into_inner) = uid;
        Ok(Seen { version: found.version, lock })
    }
}

impl Source for LifeLock {
    type Seen = Seen;

    fn read(&self) -> BoxFuture<'_, Result<Seen, LockError>> {
        Box::pin(self.list())
    }

    fn watch(&self) -> BoxFuture<'_, Result<Events<Seen>, LockError>> {
        let lock = self.clone();
        Box::pin(async move {
            let found = lock.at.watch().await?;
            Ok(found.map(move |found| lock.seen(&found?)).boxed())
        })
    }
}

impl Kind {
    fn resource(self) -> ApiResource {
        match self {
            Self::ConfigMap => ApiResource::erase::<ConfigMap>(&()),
            Self::LeaderLock(api) => api.resource(),
        }
    }
}

impl fmt::Display for LifeLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.resource().kind, self.namespace, self.name)
    }
}

/// The core group has no name.
const fn in_yaml(group: &str) -> &str {
    if group.is_empty() { "''" } else { group }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.process, self.term)
    }
}

impl FromStr for Mark {
    type Err = ();

    /// `<process>/<term>`; another text is somebody else's.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (process, term) = text.rsplit_once('/').ok_or(())?;
        Ok(Self { process: process.to_owned(), term: term.parse().map_err(|_| ())? })
    }
}

fn read(object: &DynamicObject) -> Result<Lock, LockError> {
    let metadata = &object.metadata;
    let version = parse_version(metadata.resource_version.as_deref())?;
    let uid = metadata.uid.clone().ok_or_else(|| LockError::Unreadable("it has no uid".to_owned()))?;
    let is_full =
        |field: &str| object.data.get(field).is_some_and(|data| data.as_object().is_some_and(|d| !d.is_empty()));
    let has_data = is_full("data") || is_full("binaryData");
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    Ok(match owners {
        [] if has_data => Lock::Foreign(Foreign::Data),
        [] => Lock::Foreign(Foreign::Unowned),
        [owner] if owner.kind == "Pod" && owner.api_version == "v1" => Lock::Held(Held {
            version,
            uid,
            holder: Holder { name: owner.name.clone(), uid: owner.uid.clone() },
            mark: metadata.annotations.as_ref().and_then(|annotations| annotations.get(TERM)?.parse().ok()),
            created: metadata.creation_timestamp.as_ref().map(|time| time.0.as_microsecond()),
            going: metadata.deletion_timestamp.is_some(),
            has_data,
        }),
        _ => Lock::Foreign(Foreign::OtherOwner),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn lock(change: impl FnOnce(&mut Value)) -> Lock {
        let mut object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "lock", "uid": "u", "resourceVersion": "7", "creationTimestamp": "1970-01-01T00:00:01Z",
                "ownerReferences": [{ "apiVersion": "v1", "kind": "Pod", "name": "a-0", "uid": "p" }],
            },
        });
        change(&mut object);
        read(&serde_json::from_value(object).unwrap()).unwrap()
    }

    #[test]
    fn a_lock_names_the_pod_that_owns_it() {
        let Lock::Held(held) = lock(|_| {}) else { panic!("not held") };
        assert_eq!((held.version, held.uid.as_str(), held.created), (7, "u", Some(1_000_000)));
        assert_eq!(held.holder.identity(), "a-0_p");
        assert!(!held.going && !held.has_data && held.mark.is_none());
        let mark = Mark { process: "x".to_owned(), term: 3 };
        let marked = lock(|it| it["metadata"]["annotations"] = json!({ TERM: mark.to_string() }));
        assert!(matches!(marked, Lock::Held(Held { mark: Some(written), .. }) if written == mark));
        let Lock::Held(held) = lock(|it| it["metadata"]["deletionTimestamp"] = json!("1970-01-01T00:00:02Z")) else {
            panic!("not held")
        };
        assert!(held.going);
    }

    #[test]
    fn what_no_pod_owns_is_none() {
        let owners = |owners: Value| lock(|it| it["metadata"]["ownerReferences"] = owners);
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "name": "a-0", "uid": "p" });
        let set = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "r" });
        assert_eq!(owners(json!([])), Lock::Foreign(Foreign::Unowned));
        assert_eq!(owners(json!([set])), Lock::Foreign(Foreign::OtherOwner));
        assert_eq!(owners(json!([pod, set])), Lock::Foreign(Foreign::OtherOwner));
    }

    #[test]
    fn a_config_map_with_data_is_somebody_elses() {
        let foreign = lock(|it| {
            it["metadata"]["ownerReferences"] = json!([]);
            it["data"] = json!({ "key": "value" });
        });
        assert_eq!(foreign, Lock::Foreign(Foreign::Data));
        let owned = lock(|it| it["binaryData"] = json!({ "key": "" }));
        assert!(matches!(owned, Lock::Held(Held { has_data: true, .. })), "{owned:?}");
        let empty = lock(|it| it["data"] = json!({}));
        assert!(matches!(empty, Lock::Held(Held { has_data: false, .. })), "{empty:?}");
    }
}
