//! The election among all that may happen: a world for stateright to search.
//!
//! The candidates are the very `Election`s that run in operators. Around them are a store that compares
//! versions, calls whose requests and answers may be late, lost, or land long after they were given up, watches that are
//! late, and others who label, clear and delete the lock. Anything may happen at any time, also nothing: a pause.

mod action;
mod calm;
mod canon;
mod congruence;
mod mutation;
mod properties;
mod rival;
mod scenario;
mod server;
mod state;
mod step;

pub use self::action::{Action, Wrong};
pub use self::congruence::compare_ways;
pub use self::mutation::Broken;
pub use self::properties::*;
pub use self::scenario::{Budget, EVER, Scenario, Setup};
pub use self::state::State;
