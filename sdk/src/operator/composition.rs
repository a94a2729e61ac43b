//! What a running operator consists of, in the order of its start; the stop goes the other way round.
//!
//! 1. the servers for probes, metrics and the status page
//! 2. the wait for an API server that answers, with a fence in it the question who it takes this replica for, and the CRDs if they
//!    are to be installed
//! 3. the user's own services
//! 4. the caches
//! 5. what labels the leader's Pod, if one is to be
//! 6. the elector, which stands once the caches are synced
//! 7. the controllers
//!
//! At a stop the elector drains its term at once, and the controllers end with their last reconcile; then the lock is given
//! back.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use kube::Client;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::builder::Parts;
use super::checks;
use super::fenced::Fenced;
use super::install_crds::InstallCrds;
use super::kube_ops::KubeOps;
use super::kube_ops::names::object_name;
use super::leader_label::{LeaderLabel, OwnPod};
use super::leading::Leading;
use super::options;
use super::reach::Reach;
use super::run::RunError;
use super::runtime_ping::RuntimePing;
use super::status::{self, Facts, Source, Watched};
use crate::BoxError;
use crate::cache::Caches;
use crate::connect::Connection;
use crate::controller::{Attached, Registration};
use crate::health::{Health, Probes};
use crate::host::Host;
use crate::http::{Server, metrics_router, probes_router, status_router};
use crate::leadership::clock::Clock;
use crate::leadership::life::{LeaderLockApi, LifeElector, LifeLock};
use crate::leadership::lock::LeaseLock;
use crate::leadership::{Alone, Elector, Leadership, OwnThread, Pulse, TermHistory};
use crate::metrics::Metrics;
use crate::status::{Lock, Replica, Setting};

/// What an operator talks to, and what it measures time by.
pub(super) struct World {
    /// For caches and controllers.
    pub(super) client: Client,
    /// The elector shares no connection, queue or retry policy with the controllers.
    pub(super) election_client: Client,
    /// What the elector runs on, if not on this runtime; its client belongs there.
    pub(super) election_thread: Option<OwnThread>,
    /// No other process stands under the identity in the settings, and none of those that did lives.
    pub(super) only_bearer: bool,
    /// It is a test's: pods of several clusters may have one uid.
    pub(super) in_memory: bool,
    /// That of this pod, if it is one.
    pub(super) namespace: Option<String>,
    /// Whose label tells that it leads, if one is to.
    pub(super) pod: Option<OwnPod>,
    /// The API server, for people.
    pub(super) server: String,
    pub(super) clock: Clock,
    /// What the clients count into already.
    pub(super) metrics: Metrics,
    /// The elector stands still from then on, as if it hung.
    #[cfg(feature = "testing")]
    pub(super) hang: CancellationToken,
}

/// An operator, ready to run.
pub(super) struct Composed {
    pub(super) host: Host,
    pub(super) bound: Bound,
    #[cfg(feature = "testing")]
    pub(super) health: Health,
    #[cfg(feature = "testing")]
    pub(super) status: Source,
    #[cfg(feature = "testing")]
    pub(super) leadership: Leadership,
}

/// Where the servers listen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bound {
    pub(super) health: Option<SocketAddr>,
    pub(super) metrics: Option<SocketAddr>,
    pub(super) status: Option<SocketAddr>,
}

impl World {
    /// The cluster of `connection`, and the machine's clock.
    pub(super) fn real(connection: &Connection, name: &str, version: &str) -> Result<Self, RunError> {
        let metrics = Metrics::new();
        let mut of_elector = connection.clone();
        // Tells the elector apart in audit logs.
        if let Ok(agent) = http::HeaderValue::from_str(&format!("{name}/{version} leader-election")) {
            of_elector.config.headers.push((http::header::USER_AGENT, agent));
        }
        let thread = OwnThread::new("leader-election").map_err(RunError::Thread)?;
        let election_client = {
            let _spawns_there = thread.enter();
            of_elector.counted_client(&metrics)?
        };
        Ok(Self {
            client: connection.counted_client(&metrics)?,
            election_client,
            election_thread: Some(thread),
            only_bearer: false,
            in_memory: false,
            namespace: None,
            pod: None,
            server: connection.server(),
            clock: Clock::boot(),
            metrics,
            #[cfg(feature = "testing")]
            hang: CancellationToken::new(),
        })
    }
}

