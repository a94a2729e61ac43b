//! What one write passes on its way to the socket.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use kube::Client;
use kube::client::Body;

use super::Fenced;
use crate::BoxError;
use crate::leadership::term::{Term, WriteGuard};

/// Nothing of the write has left.
const WAITING: u8 = 0;
/// Some of it was handed to the socket, or all.
const OUT: u8 = 1;
/// Nothing has left, and nothing will.
const SHUT: u8 = 2;

/// Lets a write out while its term is valid, and knows whether any of it has left.
#[derive(Debug)]
pub(super) struct Gate {
    term: Term,
    state: AtomicU8,
}

/// A write between its begin and its answer. Dropped before, it may have been committed, or may still be, unless nothing of it has
/// left: then it never will.
pub(super) struct Sending {
    gate: Arc<Gate>,
    /// `None`: the term does not wait for its answer.
    write: Option<WriteGuard>,
}

/// A body that asks its gate whenever a part of it is pulled, which is when bytes are written: a connection has a task of its own,
/// which goes on however long ago the request was handed to it.
struct GatedBody {
    body: Body,
    gate: Arc<Gate>,
}

/// Puts bodies behind gates. kube makes a [`Body`] of another one only in answers, so that is the way they take.
#[derive(Clone)]
pub(super) struct Gates(Client);

// === impl Gate ===

impl Gate {
    /// Asked right before bytes leave.
    pub(super) fn pass(&self) -> Result<(), Fenced> {
        if !self.term.is_valid() {
            return Err(self.give_up());
        }
        match self.state.compare_exchange(WAITING, OUT, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(OUT) => Ok(()),
            Err(_) => Err(Fenced { sent: false }),
        }
    }

    /// A write that has not left by now never will.
    pub(super) fn give_up(&self) -> Fenced {
        let left = self.state.compare_exchange(WAITING, SHUT, Ordering::AcqRel, Ordering::Acquire) == Err(OUT);
        Fenced { sent: left }
    }
}

// === impl Sending ===

impl Sending {
    /// Of a write that the term waits for; `None` if it is over.
    pub(super) fn counted(term: &Term) -> Option<Self> {
        let mut sending = Self::uncounted(term);
        sending.write = Some(term.begin_write()?);
        Some(sending)
    }

    pub(super) fn uncounted(term: &Term) -> Self {
        let gate = Gate { term: term.clone(), state: AtomicU8::new(WAITING) };
        Self { gate: Arc::new(gate), write: None }
    }

    pub(super) const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// It is known whether it was committed.
    pub(super) fn answered(mut self) {
        if let Some(write) = self.write.take() {
            write.answered();
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let given_up = self.gate.give_up();
        if let Some(write) = self.write.take().filter(|_| !given_up.sent) {
            write.answered();
        }
    }
}

// === impl GatedBody ===

impl http_body::Body for GatedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Err(fenced) = self.gate.pass() {
            return Poll::Ready(Some(Err(fenced.into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(BoxError::from)
    }

    /// Nothing is pulled of an empty body, only this is asked. An end that is not there yet is waited for, and never comes.
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream() && self.gate.pass().is_ok()
    }

    /// Exact as long as the body may go out, so that its length is sent ahead.
    fn size_hint(&self) -> SizeHint {
        if self.gate.term.is_valid() { self.body.size_hint() } else { SizeHint::default() }
    }
}

// === impl Gates ===

impl Gates {
    /// # Panics
    /// Outside of a tokio runtime.
    pub(super) fn new() -> Self {
        let gated = tower::service_fn(|mut request: Request<Body>| async move {
            let gate = request.extensions_mut().remove::<Arc<Gate>>().ok_or("a body without a gate")?;
            Ok::<_, BoxError>(Response::new(GatedBody { body: request.into_body(), gate }))
        });
        Self(Client::new(gated, ""))
    }

    /// The same request, whose body asks `gate`.
    pub(super) async fn put(&self, request: Request<Body>, gate: Arc<Gate>) -> kube::Result<Request<Body>> {
        let (parts, body) = request.into_parts();
        let mut carrier = Request::new(body);
        carrier.extensions_mut().insert(gate);
        Ok(Request::from_parts(parts, self.0.send(carrier).await?.into_body()))
    }
}
