//! The tower service that clients talk to.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::header::{RETRY_AFTER, USER_AGENT, WARNING};
use http::request::Parts;
use http::{HeaderValue, Request as HttpRequest, Response};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use tower::Service;

use super::body::{Cut, ResponseBody};
use super::faults::Fault;
use super::request::{self, Media, PatchKind, Request, Route, Verb};
use super::server::Server;
use super::status::Status;
use super::watch::Watch;
use super::{answer, discovery, encode, go, verbs};

/// What is no JSON.
const GARBLED: &[u8] = b"<html>bad gateway";

/// As the server limits it, in bytes.
const LONGEST_BODY: usize = 3 * 1024 * 1024;

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
            let body = collect(body).await?;
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
        let body = match body.and_then(|body| read_body(&request, &body)) {
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

/// A body as a whole, unless it is longer than the server takes.
async fn collect(body: impl http_body::Body<Data = Bytes>) -> Result<Result<Bytes, Status>, Cut> {
    let mut body = pin!(body);
    let mut read = BytesMut::new();
    let mut length = 0;
    // What is too long is read nevertheless: a client that is still sending would take an answer for a break of the connection.
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Cut)?.into_data() else { continue };
        length += data.len();
        if length <= LONGEST_BODY {
            read.extend_from_slice(&data);
        }
    }
    match length {
        ..=LONGEST_BODY => Ok(Ok(read.freeze())),
        _ => Ok(Err(Status::too_large(LONGEST_BODY))),
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

fn read_body(request: &Request, body: &Bytes) -> Result<Value, Status> {
    let is_patch = matches!(request.verb, Verb::Patch(kind) if kind != PatchKind::Apply);
    let unreadable = |why: String| match request.verb {
        Verb::Patch(PatchKind::Strategic) => Status::bad_request(why),
        _ if is_patch => Status::bad_request(format!("error decoding patch: {why}")),
        Verb::Patch(_) => Status::bad_request(format!("error decoding YAML: {why}")),
        _ => {
            let why = format!("couldn't get version/kind; json parse error: {why} ({})", summary(body));
            Status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): {why}",
                request.kind.kind
            ))
        }
    };
    match request.verb {
        Verb::Get | Verb::List | Verb::Watch => return Ok(Value::Null),
        Verb::Delete | Verb::DeleteCollection if body.is_empty() => return Ok(Value::Null),
        _ if body.is_empty() => return Err(unreadable("unexpected end of JSON input".to_owned())),
        _ => {}
    }
    match request.media {
        Media::Json if request.verb != Verb::Patch(PatchKind::Apply) => {
            let read = serde_json::from_slice(body).map_err(|error| match error.is_eof() {
                true => unreadable("unexpected end of JSON input".to_owned()),
                false => unreadable(error.to_string()),
            });
            // `null` is an object in which nothing is set.
            let value =
                read.map(|value: Value| if value.is_null() && !is_patch { Value::Object(Map::new()) } else { value })?;
            match no_head(&value).filter(|_| !is_patch) {
                Some(why) => Err(unreadable(why)),
                None => Ok(value),
            }
        }
        // Most YAML is JSON, which is read faster.
        _ => serde_json::from_slice(body)
            .or_else(|_| serde_saphyr::from_slice(body).map_err(|error| unreadable(error.to_string()))),
    }
}

/// Why it can't be told from an object's head what it is, in the words of the server's decoder.
fn no_head(value: &Value) -> Option<String> {
    const HEAD: &str =
        r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
    if !value.is_object() {
        return Some(format!("json: cannot unmarshal {} into Go value of type {HEAD}", go::kind_of(value)));
    }
    let field =
        ["apiVersion", "kind"].into_iter().find(|field| !matches!(value[field], Value::Null | Value::String(_)))?;
    let found = go::kind_of(&value[field]);
    Some(format!("json: cannot unmarshal {found} into Go struct field .{field} of type string"))
}

/// As much of a body as the server shows.
fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let start = &body[..body.len().min(SHOWN)];
    let shown = match start.first() {
        None => return "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(start).into_owned(),
        Some(_) => start.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if body.len() > SHOWN { format!("{shown} ...") } else { shown }
}
