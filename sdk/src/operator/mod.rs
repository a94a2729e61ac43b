//! The operator and its builder: the only room that knows the others.

pub mod kube_ops;
pub mod logging;
