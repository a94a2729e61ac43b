//! Waiting for a condition, with a bound.

use std::fmt;
use std::time::{Duration, Instant};

/// How long between two looks. Short, because most of what tests wait for takes milliseconds.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What was waited for did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("not within {waited:.1?}: {what}; last: {last}")]
pub struct Timeout {
    what: String,
    waited: Duration,
    last: String,
}

/// Asks `look` again and again, until it gives `Ok`, and gives that.
///
/// `what` is the condition as a sentence, for the error. `look` tells with `Err` what it saw instead; the last of it is in the error too. The bound may be generous: a test
/// that passes does not wait for it. The last look is made after `within` has passed, and a look that hangs is left when twice that has passed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), kubeops_testkit::Timeout> {
/// use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
/// use kubeops_testkit::eventually;
///
/// let replicas = AtomicU32::new(0);
/// let ready = eventually("three replicas are ready", Duration::from_secs(5), async || {
///     match replicas.fetch_add(1, Ordering::Relaxed) {
///         3 => Ok(3),
///         fewer => Err(format!("{fewer} are")),
///     }
/// });
/// assert_eq!(ready.await?, 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// When `within` has passed.
///
/// # Cancel safety
///
/// As far as `look` is.
pub async fn eventually<T, E, F>(what: impl fmt::Display, within: Duration, mut look: F) -> Result<T, Timeout>
where
    F: AsyncFnMut() -> Result<T, E>,
    E: fmt::Display,
{
    let start = Instant::now();
    let mut last = String::from("nothing seen yet");
    loop {
        let late = start.elapsed() >= within;
        let patience = (within * 2).saturating_sub(start.elapsed());
        match tokio::time::timeout(patience, look()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(seen)) => last = seen.to_string(),
            Err(_) => last.push_str(" (and then a look that hung)"),
        }
        if late || start.elapsed() >= within * 2 {
            return Err(Timeout { what: what.to_string(), waited: start.elapsed(), last });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
