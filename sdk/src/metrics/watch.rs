//! What the watches of one kind count.

use std::fmt;
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::families::{Families, KindLabel};

/// The metrics of one kind's watches and caches. Cheap to clone; clones, and all handles for the same kind, count together.
#[derive(Clone)]
pub struct WatchMetrics {
    kind: Arc<str>,
    reconnects: Counter,
    objects: Gauge,
    undeserializable: Counter,
}

impl WatchMetrics {
    pub(super) fn new(families: &Families, kind: &str) -> Self {
        let label = KindLabel::new(kind);
        Self {
            kind: kind.into(),
            reconnects: families.watch_reconnects.get_or_create_owned(&label),
            objects: families.cache_objects.get_or_create_owned(&label),
            undeserializable: families.undeserializable_objects.get_or_create_owned(&label),
        }
    }

    /// A watch ended before its time, or could not be opened.
    pub fn reconnect(&self) {
        self.reconnects.inc();
    }

    /// An object came into a cache.
    pub fn object_added(&self) {
        self.objects.inc();
    }

    /// An object left a cache.
    pub fn object_removed(&self) {
        self.objects.dec();
    }

    /// A version of an object does not fit its Rust type.
    pub fn undeserializable(&self) {
        self.undeserializable.inc();
    }
}

impl fmt::Debug for WatchMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WatchMetrics").field(&self.kind).finish()
    }
}
