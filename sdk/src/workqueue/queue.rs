//! The keyed delay queue: which object is reconciled next. Pure, time is passed in.
//!
//! The semantics of controller-runtime's work queue
//! (<https://github.com/kubernetes-sigs/controller-runtime/tree/main/pkg/controller/priorityqueue>), without its faults:
//!
//! - A key is in it at most once. If it is put in again, the earlier due time wins, and with it the trigger (of two that are
//!   due at the same time, the first); the higher priority wins, too.
//! - A key that is worked on is not handed out. If it is put in meanwhile, it runs once more after.
//! - Nothing is handed out before it is due. Of what is due, [`Priority::Live`] goes before [`Priority::Background`], but every
//!   [`LIVE_IN_A_ROW`]th hand-out at the latest goes to the background, so that a hot key can't hold up a term's first list.
//!   Within a priority the one due first goes first, and of those due at the same time the one put in first.
//! - Failures are counted by key until a success. Nothing is dropped for failing.
//!
//! Each operation costs O(log n) (amortised: whoever asks for what is due moves over what has become so).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::{Attempt, Key, Trigger};
use crate::leadership::clock::Moment;

/// So many live keys are handed out in a row while background ones wait: the background gets a fifth at least.
const LIVE_IN_A_ROW: u32 = 4;

/// Who is handed out first, of those that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// The initial list of a term, and resyncs: many at once, and none of them urgent.
    Background,
    /// Something changed just now.
    Live,
}

/// The keyed delay queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Keys that are queued, or have failed since their last success.
    entries: HashMap<Key, Entry>,
    in_work: HashMap<Key, InWork>,
    /// Not known to be due yet.
    waiting: BTreeMap<Slot, Key>,
    live: BTreeMap<Slot, Key>,
    background: BTreeMap<Slot, Key>,
    /// Of the last key that was put in: makes slots unique, and the order first in, first out.
    sequence: u64,
    /// Keys that have become due since somebody asked.
    became_due: u64,
    /// Live hand-outs since the last one of the background, while that had something.
    live_in_a_row: u32,
}

/// A key that is handed out.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) key: Key,
    pub(super) attempt: Attempt,
    pub(super) priority: Priority,
    /// How long it has been due.
    pub(super) waited: Duration,
}

/// How work on a key ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Succeeded,
    Failed,
    /// Broken off: neither.
    Dropped,
}

/// Due time and sequence number.
type Slot = (Moment, u64);

#[derive(Debug, Default)]
struct Entry {
    failures: u32,
    queued: Option<Queued>,
}

#[derive(Debug)]
struct Queued {
    slot: Slot,
    priority: Priority,
    trigger: Trigger,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In `waiting`.
    Waiting,
    /// In `live` or `background`.
    Ready,
    /// In neither, as long as it is worked on.
    Held,
}

#[derive(Debug)]
struct InWork {
    since: Moment,
    /// The queue was emptied meanwhile: how it ends is of no interest.
    forgotten: bool,
}

// === impl Queue ===

impl Queue {
    /// Puts a key in; says whether it was not in before.
    pub(super) fn add(&mut self, key: Key, trigger: Trigger, priority: Priority, due: Moment) -> bool {
        self.sequence += 1;
        let mut queued = Queued { slot: (due, self.sequence), priority, trigger, place: Place::Waiting };
        let before = self.unqueue(&key);
        let new = before.is_none();
        if let Some(before) = before {
            if before.slot.0 <= due {
                queued.slot = before.slot;
                queued.trigger = before.trigger;
            }
            queued.priority = before.priority.max(priority);
            queued.place = before.place;
        } else if self.in_work.contains_key(&key) {
            queued.place = Place::Held;
        }
        self.enqueue(key, queued);
        new
    }

    /// Hands out the next key that is due. It is worked on until [`Queue::finish`].
    pub(super) fn take(&mut self, now: Moment) -> Option<Taken> {
        self.promote(now);
        let (slot, key) = self.next_ready()?;
        let entry = self.entries.get_mut(&key)?;
        let failures = entry.failures;
        let queued = entry.queued.take()?;
        self.forget_if_empty(&key);
        self.in_work.insert(key.clone(), InWork { since: now, forgotten: false });
        Some(Taken {
            key,
            attempt: Attempt { number: failures.saturating_add(1), trigger: queued.trigger },
            priority: queued.priority,
            waited: now.since(slot.0),
        })
    }

