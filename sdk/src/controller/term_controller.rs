//! One controller during one term, as the worker sees it.

use std::sync::Arc;

use futures::future::BoxFuture;
use json_patch::Patch as JsonPatch;
use kube::Resource;
use kube::api::{Patch, PatchParams};

use super::context::{Context, Tools};
use super::finalizer::{Decision, addition, changed, decide, removal};
use super::latest::Latest;
use super::reconcile::Reconcile;
use super::requests::Requests;
use super::tombstones::Tombstones;
use super::{Action, Error, Result};
use crate::cache::Entity;
use crate::workqueue::{Attempt, Key, Outcome, Work};

/// Others who change the list of finalizers at the same time can make a patch of it fail this often in a row; then it goes
/// through the queue, later each time.
const PATCH_TRIES: u32 = 8;
const NO_FINALIZE: &str = "the controller names a finalizer, and its `Controller::finalizer` returns none";
const KEEPS_CHANGING: &str = "others keep changing the finalizers, so that ours could be neither added nor removed";

/// A controller, its services gone into its fields.
pub(super) struct TermController<C: Reconcile> {
    pub(super) controller: C,
    pub(super) objects: Arc<Objects<C::Entity>>,
    pub(super) tools: Tools,
    pub(super) auto_attach_finalizers: bool,
    pub(super) auto_detach_finalizers: bool,
}

/// The objects of a controller, for as long as the process runs.
#[derive(Debug)]
pub(super) struct Objects<K> {
    pub(super) latest: Arc<Latest<K>>,
    pub(super) tombstones: Tombstones<K>,
}

/// How a patch of the finalizers ended.
enum Patched<K> {
    /// Done; this is the object now.
    Done(Arc<K>),
    /// The object is no more.
    Gone,
    /// It was not as it was thought to be, it is like this.
    Changed(Arc<K>),
}

impl<C: Reconcile> Work for TermController<C> {
    fn run(self: Arc<Self>, key: Key, attempt: Attempt) -> BoxFuture<'static, Outcome> {
        Box::pin(async move { self.work(&key, &attempt).await.unwrap_or_else(Outcome::from) })
    }
}

impl<C: Reconcile> TermController<C> {
    async fn work(&self, key: &Key, attempt: &Attempt) -> Result<Outcome> {
        while let Some(gone) = self.objects.tombstones.first(key) {
            let cx = self.context(key, attempt, gone.clone());
            let told = self.controller.deleted(&gone, &cx).await;
            told.map_err(|error| self.not_told(key, error))?;
            self.objects.tombstones.remove_first(key);
        }
        let Some(mut object) = self.objects.latest.get(key) else { return Ok(Outcome::Gone) };
        let cx = self.context(key, attempt, object.clone());
        for _try in 0..PATCH_TRIES {
            match decide(object.meta(), C::FINALIZER, self.auto_attach_finalizers) {
                Decision::Reconcile => return self.reconcile(&object, &cx).await,
                Decision::Finalize(finalizer) => return self.finalize(finalizer, &object, &cx).await,
                Decision::Nothing => return Ok(done(Action::await_change())),
                Decision::AddFinalizer(finalizer) => {
                    let patch = addition(object.meta(), finalizer);
                    object = match patch_finalizers(&cx, &object, patch).await? {
                        Patched::Done(object) => return self.reconcile(&object, &cx).await,
                        Patched::Gone => return Ok(done(Action::await_change())),
                        Patched::Changed(now) => now,
                    };
                }
            }
        }
        Err(KEEPS_CHANGING.into())
    }

    /// What is gone changes no more, so a failure for good is the end of it. What has its name now still has its turn.
    fn not_told(&self, key: &Key, error: Error) -> Error {
        if !error.is_permanent() {
            return error;
        }
        let Objects { latest, tombstones } = &*self.objects;
        tombstones.remove_first(key);
        let is_last = tombstones.first(key).is_none() && latest.get(key).is_none();
        if is_last { error } else { error.passing() }
    }

    async fn reconcile(&self, object: &C::Entity, cx: &Context<C::Entity>) -> Result<Outcome> {
        self.controller.reconcile(object, cx).await.map(done)
    }

    async fn finalize(&self, finalizer: &str, object: &C::Entity, cx: &Context<C::Entity>) -> Result<Outcome> {
        // The derive sees to it that there is one; who writes the impl by hand may forget it.
        let Some(finalize) = self.controller.finalizer() else { return Err(Error::permanent(NO_FINALIZE)) };
        let action = finalize.finalize(object, cx).await?;
        if action.requeue_after().is_some() || !self.auto_detach_finalizers {
            return Ok(done(action));
        }
        // It may have written to the object.
        let mut object = cx.latest();
        let uid = object.meta().uid.clone();
        for _try in 0..PATCH_TRIES {
            let Some(patch) = removal(object.meta(), finalizer) else { return Ok(done(Action::await_change())) };
            object = match patch_finalizers(cx, &object, patch).await? {
                Patched::Done(_) => return Ok(done(Action::await_change())),
                Patched::Gone => return Ok(Outcome::Gone),
                // Another object of that name: ours is gone. The watch will tell of it.
                Patched::Changed(now) if now.meta().uid != uid => return Ok(done(Action::await_change())),
                Patched::Changed(now) => now,
            };
        }
        Err(KEEPS_CHANGING.into())
    }

    fn context(&self, key: &Key, attempt: &Attempt, object: Arc<C::Entity>) -> Context<C::Entity> {
        Context::new(key.clone(), attempt.clone(), self.tools.clone(), self.objects.latest.clone(), object)
    }
}

fn done(action: Action) -> Outcome {
    Outcome::Done { requeue_after: action.requeue_after() }
}

/// Sends `patch`, which tests what `seen` has. If a test fails, the object is read, so that the next try sees what is there
/// however far behind the watch is; a refusal although nothing has changed (a CRD that the object does not fit any more, say) is an
/// ordinary failure.
async fn patch_finalizers<K: Entity>(cx: &Context<K>, seen: &K, patch: JsonPatch) -> Result<Patched<K>> {
    let Tools { client, field_manager, .. } = cx.tools();
    let requests = Requests::of::<K>(cx.key().namespace.as_deref());
    let params = PatchParams { field_manager: Some(field_manager.to_string()), ..PatchParams::default() };
    let refused = match requests.patch(client, &cx.key().name, &params, &Patch::<()>::Json(patch)).await {
        Ok(object) => return Ok(Patched::Done(cx.wrote(object))),
        Err(error) if is_gone(&error) => return Ok(Patched::Gone),
        Err(error) => error,
    };
    if !matches!(&refused, kube::Error::Api(status) if status.is_conflict() || status.is_invalid()) {
        return Err(refused.into());
    }
    match requests.find::<K>(client, &cx.key().name).await? {
        Some(now) if changed(seen.meta(), now.meta()) => Ok(Patched::Changed(cx.wrote(now))),
        Some(_) => Err(refused.into()),
        None => Ok(Patched::Gone),
    }
}

fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_not_found())
}
