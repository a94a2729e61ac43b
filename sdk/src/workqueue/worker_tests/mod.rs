mod outcomes;
mod terms;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::leadership::clock::Clock;
use crate::leadership::{EndReason, TermControl};
use crate::metrics::Metrics;
use crate::test_log::Log;
use crate::workqueue::{Attempt, Key, Outcome, Priority, Trigger};

const SECOND: Duration = Duration::from_secs(1);

/// What a test's reconcile does.
type Script = dyn Fn(Key, Attempt) -> BoxFuture<'static, Outcome> + Send + Sync;

struct Scripted {
    script: Box<Script>,
    /// Which keys were started, when, and why.
    started: Mutex<Vec<(String, Duration, Attempt)>>,
    running: Mutex<HashMap<Key, usize>>,
    most_at_once: AtomicUsize,
    zero: Instant,
}

struct Running(Arc<Scripted>, Key);

impl Work for Scripted {
    fn run(self: Arc<Self>, key: Key, attempt: Attempt) -> BoxFuture<'static, Outcome> {
        async move {
            self.started.lock().unwrap().push((key.name.to_string(), self.zero.elapsed(), attempt.clone()));
            let _running = Running::new(&self, &key);
            (self.script)(key, attempt).await
        }
        .boxed()
    }
}

impl Running {
    fn new(work: &Arc<Scripted>, key: &Key) -> Self {
        let mut running = work.running.lock().unwrap();
        *running.entry(key.clone()).or_default() += 1;
        assert_eq!(running[key], 1, "{key} is reconciled twice at once");
        work.most_at_once.fetch_max(running.len(), SeqCst);
        Self(work.clone(), key.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.lock().unwrap().remove(&self.1);
    }
}

impl Scripted {
    fn new<F: Future<Output = Outcome> + Send + 'static>(
        script: impl Fn(Key, Attempt) -> F + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(move |key, attempt| script(key, attempt).boxed()),
            started: Mutex::default(),
            running: Mutex::default(),
            most_at_once: AtomicUsize::new(0),
            zero: Instant::now(),
        })
    }

    fn names(&self) -> Vec<String> {
        self.started.lock().unwrap().iter().map(|(name, ..)| name.clone()).collect()
    }

    /// Seconds at which reconciles were started.
    fn times(&self) -> Vec<f64> {
        self.started.lock().unwrap().iter().map(|(_, time, _)| time.as_secs_f64()).collect()
    }

    fn attempts(&self) -> Vec<(u32, Trigger)> {
        self.started.lock().unwrap().iter().map(|(.., attempt)| (attempt.number, attempt.trigger.clone())).collect()
    }

    fn is_running(&self) -> bool {
        !self.running.lock().unwrap().is_empty()
    }
}

/// A worker during a term, and all that a test needs to disturb it.
struct Bench {
    queue: WorkQueue,
    metrics: Metrics,
    control: TermControl,
    worker: JoinHandle<()>,
}

fn options() -> WorkerOptions {
    WorkerOptions { concurrency: 2, timeout: None, backoff: Backoff { base: SECOND, max: 60 * SECOND }, resync: None }
}

impl Bench {
    fn start(work: &Arc<Scripted>, options: WorkerOptions) -> Self {
        let metrics = Metrics::new();
        let queue = WorkQueue::new(Clock::tokio(), metrics.controller("pages"));
        queue.open();
        let (control, term) = Term::unending("me");
        let worker = Worker { controller: "pages".into(), kind: "Page".into(), options };
        let (its_queue, its_work) = (queue.clone(), work.clone());
        let worker = tokio::spawn(async move { worker.run(its_queue, its_work, term).await });
        Self { queue, metrics, control, worker }
    }

    fn add(&self, name: &str) {
        self.queue.add(key(name), Trigger::Modified, Priority::Live);
    }

    fn count(&self, metric: &str) -> String {
        let text = self.metrics.encode(false);
        let line =
            text.lines().find(|line| line.starts_with(metric)).unwrap_or_else(|| panic!("no {metric} in {text}"));
        line.rsplit(' ').next().unwrap().to_owned()
    }
}

