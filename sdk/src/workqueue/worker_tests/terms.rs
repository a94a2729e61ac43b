//! How a term drains and ends.

use super::*;
use crate::leadership::clock::{Moment, Reading};

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
async fn nothing_goes_on_once_the_clock_says_that_the_term_is_over_although_the_worker_has_not_noticed() {
    let time = Arc::new(Mutex::new(Duration::ZERO));
    let its_time = time.clone();
    let clock = Clock::from_fn(move || Moment::new(*its_time.lock().unwrap()));
    let (control, term) = Term::until(1, "me".to_owned(), None, clock, Reading::default() + 10 * SECOND);
    let (wake, went_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (its_wake, counted) = (wake.clone(), went_on.clone());
    let work = Scripted::new(move |_, _| {
        let (wake, counted) = (its_wake.clone(), counted.clone());
        async move {
            wake.notified().await;
            counted.fetch_add(1, SeqCst);
            done()
        }
    });
    let queue = WorkQueue::new(Clock::tokio(), Metrics::new().controller("pages"));
    queue.open();
    queue.add(key("a"), Trigger::Listed, Priority::Background);
    let worker = Worker { controller: "pages".into(), kind: "Page".into(), options: options() };
    let (its_queue, its_work) = (queue.clone(), work.clone());
    let worker = tokio::spawn(async move { worker.run(its_queue, its_work, term).await });
    settle().await;
    assert!(work.is_running());

    // The machine slept, and so did the worker's timer.
    *time.lock().unwrap() = 3600 * SECOND;
    wake.notify_one();
    worker.await.unwrap();
    assert_eq!(went_on.load(SeqCst), 0);
    assert!(control.is_idle());
}
