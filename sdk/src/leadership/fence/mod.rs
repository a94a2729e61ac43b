//! The fence in the client: no write is begun, or goes on, outside of its term.

pub(crate) mod denial;
mod gate;
mod retry;
#[cfg(test)]
mod tests;
mod upgrade;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use http::header::UPGRADE;
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use tower::ServiceBuilder;
use tower::retry::RetryLayer;

use self::gate::{Gate, Gates, Sending};
use self::retry::Retry;
use super::term::Term;
use crate::BoxError;
use crate::chain::causes;
use crate::metrics::Metrics;

/// A write was refused, or given up, because its term is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the write was fenced off, because the term is over{}",
    if *.sent { "; it was on its way, and may have been committed" } else { "" }
)]
#[non_exhaustive]
pub struct Fenced {
    /// Whether it was on its way already: it may have been committed, or may still be.
    pub sent: bool,
}

/// Writes of one term through a client.
#[derive(Clone)]
struct Fence {
    client: Client,
    term: Term,
    gates: Gates,
}

/// A client that reads as `client` does, and writes only while `term` is valid, whoever holds a clone of it.
///
/// The term is asked before every poll of the sending, so that a token refresh, a connect or a queue below can't delay a
/// write past its end, and once more as the body is written to the connection. A refused write is a [`Fenced`] error; [`is_fenced`]
/// finds it. Answers of 429, 503 and 504 are tried again, for two seconds at most, and denials by the fence in the API server for
/// one; `client` should have no retry policy of its own, because that could go on after the term.
///
/// A connection that is upgraded (exec, attach, port-forward) is cut when the term ends.
///
/// What was handed to the socket before the term ended may still be committed.
///
/// # Panics
/// Outside of a tokio runtime.
#[must_use]
pub fn fence(client: &Client, term: &Term, metrics: &Metrics) -> Client {
    let (namespace, valid_until) = (client.default_namespace().to_owned(), *client.valid_until());
    let fence = Fence { client: client.clone(), term: term.clone(), gates: Gates::new() };
    let metrics = metrics.clone();
    let fenced = tower::service_fn(move |request: Request<Body>| {
        let (fence, metrics) = (fence.clone(), metrics.clone());
        async move {
            if only_reads(&request) {
                return fence.client.send(request).await.map_err(BoxError::from);
            }
            let answer = fence.write(request).await;
            answer.inspect_err(|error| {
                if is_fenced(&**error) {
                    metrics.fenced_write();
                }
            })
        }
    });
    let service = ServiceBuilder::new().layer(RetryLayer::new(Retry::new())).service(fenced);
    Client::new(service, namespace).with_valid_until(valid_until)
}

/// Whether this error, or what caused it, is [`Fenced`]: an ended term's, and no fault of the write.
#[must_use]
pub fn is_fenced(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(<dyn std::error::Error>::is::<Fenced>)
}

/// Everything else may write: exec, attach and port-forward are GETs that upgrade.
fn only_reads(request: &Request<Body>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && !request.headers().contains_key(UPGRADE)
}

/// Events undo nothing, whenever they come, and are often on their way when a term ends.
fn is_event(path: &str) -> bool {
    let core = path.strip_prefix("/api/v1/namespaces/").and_then(|rest| rest.split('/').nth(1)) == Some("events");
    core || path.starts_with("/apis/events.k8s.io/")
}

// === impl Fence ===

impl Fence {
    /// Sends a write. One that is left without an answer is remembered by the term: it may still land.
    async fn write(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let Self { client, term, gates } = self;
        let sending = match is_event(request.uri().path()) {
            true => Sending::uncounted(term),
            false => Sending::counted(term).ok_or(Fenced { sent: false })?,
        };
        let send = async { client.send(gates.put(request, sending.gate().clone()).await?).await };
        let answer = match while_valid(term, sending.gate(), send).await? {
            Ok(answer) => answer,
            Err(error) => return Err(refused(&error).map_or_else(|| error.into(), BoxError::from)),
        };
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return upgrade::cut_at_end(answer, term, sending).await;
        }
        if is_final(answer.status()) {
            sending.answered();
        }
        denial::mark(answer).await.map_err(BoxError::from)
    }
}

/// Whether an answer tells if the write was committed. A server that fails may do so after it has committed; one that is not
/// available did not take the request.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE
}

/// The refusal of the body that made the sending fail.
fn refused(error: &kube::Error) -> Option<Fenced> {
    causes(error).find_map(|cause| cause.downcast_ref::<Fenced>()).copied()
}

async fn while_valid<T>(term: &Term, gate: &Gate, send: impl Future<Output = T>) -> Result<T, Fenced> {
    let mut ended = pin!(term.ended());
    let mut send = pin!(send);
    poll_fn(|cx| {
        if ended.as_mut().poll(cx).is_ready() || !term.is_valid() {
            return Poll::Ready(Err(gate.give_up()));
        }
        send.as_mut().poll(cx).map(Ok)
    })
    .await
}
