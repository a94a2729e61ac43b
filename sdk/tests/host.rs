//! Hosts start in order, stop in reverse order, and let nothing die quietly. Time is paused, signals are the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::channel::mpsc;
use kubeops::BoxError;
use kubeops::host::{FailureKind, Host, HostError, HostedService, ServiceFailure, Signal};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const TIMEOUT: Duration = Duration::from_secs(25);
const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Runs until it is told to stop, then takes `cleanup`.
struct Well {
    name: &'static str,
    log: Log,
    startup: Duration,
    cleanup: Duration,
}

impl Well {
    fn new(name: &'static str, log: &Log) -> Self {
        Self { name, log: log.clone(), startup: Duration::ZERO, cleanup: Duration::ZERO }
    }
}

impl HostedService for Well {
    async fn start(&mut self) -> Result<(), BoxError> {
        self.log.say(format!("{} starts", self.name));
        sleep(self.startup).await;
        self.log.say(format!("{} started", self.name));
        Ok(())
    }

    async fn run(self, stop: CancellationToken) -> Result<(), BoxError> {
        stop.cancelled().await;
        self.log.say(format!("{} told", self.name));
        sleep(self.cleanup).await;
        self.log.say(format!("{} ended", self.name));
        Ok(())
    }
}

/// Signals at these times after the start of the test.
fn signals(at: &[(Duration, Signal)]) -> mpsc::UnboundedReceiver<Signal> {
    let (sender, receiver) = mpsc::unbounded();
    let at = at.to_vec();
    let zero = Instant::now();
    tokio::spawn(async move {
        for (after, signal) in at {
            tokio::time::sleep_until(zero + after).await;
            sender.unbounded_send(signal).unwrap();
        }
        // Kept open: an end of the stream is a test of its own.
        std::future::pending::<()>().await;
    });
    receiver
}

fn no_signals() -> mpsc::UnboundedReceiver<Signal> {
    signals(&[])
}

