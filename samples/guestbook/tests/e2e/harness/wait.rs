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
