//! What every test here stands on: a cluster of its own, replicas as child processes, and three witnesses of what they did:
//! the objects as a watch saw them ([`History`]), the API server's audit log ([`Ledger`]), and the replicas' own ports and logs.

mod candidate;
mod cluster;
mod grants;
mod guestbooks;
mod helm;
mod history;
pub(crate) mod http;
mod ledger;
mod old_lock;
mod pod;
mod probe;
mod replica;
mod times;
mod traffic;
mod wait;

pub(crate) use candidate::{Candidate, GoRecipe};
pub(crate) use cluster::{Cluster, LOCK, NAMESPACE, new_directory};
pub(crate) use grants::{Grant, lines as grant_lines};
pub(crate) use guestbooks::{Guestbooks, is_ready, observed_generation, reconciled_by};
pub(crate) use helm::{DEMO, LOCK_OF_DEMO};
pub(crate) use history::{History, LeaseSeen};
pub(crate) use ledger::Ledger;
pub(crate) use old_lock::write_old_lock;
pub(crate) use pod::{BoundPod, OPERATOR, SYSTEM, service_account};
pub(crate) use probe::Probes;
pub(crate) use replica::{Recipe, Replica, replica_of};
pub(crate) use times::{HEADS, Times};
pub(crate) use traffic::Traffic;
pub(crate) use wait::{eventually, rounds, say};

use std::time::Duration;

/// How long a test waits for something that must come, on a machine that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The lease of most tests: short, so that waiting for its end is short. See [`Recipe::lease`].
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// "Within a second", which the issue promises of every takeover.
pub(crate) const A_SECOND: Duration = Duration::from_secs(1);
