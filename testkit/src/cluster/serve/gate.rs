//! From an HTTP request to the client whose it is.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tower::ServiceExt;

use crate::cluster::answer;
use crate::cluster::body::{Cut, ResponseBody};
use crate::cluster::server::Server;
use crate::cluster::service::ApiService;
use crate::cluster::status::Status;

/// Answers as the cluster answers the user whose token the request bears.
pub(super) async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let user = token(request.headers()).and_then(|token| server.access.user_of(token));
    let response = match user {
        Some(user) => ApiService::new(server, &user).oneshot(request).await,
        None => Ok(unauthorized(&server)),
    };
    // An answer whose body breaks before its first byte is never begun: the connection ends instead.
    response.unwrap_or_else(|Cut| Response::new(ResponseBody::broken())).map(Body::new)
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized(server: &Server) -> Response<ResponseBody> {
    let mut response = answer::of_status(&Status::new(401, "Unauthorized", "Unauthorized"));
    answer::date(&mut response, server.clock.now());
    response
}