pub(super) fn compose<S: Clone + Send + Sync + 'static>(
    parts: Parts<S>,
    mut world: World,
    settings: &KubeOps,
    listed: Vec<Setting>,
    state: S,
) -> Result<Composed, RunError> {
    let lock_crd = settings.leader_lock().map(LeaderLockApi::definition);
    let crds = parts.crds().into_iter().chain(lock_crd).collect();
    let Parts { name, version, about: _, controllers, services, checks: user_checks, shown_settings: _ } = parts;
    let Standing { candidate, leadership, history, pulse } = standing(&mut world, settings, name);
    let World { client, server, clock, metrics, .. } = &world;
    let (health, host) = (Health::new(), Host::new());
    let caches = Caches::new(client.clone(), settings.namespaces.clone(), metrics.clone());
    let options = options::controllers(settings, clock.clone());
    let attach = |registration: Registration<S>| registration.attach(&caches, &options, metrics);
    let controllers: Vec<_> = controllers.into_iter().map(attach).collect();

    let (reach, reached) = Reach::new(client.clone(), server.clone());
    let workers = checks::Workers {
        queues: controllers.iter().map(|controller| (controller.name, controller.queue.clone())).collect(),
        timeout: settings.reconcile_timeout,
    };
    let election = checks::Election { leadership: leadership.clone(), pulse, ready_when: settings.ready_when };
    checks::add(&health, reached, &caches, workers, election)?;
    for add in user_checks {
        add(&health, &state)?;
    }

    let look = |controller: &Attached<S>| Watched {
        name: controller.name,
        kind: controller.kind.clone(),
        limit: controller.concurrency,
        queue: controller.queue.clone(),
    };
    let status = Source::new(Facts {
        operator: name,
        version,
        server: server.clone(),
        started: status::rounded(Timestamp::now()),
        replica: Replica { name: settings.name.clone(), identity: settings.holder_identity() },
        lock: lock(settings),
        leadership: leadership.clone(),
        history,
        controllers: controllers.iter().map(look).collect(),
        caches: caches.clone(),
        health: health.clone(),
        settings: listed,
    });
    let (host, bound) = serve(host, &health, metrics, &status, settings)?;
    let host = host.add("runtime-ping", RuntimePing::new(metrics)).add("api-server", reach);
    let host = match Fenced::new(client.clone(), settings) {
        Some((fenced, checked)) => {
            health.add_sync("fence", Probes::STARTUP, checked)?;
            host.add("fence", fenced)
        }
        None => host,
    };
    let host = match settings.install_crds {
        true => {
            let (install, installed) = InstallCrds::new(client.clone(), name, crds);
            health.add_sync("crds-installed", Probes::STARTUP, installed)?;
            host.add("crds", install)
        }
        false => host,
    };
    let host = services.into_iter().fold(host, |host, add| add(host));
    let watching = caches.clone();
    let host = host
        .add("caches", move |stop: CancellationToken| async move { watching.run(stop).await.map_err(BoxError::from) });
    // Before the elector, so that it sees how the last term ends.
    let host = match &world.pod {
        Some(pod) => host.add("leader-label", LeaderLabel::new(client.clone(), pod.clone(), leadership.clone())),
        None => host,
    };
    let (stopping, patience, synced) = (host.stopping(), options::drain(settings), caches.clone());
    let electing = async move {
        let ready = async move { synced.wait_synced().await };
        match candidate {
            Candidate::Elector(elector, None) => elector.run(ready, stopping, patience).await.map_err(BoxError::from),
            Candidate::Elector(elector, Some(thread)) => {
                thread.run(elector.run(ready, stopping, patience)).await?.map_err(BoxError::from)
            }
            Candidate::Life(elector, None) => elector.run(ready, stopping, patience).await.map_err(BoxError::from),
            Candidate::Life(elector, Some(thread)) => {
                thread.run(elector.run(ready, stopping, patience)).await?.map_err(BoxError::from)
            }
            Candidate::Alone(alone) => {
                alone.run(ready, stopping, patience).await;
                Ok(())
            }
        }
    };
    #[cfg(feature = "testing")]
    let electing = super::testing::until_it_hangs(world.hang.clone(), electing);
    let host = host.add("leader-election", move |_: CancellationToken| electing);
    let host = drain_health(host, &health);
    let operator = Arc::from(name);
    let (client, metrics) = (client.clone(), metrics.clone());
    #[cfg(feature = "testing")]
    let of_test = leadership.clone();
    let leading = Leading { leadership, controllers, client, state, caches, metrics, operator };
    Ok(Composed {
        host: host.add("controllers", leading),
        bound,
        #[cfg(feature = "testing")]
        health,
        #[cfg(feature = "testing")]
        status,
        #[cfg(feature = "testing")]
        leadership: of_test,
    })
}

/// What leads: elected, or without being asked.
enum Candidate {
    Elector(Box<Elector>, Option<OwnThread>),
    Life(Box<LifeElector>, Option<OwnThread>),
    Alone(Alone),
}

