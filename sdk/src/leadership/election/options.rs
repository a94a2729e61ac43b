//! What an election is told at its start.

use std::time::Duration;

/// How a candidate stands for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectionOptions {
    /// What the record names as the holder; unique to the process.
    pub identity: String,
    /// Others wait this long after they saw the last renewal. Whole seconds.
    pub lease_duration: Duration,
    /// A leader whose newest write that counts was sent this long ago leads no more.
    pub renew_deadline: Duration,
    /// Pause between tries, and between reads while there is no watch.
    pub retry_period: Duration,
    /// Give the lock back on a stop.
    pub release_on_stop: bool,
    /// Take a record at once that is long out of date by the wall clocks of the API server, its holder and this process
    /// together.
    pub trust_age: bool,
    /// No other process that lives stands under this identity, nor will one: a `Bearer` proves it.
    /// A record that names it is then free at once.
    pub only_bearer: bool,
}

/// Why no election can be held with some options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// Nobody could tell whose lock it is.
    #[error("the identity is empty, but a lock that names nobody is free")]
    NoIdentity,
    /// A record holds whole seconds: others would wait for another time than this candidate thinks.
    #[error("the lease duration is {0:?}; it must be whole seconds, from 1 to 2147483647")]
    LeaseDuration(Duration),
    /// A candidate that believes in its term for as long as others wait leads next to them.
    #[error("the renew deadline is {deadline:?}; it must be more than 0 and less than the lease duration of {lease:?}")]
    RenewDeadline {
        /// What it is.
        deadline: Duration,
        /// What it must stay below.
        lease: Duration,
    },
    /// A failure would not be followed by another try in time, or by tries without a pause.
    #[error(
        "the retry period is {retry:?}; it must be more than 0, and 1.2 times it less than the renew deadline of {deadline:?}"
    )]
    RetryPeriod {
        /// What it is.
        retry: Duration,
        /// What it must stay below.
        deadline: Duration,
    },
}

impl ElectionOptions {
    /// client-go's and controller-runtime's timing: 15 s, 10 s and 2 s.
    pub fn new(identity: impl Into<String>) -> Self {
        Self {
            identity: identity.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            release_on_stop: true,
            trust_age: true,
            only_bearer: false,
        }
    }

    /// Whether they can be kept: the rules are client-go's.
    ///
    /// # Errors
    /// The first option that can't.
    pub fn check(&self) -> Result<(), OptionsError> {
        let Self { identity, lease_duration: lease, renew_deadline: deadline, retry_period: retry, .. } = self.clone();
        let whole = lease == Duration::from_secs(u64::try_from(self.lease_seconds()).unwrap_or_default());
        if identity.is_empty() {
            Err(OptionsError::NoIdentity)
        } else if !whole {
            Err(OptionsError::LeaseDuration(lease))
        } else if deadline.is_zero() || deadline >= lease {
            Err(OptionsError::RenewDeadline { deadline, lease })
        } else if retry.is_zero() || retry.saturating_mul(6) / 5 >= deadline {
            Err(OptionsError::RetryPeriod { retry, deadline })
        } else {
            Ok(())
        }
    }

    /// A call without an answer is given up after this long, so that three tries fit between a renewal and the deadline.
    #[must_use]
    pub fn call_timeout(&self) -> Duration {
        self.renew_deadline * 2 / 9
    }

    /// A leader renews this often.
    #[must_use]
    pub fn renewal_interval(&self) -> Duration {
        self.renew_deadline / 3
    }

    /// The lease duration as the record says it, at least 1.
    #[must_use]
    pub fn lease_seconds(&self) -> i32 {
        i32::try_from(self.lease_duration.as_secs()).unwrap_or(i32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(change: impl FnOnce(&mut ElectionOptions)) -> Result<(), OptionsError> {
        let mut options = ElectionOptions::new("me");
        change(&mut options);
        options.check()
    }

    #[test]
    fn the_defaults_can_be_kept() {
        assert_eq!(checked(|_| {}), Ok(()));
    }

    #[test]
    fn an_identity_is_needed() {
        assert_eq!(checked(|options| options.identity.clear()), Err(OptionsError::NoIdentity));
    }

    #[test]
    fn a_lease_is_what_a_record_can_hold() {
        for lease in [Duration::ZERO, Duration::from_millis(15_500), Duration::from_secs(1 << 40)] {
            let error = checked(|options| options.lease_duration = lease);
            assert_eq!(error, Err(OptionsError::LeaseDuration(lease)));
        }
    }

    #[test]
    fn a_term_is_shorter_than_the_wait_of_the_others_and_longer_than_a_retry() {
        for deadline in [Duration::ZERO, Duration::from_secs(15), Duration::from_secs(16)] {
            let error = checked(|options| options.renew_deadline = deadline).unwrap_err();
            assert!(matches!(error, OptionsError::RenewDeadline { .. }), "{error}");
        }
        for retry in [Duration::ZERO, Duration::from_secs(9), Duration::MAX] {
            let error = checked(|options| options.retry_period = retry).unwrap_err();
            assert!(matches!(error, OptionsError::RetryPeriod { .. }), "{error}");
        }
    }
}
