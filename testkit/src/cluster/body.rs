//! The body of an answer: whole, or a watch's stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use http_body::{Frame, SizeHint};

/// A connection that was cut in the middle of an answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the in-memory cluster's faults cut the connection")]
pub struct Cut;

/// The body of an answer.
pub struct ResponseBody(Form);

enum Form {
    Whole(Option<Bytes>),
    Stream(BoxStream<'static, Result<Bytes, Cut>>),
}

impl ResponseBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Form::Whole(Some(bytes.into())))
    }

    /// Breaks before its first byte.
    pub(crate) fn broken() -> Self {
        Self::stream(futures::stream::iter([Err(Cut)]))
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.0, Form::Stream(_))
    }

    pub(crate) fn stream(stream: impl Stream<Item = Result<Bytes, Cut>> + Send + 'static) -> Self {
        Self(Form::Stream(Box::pin(stream)))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Whole(bytes) => f.debug_tuple("Whole").field(bytes).finish(),
            Form::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut self.0 {
            Form::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Form::Stream(stream) => stream.as_mut().poll_next(cx).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Form::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Form::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Form::Stream(_) => SizeHint::default(),
        }
    }
}
