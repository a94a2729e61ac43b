//! What all parts of a simulation share: the cluster, time, what is drawn from the seed, and the log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use futures::FutureExt as _;
use http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use jiff::{SignedDuration, Timestamp};
use kubeops::leadership::{Leadership, Term};
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::{ApiService, Faults};
use serde_json::Value;
use tokio::time::Instant;
use tower::Service as _;

use super::Author;
use super::log::{Log, Times};

/// The server's clock shows this at the start of each simulation.
const EPOCH: i64 = 1_700_000_000;
/// Who looks at what was written. No fault strikes it.
const OBSERVER: &str = "observer";
pub(super) const LOCK: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/guestbook-leader";

/// How long a message travels, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roads {
    pub(super) shortest: u64,
    pub(super) longest: u64,
}

impl Default for Roads {
    fn default() -> Self {
        Self { shortest: 1, longest: 8 }
    }
}

/// What a right clock shows. A clock of a replica outlives its world, in terms that the world's log has, so it knows only this.
#[derive(Clone, Copy)]
pub(super) struct Time {
    zero: Instant,
}

/// Cheap to clone; clones are the same world.
#[derive(Clone)]
pub(super) struct World(Arc<Shared>);

struct Shared {
    cluster: Cluster,
    time: Time,
    random: Mutex<Rng>,
    log: Mutex<Log>,
    roads: Mutex<BTreeMap<Author, Roads>>,
    /// Nothing goes wrong any more.
    calm: AtomicBool,
    /// Of the replicas that run.
    leaderships: Mutex<BTreeMap<Author, Leadership>>,
}

impl Time {
    /// Since the start.
    pub(super) fn now(self) -> Duration {
        self.zero.elapsed()
    }

    /// Since the beginning of 1970.
    pub(super) fn wall(self) -> Duration {
        Duration::from_secs(EPOCH.unsigned_abs()) + self.now()
    }
}

