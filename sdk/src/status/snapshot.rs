//! What there is to say, as JSON under `/status`: field names are stable, times are RFC 3339, durations seconds.

use jiff::Timestamp;
use serde::Serialize;

/// All that an operator says of itself at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// When it was taken.
    pub time: Timestamp,
    /// Which program.
    pub operator: Operator,
    /// Which of its replicas.
    pub replica: Replica,
    /// Who leads.
    pub leadership: Leadership,
    /// What is reconciled, in the order in which the program adds controllers.
    pub controllers: Vec<Controller>,
    /// What is watched, one for each kind and namespace.
    pub caches: Vec<Watch>,
    /// The health checks, each once, as they answered for this snapshot.
    pub checks: Vec<Check>,
    /// The effective settings.
    pub settings: Vec<Setting>,
}

/// The program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of this SDK.
    pub sdk_version: String,
    /// The API server that it talks to.
    pub server: String,
    /// When this process started.
    pub started: Timestamp,
    /// How long ago that was.
    pub uptime_seconds: u64,
}

/// The process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replica {
    /// Its name.
    pub name: String,
    /// What the lock names when it leads.
    pub identity: String,
}

/// What a replica is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
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
pub struct Leadership {
    /// What this replica is.
    pub state: State,
    /// Who leads; `null`: nobody.
    pub leader: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// How long ago that was.
    pub since_seconds: Option<u64>,
    /// What the leader is elected by; `null`: leader election is off.
    pub lock: Option<Lock>,
    /// The newest terms that this replica has seen, of all replicas; the newest first, 20 at most.
    pub terms: Vec<Term>,
}

/// A lock object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A term, of whomever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// Who leads or led.
    pub leader: String,
    /// Its number among the terms of this process; `null`: it is another's.
    pub number: Option<u64>,
    /// When it began, by its leader's clock.
    pub began: Timestamp,
    /// When it ended; `null`: it has not, as far as is known.
    pub ended: Option<Timestamp>,
    /// Why it ended.
    pub reason: Option<String>,
    /// How long it lasted, or has lasted.
    pub seconds: u64,
}

/// One controller.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Controller {
    /// Its name.
    pub name: String,
    /// The kind that it reconciles.
    pub kind: String,
    /// What there is to do. Empty on a standby.
    pub queue: Queue,
    /// Who does it.
    pub workers: Workers,
    /// What was done, since the process started.
    pub reconciles: Reconciles,
    /// How many objects failed the last time.
    pub failing: usize,
    /// Those of them that failed last, the newest first, 10 at most.
    pub errors: Vec<Failing>,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// Due, and waiting for a worker.
    pub due: usize,
    /// For later: retries, what a reconcile asked for, resyncs.
    pub scheduled: usize,
}

/// Who works.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workers {
    /// How many may at once.
    pub limit: usize,
    /// How many do.
    pub busy: usize,
    /// At what, the longest first, 10 at most.
    pub in_work: Vec<InWork>,
}

/// An object that is reconciled at this moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InWork {
    /// `namespace/name`, or the name alone.
    pub object: String,
    /// For how long.
    pub seconds: f64,
}

/// How reconciles ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconciles {
    /// Well.
    pub succeeded: u64,
    /// With an error.
    pub failed: u64,
}

/// An object whose last reconcile failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failing {
    /// `namespace/name`, or the name alone.
    pub object: String,
    /// What went wrong, with its causes, as it is logged.
    pub error: String,
    /// The RBAC rule that would have granted what was forbidden.
    pub missing_rule: Option<String>,
    /// How often it failed in a row.
    pub tries: u32,
    /// When it failed last.
    pub at: Timestamp,
    /// When it is tried again; `null`: when the object changes.
    pub next_try: Option<Timestamp>,
}

/// One watch and what it has brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Watch {
    /// The kind.
    pub kind: String,
    /// The namespace; `null`: all, or a kind without.
    pub namespace: Option<String>,
    /// Whether everything was listed once.
    pub synced: bool,
    /// How many objects are known.
    pub objects: usize,
    /// How often the watch ended before its time, or could not be opened.
    pub reconnects: u64,
    /// How long ago it was last heard of.
    pub quiet_seconds: u64,
    /// Why it does not work at the moment.
    pub error: Option<String>,
}

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The probes that fail with it: `live`, `ready`, `startup`. None: it is only listed.
    pub probes: Vec<String>,
    /// What it said.
    pub ok: bool,
    /// Why not, or some detail; may be empty.
    pub detail: String,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The key's path, levels separated by `:`.
    pub key: String,
    /// The effective value; `null`: it is set, and the key is not listed as safe to be shown.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: String,
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
