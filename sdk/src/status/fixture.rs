//! A snapshot for tests.

use super::{
    Check, Controller, Failing, InWork, Leadership, Lock, Operator, Queue, Reconciles, Replica, Setting, Snapshot,
    State, Term, Watch, Workers,
};

/// What must never become markup.
pub(crate) const EVIL: &str = "<script>alert('x')</script>&\"";

fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// With an evil text wherever one comes from outside.
pub(crate) fn snapshot() -> Snapshot {
    let text = EVIL.to_owned();
    let failing = Failing {
        object: text.clone(),
        error: text.clone(),
        missing_rule: Some(text.clone()),
        tries: 3,
        at: at(-4),
        next_try: Some(at(8)),
    };
    let controller = Controller {
        name: text.clone(),
        kind: text.clone(),
        queue: Queue { due: 11, scheduled: 12 },
        workers: Workers { limit: 4, busy: 1, in_work: vec![InWork { object: text.clone(), seconds: 2.5 }] },
        reconciles: Reconciles { succeeded: 13, failed: 14 },
        failing: 1,
        errors: vec![failing],
    };
    let watch = Watch {
        kind: text.clone(),
        namespace: Some(text.clone()),
        synced: false,
        objects: 15,
        reconnects: 16,
        quiet_seconds: 17,
        error: Some(text.clone()),
    };
    let term = Term {
        leader: text.clone(),
        number: None,
        began: at(-60),
        ended: Some(at(-10)),
        reason: Some(text.clone()),
        seconds: 50,
    };
    Snapshot {
        time: at(0),
        operator: Operator {
            name: text.clone(),
            version: text.clone(),
            sdk_version: text.clone(),
            server: text.clone(),
            started: at(-70),
            uptime_seconds: 70,
        },
        replica: Replica { name: text.clone(), identity: text.clone() },
        leadership: Leadership {
            state: State::Standby,
            leader: Some(text.clone() + "_1"),
            since: Some(at(-60)),
            since_seconds: Some(60),
            lock: Some(Lock { kind: text.clone(), namespace: text.clone(), name: text.clone() }),
            terms: vec![term],
        },
        controllers: vec![controller],
        caches: vec![watch],
        checks: vec![Check { name: text.clone(), probes: vec![text.clone()], ok: false, detail: text.clone() }],
        settings: vec![Setting { key: text.clone(), value: Some(text.clone()), origin: text }],
    }
}
