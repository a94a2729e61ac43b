//! Who leads: election, terms and fences.
//!
//! - [`run_as_leader`] does something as the leader, and [`Candidate`] stands for a lock; both need no other part of the SDK.
//! - [`election`] decides, and does nothing else: a pure state machine.
//! - [`Elector`] runs it against a [`Lock`](lock::Lock) and a [`Clock`](clock::Clock).
//! - [`Leadership`] and [`Term`] are all that the rest of a program may know.
//! - [`fence()`] makes a client that writes only while a term is valid.

mod alone;
mod announce;
mod candidate;
mod changes;
pub mod clock;
pub mod election;
mod elector;
mod fence;
mod following;
mod identity;
pub mod lock;
mod own_thread;
mod ping;
mod pulse;
mod reign;
mod sends;
mod term;
mod watcher;
mod writes;

pub use alone::Alone;
pub use candidate::{Candidate, CandidateError, Leader, LeadershipGuard, Standing, run_as_leader};
pub use changes::Change;
pub use election::{ElectionOptions, EndReason, OptionsError};
pub use elector::{Elector, ElectorError};
pub use fence::{Fenced, fence, is_fenced};
pub use following::Leadership;
pub use identity::{holder_identity, random_uuid};
pub use own_thread::OwnThread;
pub use pulse::Pulse;
pub use term::{LeadershipState, Term, TermControl, WorkGuard};
