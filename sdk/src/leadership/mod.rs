//! Who leads: election, terms and fences.
//!
//! - [`run_as_leader`] does something as the leader, and [`Candidate`] stands for a lock; both need no other part of the SDK.
//! - [`election`] decides, and does nothing else: a pure state machine.
//! - [`Elector`] runs it against a [`Lock`](lock::Lock) and a [`Clock`](clock::Clock).
//! - [`life`] is the election for a lock that nobody renews, and that goes with its holder's pod.
//! - [`Leadership`] and [`Term`] are all that the rest of a program may know.
//! - [`fence()`] makes a client that writes only while a term is valid.
//!
//! An operator does all of this by itself. Alone, with the feature `leader-election`, it is usable in any program:
//!
//! ```no_run
//! use std::future::ready;
//! use std::time::Duration;
//!
//! use kube::Client;
//! use kubeops::leadership::clock::Clock;
//! use kubeops::leadership::lock::LeaseLock;
//! use kubeops::leadership::{ElectionOptions, Elector, fence};
//! use kubeops::metrics::Metrics;
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn work(_: Client) {}
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, metrics, stop) = (Client::try_default().await?, Metrics::new(), CancellationToken::new());
//! let lock = LeaseLock::new(client.clone(), "default", "nightly-report");
//! let options = ElectionOptions::new("replica-a"); // unique for each replica
//! let (elector, mut leadership) = Elector::new(lock, options, Clock::boot(), metrics.clone(), client.clone());
//! let election = tokio::spawn(elector.run(ready(()), stop.clone(), Duration::from_secs(20)));
//!
//! let mut last = 0;
//! while let Some(term) = leadership.next_term(last).await {
//!     last = term.id();
//!     tokio::select! {
//!         () = work(fence(&client, &term, &metrics)) => {}
//!         () = term.ended() => {} // another replica may lead from now on; this one stands again
//!     }
//! }
//! # stop.cancel();
//! election.await??;
//! # Ok(())
//! # }
//! ```
//!
//! A term is valid until a moment that the holder of the lock knows beforehand, by a clock that goes on while the machine sleeps and by the
//! wall clock; renewals move it. [`Term::is_valid`] needs no request and no lock. The defaults are client-go's: a lease of 15 s, which the leader must renew
//! within 10 s and tries to renew every 2 s.

mod alone;
mod announce;
mod bearer;
mod candidate;
mod changes;
mod claim;
pub mod clock;
pub mod election;
mod elector;
mod fence;
mod following;
mod history;
mod identity;
pub mod life;
pub mod lock;
mod own_thread;
mod ping;
mod pulse;
mod reign;
mod seat;
mod sends;
mod term;
mod watcher;
mod writes;

pub use alone::Alone;
pub use bearer::Bearer;
pub use candidate::{Candidate, CandidateError, Leader, LeadershipGuard, Standing, run_as_leader};
pub use changes::Change;
#[cfg(feature = "operator")]
pub(crate) use claim::{Claim, Claimed};
pub use election::{ElectionOptions, EndReason, OptionsError};
pub use elector::{Elector, ElectorError};
#[cfg(feature = "operator")]
pub(crate) use fence::denial::POLICY;
pub use fence::{Fenced, fence, is_fenced};
pub use following::Leadership;
pub use history::{PastTerm, TermEnd, TermHistory};
pub use identity::{holder_identity, random_uuid};
pub use own_thread::OwnThread;
pub use pulse::Pulse;
pub use term::{LeadershipState, Term, TermControl, WorkGuard};
