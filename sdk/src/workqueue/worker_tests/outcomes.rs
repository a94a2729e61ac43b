//! What becomes of a key after its reconcile.

use super::*;

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
async fn a_panic_while_a_reconcile_that_took_too_long_is_dropped_is_a_failed_reconcile_too() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            panic!("not while it is held");
        }
    }
    let work = Scripted::new(|_, attempt| async move {
        if attempt.number == 1 {
            let _held = Guard;
            std::future::pending::<()>().await;
        }
        done()
    });
    let bench = Bench::start(&work, WorkerOptions { timeout: Some(5 * SECOND), ..options() });
    bench.add("a");
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(work.attempts(), [(1, Trigger::Modified), (2, Trigger::Retried)]);
    assert_eq!(bench.count("controller_runtime_reconcile_panics_total"), "1");
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
        "object=a",
        "trigger=Modified",
        "attempt=1",
        "no such page",
        "retry_in=Some(",
    ] {
        assert!(errors[0].contains(part), "{part} in {}", errors[0]);
    }
}