fn key(name: &str) -> Key {
    Key { namespace: Some("default".into()), name: name.into() }
}

fn done() -> Outcome {
    Outcome::Done { requeue_after: None }
}

fn failed(permanent: bool) -> Outcome {
    Outcome::Failed { error: "no such page".into(), permanent }
}

/// Lets everything happen that needs no time.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn every_key_is_reconciled_and_never_more_at_once_than_the_concurrency() {
    let work = Scripted::new(|_, _| async {
        tokio::time::sleep(SECOND).await;
        done()
    });
    let bench = Bench::start(&work, options());
    for number in 0..10 {
        bench.add(&number.to_string());
    }
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(work.names().len(), 10);
    assert_eq!(work.most_at_once.load(SeqCst), 2);
    assert_eq!(bench.count("controller_runtime_max_concurrent_reconciles"), "2");
    assert_eq!(bench.count("controller_runtime_reconcile_total{controller=\"pages\",result=\"success\"}"), "10");
    assert_eq!(bench.count("controller_runtime_reconcile_time_seconds_sum"), "10.0");
}

#[tokio::test(start_paused = true)]
async fn a_change_during_a_reconcile_leads_to_one_more_that_starts_after_it() {
    let work = Scripted::new(|_, _| async {
        tokio::time::sleep(SECOND).await;
        done()
    });
    let bench = Bench::start(&work, options());
    bench.add("a");
    settle().await;
    bench.add("a");
    bench.add("a");
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(work.names(), ["a", "a"]);
    assert!(work.times()[1] >= 1.0);
}

#[tokio::test(start_paused = true)]
async fn depth_and_active_workers_are_measured() {
    let work = Scripted::new(|_, _| std::future::pending());
    let bench = Bench::start(&work, options());
    for name in ["a", "b", "c", "d", "e"] {
        bench.add(name);
    }
    settle().await;
    assert_eq!(bench.count("controller_runtime_active_workers"), "2");
    assert_eq!(bench.count("workqueue_depth"), "3");
    assert_eq!(bench.count("workqueue_adds_total"), "5");
    tokio::time::sleep(7 * SECOND).await;
    let (_, time) = bench.queue.longest_running().unwrap();
    assert!(time >= 7 * SECOND, "{time:?}");

    bench.control.end(EndReason::Deleted);
    bench.worker.await.unwrap();
    bench.queue.close();
    let text = bench.metrics.encode(false);
    assert!(text.contains("workqueue_depth{name=\"pages\",controller=\"pages\"} 0"), "{text}");
    assert!(text.contains("controller_runtime_active_workers{controller=\"pages\"} 0"), "{text}");
    assert!(bench.queue.longest_running().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_closed_queue_takes_nothing_and_forgets_what_it_had() {
    let work = Scripted::new(|_, _| async { done() });
    let bench = Bench::start(&work, options());
    bench.queue.add_after(key("a"), Trigger::Requeued, Priority::Live, SECOND);
    bench.queue.close();
    bench.add("b");
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(work.names(), Vec::<String>::new());
    bench.queue.open();
    bench.add("c");
    settle().await;
    assert_eq!(work.names(), ["c"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_does_not_tick() {
    let readings = Arc::new(AtomicUsize::new(0));
    let (clock, counted) = (Clock::tokio(), readings.clone());
    let clock = Clock::from_fn(move || {
        counted.fetch_add(1, SeqCst);
        clock.now()
    });
    let queue = WorkQueue::new(clock, Metrics::new().controller("pages"));
    queue.open();
    queue.add_after(key("a"), Trigger::Requeued, Priority::Live, 3600 * SECOND);
    let waiting = tokio::time::timeout(7200 * SECOND, queue.due());
    waiting.await.expect("due after an hour");
    assert!(readings.load(SeqCst) < 10, "the clock was read {} times in an hour", readings.load(SeqCst));
}
