//! `/metrics`, as Prometheus text or as OpenMetrics.

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse as _;
use axum::routing::get;

use crate::metrics::Metrics;

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// GET and HEAD of `/metrics`: OpenMetrics for a scraper that prefers it by its `Accept` header, Prometheus' own text for
/// everybody else.
pub fn metrics_router(metrics: &Metrics) -> Router {
    let metrics = metrics.clone();
    Router::new().route(
        "/metrics",
        get(async move |headers: HeaderMap| {
            let accept: Vec<_> =
                headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
            let open_metrics = prefers_open_metrics(&accept.join(","));
            let content_type = if open_metrics { OPEN_METRICS } else { PROMETHEUS };
            ([(header::CONTENT_TYPE, content_type)], metrics.encode(open_metrics)).into_response()
        }),
    )
}

/// Whether OpenMetrics is named and at least as welcome as plain text. A wildcard alone is plain text: that is what browsers
/// and curl send.
fn prefers_open_metrics(accept: &str) -> bool {
    let open_metrics = weight(accept, &["application/openmetrics-text"]).unwrap_or(0.0);
    let plain = weight(accept, &["text/plain", "text/*"]).unwrap_or(0.0);
    open_metrics > 0.0 && open_metrics >= plain
}

/// The highest weight (`q`, 1 by default) that an `Accept` header gives to any of the media types.
fn weight(accept: &str, media_types: &[&str]) -> Option<f32> {
    let weights = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next()?;
        media_types.iter().find(|media_type| named.eq_ignore_ascii_case(media_type))?;
        let q = parts.find_map(|parameter| parameter.strip_prefix("q="));
        Some(q.and_then(|q| q.parse().ok()).unwrap_or(1.0))
    });
    weights.reduce(f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_prefer_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
            application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,*/*;q=0.1";
        assert!(prefers_open_metrics(prometheus));
        assert!(prefers_open_metrics("application/openmetrics-text"));
        assert!(prefers_open_metrics("text/plain, Application/OpenMetrics-Text"));
    }

    #[test]
    fn everybody_else_gets_plain_text() {
        assert!(!prefers_open_metrics(""));
        assert!(!prefers_open_metrics("*/*"));
        assert!(!prefers_open_metrics("text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(!prefers_open_metrics("application/openmetrics-text;q=0.3, text/plain;q=0.6"));
        assert!(!prefers_open_metrics("application/openmetrics-text;q=0"));
    }
}
