//! Clients whose requests leave at once.
//!
//! kube (5.0) leaves Nagle's algorithm on: the first request on a new connection waits for the server to acknowledge the end of
//! the TLS handshake, for up to 40 ms. Each request that meets no idle connection needs a new one, as those of a takeover do.

use std::error::Error;

use http::{Request, Response};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, ClientBuilder, ConfigExt as _, DynBody};
use tower::Layer as _;
use tower::util::{BoxService, MapErr, MapRequest, MapResponse, option_layer};

type BoxError = Box<dyn Error + Send + Sync>;

/// What kube's own builder has too.
pub(crate) type Requests = BoxService<Request<Body>, Response<Box<DynBody>>, BoxError>;

/// As `ClientBuilder::try_from(config)` where `config.default_retry` is off, but without that wait. By way of a proxy, or with a
/// certificate that another program gives, it is kube's own.
///
/// # Errors
/// If certificates, keys or credentials are bad.
///
/// # Panics
/// Outside of a tokio runtime.
pub(crate) fn builder(config: Config) -> kube::Result<ClientBuilder<Requests>> {
    if config.proxy_url.is_some() || config.auth_info.exec.is_some() {
        return ClientBuilder::try_from(config);
    }
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(connector)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let requests = Builder::new(TokioExecutor::new()).build(connector);

    let requests = MapErr::new(MapRequest::new(requests, told), BoxError::from);
    let requests = config.extra_headers_layer()?.layer(requests);
    let requests = option_layer(config.auth_layer()?).layer(requests);
    let requests = config.base_uri_layer().layer(requests);
    let boxed = |response: Response<hyper::body::Incoming>| {
        response.map(|body| Box::new(http_body_util::BodyExt::map_err(body, BoxError::from)) as Box<DynBody>)
    };
    Ok(ClientBuilder::new(BoxService::new(MapResponse::new(requests, boxed)), config.default_namespace))
}

/// Under kube's name, by which logs ask for it.
fn told(request: Request<Body>) -> Request<Body> {
    tracing::debug!(target: "kube_client::client", method = %request.method(), url = %request.uri(), "requesting");
    request
}
