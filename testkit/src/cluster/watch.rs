//! Watches: they read the history at their own pace, and are woken when there is more.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use futures::Stream;
use futures::stream;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::body::Cut;
use super::request::Request;
use super::server::Server;
use super::status::Status;
use super::store::{ChangeKind, Object};

/// One watch.
#[derive(Debug)]
pub(crate) struct Watch {
    server: Arc<Server>,
    request: Request,
    /// What it has sent is of this version or older.
    version: u64,
    /// Changes with the table.
    more: Receiver<u64>,
    ends: Instant,
}

impl Watch {
    pub(crate) fn new(server: Arc<Server>, request: Request, version: u64, more: Receiver<u64>, ends: Instant) -> Self {
        Self { server, request, version, more, ends }
    }

    /// The events, as many at once as there are.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Cut>> {
        stream::unfold(self, |mut watch| async move {
            loop {
                watch.more.mark_unchanged();
                let events = watch.read();
                if !events.is_empty() {
                    return Some((Ok(events), watch));
                }
                match tokio::time::timeout_at(watch.ends, watch.more.changed()).await {
                    Ok(Ok(())) => {}
                    _ => return None,
                }
            }
        })
    }

    fn read(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        let state = self.server.state();
        let Some(table) = state.store.table(&self.request.kind.table) else { return out.freeze() };
        match table.since(self.version) {
            Ok(changes) => {
                for change in changes {
                    self.version = change.version();
                    if !self.request.namespace.is_empty() && change.key.namespace != self.request.namespace {
                        continue;
                    }
                    let name = match change.kind {
                        ChangeKind::Created => "ADDED",
                        ChangeKind::Modified => "MODIFIED",
                        ChangeKind::Deleted => "DELETED",
                    };
                    event(&mut out, name, &change.object);
                }
            }
            Err(_) => {
                let status = Status::expired("too old resource version");
                out.put(format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", status.to_json()).as_bytes());
            }
        }
        out.freeze()
    }
}

fn event(out: &mut BytesMut, name: &str, object: &Object) {
    out.put(&b"{\"type\":\""[..]);
    out.put(name.as_bytes());
    out.put(&b"\",\"object\":"[..]);
    out.put(&object.json()[..]);
    out.put(&b"}\n"[..]);
}
