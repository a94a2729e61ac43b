//! What the in-memory cluster does, asked through `kube::Client`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::needless_pass_by_value)] // a test says what is wrong by panicking

mod applying;
mod custom;
mod deletion;
mod faults;
mod given;
mod network;
mod objects;
mod paging;
mod served;
mod steps;
mod strangers;
mod unsupported;
mod watches;
mod writes;
