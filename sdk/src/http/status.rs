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
pub(crate) fn status_router<Taking>(take: impl Fn() -> Taking + Clone + Send + Sync + 'static) -> Router
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
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::{Body, to_bytes};
    use http::{Method, Request};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::status::fixture::{EVIL, snapshot};

    const DOCUMENTATION: &str = include_str!("../../../docs/src/guides/status-page.md");

    /// The paths of all keys.
    fn keys(json: &Value) -> BTreeSet<String> {
        let below =
            |of: &Value, name: &str| keys(of).into_iter().map(|key| format!("{name}.{key}")).collect::<Vec<_>>();
        match json {
            Value::Object(fields) => {
                fields.iter().flat_map(|(name, of)| below(of, name).into_iter().chain([name.clone()])).collect()
            }
            Value::Array(items) => items.iter().flat_map(keys).collect(),
            _ => BTreeSet::new(),
        }
    }

    async fn ask(method: Method, path: &str) -> (StatusCode, http::HeaderMap, String) {
        let router = status_router(|| std::future::ready(snapshot()));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_page_may_run_nothing_but_its_own_script_and_is_not_kept() {
        let (status, headers, body) = ask(Method::GET, "/").await;
        assert_eq!(
            (status, &headers["content-type"], &headers["cache-control"]),
            (StatusCode::OK, &HTML.parse().unwrap(), &"no-store".parse().unwrap())
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(body.contains(&format!(">{SCRIPT}</script>")) && body.contains(&format!("<style>{STYLE}</style>")));
        let fetched = ["src=", "@import", "url("].into_iter().find(|word| body.contains(word));
        assert_eq!(fetched, None, "nothing is fetched from elsewhere");
    }

    #[tokio::test]
    async fn the_json_has_the_shape_that_the_documentation_shows() {
        let (status, headers, body) = ask(Method::GET, "/status").await;
        assert_eq!(
            (status, &headers["content-type"], &headers["cache-control"]),
            (StatusCode::OK, &JSON.parse().unwrap(), &"no-store".parse().unwrap())
        );
        let json: Value = serde_json::from_str(&body).unwrap();
        let failing = json!({
            "object": EVIL, "error": EVIL, "missingRule": EVIL, "tries": 3,
            "at": "2027-01-15T07:59:56Z", "nextTry": "2027-01-15T08:00:08Z",
        });
        assert_eq!((&json["controllers"][0]["errors"][0], &json["time"]), (&failing, &"2027-01-15T08:00:00Z".into()));
        let documented = DOCUMENTATION.split("```json\n").find_map(|part| {
            let (block, _) = part.split_once("```")?;
            serde_json::from_str::<Value>(block).ok().filter(|json| json["time"].is_string())
        });
        assert_eq!(keys(&documented.expect("an example")), keys(&json));
    }

    #[tokio::test]
    async fn nothing_can_be_changed_and_there_is_nothing_else() {
        for path in ["/", "/status"] {
            assert_eq!(ask(Method::HEAD, path).await.0, StatusCode::OK);
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(ask(method, path).await.0, StatusCode::METHOD_NOT_ALLOWED);
            }
        }
        assert_eq!(ask(Method::GET, "/favicon.ico").await.0, StatusCode::NOT_FOUND);
    }
}
