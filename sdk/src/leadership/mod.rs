//! Who leads: election, terms and fences.

pub mod clock;
mod term;

pub use term::{EndReason, Leadership, LeadershipState, Term, TermControl, WorkGuard};
