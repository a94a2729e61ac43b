//! Waiting for a condition, with a bound.

use std::time::Duration;

/// Looks until `look` answers `Ok`; its `Err` says how things stand, and is what the test fails with when `within` is over.
pub(crate) async fn eventually<T>(what: &str, within: Duration, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    kubeops_testkit::eventually(what, within, look).await.unwrap_or_else(|timeout| panic!("{timeout}"))
}

/// A line of a test's own report (counts, distributions), shown by `--nocapture` and when the test fails.
pub(crate) fn say(line: impl AsRef<str>) {
    println!("e2e: {}", line.as_ref());
}

/// How often a test is to do what it does: in `cargo xtask test` as often as it says itself, more in a chore.
pub(crate) fn rounds(in_a_test: usize) -> usize {
    let asked = std::env::var("KUBEOPS_ROUNDS").ok();
    asked.map_or(in_a_test, |asked| asked.parse().expect("KUBEOPS_ROUNDS is a number"))
}
