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
async fn a_draining_term_takes_nothing_more_and_lets_what_runs_end() {
    let work = Scripted::new(|_, _| async {
        tokio::time::sleep(5 * SECOND).await;
        done()
    });
    let mut bench = Bench::start(&work, WorkerOptions { concurrency: 1, ..options() });
    bench.add("a");
    bench.add("b");
    settle().await;
    bench.control.drain();
    assert!(!bench.control.is_idle());
    bench.control.idle().await;
    (&mut bench.worker).await.unwrap();
    assert_eq!(work.names(), ["a"]);
    assert_eq!(work.zero.elapsed().as_secs(), 5);
    assert_eq!(bench.count("controller_runtime_reconcile_total{controller=\"pages\",result=\"success\"}"), "1");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_term_drops_what_runs_at_once() {
    let work = Scripted::new(|_, _| std::future::pending());
    let bench = Bench::start(&work, options());
    for name in ["a", "b", "c"] {
        bench.add(name);
    }
    settle().await;
    assert!(work.is_running());
    let before = Instant::now();
    bench.control.end(EndReason::Expired);
    bench.worker.await.unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert!(!work.is_running() && bench.control.is_idle());
    assert_eq!(work.names(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_term_also_ends_what_still_runs_of_a_drain() {
    let work = Scripted::new(|_, _| std::future::pending());
    let bench = Bench::start(&work, options());
    bench.add("a");
    settle().await;
    bench.control.drain();
    settle().await;
    assert!(work.is_running());
    bench.control.end(EndReason::Stopped);
    bench.worker.await.unwrap();
    assert!(!work.is_running());
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_once_the_term_is_over_even_if_it_was_handed_out_before() {
    let (control, term) = Term::unending("me");
    let control = Arc::new(control);
    let its_control = control.clone();
    // The first reconcile ends the term before the second task, spawned together with it, is polled.
    let work = Scripted::new(move |_, _| {
        its_control.end(EndReason::Deleted);
        std::future::pending()
    });
    let queue = WorkQueue::new(Clock::tokio(), Metrics::new().controller("pages"));
    queue.open();
    queue.add(key("a"), Trigger::Listed, Priority::Background);
    queue.add(key("b"), Trigger::Listed, Priority::Background);
    let worker = Worker { controller: "pages".into(), kind: "Page".into(), options: options() };
    worker.run(queue, work.clone(), term).await;
    assert_eq!(work.names(), ["a"]);
    assert!(control.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_worker_of_a_term_that_is_over_returns_without_taking_anything() {
    let work = Scripted::new(|_, _| async { done() });
    let bench = Bench::start(&work, options());
    bench.control.end(EndReason::Deleted);
    bench.add("a");
    bench.worker.await.unwrap();
    assert_eq!(work.names(), Vec::<String>::new());
    assert_eq!(bench.queue.depth(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconcile_that_blocks_its_thread_is_waited_for() {
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let (entered, started) = std::sync::mpsc::channel();
    let blocked = Arc::new(Mutex::new(blocked));
    let work = Scripted::new(move |_, _| {
        entered.send(()).unwrap();
        blocked.lock().unwrap().recv().unwrap();
        async { done() }
    });
    let mut bench = Bench::start(&work, options());
    bench.add("a");
    tokio::task::spawn_blocking(move || started.recv().unwrap()).await.unwrap();
    bench.control.end(EndReason::Expired);
    // However long it blocks, neither the worker nor the term's work counts as ended.
    let waited = tokio::time::timeout(Duration::from_millis(50), &mut bench.worker).await;
    assert!(waited.is_err() && !bench.control.is_idle());
    release.send(()).unwrap();
    bench.worker.await.unwrap();
    assert!(bench.control.is_idle() && !work.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_reconcile_that_is_retried() {
    let work = Scripted::new(|_, attempt| async move {
        assert!(attempt.number > 2, "page {} is missing", attempt.number);
        done()
    });
    let bench = Bench::start(&work, options());
    bench.add("a");
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(work.attempts(), [(1, Trigger::Modified), (2, Trigger::Retried), (3, Trigger::Retried)]);
    assert_eq!(bench.count("controller_runtime_reconcile_panics_total"), "2");
    assert_eq!(bench.count("controller_runtime_reconcile_errors_total"), "2");
    assert_eq!(bench.count("workqueue_retries_total"), "2");
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_first_await_is_caught_too() {
    let work = Scripted::new(|_, attempt| {
        assert!(attempt.number > 1, "at once");
        async { done() }
    });
    let bench = Bench::start(&work, options());
    bench.add("a");
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(work.names().len(), 2);
    assert_eq!(bench.count("controller_runtime_reconcile_panics_total"), "1");
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_takes_too_long_is_dropped_and_retried() {
    let work = Scripted::new(|_, attempt| async move {
        if attempt.number == 1 {
            std::future::pending::<()>().await;
        }
        done()
    });
    let bench = Bench::start(&work, WorkerOptions { timeout: Some(5 * SECOND), ..options() });
    bench.add("a");
    tokio::time::sleep(5 * SECOND + SECOND / 4).await;
    assert!(!work.is_running());
    assert_eq!(bench.count("controller_runtime_reconcile_timeouts_total"), "1");
    tokio::time::sleep(SECOND).await;
    assert_eq!(work.names().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn failures_wait_ever_longer_up_to_the_cap_and_for_ever() {
    let work = Scripted::new(|_, _| async { failed(false) });
    let bench = Bench::start(&work, options());
    bench.add("a");
    tokio::time::sleep(3600 * SECOND).await;
    let times = work.times();
    let waits: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (index, wait) in waits.iter().enumerate() {
        let whole = 2f64.powi(i32::try_from(index).unwrap()).min(60.0);
        // A millisecond is tokio's resolution.
        assert!(*wait >= whole / 2.0 && *wait <= whole + 0.002, "wait {index}: {wait}");
    }
    assert!(waits.len() > 60, "{} retries in an hour", waits.len());
    assert_eq!(bench.count("controller_runtime_terminal_reconcile_errors_total"), "0");
}

#[tokio::test(start_paused = true)]
async fn a_success_resets_the_backoff() {
    let work = Scripted::new(|_, attempt| async move { if attempt.number < 6 { failed(false) } else { done() } });
    let bench = Bench::start(&work, options());
    bench.add("a");
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(work.names().len(), 6);
    bench.add("a");
    tokio::time::sleep(SECOND + SECOND / 4).await;
    assert_eq!(work.attempts()[6..], [(1, Trigger::Modified), (2, Trigger::Retried)]);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_comes_again_only_when_something_changes() {
    let work = Scripted::new(|_, _| async { failed(true) });
    let bench = Bench::start(&work, WorkerOptions { resync: Some(60 * SECOND), ..options() });
    bench.add("a");
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(work.names(), ["a"]);
    bench.add("a");
    settle().await;
    assert_eq!(work.attempts(), [(1, Trigger::Modified), (2, Trigger::Modified)]);
    assert_eq!(bench.count("controller_runtime_terminal_reconcile_errors_total"), "2");
    assert_eq!(bench.count("workqueue_retries_total"), "0");
}

#[tokio::test(start_paused = true)]
async fn a_failing_key_holds_up_no_other() {
    let work = Scripted::new(|key, _| async move { if &*key.name == "bad" { failed(false) } else { done() } });
    let bench = Bench::start(&work, WorkerOptions { concurrency: 1, ..options() });
    bench.add("bad");
    bench.add("good");
    settle().await;
    assert_eq!(work.names(), ["bad", "good"]);
}

#[tokio::test(start_paused = true)]
async fn a_requeue_comes_exactly_when_it_was_asked_for() {
    let work = Scripted::new(|_, attempt| async move {
        Outcome::Done { requeue_after: (attempt.trigger == Trigger::Modified).then_some(30 * SECOND) }
    });
    let bench = Bench::start(&work, options());
    bench.add("a");
    tokio::time::sleep(300 * SECOND).await;
    assert_eq!(work.attempts(), [(1, Trigger::Modified), (1, Trigger::Requeued)]);
    let wait = work.times()[1] - work.times()[0];
    assert!((30.0..30.01).contains(&wait), "{wait}");
    assert_eq!(bench.count("controller_runtime_reconcile_total{controller=\"pages\",result=\"requeue_after\"}"), "1");
}

#[tokio::test(start_paused = true)]
async fn resyncs_come_about_every_period_and_apart_from_each_other() {
    let work = Scripted::new(|_, _| async { done() });
    let bench = Bench::start(&work, WorkerOptions { concurrency: 50, resync: Some(100 * SECOND), ..options() });
    for number in 0..50 {
        bench.add(&number.to_string());
    }
    tokio::time::sleep(89 * SECOND).await;
    assert_eq!(work.names().len(), 50);
    tokio::time::sleep(22 * SECOND).await;
    assert_eq!(work.names().len(), 100);
    let at: std::collections::HashSet<u64> = work.times()[50..].iter().map(|time| (time * 1000.0) as u64).collect();
    assert!(at.len() > 40, "{} different times", at.len());
    assert!(work.attempts()[50..].iter().all(|attempt| *attempt == (1, Trigger::Resynced)));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_not_resynced() {
    let work = Scripted::new(|_, _| async { Outcome::Gone });
    let bench = Bench::start(&work, WorkerOptions { resync: Some(60 * SECOND), ..options() });
    bench.add("a");
    tokio::time::sleep(3600 * SECOND).await;
    assert_eq!(work.names(), ["a"]);
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

#[tokio::test(start_paused = true)]
async fn a_failure_is_logged_once_with_its_key_attempt_and_retry() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.subscriber());
    let work = Scripted::new(|_, _| async { failed(false) });
    let bench = Bench::start(&work, options());
    bench.add("a");
    settle().await;
    let errors = log.lines_with("ERROR");
    assert_eq!(errors.len(), 1, "{errors:#?}");
    for part in [
        "controller=pages",
        "kind=Page",
        "namespace=\"default\"",
        "name=a",
        "trigger=Modified",
        "attempt=1",
        "no such page",
        "retry_in=Some(",
    ] {
        assert!(errors[0].contains(part), "{part} in {}", errors[0]);
    }
}
