//! The newest state of the lock that this process knows, and whose write it is.

use std::time::Duration;

use super::record::{Observation, Put, Record, Spec};
use super::step::Now;
use crate::leadership::clock::Moment;

/// Takeovers of an expired lock are spread over this long, so that the standbys do not all write at one instant. A release
/// is answered at once.
const EXPIRY_JITTER: Duration = Duration::from_millis(50);

/// Writes that are remembered: minutes of tries, more than there can be in a term. One that is forgotten and lands after all
/// is taken for somebody else's, which is safe. Without a bound a right that is missing would fill the memory.
const REMEMBERED: usize = 64;

/// The newest state known. Nothing older ever replaces it, whatever way it came.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) observation: Observation,
    /// When this spec (not this version: metadata may change) was first seen here.
    pub(super) seen: Moment,
    pub(super) jitter: Duration,
    /// The write of this process that it is, if it is one.
    pub(super) mine: Option<Sent>,
}

/// A write that this process sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) put: Put,
    /// Validity counts from here, not from the answer.
    pub(super) at: Moment,
    pub(super) release: bool,
}

/// How a new observation differs from what was known before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Not newer, or only metadata changed.
    Nothing,
    /// A write of this process is now the newest state.
    OwnWrite,
    /// Somebody else's write, or one of ours that nobody can vouch for.
    ForeignWrite,
    /// It is gone; or it is there, but as another object.
    Gone,
}

/// What a candidate knows of the lock and of its own writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Knowledge {
    pub(super) newest: Option<Known>,
    /// Writes of this process that are not known to have landed. All were based on the newest state: a write based on an
    /// older one can't land any more, because the server compares versions.
    pub(super) pending: Vec<Sent>,
    /// Not to be written before this instant, because a holder that was known may not know yet that its lock is gone. A later
    /// and shorter lease does not take back what an earlier one was promised, nor does one that is created and released.
    pub(super) left_alone_until: Moment,
}

impl Knowledge {
    pub(super) const fn newest(&self) -> Option<&Known> {
        self.newest.as_ref()
    }

    pub(super) fn record(&self) -> Option<&Record> {
        self.newest.as_ref()?.observation.record()
    }

    pub(super) fn has_unsettled_writes(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether the newest record is a write of this process that names it as the holder.
    pub(super) fn is_held_by_own_write(&self) -> bool {
        let mine = self.newest.as_ref().and_then(|known| known.mine.as_ref());
        mine.is_some_and(|sent| !sent.release)
    }

    pub(super) fn sent(&mut self, put: Put, at: Moment, release: bool) {
        if self.pending.len() == REMEMBERED {
            self.pending.remove(0);
        }
        self.pending.push(Sent { put, at, release });
    }

    /// Takes in what was learnt. `absence` is how long a lock that is gone is left alone, given the record that was known
    /// before (`None`: not at all, whatever was known earlier).
    pub(super) fn learn(
        &mut self,
        now: Now,
        observation: Observation,
        absence: impl FnOnce(&Spec) -> Option<Duration>,
    ) -> News {
        if let Some(known) = self.newest.as_ref().filter(|known| observation.version() <= known.observation.version()) {
            // A read that was overtaken by the watch: whoever it shows as the holder may not know yet that the lock is gone.
            let uid = known.observation.record().map(|record| &record.uid);
            if let Some(earlier) = observation.record().filter(|earlier| Some(&earlier.uid) != uid)
                && earlier.spec.holder().is_some()
                && let Some(wait) = absence(&earlier.spec)
            {
                self.left_alone_until = self.left_alone_until.max(now.clock + wait);
                // They were sent when nothing was known of that holder.
                self.pending.clear();
            }
            return News::Nothing;
        }
        let before = self.newest.take();
        let earlier = before.as_ref().and_then(|known| known.observation.record());
        let fresh =
            |observation, mine| Known { observation, seen: now.clock, jitter: EXPIRY_JITTER.mul_f64(now.chance), mine };
        let uid = observation.record().map(|record| &record.uid);
        let (known, news) = match (&observation, earlier) {
            (_, Some(earlier)) if uid != Some(&earlier.uid) => {
                let (now, wait) = (now.clock, absence(&earlier.spec));
                self.left_alone_until = wait.map_or(now, |wait| self.left_alone_until.max(now + wait));
                (fresh(observation, None), News::Gone)
            }
            // Still not there. What is pending may still land: a create needs no version.
            (Observation::Absent { .. }, _) => {
                if before.is_none() {
                    self.left_alone_until = now.clock;
                }
                let still = before.map(|before| Known { observation: observation.clone(), ..before });
                self.newest = Some(still.unwrap_or_else(|| fresh(observation, None)));
                return News::Nothing;
            }
            (Observation::Present(record), Some(earlier)) if record.spec == earlier.spec => {
                let kept = before.unwrap_or_else(|| fresh(observation.clone(), None));
                (Known { observation, ..kept }, News::Nothing)
            }
            (Observation::Present(record), _) => {
                let mine = self.pending.iter().find(|sent| sent.put.spec == record.spec).cloned();
                let news = if mine.is_some() { News::OwnWrite } else { News::ForeignWrite };
                (fresh(observation, mine), news)
            }
        };
        self.newest = Some(known);
        self.pending.clear();
        news
    }

    /// From when on a candidate may write the lock as its own: an instant in the past, or one that comes if nothing changes.
    /// `None`: nothing is known yet. `is_dead`: whoever holds it lives no more.
    pub(super) fn free_from(&self, own_lease: Duration, is_dead: bool) -> Option<Moment> {
        let known = self.newest.as_ref()?;
        let Observation::Present(record) = &known.observation else { return Some(self.left_alone_until) };
        let free_now = is_dead || known.mine.is_some() || record.spec.holder().is_none();
        let wait = if free_now { Duration::ZERO } else { record.spec.duration_or(own_lease) + known.jitter };
        Some((known.seen + wait).max(self.left_alone_until))
    }
}
