//! What the in-memory cluster does, asked through `kube::Client`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value, reason = "steps that tests share")]

mod deletion;
mod faults;
mod given;
mod objects;
mod speed;
mod steps;
mod watches;
mod writes;
