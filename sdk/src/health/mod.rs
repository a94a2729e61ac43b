//! Health checks and what the probes say of them.
