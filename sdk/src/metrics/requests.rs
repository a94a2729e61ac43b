//! Counts requests to the API server: a layer for any HTTP client.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tower::{Layer, Service};

use super::families::{Families, RequestLabels};

/// A [`Layer`] that counts requests as client-go does: by `code`, `method` and `host`, each try on its own. One that got no
/// answer, or was given up, has the code `<error>`. A watch counts once it is open.
#[derive(Clone)]
pub struct RequestMetrics {
    host: Arc<str>,
    requests: Family<RequestLabels, Counter>,
}

/// What [`RequestMetrics`] makes of a service.
#[derive(Clone, Debug)]
pub struct CountRequests<S> {
    inner: S,
    metrics: RequestMetrics,
}

/// A request on its way; counted when this is dropped.
struct OnItsWay {
    metrics: RequestMetrics,
    method: Method,
    code: Option<StatusCode>,
}

impl RequestMetrics {
    pub(super) fn new(families: &Families, host: &str) -> Self {
        Self { host: host.into(), requests: families.requests.clone() }
    }
}

impl fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestMetrics").field(&self.host).finish()
    }
}

impl<S> Layer<S> for RequestMetrics {
    type Service = CountRequests<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountRequests { inner, metrics: self.clone() }
    }
}

impl<S, A, B> Service<Request<A>> for CountRequests<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    B: 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let mut on_its_way = OnItsWay { metrics: self.metrics.clone(), method: request.method().clone(), code: None };
        let sending = self.inner.call(request);
        Box::pin(async move {
            let answer = sending.await?;
            on_its_way.answered(answer.status());
            Ok(answer)
        })
    }
}

impl OnItsWay {
    /// A method, so that a future that calls it holds the whole of this.
    fn answered(&mut self, code: StatusCode) {
        self.code = Some(code);
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let Self { metrics, method, code } = self;
        let labels = RequestLabels::new(*code, method.clone(), metrics.host.clone());
        metrics.requests.get_or_create_owned(&labels).inc();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures::FutureExt as _;
    use tower::ServiceExt as _;

    use super::super::Metrics;
    use super::*;

    fn request(method: Method) -> Request<()> {
        Request::builder().method(method).body(()).unwrap()
    }

    fn counts(metrics: &Metrics) -> Vec<String> {
        let text = metrics.encode(false);
        let mut lines: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("rest_client_requests_total"))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    }

    #[tokio::test]
    async fn each_answer_counts_by_its_code() {
        let metrics = Metrics::new();
        let answer = |code: u16| {
            let answer =
                move |_| async move { Ok::<_, Infallible>(Response::builder().status(code).body(()).unwrap()) };
            metrics.requests("10.0.0.1:443").layer(tower::service_fn(answer))
        };
        for _ in 0..2 {
            answer(200).oneshot(request(Method::GET)).await.unwrap();
        }
        answer(409).oneshot(request(Method::PUT)).await.unwrap();
        let expected = [
            "{code=\"200\",method=\"GET\",host=\"10.0.0.1:443\"} 2",
            "{code=\"409\",method=\"PUT\",host=\"10.0.0.1:443\"} 1",
        ];
        assert_eq!(counts(&metrics), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn what_gets_no_answer_is_an_error_and_what_was_not_asked_for_yet_is_nothing() {
        let metrics = Metrics::new();
        let broken = tower::service_fn(|_: Request<()>| async { Err::<Response<()>, _>("cut") });
        metrics.requests("h").layer(broken).oneshot(request(Method::GET)).await.unwrap_err();
        let silent = tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, Infallible>>());
        let given_up = metrics.requests("h").layer(silent).oneshot(request(Method::GET));
        let waiting = tokio::time::timeout(Duration::from_secs(1), given_up);
        assert_eq!(counts(&metrics), ["{code=\"<error>\",method=\"GET\",host=\"h\"} 1"]);
        assert!(waiting.await.is_err());
        assert_eq!(counts(&metrics), ["{code=\"<error>\",method=\"GET\",host=\"h\"} 2"]);
        assert!(metrics.requests("h").layer(silent).oneshot(request(Method::GET)).now_or_never().is_none());
    }
}
