//! A controller as the rest of the SDK sees it, its type erased.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;

use super::context::Tools;
use super::latest::Latest;
use super::reconcile::{Controller, OwnedKind, RbacRule, Reconcile, is_namespaced};
use super::services::{FromServices, Needs, OnOwned, Services};
use super::term_controller::{Objects, TermController};
use super::{ReconcileStrategy, tombstones::Tombstones};
use crate::cache::{Cache, Caches, Change, Entity, Selectors};
use crate::leadership::clock::Clock;
use crate::metrics::Metrics;
use crate::workqueue::{Backoff, Key, Priority, Trigger, WorkQueue, Worker, WorkerOptions};

/// A controller that is to run, in an operator with state `S`: what manifests and the command line read of it, and how it
/// starts.
pub struct Registration<S> {
    /// The controller's name.
    pub name: &'static str,
    /// The kind that it reconciles.
    pub entity: OwnedKind,
    /// The entity's CRD, if it is a custom resource.
    pub crd: Option<CustomResourceDefinition>,
    /// The finalizer that it keeps on each object.
    pub finalizer: Option<&'static str>,
    /// The kinds whose changes reconcile their owner.
    pub owns: Vec<OwnedKind>,
    /// The kinds whose stores its fields read.
    pub reads: Vec<OwnedKind>,
    /// What its own code asks of the API server.
    pub rbac: &'static [RbacRule],
    /// How many objects are reconciled at once; `None`: as the settings say.
    pub concurrency: Option<u16>,
    attach: Attach<S>,
}

/// A controller whose caches and queue are there, for as long as the process runs.
pub struct Attached<S> {
    /// The controller's name.
    pub name: &'static str,
    /// The kind that it reconciles.
    pub kind: String,
    /// How many objects it reconciles at once.
    pub concurrency: usize,
    /// Its queue: how much there is to do, and what takes long.
    pub queue: WorkQueue,
    lead: Lead<S>,
}

/// How controllers run. From the `KubeOps` section.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// How many objects a controller reconciles at once, if it does not say so itself.
    pub concurrency: u16,
    /// Which changes of an object count.
    pub strategy: ReconcileStrategy,
    /// Every object is reconciled again after this long, even if nothing happens.
    pub resync: Option<Duration>,
    /// How long an object whose reconcile failed waits.
    pub backoff: Backoff,
    /// A reconcile that takes longer has failed.
    pub timeout: Option<Duration>,
    /// Finalizers are added to objects that lack them.
    pub auto_attach_finalizers: bool,
    /// Finalizers are removed once `finalize` is done. If not, it is up to `finalize` itself.
    pub auto_detach_finalizers: bool,
    /// What due times are measured by.
    pub clock: Clock,
}

type Attach<S> = Arc<dyn Fn(&Caches, &ControllerOptions, &Metrics) -> Attached<S> + Send + Sync>;
type Lead<S> = Arc<dyn Fn(Services<S>) -> BoxFuture<'static, ()> + Send + Sync>;

// === impl Registration ===

impl<S> Registration<S> {
    /// Describes `C`.
    #[must_use]
    pub fn of<C>() -> Self
    where
        C: Reconcile + FromServices<S>,
        S: Send + Sync + 'static,
    {
        let mut needs = Needs::default();
        C::needs(&mut needs);
        Self {
            name: C::NAME,
            entity: OwnedKind::of::<C::Entity>(),
            crd: C::crd(),
            finalizer: C::FINALIZER,
            owns: C::owns(),
            reads: needs.stores().cloned().collect(),
            rbac: C::RBAC,
            concurrency: C::CONCURRENCY,
            attach: Arc::new(move |caches, options, metrics| {
                needs.start(caches);
                attach::<C, S>(caches, &needs, options, metrics)
            }),
        }
    }

    /// Starts its caches and its queue. Once per process; on standbys too, so that they are warm.
    #[must_use]
    pub fn attach(&self, caches: &Caches, options: &ControllerOptions, metrics: &Metrics) -> Attached<S> {
        (self.attach)(caches, options, metrics)
    }
}

