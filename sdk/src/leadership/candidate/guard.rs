//! Leadership as something that one has, and gives back.

use super::CandidateError;
use super::standing::{Leader, Standing};
use crate::leadership::term::WorkGuard;

/// Leadership, for as long as the term lasts: [`lost`](LeadershipGuard::lost) tells its end.
///
/// The lock is given back by [`release`](LeadershipGuard::release); when the guard is dropped, in the background, as long as
/// the runtime lives: a `main` that returns right after leaves it to expire. The guard counts as work: once the term is lost,
/// release it or drop it within a lease and 5 s, else the election is given up. Code that blocks all threads of the runtime that
/// it was acquired on, or a current-thread runtime that nobody drives meanwhile, loses the term after three leases.
///
/// ```no_run
/// use kubeops::leadership::Candidate;
///
/// # async fn work(_: &kube::Client) {}
/// # async fn once() -> Result<(), Box<dyn std::error::Error>> {
/// let guard = Candidate::lease("migration").acquire().await?;
/// tokio::select! {
///     () = work(guard.leader().client()) => println!("done"),
///     () = guard.lost() => println!("another leads now"),
/// }
/// guard.release().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropped, the lock is given back"]
pub struct LeadershipGuard {
    leader: Leader,
    /// Before the standing, which waits for it when it stops.
    work: WorkGuard,
    standing: Standing,
}

impl LeadershipGuard {
    pub(super) async fn acquired(mut standing: Standing) -> Result<Self, CandidateError> {
        let mut last = 0;
        loop {
            let leader = standing.next_term(last).await?;
            // A term that is over already, because the machine slept, is followed by the next one.
            match leader.begin_work() {
                Some(work) => return Ok(Self { leader, work, standing }),
                None => last = leader.id(),
            }
        }
    }

    /// The term, and a client that writes only while it lasts.
    #[must_use]
    pub fn leader(&self) -> &Leader {
        &self.leader
    }

    /// Resolves when the term is over.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn lost(&self) {
        self.leader.ended().await;
    }

    /// Gives the lock back, and resolves when that is done.
    ///
    /// # Errors
    /// If the election had been given up before.
    ///
    /// # Cancel safety
    /// When dropped, it goes on in the background.
    pub async fn release(self) -> Result<(), CandidateError> {
        let Self { leader, work, standing } = self;
        drop((leader, work));
        standing.stop().await
    }
}