    /// Takes back a key that was handed out. Returns its failures since the last success, or `None` if it was not worked on
    /// or the queue was emptied meanwhile: then there is nothing to retry.
    pub(super) fn finish(&mut self, key: &Key, ended: Ended) -> Option<u32> {
        let work = self.in_work.remove(key)?;
        let entry = self.entries.entry(key.clone()).or_default();
        if !work.forgotten {
            entry.failures = match ended {
                Ended::Succeeded => 0,
                Ended::Failed => entry.failures.saturating_add(1),
                Ended::Dropped => entry.failures,
            };
        }
        let failures = entry.failures;
        if let Some(mut queued) = entry.queued.take() {
            queued.place = Place::Waiting;
            self.enqueue(key.clone(), queued);
        }
        self.forget_if_empty(key);
        (!work.forgotten).then_some(failures)
    }

    /// Empties it, failures included. What is worked on stays out until it is finished.
    pub(super) fn clear(&mut self) {
        let Self { entries, in_work, waiting, live, background, sequence: _, became_due: _, live_in_a_row } = self;
        entries.clear();
        waiting.clear();
        live.clear();
        background.clear();
        *live_in_a_row = 0;
        for work in in_work.values_mut() {
            work.forgotten = true;
        }
    }

    /// When the next key can be handed out: a time in the past, if one can now. `None`: nothing is queued but what is
    /// worked on.
    pub(super) fn next_due(&self) -> Option<Moment> {
        let first = |list: &BTreeMap<Slot, Key>| list.first_key_value().map(|((due, _), _)| *due);
        [&self.live, &self.background, &self.waiting].into_iter().filter_map(first).min()
    }

    /// How many keys are due and could be handed out.
    pub(super) fn depth(&mut self, now: Moment) -> usize {
        self.promote(now);
        self.live.len() + self.background.len()
    }

    /// How many keys have become due since this was asked last.
    pub(super) const fn take_became_due(&mut self) -> u64 {
        std::mem::replace(&mut self.became_due, 0)
    }

    /// The key that has been worked on for longest. O(n) in what is worked on.
    pub(super) fn longest_running(&self, now: Moment) -> Option<(&Key, Duration)> {
        let (key, work) = self.in_work.iter().min_by_key(|(_, work)| work.since)?;
        Some((key, now.since(work.since)))
    }

    /// How long all keys that are worked on have been, together. O(n) in what is worked on.
    pub(super) fn unfinished(&self, now: Moment) -> Duration {
        self.in_work.values().map(|work| now.since(work.since)).sum()
    }

    /// How many keys come later than they could be handed out now.
    pub(super) fn scheduled(&self) -> usize {
        self.waiting.len()
    }

    /// How many keys have failed since their last success. O(n).
    pub(super) fn failing(&self) -> usize {
        self.entries.values().filter(|entry| entry.failures > 0).count()
    }

    /// What is worked on and for how long, the longest first.
    pub(super) fn in_work(&self, now: Moment) -> Vec<(Key, Duration)> {
        let mut keys: Vec<_> = self.in_work.iter().map(|(key, work)| (key.clone(), now.since(work.since))).collect();
        keys.sort_by(|(one, for_one), (other, for_other)| for_other.cmp(for_one).then_with(|| one.cmp(other)));
        keys
    }

    /// Moves what has become due to its priority.
    fn promote(&mut self, now: Moment) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                break;
            }
            let key = first.remove();
            if let Some(mut queued) = self.entries.get_mut(&key).and_then(|entry| entry.queued.take()) {
                queued.place = Place::Ready;
                self.became_due += 1;
                self.enqueue(key, queued);
            }
        }
    }

    fn next_ready(&mut self) -> Option<(Slot, Key)> {
        if self.background.is_empty() {
            return self.live.pop_first();
        }
        if self.live.is_empty() || self.live_in_a_row >= LIVE_IN_A_ROW {
            self.live_in_a_row = 0;
            return self.background.pop_first();
        }
        self.live_in_a_row += 1;
        self.live.pop_first()
    }

    fn enqueue(&mut self, key: Key, queued: Queued) {
        if let Some(list) = self.list(queued.place, queued.priority) {
            list.insert(queued.slot, key.clone());
        }
        self.entries.entry(key).or_default().queued = Some(queued);
    }

    fn unqueue(&mut self, key: &Key) -> Option<Queued> {
        let queued = self.entries.get_mut(key)?.queued.take()?;
        if let Some(list) = self.list(queued.place, queued.priority) {
            list.remove(&queued.slot);
        }
        Some(queued)
    }

    fn list(&mut self, place: Place, priority: Priority) -> Option<&mut BTreeMap<Slot, Key>> {
        match (place, priority) {
            (Place::Waiting, _) => Some(&mut self.waiting),
            (Place::Ready, Priority::Live) => Some(&mut self.live),
            (Place::Ready, Priority::Background) => Some(&mut self.background),
            (Place::Held, _) => None,
        }
    }

    fn forget_if_empty(&mut self, key: &Key) {
        if self.entries.get(key).is_some_and(|entry| entry.failures == 0 && entry.queued.is_none()) {
            self.entries.remove(key);
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
