//! Plays kubelet for one pod: probes as its manifest says, and restarts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kubeops::operator::RunningOperator;
use kubeops_testkit::Cluster;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::manifest::{Manifest, Probe};
use crate::pages::operator;

/// Between two starts of a container; a kubelet's own waits longer each time, from ten seconds on.
const RESTART_PAUSE: Duration = Duration::from_secs(10);
/// Between two looks whether a container that was told to stop has.
const GLANCE: Duration = Duration::from_millis(100);

/// What runs in a pod: killed when it is dropped.
pub(crate) trait Container: Send + Sync + 'static {
    fn get(&self, path: &str) -> impl Future<Output = (u16, String)> + Send;
    /// SIGTERM.
    fn terminate(&self);
    fn has_ended(&self) -> bool;
}

/// A pod whose container is started again whenever its probes say so.
pub(crate) struct Pod<C = RunningOperator> {
    name: String,
    manifest: Manifest,
    seen: Arc<Mutex<Seen<C>>>,
    kubelet: JoinHandle<()>,
}

struct Seen<C> {
    container: Option<Arc<C>>,
    started: bool,
    ready: bool,
    restarts: Vec<Restart>,
    /// The last answer to a probe that failed.
    complaint: String,
}

/// Why and when a container was given up.
#[derive(Clone, Debug)]
pub(crate) struct Restart {
    pub(crate) at: Instant,
    /// Whether it ended by itself within the grace period.
    pub(crate) clean: bool,
}

/// One probe's row of failures.
struct Watch<'a> {
    probe: &'a Probe,
    due: Instant,
    failed: u32,
}

impl Pod {
    /// An operator on a cluster in memory.
    pub(crate) fn run(cluster: &Cluster, name: &str) -> Self {
        let (cluster, pod) = (cluster.clone(), name.to_owned());
        let start = move || {
            let (cluster, pod) = (cluster.clone(), pod.clone());
            async move { operator().start_replica_on(&cluster, &pod, &[]).await }
        };
        Self::of(name, Manifest::generated(), RESTART_PAUSE, start)
    }

    pub(crate) async fn leads(&self) -> bool {
        match self.running() {
            Some(container) => crate::pages::leads(&container).await,
            None => false,
        }
    }
}

impl<C: Container> Pod<C> {
    pub(crate) fn of<Starting>(
        name: &str,
        manifest: Manifest,
        restart_pause: Duration,
        start: impl Fn() -> Starting + Send + 'static,
    ) -> Self
    where
        Starting: Future<Output = C> + Send,
    {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (told, times) = (seen.clone(), manifest.clone());
        let kubelet = tokio::spawn(async move {
            loop {
                let container = Arc::new(start().await);
                change(&told, |seen| seen.container = Some(container.clone()));
                until_it_fails(&*container, &times, &told).await;
                let at = Instant::now();
                change(&told, |seen| (seen.started, seen.ready) = (false, false));
                let clean = end(&*container, times.grace).await;
                change(&told, |seen| {
                    seen.container = None;
                    seen.restarts.push(Restart { at, clean });
                });
                drop(container);
                sleep(restart_pause).await;
            }
        });
        Self { name: name.to_owned(), manifest, seen, kubelet }
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The container that runs now.
    pub(crate) fn container(&self) -> Arc<C> {
        self.running().unwrap_or_else(|| panic!("{} does not run", self.name))
    }

    fn running(&self) -> Option<Arc<C>> {
        self.seen.lock().unwrap().container.clone()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.seen.lock().unwrap().ready
    }

    pub(crate) fn has_started(&self) -> bool {
        self.seen.lock().unwrap().started
    }

    pub(crate) fn restarts(&self) -> Vec<Restart> {
        self.seen.lock().unwrap().restarts.clone()
    }

    pub(crate) fn complaint(&self) -> String {
        self.seen.lock().unwrap().complaint.clone()
    }
}

impl<C> Drop for Pod<C> {
    fn drop(&mut self) {
        self.kubelet.abort();
    }
}

impl<C> Default for Seen<C> {
    fn default() -> Self {
        Self { container: None, started: false, ready: false, restarts: Vec::new(), complaint: String::new() }
    }
}

impl Container for RunningOperator {
    async fn get(&self, path: &str) -> (u16, String) {
        Self::get(self, path).await
    }

    fn terminate(&self) {
        self.begin_stop();
    }

    fn has_ended(&self) -> bool {
        Self::has_ended(self)
    }
}

/// Probes until the container is to be restarted. Liveness and readiness wait for the start to be done.
async fn until_it_fails<C: Container>(container: &C, manifest: &Manifest, seen: &Mutex<Seen<C>>) {
    let born = Instant::now();
    let mut starting = Watch::of(&manifest.startup, born);
    while !starting.answer(container, seen).await {
        if starting.is_out_of_patience() {
            return;
        }
    }
    change(seen, |seen| seen.started = true);
    let living = async {
        let mut living = Watch::of(&manifest.liveness, born);
        while !living.is_out_of_patience() {
            living.answer(container, seen).await;
        }
    };
    let readying = async {
        let mut ready = Watch::of(&manifest.readiness, born);
        loop {
            if ready.answer(container, seen).await {
                change(seen, |seen| seen.ready = true);
            } else if ready.is_out_of_patience() {
                change(seen, |seen| seen.ready = false);
            }
        }
    };
    tokio::select! {
        () = living => {}
        () = readying => {}
    }
}

/// Lets the container end for as long as the grace period is; whether it did.
async fn end(container: &impl Container, grace: Duration) -> bool {
    container.terminate();
    let killed = Instant::now() + grace;
    while !container.has_ended() {
        if Instant::now() >= killed {
            return false;
        }
        sleep(GLANCE).await;
    }
    true
}

impl<'a> Watch<'a> {
    fn of(probe: &'a Probe, born: Instant) -> Self {
        Self { probe, due: Instant::now().max(born + probe.delay), failed: 0 }
    }

    /// Asks when it is time.
    async fn answer<C: Container>(&mut self, container: &C, seen: &Mutex<Seen<C>>) -> bool {
        sleep_until(self.due).await;
        self.due += self.probe.period;
        match timeout(self.probe.timeout, container.get(&self.probe.path)).await {
            Ok((200, _)) => {
                self.failed = 0;
                return true;
            }
            Ok((_, text)) => change(seen, |seen| seen.complaint = text),
            Err(_) => change(seen, |seen| seen.complaint = "no answer in time".to_owned()),
        }
        self.failed += 1;
        false
    }

    fn is_out_of_patience(&self) -> bool {
        self.failed >= self.probe.failures
    }
}

fn change<C>(seen: &Mutex<Seen<C>>, change: impl FnOnce(&mut Seen<C>)) {
    change(&mut seen.lock().unwrap());
}
