//! The queue of objects to reconcile, and the worker that takes them.

mod work;

pub use work::{Attempt, Key, Outcome, Trigger, Work};
