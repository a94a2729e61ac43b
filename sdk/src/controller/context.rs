//! What a reconcile knows besides its object, and how it writes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use kube::Client;
use kube::Resource;
use kube::api::{Patch, PatchParams};
use kube::core::object::HasStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::latest::Latest;
use super::owned::{ApplyError, adopt};
use super::requests::Requests;
use super::status::{self, StatusError};
use crate::cache::Entity;
use crate::events::{Event, EventPublisher};
use crate::leadership::Term;
use crate::workqueue::{Attempt, Key, Trigger};

/// One reconcile: why, which try, during which term, and helpers that write for its object.
pub struct Context<K> {
    key: Key,
    attempt: Attempt,
    tools: Tools,
    latest: Arc<Latest<K>>,
    /// The object, in the newest version that this reconcile knows.
    object: Mutex<Arc<K>>,
}

/// What all reconciles of one term share.
#[derive(Clone)]
pub(super) struct Tools {
    /// Writes only while the term lasts.
    pub(super) client: Client,
    pub(super) term: Term,
    pub(super) events: EventPublisher,
    /// The operator's name.
    pub(super) field_manager: Arc<str>,
}

impl<K: Entity> Context<K> {
    pub(super) fn new(key: Key, attempt: Attempt, tools: Tools, latest: Arc<Latest<K>>, object: Arc<K>) -> Self {
        Self { key, attempt, tools, latest, object: Mutex::new(object) }
    }

    /// Namespace and name of the object.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Why this reconcile runs.
    #[must_use]
    pub fn trigger(&self) -> &Trigger {
        &self.attempt.trigger
    }

    /// Which try this is: 1, and one more for each failure since the last success.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt.number
    }

    /// The term that this reconcile belongs to.
    #[must_use]
    pub fn term(&self) -> &Term {
        &self.tools.term
    }

    /// Resolves when this reconcile should come to an end soon: leadership is being handed over, or is over. A reconcile that
    /// takes long can look at it; at the term's end it is dropped in any case.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn cancelled(&self) {
        self.tools.term.draining().await;
    }

    /// Whether [`Context::cancelled`] has resolved.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.tools.term.is_draining()
    }

    /// The object in the newest version that this reconcile knows: as it was handed over, or as the server returned it after
    /// a write of this context.
    #[must_use]
    pub fn latest(&self) -> Arc<K> {
        self.object.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes an Event about the object. Never waits; best effort.
    pub fn publish(&self, event: Event) {
        self.tools.events.publish(&*self.latest(), event);
    }

    /// Applies `child` on the server (server-side apply), with the object as its controller owner: it is deleted together with
    /// the object, and if its kind is in `owns(…)`, its changes lead to a reconcile.
    ///
    /// The fields that `child` sets are taken from whoever set them before (`force`), the others are left alone; fields that an
    /// earlier call set and this one does not are removed. Field manager is the operator's name. A namespace is
    /// filled in. Applying what is already so changes nothing and wakes nobody.
    ///
    /// # Errors
    /// When owner and child can't be a pair, or the server refuses it.
    ///
    /// # Cancel safety
    /// Dropped while it waits for the answer, the write may have happened or not.
    pub async fn apply_owned<O>(&self, mut child: O) -> Result<O, ApplyError>
    where
        O: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let name = adopt(&*self.latest(), &mut child)?;
        let params = PatchParams::apply(&self.tools.field_manager).force();
        let patch = Patch::Apply(&child);
        let requests = Requests::of::<O>(child.meta().namespace.as_deref());
        requests.patch(&self.tools.client, &name, &params, &patch).await.map_err(|source| {
            let kind = O::kind(&()).into_owned();
            ApplyError::Refused { kind, name, source: Box::new(source) }
        })
    }

    /// Makes the object's status `status`, if it is not that already.
    ///
    /// Sent only if the object still has the version that was read (or that an earlier write of this reconcile returned), so that
    /// a newer status is never undone.
    ///
    /// # Errors
    /// [`StatusError::Changed`] when somebody has changed the object meanwhile: return it, the retry sees the new one.
    ///
    /// # Cancel safety
    /// Dropped while it waits for the answer, the write may have happened or not.
    pub async fn patch_status(&self, status: K::Status) -> Result<(), StatusError>
    where
        K: HasStatus,
        K::Status: Serialize + Send,
    {
        let object = self.latest();
        let old = object.status().map_or(Ok(Value::Null), serde_json::to_value)?;
        let new = serde_json::to_value(status)?;
        let Some(patch) = status::patch(object.meta().resource_version.as_deref(), &old, &new) else {
            return Ok(());
        };
        let params =
            PatchParams { field_manager: Some(self.tools.field_manager.to_string()), ..PatchParams::default() };
        let requests = Requests::of::<K>(self.key.namespace.as_deref());
        let written = requests.patch_status(&self.tools.client, &self.key.name, &params, &Patch::Merge(patch)).await?;
        self.wrote(written);
        Ok(())
    }

    /// The server answered with this to a write of the object.
    pub(super) fn wrote(&self, mut object: K) -> Arc<K> {
        object.meta_mut().managed_fields = None;
        let object = Arc::new(object);
        self.latest.wrote(&self.key, object.clone());
        *self.object.lock().unwrap_or_else(PoisonError::into_inner) = object.clone();
        object
    }

    pub(super) fn tools(&self) -> &Tools {
        &self.tools
    }
}

impl<K> fmt::Debug for Context<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, attempt, tools, latest: _, object: _ } = self;
        f.debug_struct("Context")
            .field("key", key)
            .field("attempt", attempt)
            .field("term", &tools.term)
            .finish_non_exhaustive()
    }
}
