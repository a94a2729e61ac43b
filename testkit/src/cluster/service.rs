//! The tower service that clients talk to.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::header::{RETRY_AFTER, USER_AGENT, WARNING};
use http::request::Parts;
use http::{HeaderValue, Request as HttpRequest, Response};
use tower::Service;

use super::body::{Cut, ResponseBody};
use super::faults::Fault;
use super::request::{self, PatchKind, Request, Route, Verb};
use super::server::Server;
use super::status::Status;
use super::watch::Watch;
use super::{answer, discovery, encode, payload, verbs};

/// What is no JSON.
const GARBLED: &[u8] = b"<html>bad gateway";

/// One client's way to the cluster. A connection that a [fault](super::Faults) cuts is an error, as it is of a real connection.
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
    type Error = Cut;
    type Future = BoxFuture<'static, Result<Self::Response, Cut>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = payload::collect(body).await?;
            service.respond(&parts, body).await
        })
    }
}

impl ApiService {
    /// Notes the request, lets faults have their way with it, and answers.
    async fn respond(&self, parts: &Parts, body: Result<Bytes, Status>) -> Result<Response<ResponseBody>, Cut> {
        let route = self.route(parts);
        let request = if let Ok(Route::Objects(request)) = &route { Some(&**request) } else { None };
        let Server { record, clock, .. } = &*self.server;
        let index = record.received(&self.user, parts, request, clock.now());
        let mut refused = None;
        let mut loses_answer = false;
        let mut hangs_answer = false;
        let mut replaced = None;
        for fault in self.server.faults_of(&self.user, index) {
            match fault {
                Fault::Latency(latency) => tokio::time::sleep(latency).await,
                Fault::Hang => std::future::pending().await,
                Fault::LoseRequest => return Err(Cut),
                Fault::LoseAnswer => loses_answer = true,
                Fault::HangAnswer => hangs_answer = true,
                Fault::Refuse { code, retry_after } => refused = Some((code, retry_after)),
                Fault::Garble => replaced = Some(Bytes::from_static(GARBLED)),
                Fault::EndWatch { error } if is_watch(request) => replaced = Some(last_words(error)),
                Fault::EndWatch { .. } => {}
            }
        }
        let mut response = match refused {
            Some((code, retry_after)) => refusal(code, retry_after),
            None => self.answer(parts, route, body, index),
        };
        if let Some(replaced) = replaced.filter(|_| response.status().is_success()) {
            *response.body_mut() = ResponseBody::whole(replaced);
        }
        // A watch is complete when it ends.
        let completed = (!response.body().is_stream()).then(|| clock.now());
        record.answered(index, Some(response.status().as_u16()), completed);
        if hangs_answer {
            std::future::pending::<()>().await;
        }
        if loses_answer {
            return Err(Cut);
        }
        answer::date(&mut response, clock.now());
        Ok(response)
    }

    fn route(&self, parts: &Parts) -> Result<Route, Status> {
        let mut route = request::route(&parts.method, &parts.uri, &parts.headers, &self.server.state().resources)?;
        if let Route::Objects(request) = &mut route
            && request.options.field_manager.is_empty()
            && request.verb != Verb::Patch(PatchKind::Apply)
        {
            // A client that does not name its field manager is known by what it calls itself.
            let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
            let name = agent.split('/').next().filter(|name| !name.is_empty());
            request.options.field_manager = name.unwrap_or("unknown").to_owned();
        }
        Ok(route)
    }

    fn answer(
        &self,
        parts: &Parts,
        route: Result<Route, Status>,
        body: Result<Bytes, Status>,
        index: usize,
    ) -> Response<ResponseBody> {
        let request = match route {
            Ok(Route::Objects(request)) => *request,
            Ok(Route::Other) => return discovery::answer(parts, &self.server.state().resources),
            Err(status) => return answer::of_status(&status),
        };
        let body = match body.and_then(|body| payload::read(&request, &body)) {
            Ok(body) => body,
            Err(status) => return answer::of_status(&status),
        };
        if request.verb == Verb::Create && request.subresource.is_none() {
            self.server.record.named(index, body["metadata"]["name"].as_str().unwrap_or_default());
        }
        let mut state = self.server.state();
        state.warnings.clear();
        state.warnings.extend(request.kind.deprecation().map(str::to_owned));
        if request.verb == Verb::Watch {
            let faults = self.server.faults.of(&self.user).watches();
            return match Watch::new(&self.server, &mut state, request, faults, index) {
                Ok(watch) => answer::with_code(200, ResponseBody::stream(watch.into_stream())),
                Err(status) => answer::of_status(&status),
            };
        }
        let result = verbs::perform(&mut state, &request, body);
        self.server.tell_watches(&mut state);
        let mut response = match result {
            Ok(result) => answer::of_answer(&request, &state, result),
            Err(status) => answer::of_status(&status),
        };
        for warning in state.warnings.drain(..) {
            if let Ok(value) = HeaderValue::from_str(&format!("299 - {warning:?}")) {
                response.headers_mut().append(WARNING, value);
            }
        }
        response
    }
}

fn is_watch(request: Option<&Request>) -> bool {
    request.is_some_and(|request| request.verb == Verb::Watch)
}

/// All that a watch tells that ends as soon as it is open.
fn last_words(error: Option<u16>) -> Bytes {
    let mut out = BytesMut::new();
    if let Some(code) = error {
        encode::error(&mut out, &status_of(code));
    }
    out.freeze()
}

fn refusal(code: u16, retry_after: Option<u32>) -> Response<ResponseBody> {
    let mut status = status_of(code);
    if let Some(seconds) = retry_after {
        status = status.with_detail("retryAfterSeconds", seconds);
    }
    let mut response = answer::of_status(&status);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What a server says that refuses with this code.
fn status_of(code: u16) -> Status {
    let (reason, message) = match code {
        403 => ("Forbidden", "forbidden by a fault of the in-memory cluster"),
        404 => ("NotFound", "the server could not find the requested resource"),
        410 => ("Expired", "too old resource version"),
        429 => ("TooManyRequests", "too many requests, please try again later"),
        500 => ("InternalError", "Internal error occurred: a fault of the in-memory cluster"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "the server was unable to return a response in the time allotted"),
        _ => ("", "refused by a fault of the in-memory cluster"),
    };
    Status::new(code, reason, message)
}
