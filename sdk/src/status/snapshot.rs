//! What there is to say, as JSON under `/status`: field names are stable, times are RFC 3339, durations seconds.

use jiff::Timestamp;
use serde::Serialize;

/// All that an operator says of itself at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    /// When it was taken.
    pub(crate) time: Timestamp,
    /// Which program.
    pub(crate) operator: Operator,
    /// Which of its replicas.
    pub(crate) replica: Replica,
    /// Who leads.
    pub(crate) leadership: Leadership,
    /// What is reconciled, in the order in which the program adds controllers.
    pub(crate) controllers: Vec<Controller>,
    /// What is watched, one for each kind and namespace.
    pub(crate) caches: Vec<Watch>,
    /// The health checks, each once, as they answered for this snapshot.
    pub(crate) checks: Vec<Check>,
    /// The effective settings.
    pub(crate) settings: Vec<Setting>,
}

/// The program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operator {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The version of this SDK.
    pub(crate) sdk_version: String,
    /// The API server that it talks to.
    pub(crate) server: String,
    /// When this process started.
    pub(crate) started: Timestamp,
    /// How long ago that was.
    pub(crate) uptime_seconds: u64,
}

/// The process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Replica {
    /// Its name.
    pub(crate) name: String,
    /// What the lock names when it leads.
    pub(crate) identity: String,
}

/// What a replica is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// It leads.
    Leading,
    /// It leads, and hands over: no new work is begun.
    Draining,
    /// Somebody else leads, or nobody.
    Standby,
}

/// Who leads, by what this replica knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Leadership {
    /// What this replica is.
    pub(crate) state: State,
    /// Who leads; `null`: nobody.
    pub(crate) leader: Option<String>,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
    /// How long ago that was.
    pub(crate) since_seconds: Option<u64>,
    /// What the leader is elected by; `null`: leader election is off.
    pub(crate) lock: Option<Lock>,
    /// The newest terms that this replica has seen, of all replicas; the newest first, 20 at most.
    pub(crate) terms: Vec<Term>,
}

/// A lock object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lock {
    /// Its kind.
    pub(crate) kind: String,
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
}

/// A term, of whomever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Term {
    /// Who leads or led.
    pub(crate) leader: String,
    /// Its number among the terms of this process; `null`: it is another's.
    pub(crate) number: Option<u64>,
    /// When it began, by its leader's clock.
    pub(crate) began: Timestamp,
    /// When it ended; `null`: it has not, as far as is known.
    pub(crate) ended: Option<Timestamp>,
    /// Why it ended.
    pub(crate) reason: Option<String>,
    /// How long it lasted, or has lasted.
    pub(crate) seconds: u64,
}

/// One controller.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Controller {
    /// Its name.
    pub(crate) name: String,
    /// The kind that it reconciles.
    pub(crate) kind: String,
    /// What there is to do. Empty on a standby.
    pub(crate) queue: Queue,
    /// Who does it.
    pub(crate) workers: Workers,
    /// What was done, since the process started.
    pub(crate) reconciles: Reconciles,
    /// How many objects failed the last time.
    pub(crate) failing: usize,
    /// Those of them that failed last, the newest first, 10 at most.
    pub(crate) errors: Vec<Failing>,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queue {
    /// Due, and waiting for a worker.
    pub(crate) due: usize,
    /// For later: retries, what a reconcile asked for, resyncs.
    pub(crate) scheduled: usize,
}

/// Who works.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Workers {
    /// How many may at once.
    pub(crate) limit: usize,
    /// How many do.
    pub(crate) busy: usize,
    /// At what, the longest first, 10 at most.
    pub(crate) in_work: Vec<InWork>,
}

/// An object that is reconciled at this moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InWork {
    /// `namespace/name`, or the name alone.
    pub(crate) object: String,
    /// For how long.
    pub(crate) seconds: f64,
}

/// How reconciles ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reconciles {
    /// Well.
    pub(crate) succeeded: u64,
    /// With an error.
    pub(crate) failed: u64,
}

/// An object whose last reconcile failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failing {
    /// `namespace/name`, or the name alone.
    pub(crate) object: String,
    /// What went wrong, with its causes, as it is logged.
    pub(crate) error: String,
    /// The RBAC rule that would have granted what was forbidden.
    pub(crate) missing_rule: Option<String>,
    /// How often it failed in a row.
    pub(crate) tries: u32,
    /// When it failed last.
    pub(crate) at: Timestamp,
    /// When it is tried again; `null`: when the object changes.
    pub(crate) next_try: Option<Timestamp>,
}

/// One watch and what it has brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Watch {
    /// The kind.
    pub(crate) kind: String,
    /// The namespace; `null`: all, or a kind without.
    pub(crate) namespace: Option<String>,
    /// Whether everything was listed once.
    pub(crate) synced: bool,
    /// How many objects are known.
    pub(crate) objects: usize,
    /// How often the watch ended before its time, or could not be opened.
    pub(crate) reconnects: u64,
    /// How long ago it was last heard of.
    pub(crate) quiet_seconds: u64,
    /// Why it does not work at the moment.
    pub(crate) error: Option<String>,
}

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Check {
    /// Its name.
    pub(crate) name: String,
    /// The probes that fail with it: `live`, `ready`, `startup`. None: it is only listed.
    pub(crate) probes: Vec<String>,
    /// What it said.
    pub(crate) ok: bool,
    /// Why not, or some detail; may be empty.
    pub(crate) detail: String,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Setting {
    /// The key's path, levels separated by `:`.
    pub(crate) key: String,
    /// The effective value; `null`: it is set, and the key is not listed as safe to be shown.
    pub(crate) value: Option<String>,
    /// Where it came from.
    pub(crate) origin: String,
}

impl Snapshot {
    /// How much needs somebody's attention: objects that fail, watches that do not work, checks that count and fail.
    pub(super) fn troubles(&self) -> Troubles {
        Troubles {
            failing: self.controllers.iter().map(|controller| controller.failing).sum(),
            watches: self.caches.iter().filter(|watch| watch.error.is_some()).count(),
            checks: self.checks.iter().filter(|check| check.fails()).count(),
        }
    }
}

impl Check {
    /// A probe fails with it.
    pub(super) fn fails(&self) -> bool {
        !self.ok && !self.probes.is_empty()
    }
}

/// What needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Troubles {
    pub(super) failing: usize,
    pub(super) watches: usize,
    pub(super) checks: usize,
}
