//! Retries of short trouble, above the fence: each try asks anew whether the term is valid.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use tokio::time::{Instant, Sleep, sleep};
use tower::retry::Policy;

use super::denial::Denied;
use crate::BoxError;

/// Tries of one request, the first included.
const TRIES: u32 = 3;
/// All tries of one request together: kube's own policy may wait for a quarter of an hour, long after a term has ended.
const PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The API server learns who leads within milliseconds. A denial that lasts is no delay.
const PATIENCE_WITH_DENIALS: Duration = Duration::from_secs(1);
const FIRST_PAUSE_OF_DENIED: Duration = Duration::from_millis(5);
const LONGEST_PAUSE_OF_DENIED: Duration = Duration::from_millis(200);

/// Tries again on 429, 503 and 504, where that can do no harm, and on denials by the fence in the API server, which may not know
/// yet who leads.
#[derive(Clone, Debug)]
pub(super) struct Retry {
    tried: u32,
    began: Option<Instant>,
    denied: u32,
    first_denied: Option<Instant>,
}

impl Retry {
    pub(super) const fn new() -> Self {
        Self { tried: 0, began: None, denied: 0, first_denied: None }
    }

    /// How long to wait before the next try; `None`: this answer stands.
    fn pause(&mut self, method: &Method, status: StatusCode, retry_after: Option<Duration>) -> Option<Duration> {
        // A write may have been committed all the same, and another POST would make a second object. Who says when to come again
        // has not taken it.
        let harmless = match status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::SERVICE_UNAVAILABLE => *method != Method::POST || retry_after.is_some(),
            StatusCode::GATEWAY_TIMEOUT => *method != Method::POST,
            _ => false,
        };
        let began = *self.began.get_or_insert_with(Instant::now);
        self.tried += 1;
        let pause = retry_after.unwrap_or(FIRST_PAUSE * self.tried * 2);
        (harmless && self.tried < TRIES && began.elapsed() + pause <= PATIENCE).then_some(pause)
    }

    /// Likewise, after a denial by the fence.
    fn pause_of_denied(&mut self) -> Option<Duration> {
        let first = *self.first_denied.get_or_insert_with(Instant::now);
        let pause = FIRST_PAUSE_OF_DENIED.saturating_mul(1 << self.denied.min(16)).min(LONGEST_PAUSE_OF_DENIED);
        self.denied += 1;
        (first.elapsed() + pause <= PATIENCE_WITH_DENIALS).then_some(pause)
    }
}

impl<B> Policy<Request<Body>, Response<B>, BoxError> for Retry {
    type Future = Sleep;

    fn retry(
        &mut self,
        request: &mut Request<Body>,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Self::Future> {
        let response = result.as_ref().ok()?;
        if response.extensions().get::<Denied>().is_some() {
            return self.pause_of_denied().map(sleep);
        }
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let pause = self.pause(request.method(), response.status(), after.map(Duration::from_secs))?;
        Some(sleep(pause))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        self.began.get_or_insert_with(Instant::now);
        let mut copy = Request::new(request.body().try_clone()?);
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        *copy.extensions_mut() = request.extensions().clone();
        Some(copy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn short_trouble_is_tried_three_times() {
        let mut retry = Retry::new();
        assert!(retry.pause(&Method::POST, StatusCode::TOO_MANY_REQUESTS, None).is_some());
        assert!(retry.pause(&Method::PATCH, StatusCode::SERVICE_UNAVAILABLE, None).is_some());
        assert!(retry.pause(&Method::PATCH, StatusCode::SERVICE_UNAVAILABLE, None).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_post_that_may_have_been_committed_is_not_repeated() {
        for status in [StatusCode::GATEWAY_TIMEOUT, StatusCode::SERVICE_UNAVAILABLE] {
            assert!(Retry::new().pause(&Method::POST, status, None).is_none());
            assert!(Retry::new().pause(&Method::PATCH, status, None).is_some());
        }
        let soon = Some(Duration::from_secs(1));
        assert_eq!(Retry::new().pause(&Method::POST, StatusCode::SERVICE_UNAVAILABLE, soon), soon);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_wants_a_longer_pause_is_not_tried_again() {
        let wish = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(Retry::new().pause(&Method::GET, StatusCode::TOO_MANY_REQUESTS, wish(1)), wish(1));
        assert_eq!(Retry::new().pause(&Method::GET, StatusCode::TOO_MANY_REQUESTS, wish(60)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn other_answers_stand() {
        for status in [StatusCode::OK, StatusCode::CONFLICT, StatusCode::INTERNAL_SERVER_ERROR] {
            assert!(Retry::new().pause(&Method::GET, status, None).is_none());
        }
    }
}
