//! The guestbook on a cluster in memory: what the end-to-end tests show on a real one, in milliseconds and without one.

mod children;
mod deletion;
mod faults;
mod history;
#[path = "../../tests/e2e/harness/ledger.rs"]
#[allow(dead_code, reason = "the witness of the end-to-end tests, which ask it for more")]
mod ledger;
mod locks;
mod lost_answers;
mod rights;
mod scene;
mod schema;
#[path = "../../tests/simulation/mod.rs"]
mod simulation;
mod steady_state;
mod takeover;

use std::time::Duration;

use jiff::SignedDuration;

use self::scene::{LOCK, Scene, by, held_by};

const A_MINUTE: Duration = Duration::from_secs(60);
const A_SECOND: SignedDuration = SignedDuration::from_secs(1);
/// The defaults, as of client-go: how long others wait for a leader, and how long it believes in itself, after its last renewal.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
const RENEW_DEADLINE: SignedDuration = SignedDuration::from_secs(10);
