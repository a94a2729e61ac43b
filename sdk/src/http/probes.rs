//! `/livez`, `/healthz`, `/readyz` and `/startupz`.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::health::{Health, Probe, Report};

/// The probes' paths. `/healthz` is the old name of `/livez`, which most manifests still use.
const PROBES: [(&str, Probe); 4] =
    [("livez", Probe::Live), ("healthz", Probe::Live), ("readyz", Probe::Ready), ("startupz", Probe::Startup)];

/// What of a query counts: `verbose`, `exclude=<check>`, as often as wanted. The rest is ignored.
type Parameters = Query<Vec<(String, String)>>;

/// The probes of `health`: GET and HEAD of `/livez`, `/healthz`, `/readyz`, `/startupz`, and a subpath for each check. 200 or
/// 503; `?verbose` lists all checks, `?exclude=<check>` leaves one out.
pub fn probes_router(health: &Health) -> Router {
    PROBES.into_iter().fold(Router::new(), |router, (path, probe)| {
        let (all, one) = (health.clone(), health.clone());
        router
            .route(
                &format!("/{path}"),
                get(async move |Query(parameters): Parameters| {
                    let excluded: Vec<_> = values(&parameters, "exclude").map(str::to_owned).collect();
                    answer(path, &parameters, &all.probe(probe, &excluded).await)
                }),
            )
            .route(
                &format!("/{path}/{{check}}"),
                get(async move |Path(check): Path<String>, Query(parameters): Parameters| {
                    match one.probe_one(probe, &check).await {
                        Some(report) => answer(path, &parameters, &report),
                        None => (StatusCode::NOT_FOUND, format!("{path} has no check `{check}`\n")).into_response(),
                    }
                }),
            )
    })
}

fn answer(path: &str, parameters: &[(String, String)], report: &Report) -> Response {
    let status = if report.passed() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let verbose = values(parameters, "verbose").next().is_some();
    // Kubernetes' own answers carry the same two headers.
    let headers = [(header::CACHE_CONTROL, "no-cache, private"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, report.text(path, verbose)).into_response()
}

fn values<'a>(parameters: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    parameters.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
}