fn failures(result: Result<(), HostError>) -> Vec<ServiceFailure> {
    match result.unwrap_err() {
        HostError::Services { failures } => failures,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn services_start_in_order_and_stop_in_reverse_order_each_after_the_later_ones() {
    let log = Log::default();
    let slow = Well { startup: SECOND, cleanup: SECOND, ..Well::new("slow", &log) };
    let host =
        Host::new().add("first", Well::new("first", &log)).add("slow", slow).add("last", Well::new("last", &log));
    host.run(signals(&[(SECOND * 5, Signal::Terminate)]), TIMEOUT).await.unwrap();
    let expected = [
        "first starts",
        "first started",
        "slow starts",
        "slow started",
        "last starts",
        "last started", //
        "last told",
        "last ended",
        "slow told",
        "slow ended",
        "first told",
        "first ended",
    ];
    assert_eq!(log.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_service_works_on_while_a_later_one_drains() {
    let log = Log::default();
    let renewals = log.clone();
    let elector = move |stop: CancellationToken| async move {
        while stop.run_until_cancelled(sleep(SECOND)).await.is_some() {
            renewals.say("renewed");
        }
        renewals.say("released");
        Ok(())
    };
    let controllers = Well { cleanup: SECOND * 5, ..Well::new("controllers", &log) };
    let host = Host::new().add("elector", elector).add("controllers", controllers);
    host.run(signals(&[(SECOND / 2, Signal::Terminate)]), TIMEOUT).await.unwrap();
    let lines = log.lines();
    let told = lines.iter().position(|line| line == "controllers told").unwrap();
    let ended = lines.iter().position(|line| line == "controllers ended").unwrap();
    assert_eq!(lines[told + 1..ended], ["renewed"; 5]);
    assert_eq!(lines[ended + 1..], ["released"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_can_drain_in_two_phases() {
    let log = Log::default();
    let host = Host::new();
    let (phases, stopping) = (log.clone(), host.stopping());
    let host = host
        .add("two phases", move |stop: CancellationToken| async move {
            stopping.cancelled().await;
            phases.say("no new work");
            stop.cancelled().await;
            phases.say("over");
            Ok(())
        })
        .add("later", Well { cleanup: SECOND, ..Well::new("later", &log) });
    host.run(signals(&[(SECOND, Signal::Interrupt)]), TIMEOUT).await.unwrap();
    let mut first_phase = log.lines()[2..4].to_vec();
    first_phase.sort();
    assert_eq!(first_phase, ["later told", "no new work"]);
    assert_eq!(log.lines()[4..], ["later ended", "over"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ends_before_it_is_told_to_stops_all_others_and_is_named() {
    let log = Log::default();
    let host = Host::new()
        .add("before", Well::new("before", &log))
        .add("quitter", |_: CancellationToken| async {
            sleep(SECOND).await;
            Ok(())
        })
        .add("after", Well::new("after", &log));
    let error = host.run(no_signals(), TIMEOUT).await.unwrap_err();
    assert_eq!(error.to_string(), "service `quitter` ended although it was not told to");
    assert_eq!(error.exit_code(), 1);
    assert_eq!(log.lines()[4..], ["after told", "after ended", "before told", "before ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_with_all_of_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("the mailbox is shut")]
    struct Shut(#[source] std::io::Error);
    let host =
        Host::new().add("mail", |_: CancellationToken| async { Err(Shut(std::io::Error::other("disk full")).into()) });
    let error = host.run(no_signals(), TIMEOUT).await.unwrap_err();
    assert_eq!(error.to_string(), "service `mail` failed: the mailbox is shut: disk full");
}

#[tokio::test(start_paused = true)]
async fn a_panic_stops_the_host_with_its_text() {
    let log = Log::default();
    let number = 7;
    let host =
        Host::new().add("calm", Well::new("calm", &log)).add("nervous", move |_: CancellationToken| async move {
            sleep(SECOND).await;
            panic!("saw {number} ghosts")
        });
    let error = host.run(no_signals(), TIMEOUT).await.unwrap_err();
    assert_eq!(error.to_string(), "service `nervous` panicked: saw 7 ghosts");
    assert_eq!(log.lines()[2..], ["calm told", "calm ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_start_keeps_the_later_ones_from_starting() {
    struct Portless;
    impl HostedService for Portless {
        async fn start(&mut self) -> Result<(), BoxError> {
            Err("port 80 is taken".into())
        }
        async fn run(self, _: CancellationToken) -> Result<(), BoxError> {
            panic!("started after all")
        }
    }
    let log = Log::default();
    let host = Host::new()
        .add("before", Well::new("before", &log))
        .add("server", Portless)
        .add("after", Well::new("after", &log));
    let error = host.run(no_signals(), TIMEOUT).await.unwrap_err();
    assert_eq!(error.to_string(), "service `server` could not start: port 80 is taken");
    assert_eq!(log.lines(), ["before starts", "before started", "before told", "before ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_signal_during_the_start_gives_up_the_start_and_stops_what_has_started() {
    let log = Log::default();
    let endless = Well { startup: SECOND * 3600, ..Well::new("endless", &log) };
    let host = Host::new()
        .add("before", Well::new("before", &log))
        .add("endless", endless)
        .add("after", Well::new("after", &log));
    host.run(signals(&[(SECOND, Signal::Terminate)]), TIMEOUT).await.unwrap();
    assert_eq!(log.lines(), ["before starts", "before started", "endless starts", "before told", "before ended"]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_while_it_stops_is_an_error_too_and_the_first_cause_comes_first() {
    let log = Log::default();
    let host = Host::new()
        .add("untidy", |stop: CancellationToken| async move {
            stop.cancelled().await;
            Err("could not flush".into())
        })
        .add("calm", Well::new("calm", &log))
        .add("quitter", |_: CancellationToken| async { Ok(()) });
    let failures = failures(host.run(no_signals(), TIMEOUT).await);
    assert_eq!(failures.iter().map(|failure| &*failure.service).collect::<Vec<_>>(), ["quitter", "untidy"]);
    assert!(log.lines().contains(&"calm ended".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn at_the_shutdown_timeout_the_rest_is_aborted_and_named() {
    struct Dropped(Log);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.say("dropped");
        }
    }
    let log = Log::default();
    let held = Dropped(log.clone());
    let host = Host::new()
        .add("elector", Well::new("elector", &log))
        .add("stuck", move |_: CancellationToken| async move {
            let _held = held;
            std::future::pending().await
        })
        .add("last", Well { cleanup: SECOND * 5, ..Well::new("last", &log) });
    let zero = Instant::now();
    let failures = failures(host.run(signals(&[(SECOND, Signal::Terminate)]), TIMEOUT).await);
    assert_eq!(zero.elapsed(), SECOND + TIMEOUT, "the timeout is for all services together");
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0].to_string(), "service `stuck` did not end within the shutdown timeout of 25s");
    assert_eq!(failures[1].service, "elector");
    assert!(matches!(failures[1].kind, FailureKind::CutOff));
    assert_eq!(log.lines().last().unwrap(), "dropped");
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_returns_at_once_with_its_exit_code() {
    for (second, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
        let log = Log::default();
        let host = Host::new()
            .add("early", Well::new("early", &log))
            .add("slow", Well { cleanup: SECOND * 20, ..Well::new("slow", &log) });
        let zero = Instant::now();
        let error = host.run(signals(&[(SECOND, Signal::Terminate), (SECOND * 2, second)]), TIMEOUT).await.unwrap_err();
        assert_eq!(zero.elapsed(), SECOND * 2);
        assert_eq!(error.exit_code(), code);
        assert_eq!(error.to_string(), format!("ended at once by a second {second}; still running: early, slow"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_signal_after_a_failure_lets_the_others_stop_in_order() {
    let log = Log::default();
    let host = Host::new()
        .add("slow", Well { cleanup: SECOND * 10, ..Well::new("slow", &log) })
        .add("quitter", |_: CancellationToken| async { Ok(()) });
    let failures = failures(host.run(signals(&[(SECOND, Signal::Terminate)]), TIMEOUT).await);
    assert_eq!(failures.len(), 1);
    assert_eq!(log.lines().last().unwrap(), "slow ended");
}

#[tokio::test(start_paused = true)]
async fn cancelling_stopping_stops_the_host_without_a_signal() {
    let log = Log::default();
    let host = Host::new().add("calm", Well::new("calm", &log));
    let stopping = host.stopping();
    let (ended, ()) = tokio::join!(host.run(futures::stream::empty(), TIMEOUT), async {
        sleep(SECOND).await;
        stopping.cancel();
    });
    ended.unwrap();
    assert_eq!(log.lines().last().unwrap(), "calm ended");
}

#[tokio::test(start_paused = true)]
async fn a_service_may_end_by_itself_once_the_host_stops() {
    let host = Host::new();
    let stopping = host.stopping();
    let host = host
        .add("eager", move |_: CancellationToken| async move {
            stopping.cancelled().await;
            Ok(())
        })
        .add("slow", Well { cleanup: SECOND, ..Well::new("slow", &Log::default()) });
    host.run(signals(&[(SECOND, Signal::Terminate)]), TIMEOUT).await.unwrap();
}

/// Says that this process is the child of the test below.
const CHILD: &str = "KUBEOPS_TEST_CHILD";

#[test]
fn a_second_signal_ends_a_process_whose_threads_are_blocked() {
    if std::env::var_os(CHILD).is_some() {
        return blocked_process();
    }
    let name = "a_second_signal_ends_a_process_whose_threads_are_blocked";
    let mut child = Command::new(std::env::current_exe().unwrap());
    let mut child =
        child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for (line, signal) in [("blocked", "-TERM"), ("stopping", "-INT")] {
        assert!(lines.any(|said| said.contains(line)), "the child ended before it was {line}");
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// A host whose only service blocks its thread for ever, as a loop in a reconciler would. Dropping the runtime waits for it.
fn blocked_process() {
    std::thread::spawn(|| {
        std::thread::sleep(TIMEOUT);
        std::process::exit(99); // not left behind if the test fails
    });
    let end = |signal: Signal| std::process::exit(signal.exit_code().into());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let signals = kubeops::host::signals(end).unwrap();
    let host = Host::new();
    let stopping = host.stopping();
    let _told = runtime.spawn(async move {
        stopping.cancelled().await;
        println!("stopping");
    });
    let host = host.add("blocked", |_: CancellationToken| async {
        println!("blocked");
        loop {
            std::thread::park();
        }
    });
    let ended = runtime.block_on(host.run(signals, TIMEOUT));
    assert_eq!(ended.unwrap_err().exit_code(), 130);
    drop(runtime);
    unreachable!("the runtime waits for the blocked thread");
}
