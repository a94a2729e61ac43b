//! What the in-memory cluster does, asked through `kube::Client`.

mod objects;