impl Registration<()> {
    /// The same controller in an operator that got a state after it was added.
    #[must_use]
    pub fn with_state<S: Send + 'static>(self) -> Registration<S> {
        let Self { name, entity, crd, finalizer, owns, reads, rbac, concurrency, attach } = self;
        let attach = move |caches: &Caches, options: &ControllerOptions, metrics: &Metrics| {
            let Attached { name, kind, concurrency, queue, lead } = attach(caches, options, metrics);
            let lead = Arc::new(move |services: Services<S>| lead(services.without_state()));
            Attached { name, kind, concurrency, queue, lead }
        };
        let attach = Arc::new(attach);
        Registration { name, entity, crd, finalizer, owns, reads, rbac, concurrency, attach }
    }
}

impl<S> fmt::Debug for Registration<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("name", &self.name).field("entity", &self.entity).finish_non_exhaustive()
    }
}

// === impl Attached ===

impl<S> Attached<S> {
    /// Works during the term of `services`: builds the controller from them, puts every cached object in the queue, and
    /// returns when the term is over and nothing of it runs any more.
    ///
    /// # Cancel safety
    /// Dropped early, running reconciles are dropped with it; await it to know that they have ended.
    pub fn lead(&self, services: Services<S>) -> BoxFuture<'static, ()> {
        (self.lead)(services)
    }
}

impl<S> fmt::Debug for Attached<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("name", &self.name).field("queue", &self.queue).finish_non_exhaustive()
    }
}

fn attach<C, S>(caches: &Caches, needs: &Needs, options: &ControllerOptions, metrics: &Metrics) -> Attached<S>
where
    C: Reconcile + FromServices<S>,
    S: Send + Sync + 'static,
{
    let queue = WorkQueue::new(options.clock.clone(), metrics.controller(C::NAME));
    let concurrency = concurrency::<C>(options);
    queue.metrics().max_concurrent(concurrency);
    let measured = queue.clone();
    metrics.on_scrape(move || measured.tell());
    let cache = caches.typed::<C::Entity>(Selectors::default());
    let objects = Arc::new(Objects { latest: Arc::new(Latest::new(cache.store())), tombstones: Tombstones::default() });
    follow_entity::<C>(&cache, &queue, &objects, options.strategy);
    follow_owned::<C>(caches, needs, &queue);

    let (options, process_queue) = (options.clone(), queue.clone());
    let lead = move |services: Services<S>| -> BoxFuture<'static, ()> {
        Box::pin(lead::<C, S>(services, process_queue.clone(), objects.clone(), options.clone()))
    };
    Attached { name: C::NAME, kind: C::Entity::kind(&()).into_owned(), concurrency, queue, lead: Arc::new(lead) }
}

/// Changes of the reconciled kind.
fn follow_entity<C: Controller>(
    cache: &Cache<C::Entity>,
    queue: &WorkQueue,
    objects: &Arc<Objects<C::Entity>>,
    strategy: ReconcileStrategy,
) {
    let (queue, objects) = (queue.clone(), objects.clone());
    cache.subscribe(move |change| match change {
        Change::Created(new) => queue.add(key_of(&**new), Trigger::Created, Priority::Live),
        Change::Modified { old, new } => {
            let key = key_of(&**new);
            objects.latest.seen(&key, Some(new));
            let (old, new) = (old.meta(), new.meta());
            if strategy.counts(old, new, C::FINALIZER) {
                let deletion = old.deletion_timestamp.is_none() && new.deletion_timestamp.is_some();
                let trigger = if deletion { Trigger::Deleted } else { Trigger::Modified };
                queue.add(key, trigger, Priority::Live);
            }
        }
        Change::Deleted(old) => {
            let key = key_of(&**old);
            objects.latest.seen(&key, None);
            // The tombstone first: the worker may be faster than the next line.
            if C::FINALIZER.is_none() {
                objects.tombstones.add(key.clone(), old.clone());
            }
            queue.add(key, Trigger::Deleted, Priority::Live);
        }
    });
}

/// Changes of the kinds that it owns.
fn follow_owned<C: Controller>(caches: &Caches, needs: &Needs, queue: &WorkQueue) {
    let queue = queue.clone();
    let on_change: OnOwned = Arc::new(move |change| {
        if !is_entity::<C::Entity>(&change.owner) {
            return;
        }
        let namespace = change.namespace.clone().filter(|_| is_namespaced::<C::Entity>());
        let key = Key { namespace, name: change.owner.name.as_str().into() };
        queue.add(key, Trigger::Owned { kind: change.kind.clone() }, Priority::Live);
    });
    for owned in C::owns() {
        needs.follow(&owned, caches, &on_change);
    }
}

