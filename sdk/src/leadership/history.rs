//! Who led when, as far as this process has seen it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::clock::{Clock, Moment};
use super::election::{Election, EndReason, Observation};

/// So many terms are remembered; older ones are forgotten.
const REMEMBERED: usize = 20;

/// The newest terms, of this process and of others, the newest last. Cheap to clone; clones are one.
#[derive(Clone, Debug)]
pub struct TermHistory {
    state: Arc<Mutex<State>>,
    clock: Clock,
}

/// A term, of whomever.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PastTerm {
    /// The identity that leads or led.
    pub leader: String,
    /// [`Term::id`](super::Term::id), if it is or was a term of this process.
    pub own: Option<u64>,
    /// When it began: others' terms by the clock of their leader.
    pub began: Timestamp,
    /// When and why it ended; `None`: it has not, as far as is known.
    pub ended: Option<(Timestamp, TermEnd)>,
}

/// Why a term ended, as it looks from this process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TermEnd {
    /// A term of this process, for this reason.
    Own(EndReason),
    /// Somebody else gave the lock back.
    Released,
    /// Somebody else held the lock, and then this identity took it.
    TakenOver {
        /// Who holds it now.
        by: String,
    },
    /// The lock was deleted while somebody else held it.
    Deleted,
}

/// What the newest state of the lock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    /// It is not there.
    Absent,
    /// It names nobody.
    Free,
    /// This process wrote it, and holds it.
    Own,
    /// Somebody else holds it.
    Foreign {
        leader: &'a str,
        /// When the holder took it, by its own clock.
        acquired: Option<Timestamp>,
        /// When it may be taken from the holder, if nothing changes.
        runs_out: Option<Moment>,
    },
}

#[derive(Debug, Default)]
struct State {
    terms: VecDeque<PastTerm>,
    /// What the holder wrote of its newest foreign term: another time is another term.
    acquired: Option<Timestamp>,
    /// When the newest foreign term runs out.
    runs_out: Option<Moment>,
}

// === impl Seen ===

impl<'a> Seen<'a> {
    pub(super) fn by(election: &'a Election) -> Self {
        let record = election.newest().and_then(Observation::record);
        match (record, election.holder()) {
            (None, _) => Self::Absent,
            (_, None) => Self::Free,
            (_, Some(_)) if election.holds() => Self::Own,
            (Some(record), Some(leader)) => Self::Foreign {
                leader,
                acquired: record.spec.acquired.and_then(|at| Timestamp::from_microsecond(at.as_micros()).ok()),
                runs_out: election.runs_out_at(),
            },
        }
    }
}

// === impl TermHistory ===

impl TermHistory {
    pub(super) fn new(clock: Clock) -> Self {
        Self { state: Arc::default(), clock }
    }

    /// All that are remembered, the newest last.
    #[must_use]
    pub fn terms(&self) -> Vec<PastTerm> {
        self.lock().terms.iter().cloned().collect()
    }

    /// The term that runs now, if one does: one of another leader runs until the lock may be taken from it.
    #[must_use]
    pub fn current(&self) -> Option<PastTerm> {
        let state = self.lock();
        let newest = state.terms.back().filter(|term| term.ended.is_none())?;
        let over = newest.own.is_none() && state.runs_out.is_some_and(|end| end <= self.clock.now());
        (!over).then(|| newest.clone())
    }

    /// A term of this process began.
    pub(super) fn began(&self, identity: &str, id: u64, now: Timestamp) {
        let mut state = self.lock();
        state.close(now, || TermEnd::TakenOver { by: identity.to_owned() });
        state.push(PastTerm { leader: identity.to_owned(), own: Some(id), began: now, ended: None });
    }

    /// The term of this process ended.
    pub(super) fn ended(&self, reason: EndReason, now: Timestamp) {
        self.lock().close(now, || TermEnd::Own(reason));
    }

