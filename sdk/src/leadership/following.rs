//! How the rest of a program follows who leads.

use futures::Stream;
use tokio::sync::watch;

use super::changes::{Change, changes};
use super::term::{LeadershipState, Term};

/// Follows the leadership of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leadership(watch::Receiver<LeadershipState>);

impl Leadership {
    /// Follows what `sender` publishes.
    #[must_use]
    pub fn following(sender: &watch::Sender<LeadershipState>) -> Self {
        Self(sender.subscribe())
    }

    /// What this process is now. A term may be over although it is still the newest: [`Term::is_valid`] tells.
    #[must_use]
    pub fn current(&self) -> LeadershipState {
        self.0.borrow().clone()
    }

    /// The term that is valid now, if this process leads.
    #[must_use]
    pub fn term(&self) -> Option<Term> {
        match self.current() {
            LeadershipState::Leading(term) if term.is_valid() => Some(term),
            LeadershipState::Leading(_) | LeadershipState::Standby { .. } => None,
        }
    }

    /// Asks to let another replica lead, as [`Term::step_down`] does. `false`: this process does not lead, or without an election.
    pub fn step_down(&self, reason: impl Into<String>) -> bool {
        self.term().is_some_and(|term| term.step_down(reason))
    }

    /// What changes from now on; the first change tells who leads, as soon as anybody does: before that, and before the lock has been
    /// read, there is nothing to tell. Every start that is told is followed by its stop. Ends with the elector.
    pub fn changes(&self) -> impl Stream<Item = Change> + Send + use<> {
        changes(self.0.clone())
    }

    /// Resolves with the next term newer than `after` (0: any), or with `None` when no more will come.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn next_term(&mut self, after: u64) -> Option<Term> {
        let newer = |state: &LeadershipState| matches!(state, LeadershipState::Leading(term) if term.id() > after);
        match self.0.wait_for(newer).await.ok()?.clone() {
            LeadershipState::Leading(term) => Some(term),
            LeadershipState::Standby { .. } => None,
        }
    }
}
