//! The tower service that clients talk to.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request as HttpRequest, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::Instant;
use tower::Service;

use super::body::ResponseBody;
use super::request::{self, Media, Request, Route, Verb};
use super::server::Server;
use super::status::Status;
use super::watch::Watch;
use super::{answer, verbs};

/// One client's way to the cluster.
#[derive(Clone, Debug)]
pub struct ApiService {
    server: Arc<Server>,
    user: Arc<str>,
}

impl ApiService {
    pub(crate) fn new(server: Arc<Server>, user: &str) -> Self {
        Self { server, user: user.into() }
    }
}

impl<B> Service<HttpRequest<B>> for ApiService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let mut response = match body.collect().await {
                Ok(body) => service.answer(&parts, &body.to_bytes()),
                Err(_) => answer::of_status(&Status::bad_request("the body of the request was cut off")),
            };
            answer::date(&mut response, service.server.clock.now());
            Ok(response)
        })
    }
}

impl ApiService {
    fn answer(&self, parts: &http::request::Parts, body: &Bytes) -> Response<ResponseBody> {
        tracing::trace!(user = %self.user, method = %parts.method, uri = %parts.uri, "request");
        let mut state = self.server.state();
        let request = match request::route(&parts.method, &parts.uri, &parts.headers, &state.resources) {
            Ok(Route::Objects(request)) => *request,
            Ok(Route::Other) => return answer::no_such_path(),
            Err(status) => return answer::of_status(&status),
        };
        if request.verb == Verb::Watch {
            let version = state.store.version();
            let seconds = request.options.timeout_seconds.unwrap_or_else(|| state.watch_seconds());
            drop(state);
            return self.watch(request, version, Duration::from_secs(seconds));
        }
        let body = match read_body(&request, body) {
            Ok(body) => body,
            Err(status) => return answer::of_status(&status),
        };
        let result = verbs::perform(&mut state, &request, body);
        self.server.tell_watches(&mut state);
        drop(state);
        result.map_or_else(|status| answer::of_status(&status), |result| answer::of_answer(&request, result))
    }

    fn watch(&self, request: Request, version: u64, lasts: Duration) -> Response<ResponseBody> {
        let version = request.options.resource_version.as_deref().and_then(|said| said.parse().ok()).unwrap_or(version);
        let more = self.server.signal(&request.kind.table);
        let watch = Watch::new(self.server.clone(), request, version, more, Instant::now() + lasts);
        answer::with_code(200, ResponseBody::stream(watch.into_stream()))
    }
}

fn read_body(request: &Request, body: &Bytes) -> Result<Value, Status> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    match request.media {
        Media::Json => serde_json::from_slice(body).map_err(|error| Status::bad_request(error.to_string())),
        Media::Yaml => serde_saphyr::from_slice(body).map_err(|error| Status::bad_request(error.to_string())),
    }
}
