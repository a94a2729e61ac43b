//! Requests that somebody waits for: bounded, and told clearly when they fail.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::{ApiResource, GroupVersionKind};

use crate::chain::chain;

/// A command that hangs is worse than one that fails, and so is a start.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// A request failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {object}: {cause}")]
pub struct RequestError {
    action: &'static str,
    object: String,
    cause: RequestCause,
}

#[derive(Debug, thiserror::Error)]
enum RequestCause {
    #[error("{}", reason(.0))]
    Failed(Box<kube::Error>),
    #[error("the server has not answered within {0:?}")]
    NoAnswer(Duration),
}

/// Sends a request, and says what it was for if it fails.
pub(crate) async fn ask<T>(
    action: &'static str,
    object: &str,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, RequestError> {
    ask_within(REQUEST_TIMEOUT, action, object, request).await
}

pub(crate) async fn ask_within<T>(
    timeout: Duration,
    action: &'static str,
    object: &str,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, RequestError> {
    let cause = match tokio::time::timeout(timeout, request).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => RequestCause::Failed(Box::new(error)),
        Err(_elapsed) => RequestCause::NoAnswer(timeout),
    };
    Err(RequestError { action, object: object.to_owned(), cause })
}

/// What the server said, if it said something; else what went wrong on the way. Not kube's own text, which repeats the whole
/// status.
fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        kube::Error::Api(status) => format!("the server answered {} {}", status.code, status.reason),
        kube::Error::Service(cause) => chain(cause.as_ref()),
        other => chain(other),
    }
}

/// A version of the kind that the server serves.
pub(crate) fn served(crd: &CustomResourceDefinition) -> Option<ApiResource> {
    let version = crd.spec.versions.iter().find(|version| version.served)?;
    let kind = GroupVersionKind::gvk(&crd.spec.group, &version.name, &crd.spec.names.kind);
    Some(ApiResource::from_gvk_with_plural(&kind, &crd.spec.names.plural))
}
