//! `/`, a page for people, and `/status`, the same as JSON.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use crate::status::{SCRIPT, STYLE, Snapshot, page};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// GET and HEAD of `/` and `/status`, each with a snapshot taken at that moment. Nothing can be changed through it.
pub fn status_router<Taking>(take: impl Fn() -> Taking + Clone + Send + Sync + 'static) -> Router
where
    Taking: Future<Output = Snapshot> + Send + 'static,
{
    let policy: Arc<str> = policy().into();
    let take_too = take.clone();
    let as_page = get(async move || {
        let of_page = [(header::CONTENT_SECURITY_POLICY, policy.to_string())];
        (of_page, answer(HTML, page(&take().await))).into_response()
    });
    let as_json = get(async move || match serde_json::to_string_pretty(&take_too().await) {
        Ok(json) => answer(JSON, json + "\n"),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    });
    Router::new().route("/", as_page).route("/status", as_json)
}

fn answer(content_type: &'static str, body: String) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, body).into_response()
}

/// The page runs its own script, and asks only where it came from.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())));
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE),
    )
}
