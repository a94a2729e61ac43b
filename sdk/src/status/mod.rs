//! What an operator says of itself to people: one [`Snapshot`], taken when somebody asks, as JSON or as a [`page`].
//!
//! Pure: where the facts come from is the operator's business, and how they are served that of the server.

#[cfg(test)]
pub(crate) mod fixture;
mod page;
mod snapshot;
mod told;

pub(crate) use page::{SCRIPT, STYLE, page};
pub(crate) use snapshot::{
    Check, Controller, Failing, InWork, Leadership, Lock, Operator, Queue, Reconciles, Replica, Setting, Snapshot,
    State, Term, Watch, Workers,
};
pub(crate) use told::told;
