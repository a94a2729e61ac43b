//! What the in-memory cluster does, asked through `kube::Client`.

mod applying;
mod custom;
mod deletion;
mod faults;
mod given;
mod objects;
mod speed;
mod steps;
mod watches;
mod writes;
