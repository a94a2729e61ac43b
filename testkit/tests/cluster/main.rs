//! What the in-memory cluster does, asked through `kube::Client`.

mod deletion;
mod faults;
mod given;
mod objects;
mod watches;
mod writes;
