//! The small servers for health and metrics.

mod metrics;
mod probes;
mod server;

pub use metrics::metrics_router;
pub use probes::probes_router;
pub use server::{BindError, Server};
