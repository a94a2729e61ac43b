//! Health checks and what the probes say of them.
//!
//! A check belongs to one or more probes: live (`/livez`, `/healthz`), ready (`/readyz`) and startup (`/startupz`). It either
//! counts in a probe's sum or is only listed and asked for by its own subpath. Answers are in the style of Kubernetes' own
//! [health endpoints](https://kubernetes.io/docs/reference/using-api/health-checks/); a failure is 503.
//!
//! [`Operator::add_health_check`](crate::Operator::add_health_check) adds one of your own to readiness. Outside of an operator:
//!
//! ```
//! use kubeops::health::{Health, Probe, Probes};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kubeops::health::AddError> {
//! let health = Health::new();
//! health.add("mail", Probes::READY, || async { Err("the mail server is away".to_owned()) })?;
//!
//! let report = health.probe(Probe::Ready, &[]).await;
//! assert_eq!(report.text("readyz", false), "[-]mail failed: the mail server is away\nreadyz check failed\n");
//! # Ok(())
//! # }
//! ```

mod check;
mod report;

use std::fmt;
use std::future::Future;
use std::ops::BitOr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use check::Check;
pub use report::{Entry, Report, Verdict};

/// What a check says: some detail that verbose answers show (may be empty), or why not.
pub type CheckResult = Result<String, String>;

/// The readiness check that fails once the process drains; the API server has one of that name for the same purpose.
const SHUTDOWN: &str = "shutdown";

/// All health checks of a process. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Health(Arc<Shared>);

/// A question that a kubelet asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Is the process worth keeping? `/livez`, `/healthz`.
    Live,
    /// May it get traffic, may a rollout go on? `/readyz`.
    Ready,
    /// Has it started? `/startupz`.
    Startup,
}

/// The probes that a check belongs to: `Probes::LIVE | Probes::READY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Its part in `/livez` and `/healthz`.
    pub live: Part,
    /// Its part in `/readyz`.
    pub ready: Part,
    /// Its part in `/startupz`.
    pub startup: Part,
}

/// A check's part in one probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// None; there is no subpath either.
    #[default]
    None,
    /// It is listed and has a subpath, but the probe succeeds without it.
    Listed,
    /// The probe fails if it fails.
    Counts,
}

/// Why a check was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The name could not be a subpath.
    #[error("`{0}` cannot name a health check: letters, digits, `-`, `_` and `.` can, 1 to 63 of them")]
    InvalidName(String),
    /// The name is taken, or the SDK's own.
    #[error("there is a health check of the name `{0}` already")]
    Taken(String),
}

struct Shared {
    /// In the order in which they were added, which is the order in which they are listed.
    checks: RwLock<Vec<Arc<Check>>>,
    draining: Arc<AtomicBool>,
}

// === impl Health ===

impl Health {
    /// Health with no checks but `shutdown`, part of readiness.
    #[must_use]
    pub fn new() -> Self {
        let draining = Arc::new(AtomicBool::new(false));
        let seen = draining.clone();
        let shutdown = Check::new(SHUTDOWN.to_owned(), Probes::READY, move || {
            let draining = seen.load(Ordering::Acquire);
            std::future::ready(if draining { Err("the process is stopping".to_owned()) } else { Ok(String::new()) })
        });
        Self(Arc::new(Shared { checks: RwLock::new(vec![Arc::new(shutdown)]), draining }))
    }

    /// Adds a check. It runs each time that a probe asks, at most once at a time, and has to answer within
    /// [`CHECK_TIMEOUT`](Self::CHECK_TIMEOUT); a panic is a failure.
    ///
    /// # Errors
    /// If the name cannot be part of a path, or is taken.
    pub fn add<F, Checking>(&self, name: impl Into<String>, probes: Probes, check: F) -> Result<(), AddError>
    where
        F: Fn() -> Checking + Send + Sync + 'static,
        Checking: Future<Output = CheckResult> + Send + 'static,
    {
        let name = name.into();
        if !is_segment(&name) {
            return Err(AddError::InvalidName(name));
        }
        let mut checks = self.0.checks.write().unwrap_or_else(PoisonError::into_inner);
        if checks.iter().any(|check| check.name == name) {
            return Err(AddError::Taken(name));
        }
        checks.push(Arc::new(Check::new(name, probes, check)));
        Ok(())
    }

