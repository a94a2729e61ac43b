//! The model of the election: the very files that `kubeops` runs, and beside them a world of lost, late and reordered
//! messages, which stateright searches for a state in which two candidates lead, or none ever will.
//!
//! A crate of its own, so that it needs none of `kubeops`' dependencies and is built with optimizations at once. What is
//! modelled is told in the book, on the page *The model*.

/// Files of `kubeops`, as they are there.
#[path = "../../sdk/src/leadership"]
pub mod leadership {
    #![allow(dead_code, unreachable_pub, reason = "the rest of kubeops uses what the model does not")]

    pub mod clock;
    pub mod election;
}

pub mod mutations;
pub mod scenarios;
pub mod search;

pub use leadership::election::model::*;