/// Compares kind and group, not the version: one object is served in all versions of its kind.
fn is_entity<K: Resource<DynamicType = ()>>(owner: &OwnerReference) -> bool {
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    owner.kind == K::kind(&()) && group == K::group(&())
}

async fn lead<C, S>(
    services: Services<S>,
    queue: WorkQueue,
    objects: Arc<Objects<C::Entity>>,
    options: ControllerOptions,
) where
    C: Reconcile + FromServices<S>,
{
    let term = services.term().clone();
    let tools = Tools {
        client: services.client().clone(),
        term: term.clone(),
        events: services.events().clone(),
        field_manager: services.operator().clone(),
    };
    let concurrency = concurrency::<C>(&options);
    let ControllerOptions {
        concurrency: _,
        strategy: _,
        resync,
        backoff,
        timeout,
        auto_attach_finalizers,
        auto_detach_finalizers,
        clock: _,
    } = options;
    let controller = C::from_services(&services);
    // Services must not outlive their use: the pump of Events runs until the last publisher is gone.
    drop(services);

    let _closed_at_the_end = OpenForTerm::new(&queue, &objects);
    for key in objects.latest.store().keys() {
        queue.add(key, Trigger::Listed, Priority::Background);
    }
    let worker = Worker {
        controller: C::NAME.into(),
        kind: C::Entity::kind(&()).into(),
        options: WorkerOptions { concurrency, timeout, backoff, resync },
    };
    let work =
        TermController { controller, objects: objects.clone(), tools, auto_attach_finalizers, auto_detach_finalizers };
    worker.run(queue.clone(), Arc::new(work), term).await;
}

fn concurrency<C: Controller>(options: &ControllerOptions) -> usize {
    usize::from(C::CONCURRENCY.unwrap_or(options.concurrency)).max(1)
}

/// Queue and tombstones take something in only while this lives.
struct OpenForTerm<'a, K> {
    queue: &'a WorkQueue,
    objects: &'a Objects<K>,
}

impl<'a, K> OpenForTerm<'a, K> {
    /// The queue first: whatever gets a tombstone also gets into the queue.
    fn new(queue: &'a WorkQueue, objects: &'a Objects<K>) -> Self {
        queue.open();
        objects.tombstones.open();
        Self { queue, objects }
    }
}

impl<K> Drop for OpenForTerm<'_, K> {
    fn drop(&mut self) {
        self.queue.close();
        self.objects.tombstones.close();
    }
}

fn key_of<K: Entity>(object: &K) -> Key {
    let meta = object.meta();
    Key { namespace: meta.namespace.as_deref().map(Into::into), name: meta.name.as_deref().unwrap_or_default().into() }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
    use kubeops_testkit::Cluster;

    use super::super::{Action, Context, Result};
    use super::*;
    use crate::cache::Store;

    /// Owns Secrets, which it reads, and Services.
    struct Reader;

    impl Controller for Reader {
        type Entity = ConfigMap;
        const NAME: &'static str = "reader";
        fn owns() -> Vec<OwnedKind> {
            vec![OwnedKind::of::<Secret>(), OwnedKind::of::<Service>()]
        }
    }

    impl Reconcile for Reader {
        async fn reconcile(&self, _: &ConfigMap, _: &Context<ConfigMap>) -> Result<Action> {
            Ok(Action::await_change())
        }
    }

    impl FromServices<()> for Reader {
        fn needs(needs: &mut Needs) {
            <Store<Secret> as FromServices<()>>::needs(needs);
        }

        fn from_services(_: &Services<()>) -> Self {
            Self
        }
    }

    fn options() -> ControllerOptions {
        ControllerOptions {
            concurrency: 1,
            strategy: ReconcileStrategy::default(),
            resync: None,
            backoff: Backoff::default(),
            timeout: None,
            auto_attach_finalizers: true,
            auto_detach_finalizers: true,
            clock: Clock::tokio(),
        }
    }

    #[tokio::test]
    async fn an_owned_kind_whose_store_is_read_is_watched_once() {
        let (client, metrics) = (Cluster::start().await.client("a"), Metrics::new());
        let caches = Caches::new(client, Vec::new(), metrics.clone());
        let _attached = Registration::<()>::of::<Reader>().attach(&caches, &options(), &metrics);
        let mut watched: Vec<_> = caches.state().into_iter().map(|state| state.kind).collect();
        watched.sort();
        assert_eq!(watched, ["ConfigMap", "Secret", "Service"]);
    }
}
