//! Changes of leadership, one after the other.

use futures::Stream;
use futures::stream::unfold;
use tokio::sync::watch;

use super::election::EndReason;
use super::term::{LeadershipState, Term};

/// A change of who leads, as this process sees it: what client-go calls back for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// This process leads from now on. client-go's `OnStartedLeading`.
    Started(Term),
    /// Its term is over. client-go's `OnStoppedLeading`.
    Stopped {
        /// The term.
        term: Term,
        /// Why it ended.
        reason: EndReason,
    },
    /// The lock names another holder. `None`: nobody, or nobody any more. client-go's `OnNewLeader`.
    Leader(Option<String>),
}

/// What was told last.
struct Told {
    states: watch::Receiver<LeadershipState>,
    leading: Option<Term>,
    leader: Option<String>,
}

/// Every start that is told is followed by its stop. Who does not listen may miss a whole term, but never sees one without its
/// end.
pub(super) fn changes(states: watch::Receiver<LeadershipState>) -> impl Stream<Item = Change> + Send + use<> {
    unfold(Told { states, leading: None, leader: None }, |mut told| async move {
        let change = told.next().await?;
        Some((change, told))
    })
}

impl Told {
    async fn next(&mut self) -> Option<Change> {
        loop {
            let state = self.states.borrow_and_update().clone();
            if let Some(change) = self.news(&state) {
                return Some(change);
            }
            let over = async {
                match &self.leading {
                    // By the clock, before anybody has said so.
                    Some(term) => term.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.states.changed() => if changed.is_err() {
                    return self.last_stop().await;
                },
                () = over => {}
            }
        }
    }

    /// The elector is gone, and says nothing more: its term ends with it, or runs out.
    async fn last_stop(&mut self) -> Option<Change> {
        self.leading.as_ref()?.ended().await;
        self.leading.take().map(stopped)
    }

    fn news(&mut self, state: &LeadershipState) -> Option<Change> {
        let newest = match state {
            LeadershipState::Leading(term) => Some(term),
            LeadershipState::Standby { .. } => None,
        };
        if let Some(term) = self.leading.take_if(|term| !term.is_valid() || newest.is_none_or(|n| n.id() != term.id()))
        {
            return Some(stopped(term));
        }
        if self.leading.is_none()
            && let Some(term) = newest.filter(|term| term.is_valid())
        {
            self.leading = Some(term.clone());
            return Some(Change::Started(term.clone()));
        }
        let leader = match state {
            LeadershipState::Leading(term) => Some(term.identity()),
            LeadershipState::Standby { leader } => leader.as_deref(),
        };
        if self.leader.as_deref() == leader {
            return None;
        }
        self.leader = leader.map(str::to_owned);
        Some(Change::Leader(self.leader.clone()))
    }
}

fn stopped(term: Term) -> Change {
    let reason = term.end_reason().unwrap_or(EndReason::Expired);
    Change::Stopped { term, reason }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use futures::StreamExt as _;
    use tokio::time::timeout;

    use super::*;
    use crate::leadership::Leadership;
    use crate::leadership::clock::Clock;

    fn term(id: u64) -> (super::super::TermControl, Term) {
        let clock = Clock::tokio();
        let end = clock.read() + Duration::from_secs(10);
        Term::until(id, "me".to_owned(), None, clock, end)
    }

    #[tokio::test(start_paused = true)]
    async fn starts_stops_and_leaders_are_told_in_order() {
        let states = watch::Sender::new(LeadershipState::Standby { leader: Some("other".to_owned()) });
        let mut changes = pin!(Leadership::following(&states).changes());
        assert!(matches!(changes.next().await, Some(Change::Leader(Some(leader))) if leader == "other"));
        let (control, first) = term(1);
        states.send_replace(LeadershipState::Leading(first));
        assert!(matches!(changes.next().await, Some(Change::Started(term)) if term.id() == 1));
        assert!(matches!(changes.next().await, Some(Change::Leader(Some(leader))) if leader == "me"));
        control.end(EndReason::Deleted);
        states.send_replace(LeadershipState::Standby { leader: None });
        let stopped = changes.next().await;
        assert!(matches!(stopped, Some(Change::Stopped { reason: EndReason::Deleted, .. })), "{stopped:?}");
        assert!(matches!(changes.next().await, Some(Change::Leader(None))));
        drop(states);
        assert!(changes.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_told_before_anybody_leads() {
        let states = watch::Sender::new(LeadershipState::Standby { leader: None });
        let mut changes = pin!(Leadership::following(&states).changes());
        assert!(timeout(Duration::from_secs(60), changes.next()).await.is_err());
        states.send_replace(LeadershipState::Standby { leader: Some("other".to_owned()) });
        assert!(matches!(changes.next().await, Some(Change::Leader(Some(leader))) if leader == "other"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_that_the_next_one_replaced_unseen_is_stopped_first() {
        let (control, first) = term(1);
        let states = watch::Sender::new(LeadershipState::Leading(first));
        let mut changes = pin!(Leadership::following(&states).changes());
        assert!(matches!(changes.next().await, Some(Change::Started(_))));
        control.end(EndReason::Expired);
        let (_control, second) = term(2);
        states.send_replace(LeadershipState::Leading(second));
        assert!(matches!(changes.next().await, Some(Change::Stopped { term, .. }) if term.id() == 1));
        assert!(matches!(changes.next().await, Some(Change::Started(term)) if term.id() == 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_that_runs_out_is_stopped_although_nobody_says_so() {
        let (_control, only) = term(1);
        let states = watch::Sender::new(LeadershipState::Leading(only));
        let mut changes = pin!(Leadership::following(&states).changes());
        assert!(matches!(changes.next().await, Some(Change::Started(_))));
        assert!(matches!(changes.next().await, Some(Change::Leader(_))));
        assert!(matches!(changes.next().await, Some(Change::Stopped { reason: EndReason::Expired, .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_is_followed_by_its_stop_although_the_elector_was_dropped() {
        let (control, only) = term(1);
        let states = watch::Sender::new(LeadershipState::Leading(only));
        let mut changes = pin!(Leadership::following(&states).changes());
        assert!(matches!(changes.next().await, Some(Change::Started(_))));
        assert!(matches!(changes.next().await, Some(Change::Leader(_))));
        drop(states);
        assert!(timeout(Duration::from_secs(1), changes.next()).await.is_err(), "the term is not over yet");
        control.end(EndReason::Stopped);
        assert!(matches!(changes.next().await, Some(Change::Stopped { reason: EndReason::Stopped, .. })));
        assert!(changes.next().await.is_none());
    }
}
