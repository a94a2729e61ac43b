//! A candidate that stands.

use std::io;
use std::ops::Deref;

use futures::Stream;
use kube::Client;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::CandidateError;
use crate::leadership::changes::Change;
use crate::leadership::elector::ElectorError;
use crate::leadership::fence::fence;
use crate::leadership::following::Leadership;
use crate::leadership::term::Term;
use crate::metrics::Metrics;

/// Stands for a lock until it is stopped or dropped, for any number of terms. A term that ends, by a stop too, waits only for
/// work that holds a guard of [`Term::begin_work`]; what holds none is told by [`Term::ended`].
///
/// ```no_run
/// use futures::StreamExt as _;
/// use kubeops::leadership::{Candidate, Change};
///
/// # async fn follow() -> Result<(), Box<dyn std::error::Error>> {
/// let standing = Candidate::lease("cache-warmer").start().await?;
/// let mut changes = std::pin::pin!(standing.changes());
/// while let Some(change) = changes.next().await {
///     match change {
///         Change::Started(term) => println!("term {} begins", term.id()),
///         Change::Stopped { reason, .. } => println!("it is over: {reason}"),
///         Change::Leader(leader) => println!("led by {leader:?}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropped, it stands no more"]
pub struct Standing {
    leadership: Leadership,
    client: Client,
    metrics: Metrics,
    stop: Stop,
    /// `None` once its end was told.
    run: Option<JoinHandle<io::Result<Result<(), ElectorError>>>>,
}

/// How a standing ends.
#[derive(Debug)]
pub(super) struct Stop {
    /// Whether somebody else has asked for it.
    pub(super) asked: CancellationToken,
    /// Its own end.
    pub(super) ends: DropGuard,
}

/// This process as the leader: the term, and a client that writes only while it lasts.
#[derive(Clone)]
pub struct Leader {
    term: Term,
    client: Client,
}

impl Standing {
    pub(super) fn new(
        leadership: Leadership,
        client: Client,
        metrics: Metrics,
        stop: Stop,
        run: JoinHandle<io::Result<Result<(), ElectorError>>>,
    ) -> Self {
        Self { leadership, client, metrics, stop, run: Some(run) }
    }

    /// Who leads, now and later. Cheap to clone.
    #[must_use]
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Changes of who leads, from now on; the first tells who leads, as soon as anybody does. Ends when it stands no more.
    pub fn changes(&self) -> impl Stream<Item = Change> + Send + use<> {
        self.leadership.changes()
    }

    /// Asks to let another replica lead, as [`Term::step_down`] does. `false`: this process does not lead.
    pub fn step_down(&self, reason: impl Into<String>) -> bool {
        self.leadership.step_down(reason)
    }

    /// Waits for the next term after the one of this number (0: any).
    ///
    /// # Errors
    /// If it was asked to stop, or the election had to be given up. Why is told once; [`CandidateError::Ended`] after that.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn next_term(&mut self, after: u64) -> Result<Leader, CandidateError> {
        match self.leadership.next_term(after).await {
            Some(term) => {
                let client = fence(&self.client, &term, &self.metrics);
                Ok(Leader { term, client })
            }
            None => match ended(&mut self.run).await {
                Ok(()) if self.stop.asked.is_cancelled() => Err(CandidateError::Stopped),
                Ok(()) => Err(CandidateError::Ended),
                Err(error) => Err(error),
            },
        }
    }

    /// Stands no more: work that holds a guard may end, within the candidate's patience, and the lock is given back. A drop does the same in the
    /// background.
    ///
    /// # Errors
    /// If the election had been given up before; [`CandidateError::Ended`] if why has been told.
    ///
    /// # Cancel safety
    /// When dropped, it goes on in the background.
    pub async fn stop(self) -> Result<(), CandidateError> {
        let Self { stop: Stop { asked: _, ends }, mut run, .. } = self;
        drop(ends);
        ended(&mut run).await
    }
}

async fn ended(run: &mut Option<JoinHandle<io::Result<Result<(), ElectorError>>>>) -> Result<(), CandidateError> {
    let Some(running) = run else { return Err(CandidateError::Ended) };
    let ended = running.await;
    *run = None;
    match ended {
        Ok(outcome) => Ok(outcome.map_err(CandidateError::Thread)??),
        Err(broken) => match broken.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(CandidateError::Ended),
        },
    }
}

impl Leader {
    /// The term: whether it is valid, when it ends, its fencing token.
    #[must_use]
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// A client that reads at any time, and writes only while the term lasts. A refused write is told by
    /// [`is_fenced`](crate::is_fenced).
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Deref for Leader {
    type Target = Term;
    fn deref(&self) -> &Term {
        &self.term
    }
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Standing").field(&self.leadership).finish()
    }
}

impl std::fmt::Debug for Leader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Leader").field(&self.term).finish()
    }
}

#[cfg(test)]
mod tests {
    use kubeops_testkit::Cluster;
    use tokio::sync::watch;

    use super::*;
    use crate::leadership::LeadershipState;

    /// One whose elector says this in the end, and has ended.
    async fn over(outcome: Result<(), ElectorError>) -> Standing {
        let leadership = Leadership::following(&watch::Sender::new(LeadershipState::Standby { leader: None }));
        let client = Cluster::start().await.client("a");
        let run = tokio::spawn(std::future::ready(Ok(outcome)));
        let asked = CancellationToken::new();
        let stop = Stop { ends: asked.child_token().drop_guard(), asked };
        Standing::new(leadership, client, Metrics::new(), stop, run)
    }

    #[tokio::test]
    async fn an_election_that_was_given_up_says_why_once_and_can_be_asked_and_stopped_all_the_same() {
        let mut standing = over(Err(ElectorError::WorkGoesOn { term: 1, seconds: 21 })).await;
        let why = standing.next_term(1).await.unwrap_err();
        assert!(matches!(why, CandidateError::Elector(ElectorError::WorkGoesOn { .. })), "{why:?}");
        let again = standing.next_term(1).await.unwrap_err();
        assert!(matches!(again, CandidateError::Ended), "{again:?}");
        let stopped = standing.stop().await.unwrap_err();
        assert!(matches!(stopped, CandidateError::Ended), "{stopped:?}");
    }
}
