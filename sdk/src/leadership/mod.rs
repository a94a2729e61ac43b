//! Who leads: election, terms and fences.
//!
//! - [`election`] decides, and does nothing else: a pure state machine.
//! - [`Elector`] runs it against a [`Lock`](lock::Lock) and a [`Clock`](clock::Clock).
//! - [`Leadership`] and [`Term`] are all that the rest of a program may know.
//! - [`fence()`] makes a client that writes only while a term is valid.

mod alone;
mod announce;
pub mod clock;
pub mod election;
mod elector;
mod fence;
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
pub use election::{ElectionOptions, EndReason, OptionsError};
pub use elector::{Elector, ElectorError};
pub use fence::{Fenced, fence, is_fenced};
pub use own_thread::OwnThread;
pub use pulse::Pulse;
pub use term::{Leadership, LeadershipState, Term, TermControl, WorkGuard};
