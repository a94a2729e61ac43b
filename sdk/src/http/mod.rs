//! The small servers for health, metrics and the status page, each on an address of its own, leader or not.
//!
//! [`probes_router`] answers `/livez`, `/healthz`, `/readyz` and `/startupz` on `KubeOps:HealthAddress`, [`metrics_router`] answers
//! `/metrics` on `KubeOps:MetricsAddress`. [`status_router`] gives the page and its JSON on
//! `KubeOps:StatusAddress`. A [`Server`] takes its port before the host starts anything: one that is taken is an error at the start,
//! [`BindError`], with the address.

mod metrics;
mod probes;
mod server;
mod status;

pub use metrics::metrics_router;
pub use probes::probes_router;
pub use server::{BindError, Server};
pub(crate) use status::status_router;
