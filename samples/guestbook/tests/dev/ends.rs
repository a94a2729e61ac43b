//! However it ends, everything ends with it.

use rustix::process::Signal;

use super::session::Session;

/// So that nobody loses the lock on a machine that is short of breath.
const LONG_LEASE: [&str; 4] =
    ["--set", "KubeOps:LeaderElectionLeaseDuration=00:01:00", "--set", "KubeOps:LeaderElectionRenewDeadline=00:00:50"];

#[test]
fn killed_it_takes_its_replicas_along() {
    let mut dev = Session::start(&[]);
    dev.leader();
    dev.signal(Signal::KILL);
    assert_eq!(dev.end().code(), None);
    assert_eq!(dev.replicas().len(), 3);
    dev.assert_nothing_is_left();
}

#[test]
fn a_request_to_stop_is_an_end_as_asked() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut dev = Session::start(&["--replicas", "1"]);
        let leader = dev.leader();
        dev.signal(signal);
        dev.line_of(&leader, &["released the lock"]);
        assert_eq!(dev.end().code(), Some(0));
        dev.assert_nothing_is_left();
    }
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let mut dev = Session::start(&[]);
    dev.leader();
    dev.close_stdout();
    assert_eq!(dev.end().code(), Some(0), "the next line ends it");
    assert_eq!(dev.replicas().len(), 3);
    dev.assert_nothing_is_left();
}

#[test]
fn what_is_typed_into_a_pipe_counts_by_lines_and_its_end_changes_nothing() {
    let mut dev = Session::start_with_pipe(&LONG_LEASE);
    let first = dev.leader();
    dev.type_line("s");
    dev.line(&[&first, "gave the lock back"]);
    let second = dev.leader();
    assert_ne!(second, first);
    dev.said(&[&first, "was stopped; it is started again in 5 s"]);
    dev.type_line("help");
    dev.line(&["keys: k kill -9 the leader"]);
    dev.type_line("q");
    dev.line(&[&format!("leaders: {first}, then {second}")]);
    assert_eq!(dev.end().code(), Some(0));
    dev.assert_nothing_is_left();
}
