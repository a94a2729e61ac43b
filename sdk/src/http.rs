//! The small servers for health and metrics.