impl World {
    pub(super) async fn new(seed: u64) -> Self {
        let cluster = Cluster::start().await;
        let epoch = Timestamp::from_second(EPOCH).unwrap();
        cluster.shift_clock(epoch.duration_since(cluster.now()));
        Self(Arc::new(Shared {
            cluster,
            time: Time { zero: Instant::now() },
            random: Mutex::new(Rng::with_seed(seed)),
            log: Mutex::default(),
            roads: Mutex::default(),
            calm: AtomicBool::new(false),
            leaderships: Mutex::default(),
        }))
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    pub(super) fn service(&self, author: Author) -> ApiService {
        self.0.cluster.service(&author.user())
    }

    pub(super) fn faults(&self, author: Author) -> Faults {
        self.0.cluster.faults(&author.user())
    }

    pub(super) fn time(&self) -> Time {
        self.0.time
    }

    /// Time since the start.
    pub(super) fn now(&self) -> Duration {
        self.0.time.now()
    }

    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut lock(&self.0.random))
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.0.log)
    }

    /// Something happened that is worth a line when a seed fails.
    pub(super) fn tell(&self, what: impl Into<String>) {
        let now = self.now();
        self.log().story.push((now, what.into()));
    }

    /// Likewise, and it is counted.
    pub(super) fn strike(&self, kind: &'static str, whom: impl std::fmt::Display) {
        *self.log().strikes.entry(kind).or_default() += 1;
        self.tell(format!("{kind}: {whom}"));
    }

    pub(super) fn set_roads(&self, author: Author, roads: Roads) {
        lock(&self.0.roads).insert(author.any_life(), roads);
    }

    /// How long a message takes to the server, and how long one from it. Now and then one is much later than others.
    pub(super) fn travel(&self, author: Author) -> (Duration, Duration) {
        let Roads { shortest, longest } = lock(&self.0.roads).get(&author.any_life()).copied().unwrap_or_default();
        let calm = self.0.calm.load(Ordering::Relaxed);
        let one_way = || {
            let late = self.draw(|random| match random.u16(0..2000) {
                _ if calm => 0,
                0 => random.u64(1000..20_000),
                1..20 => random.u64(50..1500),
                _ => 0,
            });
            Duration::from_millis(late + self.draw(|random| random.u64(shortest..=longest)))
        };
        (one_way(), one_way())
    }

    pub(super) fn calm(&self) {
        self.0.calm.store(true, Ordering::Relaxed);
    }

    pub(super) fn set_clock(&self, by: SignedDuration) {
        self.0.cluster.shift_clock(by);
    }

    // === what the network notes ===

    pub(super) fn begun(&self, author: Author, request: &Request<Bytes>) -> usize {
        let now = self.now();
        let term = lock(&self.0.leaderships).get(&author).and_then(Leadership::term);
        let token = term.as_ref().map(token);
        let mut log = self.log();
        if request.uri().path() == LOCK && *request.method() == Method::PUT && names_nobody(request.body()) {
            log.check_release(now, author, token);
        }
        log.begun(now, author, request, token)
    }

    /// The version of the Guestbook whose status this request would write.
    pub(super) fn version_of(&self, method: &Method, path: &str) -> Option<Value> {
        let book = path.strip_suffix("/status").filter(|_| *method != Method::GET)?;
        Some(self.look(book)?["metadata"]["resourceVersion"].clone())
    }

    /// The server has taken a step with it; before that, the Guestbook had this version.
    pub(super) fn served(&self, id: usize, author: Author, (method, path): (&Method, &str), before: Option<&Value>) {
        let now = self.now();
        self.log().entries[id].served = Some(now);
        if path == LOCK && *method != Method::GET {
            self.look_at_lock(author);
        }
        if let Some(before) = before
            && let Some(book) = self.look(path.trim_end_matches("/status"))
            && book["metadata"]["resourceVersion"] != *before
        {
            self.log().wrote_status(now, id, &book);
        }
    }

    /// The client has an answer, or waits for none any more.
    pub(super) fn answered(&self, id: usize, code: Option<u16>) {
        let now = self.now();
        self.log().entries[id].ended = Some((now, code));
    }

    /// After each write of the lock, whoever made it.
    pub(super) fn look_at_lock(&self, author: Author) {
        let seen = self.look(LOCK);
        let now = self.now();
        self.log().saw_lock(now, author, seen.as_ref());
    }

    /// What is there at this very moment.
    pub(super) fn look(&self, path: &str) -> Option<Value> {
        let request = Request::get(path).body(Empty::<Bytes>::new()).unwrap();
        let answer = self.0.cluster.service(OBSERVER).call(request).now_or_never()?.ok()?;
        let found = answer.status().is_success();
        let body = answer.into_body().collect().now_or_never()?.ok()?.to_bytes();
        found.then(|| serde_json::from_slice(&body).unwrap())
    }

    // === replicas ===

    /// A process runs from now on.
    pub(super) fn lives(&self, author: Author, leadership: Leadership, times: Times) {
        lock(&self.0.leaderships).insert(author, leadership.clone());
        self.log().lives.insert(author, times);
        tokio::spawn(self.clone().follow(author, leadership));
    }

    /// A process is gone.
    pub(super) fn died(&self, author: Author) {
        lock(&self.0.leaderships).remove(&author);
        let now = self.now();
        self.log().died(now, author);
    }

    /// Who leads, as far as the replicas themselves are sure of it.
    pub(super) fn leaders(&self) -> Vec<Author> {
        let all = lock(&self.0.leaderships);
        all.iter().filter(|(_, leadership)| leadership.term().is_some()).map(|(author, _)| *author).collect()
    }

    async fn follow(self, author: Author, mut leadership: Leadership) {
        let mut newest = 0;
        while let Some(term) = leadership.next_term(newest).await {
            newest = term.id();
            let (now, token) = (self.now(), token(&term));
            self.tell(format!("{author} leads, token {token}"));
            let index = self.log().term_began(now, author, token, term.clone());
            let world = self.clone();
            tokio::spawn(async move {
                term.ended().await;
                let now = world.now();
                world.log().term_ended(now, index);
                world.tell(format!("{author} leads no more, token {token}: {:?}", term.end_reason()));
            });
        }
    }
}

fn token(term: &Term) -> u64 {
    term.fencing_token().and_then(|token| token.parse().ok()).unwrap_or_default()
}

/// Whether a Lease is one that was given back.
fn names_nobody(lease: &Bytes) -> bool {
    let lease: Value = serde_json::from_slice(lease).unwrap_or_default();
    lease["spec"]["holderIdentity"].as_str().is_none_or(str::is_empty)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
