//! From what a verb gave to an HTTP answer.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use super::body::ResponseBody;
use super::encode;
use super::request::Request;
use super::state::State;
use super::status::Status;
use super::verbs::Answer;

pub(crate) fn of_answer(request: &Request, state: &State, answer: Answer) -> Response<ResponseBody> {
    match answer {
        Answer::Stored(code, object) => whole(code, encode::object(request, state, &object)),
        Answer::Made(code, value) => json(code, &value),
        Answer::Done(value) => json(200, &value),
        Answer::List(list) => whole(200, encode::list(request, state, &list)),
    }
}

pub(crate) fn of_status(status: &Status) -> Response<ResponseBody> {
    json(status.code, &status.to_json())
}

/// A path that nobody serves.
pub(crate) fn no_such_path() -> Response<ResponseBody> {
    let mut response = whole(404, Bytes::from_static(b"404 page not found\n"));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// A code and no word.
pub(crate) fn nothing(code: u16) -> Response<ResponseBody> {
    let mut response = whole(code, Bytes::new());
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

pub(crate) fn json(code: u16, value: &Value) -> Response<ResponseBody> {
    whole(code, Bytes::from(value.to_string()))
}

pub(crate) fn whole(code: u16, bytes: Bytes) -> Response<ResponseBody> {
    with_code(code, ResponseBody::whole(bytes))
}

pub(crate) fn with_code(code: u16, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Every answer tells the server's time.
pub(crate) fn date(response: &mut Response<ResponseBody>, now: Timestamp) {
    let text = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(header::DATE, value);
    }
}
