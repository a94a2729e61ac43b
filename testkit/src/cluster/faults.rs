//! What goes wrong between one client and the cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::signal::{Listener, Signal};
use crate::AuditEvent;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It takes this much longer.
    Latency(Duration),
    /// It is refused with this code, such as 429, 503 or 403; of 429 and 503 the client is told after how many seconds to come again.
    Refuse {
        /// The HTTP status.
        code: u16,
        /// Seconds for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// The connection breaks before the server has read it: nothing is done.
    LoseRequest,
    /// The connection breaks before the client has the answer: what was asked for is done.
    LoseAnswer,
    /// The server never answers, and does nothing.
    Hang,
    /// What was asked for is done, and the client waits for the answer for ever.
    HangAnswer,
    /// What was asked for is done, and what comes back is no JSON, as from a broken proxy on the way.
    Garble,
    /// A watch ends as soon as it is open. Other requests go on as if this were not there.
    EndWatch {
        /// The code of the ERROR event that it ends with, such as 410 or 500; `None`: in good order.
        error: Option<u16>,
    },
}

type Matcher = Arc<dyn Fn(&AuditEvent) -> bool + Send + Sync>;

struct Rule {
    fault: Fault,
    matches: Matcher,
    /// How often it still strikes; `None` is always.
    left: Option<usize>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("fault", &self.fault).field("left", &self.left).finish_non_exhaustive()
    }
}

/// What becomes of the watches of a client. The numbers count how often that was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WatchFaults {
    pub(crate) silent: bool,
    pub(crate) ended: u64,
    pub(crate) broken: u64,
}

#[derive(Debug, Default)]
struct Plan {
    rules: Mutex<Vec<Rule>>,
    watches: Mutex<WatchFaults>,
    changed: Signal,
}

/// What becomes of the watches of a client, as one of them sees it.
#[derive(Debug)]
pub(crate) struct WatchedFaults {
    faults: Faults,
    changes: Listener,
}

/// The faults of one client, by its user: see [`Cluster::faults`](super::Cluster::faults).
#[derive(Clone, Debug)]
pub struct Faults {
    plan: Arc<Plan>,
}

impl Faults {
    /// All requests from now on meet this fault, until [`mend`](Self::mend). Faults add up: latency and what comes after.
    pub fn always(&self, fault: Fault) -> &Self {
        self.when(|_| true, None, fault)
    }

    /// The next request meets this fault.
    pub fn next(&self, fault: Fault) -> &Self {
        self.when(|_| true, Some(1), fault)
    }

    /// Requests that `matches` says yes to meet this fault; the first `times` of them, if given.
    pub fn when(
        &self,
        matches: impl Fn(&AuditEvent) -> bool + Send + Sync + 'static,
        times: Option<usize>,
        fault: Fault,
    ) -> &Self {
        self.rules().push(Rule { fault, matches: Arc::new(matches), left: times });
        self
    }

    /// Cuts the client off: what it asks is lost, and its watches break.
    pub fn cut(&self) -> &Self {
        self.break_watches().always(Fault::LoseRequest)
    }

    /// The network swallows everything without a word: requests hang, watches fall silent.
    pub fn hang(&self) -> &Self {
        self.silence_watches().always(Fault::Hang)
    }

    /// The client's watches end as when the server closes them in good order.
    pub fn end_watches(&self) -> &Self {
        self.change_watches(|faults| faults.ended += 1)
    }

    /// The client's watches break in the middle.
    pub fn break_watches(&self) -> &Self {
        self.change_watches(|faults| faults.broken += 1)
    }

    /// The client's watches, those to come too, tell nothing more, until [`mend`](Self::mend).
    pub fn silence_watches(&self) -> &Self {
        self.change_watches(|faults| faults.silent = true)
    }

    /// Ends all faults. What hangs goes on hanging; silent watches tell what they held back.
    pub fn mend(&self) {
        self.rules().clear();
        self.change_watches(|faults| faults.silent = false);
    }

    pub(crate) fn is_mended(&self) -> bool {
        self.rules().is_empty()
    }

    /// What this request meets, in the order in which it was said.
    pub(crate) fn of(&self, request: &AuditEvent) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.rules().retain_mut(|rule| {
            if !(rule.matches)(request) {
                return true;
            }
            faults.push(rule.fault.clone());
            rule.left = rule.left.map(|left| left - 1);
            rule.left != Some(0)
        });
        faults
    }

    pub(crate) fn watches(&self) -> WatchedFaults {
        WatchedFaults { faults: self.clone(), changes: self.plan.changed.listen() }
    }

    fn change_watches(&self, change: impl FnOnce(&mut WatchFaults)) -> &Self {
        change(&mut self.plan.watches.lock().unwrap_or_else(PoisonError::into_inner));
        self.plan.changed.give();
        self
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.plan.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WatchedFaults {
    /// As they are; [`changed`](Self::changed) tells of what comes after.
    pub(crate) fn now(&mut self) -> WatchFaults {
        self.changes.mark_heard();
        *self.faults.plan.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Cancel safety
    /// Cancel safe.
    pub(crate) async fn changed(&mut self) {
        self.changes.given().await;
    }
}

/// The faults of all clients.
#[derive(Debug, Default)]
pub(crate) struct AllFaults {
    by_user: Mutex<BTreeMap<String, Faults>>,
}

impl AllFaults {
    pub(crate) fn of(&self, user: &str) -> Faults {
        let mut by_user = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        by_user.entry(user.to_owned()).or_insert_with(|| Faults { plan: Arc::default() }).clone()
    }

    pub(crate) fn all(&self) -> Vec<Faults> {
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
