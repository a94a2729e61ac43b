//! Somebody at a terminal, a narrow one.

use rustix::process::Signal;

use super::terminal::{AtTerminal, COLUMNS};

/// What begins the line at the bottom, and what ends it.
const REVERSE: &str = "\x1b[7m";
const RESET: &str = "\x1b[0m";

#[test]
fn keys_count_without_enter_and_the_terminal_is_as_before_at_the_end() {
    let mut dev = AtTerminal::start(&[]);
    assert!(dev.is_as_before());
    dev.wait_shown(1, " leads, since ");
    assert!(dev.gives_single_keys());

    dev.press("?");
    dev.wait_shown(1, "keys: k kill -9 the leader · s stop it cleanly · q quit");
    dev.press("k");
    dev.wait_shown(1, "$ kill -9 replica-");
    dev.wait_shown(1, " was killed, since ");
    dev.press("s");
    dev.wait_shown(1, " gave the lock back");
    dev.wait_shown(1, " was told to stop, since ");
    dev.press("q");
    dev.wait_shown(1, " of 5 guestbooks are Ready; leaders: replica-");
    assert_eq!(dev.end().code(), Some(0));
    assert!(dev.is_as_before());

    let shown = dev.shown();
    let bottom_lines: Vec<&str> =
        shown.split(REVERSE).skip(1).filter_map(|rest| rest.split_once(RESET)).map(|(line, _)| line).collect();
    assert!(bottom_lines.iter().any(|line| line.contains(" leads since ")), "{bottom_lines:?}");
    let widest = bottom_lines.iter().map(|line| line.chars().count()).max();
    assert!(widest < Some(usize::from(COLUMNS)), "{bottom_lines:?}");
    assert!(shown.trim_end_matches("\r\x1b[K").ends_with("\r\n"), "the prompt gets a line of its own");
}

#[test]
fn a_signal_gives_the_terminal_back_too() {
    let mut dev = AtTerminal::start(&["--replicas", "1"]);
    dev.wait_shown(1, " leads, since ");
    assert!(dev.gives_single_keys());
    dev.signal(Signal::TERM);
    assert_eq!(dev.end().code(), Some(0));
    assert!(dev.is_as_before());
}
