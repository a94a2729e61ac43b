//! The queue of objects to reconcile, and the worker that takes them.
//!
//! `queue.rs` is pure: no clock, no runtime, time is passed in. [`WorkQueue`] shares one between those who put keys in
//! (cache subscriptions) and the [`Worker`] that takes them out during a term.
//!
//! A key is in the queue once, however often it is added, and is given out to one worker at a time: what is added while it is worked on
//! comes again after that. A failed key comes back later each time ([`Backoff`]), and holds up no other. Of a user's concern are [`Key`] and
//! [`Trigger`], which a [`Context`](crate::controller::Context) tells.

mod backoff;
mod failures;
mod handle;
mod queue;
mod reconcile;
mod work;
mod worker;

pub use backoff::Backoff;
pub use failures::Failure;
pub use handle::{QueueState, WorkQueue};
pub use queue::Priority;
pub use work::{Attempt, Key, Outcome, Trigger, Work};
pub use worker::{Worker, WorkerOptions};
