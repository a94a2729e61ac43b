//! Who leads: election, terms and fences.

pub mod clock;
pub mod election;
mod term;

pub use election::EndReason;
pub use term::{Leadership, LeadershipState, Term, TermControl, WorkGuard};
