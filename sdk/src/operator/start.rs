//! What an operator says of itself when it starts: on a terminal one block of lines, in JSON one object.

use std::net::SocketAddr;

use tracing::info;

use super::builder::Parts;
use super::composition::Bound;
use super::kube_ops::KubeOps;
use crate::connect::Connection;

/// Who starts, where, and as what.
pub(super) struct Start {
    operator: &'static str,
    version: &'static str,
    cluster: String,
    identity: String,
    lock: String,
    namespaces: String,
    controllers: String,
}

impl Start {
    pub(super) fn of<S>(operator: &Parts<S>, connection: &Connection, settings: &KubeOps) -> Self {
        let controllers: Vec<&str> = operator.controllers.iter().map(|controller| controller.name).collect();
        let some = |names: String, none: &str| if names.is_empty() { none.to_owned() } else { names };
        let lock = match settings.enable_leader_election {
            true => format!("{}/{}", settings.leader_election_namespace, settings.leader_election_id),
            false => "none: leader election is off".to_owned(),
        };
        Self {
            operator: operator.name,
            version: operator.version,
            cluster: connection.to_string(),
            identity: settings.holder_identity(),
            lock,
            namespaces: some(settings.namespaces.join(", "), "all"),
            controllers: some(controllers.join(", "), "none"),
        }
    }

    pub(super) fn tell(self, bound: Bound) {
        let Self { operator, version, cluster, identity, lock, namespaces, controllers } = self;
        let port = |address: Option<SocketAddr>| address.map_or_else(|| "off".to_owned(), |at| format!("http://{at}"));
        let (health, metrics, status) = (port(bound.health), port(bound.metrics), port(bound.status));
        info!(
            target: super::logging::BLOCK,
            version, cluster, identity, lock, namespaces, controllers, health, metrics, status,
            "{operator} starts"
        );
    }
}