    /// Adds a check that answers at once, from what is known in memory.
    ///
    /// # Errors
    /// As [`Health::add`].
    pub fn add_sync(
        &self,
        name: impl Into<String>,
        probes: Probes,
        check: impl Fn() -> CheckResult + Send + Sync + 'static,
    ) -> Result<(), AddError> {
        self.add(name, probes, move || std::future::ready(check()))
    }

    /// Readiness fails from now on, so that nobody sends anything to a process that is about to go.
    pub fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    /// Runs the checks of a probe, all at the same time, and leaves out those in `excluded`.
    ///
    /// # Cancel safety
    /// Cancel safe: checks that run are dropped.
    pub async fn probe(&self, probe: Probe, excluded: &[String]) -> Report {
        let checks = self.checks_of(probe);
        let unmatched = excluded.iter().filter(|name| !checks.iter().any(|check| check.name == **name)).cloned();
        let unmatched = unmatched.collect();
        let entries = checks.iter().map(|check| async {
            let verdict = match excluded.contains(&check.name) {
                true => Verdict::Excluded,
                false => Verdict::of(check.clone().run().await),
            };
            Entry { name: check.name.clone(), counts: check.probes.part_in(probe) == Part::Counts, verdict }
        });
        Report { entries: futures::future::join_all(entries).await, unmatched }
    }

    /// Runs every check once, all at the same time: what each says, and the probes that it belongs to.
    ///
    /// # Cancel safety
    /// Cancel safe: checks that run are dropped.
    pub async fn all(&self) -> Vec<(String, Probes, CheckResult)> {
        let checks = self.0.checks.read().unwrap_or_else(PoisonError::into_inner).clone();
        let each = checks.into_iter().map(|check| async {
            let (name, probes) = (check.name.clone(), check.probes);
            (name, probes, check.run().await)
        });
        futures::future::join_all(each).await
    }

    /// Runs one check of a probe; `None` if the probe has none of that name.
    ///
    /// # Cancel safety
    /// Cancel safe: a check that runs is dropped.
    pub async fn probe_one(&self, probe: Probe, name: &str) -> Option<Report> {
        let check = self.checks_of(probe).into_iter().find(|check| check.name == name)?;
        // Whoever asks for a check by its name wants to know it, whether it counts in the sum or not.
        let entry = Entry { name: check.name.clone(), counts: true, verdict: Verdict::of(check.run().await) };
        Some(Report { entries: vec![entry], unmatched: Vec::new() })
    }

    fn checks_of(&self, probe: Probe) -> Vec<Arc<Check>> {
        let checks = self.0.checks.read().unwrap_or_else(PoisonError::into_inner);
        checks.iter().filter(|check| check.probes.part_in(probe) > Part::None).cloned().collect()
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = self.0.checks.read().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = checks.iter().map(|check| &check.name).collect();
        f.debug_struct("Health").field("checks", &names).finish_non_exhaustive()
    }
}

/// Whether a name is one segment of a path as it stands.
fn is_segment(name: &str) -> bool {
    let dots_alone = name.bytes().all(|byte| byte == b'.');
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (1..=63).contains(&name.len()) && plain && !dots_alone
}

// === impl Probes ===

impl Probes {
    /// Counts in liveness.
    pub const LIVE: Self = Self { live: Part::Counts, ready: Part::None, startup: Part::None };
    /// Counts in readiness.
    pub const READY: Self = Self { live: Part::None, ready: Part::Counts, startup: Part::None };
    /// Counts in start-up.
    pub const STARTUP: Self = Self { live: Part::None, ready: Part::None, startup: Part::Counts };

    /// The same probes, but the check counts in none of them: it is listed, and has its subpath.
    #[must_use]
    pub fn only_listed(self) -> Self {
        let listed = |part: Part| part.min(Part::Listed);
        Self { live: listed(self.live), ready: listed(self.ready), startup: listed(self.startup) }
    }

    fn part_in(self, probe: Probe) -> Part {
        match probe {
            Probe::Live => self.live,
            Probe::Ready => self.ready,
            Probe::Startup => self.startup,
        }
    }
}

impl BitOr for Probes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self {
            live: self.live.max(other.live),
            ready: self.ready.max(other.ready),
            startup: self.startup.max(other.startup),
        }
    }
}
