//! The small servers for health, metrics and the status page.

mod metrics;
mod probes;
mod server;
mod status;

pub use metrics::metrics_router;
pub use probes::probes_router;
pub use server::{BindError, Server};
pub(crate) use status::status_router;
