//! One object of the cluster, read and watched by its name alone, so that rights can be bound to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, WatchEvent, WatchParams};

use super::{LockError, dated};
use crate::leadership::election::Stamp;

/// The server ends a watch after this long. A standby sends no other request than to open it again.
const WATCH_SECONDS: u32 = 290;

/// The object of one name, which may or may not be there.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    api: Api<DynamicObject>,
    resource: ApiResource,
    name: String,
    namespace: String,
    /// The RBAC rule that it needs.
    rule: String,
    /// Where a watch is to start: 0 before the first read.
    version: Arc<Mutex<u64>>,
}

/// What a read or an event has shown.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The version of this state: a read's is the list's.
    pub(crate) version: u64,
    /// `None`: it is not there.
    pub(crate) object: Option<DynamicObject>,
    /// When a read was answered, by the API server's clock, if it said so.
    pub(super) answered: Option<Stamp>,
}

impl Found {
    /// What a write has made.
    pub(crate) const fn written(version: u64, object: DynamicObject) -> Self {
        Self { version, object: Some(object), answered: None }
    }
}

impl Object {
    pub(crate) fn new(client: kube::Client, resource: ApiResource, namespace: &str, name: &str, rule: String) -> Self {
        let api = Api::namespaced_with(client, namespace, &resource);
        Self { api, resource, name: name.to_owned(), namespace: namespace.to_owned(), rule, version: Arc::default() }
    }

    pub(crate) fn api(&self) -> &Api<DynamicObject> {
        &self.api
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// One that is not there yet.
    pub(crate) fn blank(&self) -> DynamicObject {
        DynamicObject::new(&self.name, &self.resource).within(&self.namespace)
    }

    /// As Events refer to it.
    pub(crate) fn reference(&self, uid: Option<String>) -> ObjectReference {
        ObjectReference {
            api_version: Some(self.resource.api_version.clone()),
            kind: Some(self.resource.kind.clone()),
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            uid,
            ..ObjectReference::default()
        }
    }

    /// A read with a quorum: a list, so that absence has a version too.
    pub(crate) async fn read(&self) -> Result<Found, LockError> {
        let params = ListParams::default().fields(&self.selector());
        let (list, answered) = dated::list(&self.api, &params).await.map_err(|error| self.unlisted(error))?;
        let version = parse_version(list.metadata.resource_version.as_deref())?;
        self.advance(version);
        Ok(Found { version, object: list.items.into_iter().next(), answered })
    }

    /// What changes after what was read, or heard of, last.
    pub(crate) async fn watch(&self) -> Result<BoxStream<'static, Result<Found, LockError>>, LockError> {
        let from = *lock(&self.version);
        if from == 0 {
            return Err(LockError::Expired);
        }
        let params = WatchParams::default().fields(&self.selector()).timeout(WATCH_SECONDS);
        let events = self.api.watch(&params, &from.to_string()).await.map_err(|error| self.error(error))?;
        let object = self.clone();
        let told = events.filter_map(move |event| {
            let told = match event {
                Ok(event) => object.take_in(event),
                Err(error) => Some(Err(object.error(error))),
            };
            std::future::ready(told)
        });
        Ok(told.boxed())
    }

    /// The state of this version is known: a watch need not tell of it.
    pub(crate) fn advance(&self, version: u64) {
        let mut known = lock(&self.version);
        *known = version.max(*known);
    }

    /// What the API server, or what keeps it from answering, has to say.
    pub(crate) fn error(&self, error: kube::Error) -> LockError {
        match error {
            kube::Error::Api(status) if status.code == 410 => {
                *lock(&self.version) = 0;
                LockError::Expired
            }
            kube::Error::Api(status) if status.code == 403 => {
                LockError::Forbidden { message: status.message, rule: self.rule.clone() }
            }
            kube::Error::Api(status) => LockError::Refused { message: status.message, code: status.code },
            error => LockError::Api(Box::new(error)),
        }
    }

    /// A list of what the server serves is never a 404.
    fn unlisted(&self, error: kube::Error) -> LockError {
        match error {
            kube::Error::Api(status) if status.code == 404 => LockError::NotServed {
                resource: format!("{}.{}", self.resource.plural, self.resource.group),
                version: self.resource.version.clone(),
            },
            error => self.error(error),
        }
    }

    fn selector(&self) -> String {
        format!("metadata.name={}", self.name)
    }

    fn take_in(&self, event: WatchEvent<DynamicObject>) -> Option<Result<Found, LockError>> {
        let (object, gone) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
            WatchEvent::Deleted(object) => (object, true),
            WatchEvent::Bookmark(bookmark) => {
                self.advance(bookmark.metadata.resource_version.parse().unwrap_or_default());
                return None;
            }
            WatchEvent::Error(status) => return Some(Err(self.error(kube::Error::Api(status)))),
        };
        let version = parse_version(object.metadata.resource_version.as_deref());
        Some(version.map(|version| {
            self.advance(version);
            Found { version, object: (!gone).then_some(object), answered: None }
        }))
    }
}

/// Versions of one object of a built-in kind are numbers that grow.
pub(crate) fn parse_version(version: Option<&str>) -> Result<u64, LockError> {
    let parsed = version.and_then(|version| version.parse().ok());
    parsed.ok_or_else(|| LockError::Unreadable(format!("resourceVersion {version:?} is not a number")))
}

fn lock(version: &Mutex<u64>) -> MutexGuard<'_, u64> {
    version.lock().unwrap_or_else(PoisonError::into_inner)
}
