//! Clients whose requests leave at once.
//!
//! kube (5.0) leaves Nagle's algorithm on: the first request on a new connection waits for the server to acknowledge the end of
//! the TLS handshake, for up to 40 ms. Each request that meets no idle connection needs a new one, as those of a takeover do.

use std::error::Error;

use http::{Request, Response};
use hyper::body::Incoming;
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

/// As `ClientBuilder::try_from(config)` where `config.default_retry` is off, but without that wait, spans and compressed answers.
/// By way of a proxy, or with a certificate that another program gives, it is kube's own.
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
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(connector())?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let requests = Builder::new(TokioExecutor::new()).build(connector);

    let requests = MapErr::new(MapRequest::new(requests, begun), failed);
    let requests = config.extra_headers_layer()?.layer(requests);
    let requests = option_layer(config.auth_layer()?).layer(requests);
    let requests = config.base_uri_layer().layer(requests);
    Ok(ClientBuilder::new(BoxService::new(MapResponse::new(requests, answered)), config.default_namespace))
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

/// Told under kube's name, by which logs ask for it, as are failures.
fn begun(request: Request<Body>) -> Request<Body> {
    tracing::debug!(target: "kube_client::client", method = %request.method(), url = %request.uri(), "requesting");
    request
}

fn failed(error: hyper_util::client::legacy::Error) -> BoxError {
    tracing::error!(target: "kube_client::client", "failed with error {error}");
    error.into()
}

fn answered(response: Response<Incoming>) -> Response<Box<DynBody>> {
    if response.status().is_server_error() {
        tracing::error!(target: "kube_client::client", "failed with status {}", response.status());
    }
    response.map(|body| Box::new(http_body_util::BodyExt::map_err(body, BoxError::from)) as Box<DynBody>)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Uri};
    use kube::config::AuthInfo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;
    use tower::Service as _;

    use super::*;
    use crate::test_log::Log;

    /// A server that answers one request, and tells what it received.
    async fn server(status: &'static str) -> (Uri, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/clusters/one", listener.local_addr().unwrap());
        let received = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut received = Vec::new();
            while !received.ends_with(b"{}") {
                received.push(connection.read_u8().await.unwrap());
            }
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}");
            connection.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(received).unwrap()
        });
        (url.try_into().unwrap(), received)
    }

    fn config(cluster_url: Uri) -> Config {
        let mut config = Config::new(cluster_url);
        config.default_retry = false;
        config.headers = vec![(HeaderName::from_static("user-agent"), HeaderValue::from_static("shop/1"))];
        config.auth_info = AuthInfo {
            token: Some("secret".to_owned().into()),
            impersonate: Some("someone".to_owned()),
            impersonate_groups: Some(vec!["some".to_owned(), "others".to_owned()]),
            ..AuthInfo::default()
        };
        config
    }

    async fn sent<S>(url: Uri, received: JoinHandle<String>, builder: ClientBuilder<S>) -> String
    where
        S: tower::Service<Request<Body>, Response = Response<Box<DynBody>>, Error = BoxError> + Send + 'static,
        S::Future: Send + 'static,
    {
        let request = Request::put("/api/v1/things/a?dryRun=All").body(Body::from(b"{}".to_vec())).unwrap();
        assert!(builder.build().send(request).await.unwrap().status().is_success());
        received.await.unwrap().replace(url.authority().unwrap().as_str(), "server")
    }

    #[tokio::test]
    async fn requests_are_those_of_kubes_own_client() {
        let (url, received) = server("200 OK").await;
        let ours = sent(url.clone(), received, builder(config(url)).unwrap()).await;
        let (url, received) = server("200 OK").await;
        let kubes = sent(url.clone(), received, ClientBuilder::try_from(config(url)).unwrap()).await;
        assert_eq!(ours, kubes);
        assert!(ours.starts_with("PUT /clusters/one/api/v1/things/a?dryRun=All HTTP/1.1\r\n"), "{ours}");
        for header in ["authorization: Bearer secret", "user-agent: shop/1", "impersonate-group: others"] {
            assert!(ours.contains(&format!("{header}\r\n")), "{ours}");
        }
    }

    #[tokio::test]
    async fn connections_wait_for_no_acknowledgement() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).try_into().unwrap();
        let connection = connector().call(url).await.unwrap().into_inner();
        assert!(connection.nodelay().unwrap());
    }

    #[tokio::test]
    async fn failures_are_told_under_kubes_name() {
        let log = Log::default();
        let _logged = tracing::subscriber::set_default(log.subscriber());
        let ask = async |url: Uri| {
            let request = Request::get("/version").body(Body::from(b"{}".to_vec())).unwrap();
            builder(config(url)).unwrap().build().send(request).await
        };
        let (url, received) = server("502 Bad Gateway").await;
        ask(url.clone()).await.unwrap();
        received.await.unwrap();
        assert_eq!(log.lines_with("failed with status 502 Bad Gateway").len(), 1);
        ask(url).await.unwrap_err();
        assert_eq!(log.lines_with("failed with error").len(), 1);
    }
}
