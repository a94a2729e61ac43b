//! Plays kubelet for one pod: probes as its manifest says, and restarts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kubeops::operator::RunningOperator;
use kubeops_testkit::Cluster;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::pages::operator;

/// What of a manifest's probe counts here.
#[derive(Clone, Copy, Debug)]
struct Probe {
    path: &'static str,
    period: Duration,
    failures: u32,
}

/// As `generate manifests` writes them.
const STARTUP: Probe = Probe { path: "/startupz", period: Duration::from_secs(2), failures: 150 };
const LIVENESS: Probe = Probe { path: "/livez", period: Duration::from_secs(10), failures: 3 };
const READINESS: Probe = Probe { path: "/readyz", period: Duration::from_secs(5), failures: 2 };
const TIMEOUT: Duration = Duration::from_secs(2);
/// kubelet's first back-off between restarts.
const RESTART_PAUSE: Duration = Duration::from_secs(10);

/// A pod whose container is started again whenever its probes say so.
pub(crate) struct Pod {
    name: String,
    seen: Arc<Mutex<Seen>>,
    kubelet: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Seen {
    container: Option<Arc<RunningOperator>>,
    started: bool,
    ready: bool,
    restarts: Vec<Instant>,
    /// The last answer to each probe that failed.
    complaint: String,
}

/// One probe's row of failures.
struct Watch {
    probe: Probe,
    due: Instant,
    failed: u32,
}

impl Pod {
    pub(crate) fn run(cluster: &Cluster, name: &str) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (cluster, pod, told) = (cluster.clone(), name.to_owned(), seen.clone());
        let kubelet = tokio::spawn(async move {
            loop {
                let container = Arc::new(operator().start_replica_on(&cluster, &pod, &[]).await);
                change(&told, |seen| seen.container = Some(container.clone()));
                until_it_fails(&container, &told).await;
                change(&told, |seen| {
                    *seen = Seen {
                        restarts: std::mem::take(&mut seen.restarts),
                        complaint: std::mem::take(&mut seen.complaint),
                        ..Seen::default()
                    };
                    seen.restarts.push(Instant::now());
                });
                drop(container);
                sleep(RESTART_PAUSE).await;
            }
        });
        Self { name: name.to_owned(), seen, kubelet }
    }

    /// The container that runs now.
    pub(crate) fn container(&self) -> Arc<RunningOperator> {
        self.seen().container.unwrap_or_else(|| panic!("{} does not run", self.name))
    }

    pub(crate) fn runs(&self) -> bool {
        self.seen().container.is_some()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.seen().ready
    }

    pub(crate) fn has_started(&self) -> bool {
        self.seen().started
    }

    pub(crate) fn restarts(&self) -> Vec<Instant> {
        self.seen().restarts
    }

    pub(crate) fn complaint(&self) -> String {
        self.seen().complaint
    }

    pub(crate) async fn leads(&self) -> bool {
        match self.seen().container {
            Some(container) => crate::pages::leads(&container).await,
            None => false,
        }
    }

    fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.kubelet.abort();
    }
}

/// Probes until the container is to be restarted. Liveness and readiness wait for the start to be done.
async fn until_it_fails(container: &RunningOperator, seen: &Mutex<Seen>) {
    let mut starting = Watch::of(STARTUP);
    while !starting.answer(container, seen).await {
        if starting.is_out_of_patience() {
            return;
        }
    }
    change(seen, |seen| seen.started = true);
    let (mut living, mut ready) = (Watch::of(LIVENESS), Watch::of(READINESS));
    loop {
        if living.due <= ready.due {
            living.answer(container, seen).await;
            if living.is_out_of_patience() {
                return;
            }
        } else if ready.answer(container, seen).await {
            change(seen, |seen| seen.ready = true);
        } else if ready.is_out_of_patience() {
            change(seen, |seen| seen.ready = false);
        }
    }
}

impl Watch {
    fn of(probe: Probe) -> Self {
        Self { probe, due: Instant::now(), failed: 0 }
    }

    /// Asks when it is time.
    async fn answer(&mut self, container: &RunningOperator, seen: &Mutex<Seen>) -> bool {
        sleep_until(self.due).await;
        self.due += self.probe.period;
        match timeout(TIMEOUT, container.get(self.probe.path)).await {
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

fn change(seen: &Mutex<Seen>, change: impl FnOnce(&mut Seen)) {
    change(&mut seen.lock().unwrap());
}