/// It, and what is to be known of it.
struct Standing {
    candidate: Candidate,
    leadership: Leadership,
    history: TermHistory,
    /// `None` without leader election.
    pulse: Option<Pulse>,
}

fn standing(world: &mut World, settings: &KubeOps, operator: &str) -> Standing {
    let options = options::election(settings, world.only_bearer);
    if !settings.enable_leader_election {
        let (alone, leadership) = Alone::new(&options.identity);
        let history = alone.history();
        return Standing { candidate: Candidate::Alone(alone), leadership, history, pulse: None };
    }
    if settings.leader_election_lock.is_for_life() {
        return standing_for_life(world, settings, operator);
    }
    let client = world.election_client.clone();
    let lock = LeaseLock::new(client.clone(), &settings.leader_election_namespace, &settings.leader_election_id)
        .labelled("app.kubernetes.io/name", object_name(operator))
        .labelled("app.kubernetes.io/component", "leader-election");
    let lock = match world.namespace.as_deref() {
        Some(namespace) => lock.of_installation(installation(operator, namespace)),
        None => lock,
    };
    let (elector, leadership) = Elector::new(lock, options, world.clock.clone(), world.metrics.clone(), client);
    let (history, pulse) = (elector.history(), Some(elector.pulse()));
    let thread = world.election_thread.take();
    let elector = if thread.is_some() { elector.for_work_on(Handle::current()) } else { elector };
    Standing { candidate: Candidate::Elector(Box::new(elector), thread), leadership, history, pulse }
}

fn standing_for_life(world: &mut World, settings: &KubeOps, operator: &str) -> Standing {
    let (client, options) = (world.election_client.clone(), options::life(settings));
    let (namespace, name) = (&settings.leader_election_namespace, &settings.leader_election_id);
    let lock = match settings.leader_lock() {
        Some(api) => LifeLock::leader_lock(client.clone(), api, namespace, name),
        None => LifeLock::config_map(client.clone(), namespace, name),
    };
    let lock = lock
        .labelled("app.kubernetes.io/name", object_name(operator))
        .labelled("app.kubernetes.io/component", "leader-election");
    let lock = match &world.namespace {
        Some(namespace) => lock.labelled("app.kubernetes.io/instance", installation(operator, namespace)),
        None => lock,
    };
    let (elector, leadership) = LifeElector::new(lock, options, world.clock.clone(), world.metrics.clone(), client);
    let (history, pulse) = (elector.history(), Some(elector.pulse()));
    let thread = world.election_thread.take();
    let elector = if thread.is_some() { elector.for_work_on(Handle::current()) } else { elector };
    let elector = if world.in_memory { elector.as_only_bearer() } else { elector };
    Standing { candidate: Candidate::Life(Box::new(elector), thread), leadership, history, pulse }
}

/// Replicas of one installation are alike and run in one namespace. As a label may be: at most 63 characters.
fn installation(operator: &str, namespace: &str) -> String {
    let name = format!("{}.{namespace}", object_name(operator));
    let cut: String = name.chars().take(63).collect();
    cut.trim_end_matches(['-', '.']).to_owned()
}

fn lock(settings: &KubeOps) -> Option<Lock> {
    settings.enable_leader_election.then(|| Lock {
        kind: settings.leader_election_lock.kind(),
        namespace: settings.leader_election_namespace.clone(),
        name: settings.leader_election_id.clone(),
    })
}

fn serve(
    mut host: Host,
    health: &Health,
    metrics: &Metrics,
    status: &Source,
    settings: &KubeOps,
) -> Result<(Host, Bound), RunError> {
    let refused = |key| move |cause| RunError::Bind { key, cause };
    let mut bound = Bound::default();
    if let Some(address) = settings.health_address {
        let server = Server::bind("health", address, probes_router(health)).map_err(refused("HealthAddress"))?;
        bound.health = Some(server.address());
        host = host.add("health", server);
    }
    if let Some(address) = settings.metrics_address {
        let server = Server::bind("metrics", address, metrics_router(metrics)).map_err(refused("MetricsAddress"))?;
        bound.metrics = Some(server.address());
        host = host.add("metrics", server);
    }
    if let Some(address) = settings.status_address {
        let status = status.clone();
        let router = status_router(move || status.clone().take());
        let server = Server::bind("status", address, router).map_err(refused("StatusAddress"))?;
        bound.status = Some(server.address());
        host = host.add("status", server);
    }
    Ok((host, bound))
}

/// Readiness fails as soon as the stop begins.
fn drain_health(host: Host, health: &Health) -> Host {
    let (stopping, health) = (host.stopping(), health.clone());
    host.add("readiness", move |stop: CancellationToken| async move {
        stopping.cancelled().await;
        health.start_draining();
        stop.cancelled().await;
        Ok(())
    })
}
