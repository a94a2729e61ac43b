//! A server that keeps one object, compares versions, and checks what it is asked to overwrite.

use super::super::*;
use super::{Author, Micros};

pub(super) struct Server {
    version: u64,
    uids: u64,
    held: Option<Held>,
    /// All that a watch could tell, in order.
    pub(super) history: Vec<Observation>,
    /// Version at which somebody cleared the holder or deleted the lock the last time.
    pub(super) cleared: u64,
    pub(super) deleted: u64,
    /// Version at which it was created.
    pub(super) created: u64,
}

struct Held {
    record: Record,
    /// `None`: none of the candidates.
    author: Option<Author>,
    /// Since when the spec says what it says.
    since: Micros,
}

impl Server {
    pub(super) fn new() -> Self {
        Self { version: 1, uids: 0, held: None, history: Vec::new(), cleared: 0, deleted: 0, created: 0 }
    }

    pub(super) fn read(&self) -> Observation {
        let absent = Observation::Absent { version: self.version };
        self.held.as_ref().map_or(absent, |held| Observation::Present(held.record.clone()))
    }

    /// The API server's rule: a write replaces the very version that it was based on, or creates what is not there.
    pub(super) fn put(&mut self, now: Micros, author: Author, put: Put) -> Input {
        let current = self.held.as_ref().map(|held| (held.record.version, held.record.uid.clone()));
        if current != put.base {
            return Input::Conflict;
        }
        self.check_that_it_may_be_overwritten(now, author, &put);
        self.accept(now, Some(author), put.spec);
        Input::Answered(self.read())
    }

    fn check_that_it_may_be_overwritten(&self, now: Micros, author: Author, put: &Put) {
        let Some(held) = self.held.as_ref().filter(|held| held.author != Some(author)) else { return };
        assert!(put.spec.holder().is_some(), "{author:?} released what it did not hold: {:?}", held.record);
        if held.record.spec.holder().is_some() {
            let lease = held.record.spec.duration_or(LEASE);
            let lasted = Duration::from_micros(now - held.since);
            assert!(lasted >= lease, "{author:?} overwrote after {lasted:?}: {:?}", held.record);
        }
    }

    fn accept(&mut self, now: Micros, author: Option<Author>, spec: Spec) {
        self.version += 1;
        if self.held.is_none() {
            self.uids += 1;
            self.created = self.version;
        }
        let uid = format!("uid-{}", self.uids);
        let record = Record { version: self.version, uid, spec };
        self.held = Some(Held { record, author, since: now });
        self.history.push(self.read());
    }

    /// Somebody labels it.
    pub(super) fn label(&mut self) {
        self.version += 1;
        if let Some(held) = &mut self.held {
            held.record.version = self.version;
            self.history.push(self.read());
        }
    }

    /// Somebody takes it, or (`None`) clears it, as client-go's release can.
    pub(super) fn meddle(&mut self, now: Micros, holder: Option<&str>) {
        let Some(held) = &self.held else { return };
        let renewed = i64::try_from(now).ok().map(Stamp::from_micros);
        let spec = Spec { holder: holder.map(str::to_owned), renewed, ..held.record.spec.clone() };
        self.accept(now, None, spec);
        if holder.is_none() {
            self.cleared = self.version;
        }
    }

    /// Version of the newest interference that forces an election: earlier terms may overlap later ones.
    pub(super) fn forced(&self) -> u64 {
        self.cleared.max(self.deleted)
    }

    pub(super) fn delete(&mut self) {
        self.version += 1;
        if self.held.take().is_some() {
            self.deleted = self.version;
            self.history.push(self.read());
        }
    }
}
