//! The cluster behind its port, and clients that reach it by its kubeconfig.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use kubeops_testkit::Cluster;
use kubeops_testkit::cluster::Serving;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::given::config_map;

/// Generous: a test that passes does not wait for it.
pub(crate) const SOON: Duration = Duration::from_secs(60);

fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(crate) async fn served() -> (Cluster, Serving) {
    let cluster = Cluster::start().await;
    let serving = cluster.serve(anywhere()).await.unwrap();
    (cluster, serving)
}

pub(crate) async fn client_of(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    // A fault is to be seen, not asked again.
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

pub(crate) async fn config_maps_of(serving: &Serving, user: &str) -> Api<ConfigMap> {
    Api::default_namespaced(client_of(&serving.kubeconfig(user)).await)
}

pub(crate) fn x() -> ConfigMap {
    config_map("x", json!({}))
}

fn token_of(serving: &Serving) -> String {
    let kubeconfig: Value = serde_json::from_str(&serving.kubeconfig("a")).unwrap();
    kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned()
}

/// A connection over which nothing was said yet.
pub(crate) async fn connection(serving: &Serving) -> TlsStream<TcpStream> {
    let kubeconfig: Value = serde_json::from_str(&serving.kubeconfig("a")).unwrap();
    let authority = &kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"];
    let pem: ByteString = serde_json::from_value(authority.clone()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem.0).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(ring::default_provider().into());
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(serving.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap()
}

/// What user a would send to ask for this path.
pub(crate) fn request(serving: &Serving, method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{more}\r\n", token_of(serving))
}

/// What comes back until the connection ends.
pub(crate) async fn raw(serving: &Serving, text: &str) -> String {
    let mut stream = connection(serving).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Its end without a farewell is an error.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