    /// The lock was looked at.
    pub(super) fn saw(&self, seen: Seen<'_>, now: Timestamp) {
        let mut state = self.lock();
        if state.terms.back().is_some_and(|term| term.own.is_some() && term.ended.is_none()) {
            // This process has not given it up: whoever ends it tells why.
            return;
        }
        match seen {
            Seen::Own => {}
            Seen::Absent => state.close(now, || TermEnd::Deleted),
            Seen::Free => state.close(now, || TermEnd::Released),
            Seen::Foreign { leader, acquired, runs_out } => {
                state.runs_out = runs_out;
                if state.is_newest(leader, acquired) {
                    return;
                }
                state.close(now, || TermEnd::TakenOver { by: leader.to_owned() });
                state.acquired = acquired;
                let began = acquired.unwrap_or(now);
                state.push(PastTerm { leader: leader.to_owned(), own: None, began, ended: None });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn is_newest(&self, leader: &str, acquired: Option<Timestamp>) -> bool {
        let is_open = |term: &PastTerm| term.ended.is_none() && term.leader == leader;
        self.acquired == acquired && self.terms.back().is_some_and(is_open)
    }

    fn close(&mut self, now: Timestamp, why: impl FnOnce() -> TermEnd) {
        if let Some(term) = self.terms.back_mut().filter(|term| term.ended.is_none()) {
            term.ended = Some((now, why()));
        }
    }

    fn push(&mut self, term: PastTerm) {
        if self.terms.len() == REMEMBERED {
            self.terms.pop_front();
        }
        self.terms.push_back(term);
    }
}

impl fmt::Display for TermEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(reason) => reason.fmt(f),
            Self::Released => f.write_str("the lock was given back"),
            Self::TakenOver { by } => write!(f, "{by} took the lock"),
            Self::Deleted => f.write_str("the lock was deleted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn history() -> TermHistory {
        TermHistory::new(Clock::from_fn(|| Moment::new(Duration::from_secs(100))))
    }

    fn foreign(leader: &str, acquired: i64) -> Seen<'_> {
        Seen::Foreign { leader, acquired: Some(at(acquired)), runs_out: Some(Moment::new(Duration::from_secs(101))) }
    }

    fn told(history: &TermHistory) -> Vec<String> {
        let end = |term: &PastTerm| term.ended.as_ref().map_or_else(|| "runs".to_owned(), |(_, why)| why.to_string());
        history
            .terms()
            .iter()
            .map(|term| format!("{} {}: {}", term.leader, term.began.as_second(), end(term)))
            .collect()
    }

    #[test]
    fn own_and_foreign_terms_follow_each_other_each_with_its_end() {
        let history = history();
        history.saw(Seen::Absent, at(1));
        history.began("a", 1, at(2));
        history.saw(Seen::Own, at(2));
        history.ended(EndReason::Expired, at(3));
        history.saw(Seen::Own, at(3));
        history.saw(foreign("b", 4), at(5));
        history.saw(foreign("b", 4), at(6));
        history.saw(foreign("c", 7), at(8));
        history.saw(Seen::Free, at(9));
        history.saw(foreign("c", 10), at(10));
        history.saw(Seen::Absent, at(11));
        history.saw(foreign("b", 12), at(12));
        history.began("a", 2, at(13));
        let expected = [
            "a 2: no renewal was accepted before the renew deadline",
            "b 4: c took the lock",
            "c 7: the lock was given back",
            "c 10: the lock was deleted",
            "b 12: a took the lock",
            "a 13: runs",
        ];
        assert_eq!(told(&history), expected);
        assert_eq!(history.current().unwrap().own, Some(2));
    }

    #[test]
    fn a_holder_whose_lock_has_run_out_does_not_lead() {
        let history = history();
        history.saw(foreign("b", 1), at(1));
        assert_eq!(history.current().unwrap().leader, "b");
        let runs_out = Some(Moment::new(Duration::from_secs(100)));
        history.saw(Seen::Foreign { leader: "b", acquired: Some(at(1)), runs_out }, at(2));
        assert_eq!(history.current(), None);
        assert_eq!(told(&history), ["b 1: runs"], "it may renew after all");
    }

    #[test]
    fn only_the_newest_are_remembered() {
        let history = history();
        for second in 0..50 {
            history.saw(foreign("b", second), at(second));
        }
        let terms = history.terms();
        assert_eq!((terms.len(), terms[0].began, terms[19].began), (REMEMBERED, at(30), at(49)));
    }
}
