//! The two sides of a comparison.

use std::time::Duration;

use kube::Client;

use crate::kubectl::Kubectl;

/// One of the two that cases are run on.
pub(crate) struct Side {
    pub(crate) client: Client,
    /// How long it is waited for what should come at once. Waited out only where something is missing.
    pub(crate) patience: Duration,
    /// Where it is not served, there is none.
    pub(crate) kubectl: Option<Kubectl>,
}
