//! Which cluster is meant, found as kubectl finds it.
//!
//! `KUBECONFIG` is a list of files, merged, of which those that do not exist are skipped; without it `~/.kube/config`; with
//! no such file the service account of the pod that this process runs in. A kubeconfig that is there but cannot be used is an
//! error: nothing else is tried then.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kube::client::ClientBuilder;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::chain::chain;
use crate::client::{self, Requests};
#[cfg(feature = "operator")]
use crate::metrics::Metrics;

const KUBECONFIG: &str = "KUBECONFIG";
/// What the kubelet sets in every container.
const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";

/// A cluster, and how it was found. Its display form names both: `context kind-dev, server https://127.0.0.1:6443`.
#[derive(Clone, Debug)]
pub struct Connection {
    /// How to connect. kube's own retries are switched off in it: they may take a thousand seconds.
    pub config: Config,
    /// Where that comes from.
    pub source: Source,
}

/// Where a [`Connection`] comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A kubeconfig.
    Kubeconfig {
        /// The files that were read.
        files: Vec<PathBuf>,
        /// Its current context.
        context: String,
    },
    /// The service account of the pod.
    InCluster,
}

/// What of the process decides which cluster is meant.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The variable `KUBECONFIG`.
    pub kubeconfig: Option<OsString>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Whether `KUBERNETES_SERVICE_HOST` says that this is a pod.
    pub in_cluster: bool,
}

/// No cluster to talk to. What was tried, on one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// There is no configuration.
    #[error(
        "no cluster is configured: {}. Set KUBECONFIG to a kubeconfig file, or run in a pod that has a service account",
        tried.join("; ")
    )]
    NoConfiguration {
        /// What was looked at, and why it did not do.
        tried: Vec<String>,
    },
    /// There is a kubeconfig that cannot be used.
    #[error("the kubeconfig {} cannot be used: {}", list(files), chain(cause))]
    Kubeconfig {
        /// The files, of which the last one is at fault if it cannot be read.
        files: Vec<PathBuf>,
        /// Why.
        cause: KubeconfigError,
    },
    /// This is a pod without a usable service account.
    #[error("{}; this is a pod ({SERVICE_HOST} is set), but its service account cannot be used: {}", tried.join("; "), chain(cause))]
    InCluster {
        /// What was looked at before.
        tried: Vec<String>,
        /// Why.
        cause: InClusterError,
    },
    /// The configuration makes no client: certificates, keys or credentials are bad.
    #[error("no client can be made for {connection}: {}", chain(cause.as_ref()))]
    Client {
        /// The cluster.
        connection: String,
        /// Why.
        cause: Box<kube::Error>,
    },
}

/// Finds the cluster that is meant. Reads files, but sends nothing.
///
/// # Errors
/// If there is no configuration, or one that cannot be used.
///
/// # Cancel safety
/// It only reads.
pub async fn connect(environment: &Environment) -> Result<Connection, ConnectError> {
    let candidates = environment.candidates();
    let (files, kubeconfig) = read(&candidates)?;
    let (mut config, source) = match kubeconfig {
        Some(kubeconfig) => from_kubeconfig(files, kubeconfig).await?,
        None => (environment.service_account(tried(environment, &candidates))?, Source::InCluster),
    };
    config.apply_debug_overrides();
    config.default_retry = false;
    Ok(Connection { config, source })
}

async fn from_kubeconfig(files: Vec<PathBuf>, kubeconfig: Kubeconfig) -> Result<(Config, Source), ConnectError> {
    let context = kubeconfig.current_context.clone().unwrap_or_default();
    let names_proxy = names_proxy(&kubeconfig);
    match Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await {
        Ok(mut config) => {
            if !names_proxy && config.cluster_url.host().is_some_and(is_this_machine) {
                config.proxy_url = None;
            }
            Ok((config, Source::Kubeconfig { files, context }))
        }
        Err(cause) => Err(ConnectError::Kubeconfig { files, cause }),
    }
}

/// Whether a proxy is meant for a cluster, and not only one of `HTTPS_PROXY` for whatever is far.
fn names_proxy(kubeconfig: &Kubeconfig) -> bool {
    let mut clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
    clusters.any(|cluster| cluster.proxy_url.as_ref().is_some_and(|url| !url.is_empty()))
}

/// Which kubectl reaches without the proxy of the environment.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The files that exist, merged; `None` if there is none, or nothing in them.
fn read(candidates: &[PathBuf]) -> Result<(Vec<PathBuf>, Option<Kubeconfig>), ConnectError> {
    let mut files = Vec::new();
    let mut merged = Kubeconfig::default();
    for file in candidates.iter().filter(|file| file.exists()) {
        files.push(file.clone());
        let next = Kubeconfig::read_from(file).map(without_empty_context);
        match next.and_then(|next| merged.clone().merge(next)) {
            Ok(both) => merged = both,
            Err(cause) => return Err(ConnectError::Kubeconfig { files, cause }),
        }
    }
    let empty = merged.contexts.is_empty() && merged.clusters.is_empty() && merged.current_context.is_none();
    Ok((files, (!empty).then_some(merged)))
}

/// `kubectl config unset current-context` leaves an empty one, which must not hide that of a later file.
fn without_empty_context(mut kubeconfig: Kubeconfig) -> Kubeconfig {
    kubeconfig.current_context = kubeconfig.current_context.filter(|context| !context.is_empty());
    kubeconfig
}

fn tried(environment: &Environment, candidates: &[PathBuf]) -> Vec<String> {
    let files = candidates.iter().map(|file| {
        let why = if file.exists() { "is empty" } else { "does not exist" };
        format!("{} {why}", file.display())
    });
    let variable = match &environment.kubeconfig {
        Some(value) if !value.is_empty() => format!("{KUBECONFIG} is {}", Path::new(value).display()),
        _ => format!("{KUBECONFIG} is not set"),
    };
    std::iter::once(variable).chain(files).collect()
}

fn list(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

// === impl Environment ===

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            kubeconfig: std::env::var_os(KUBECONFIG),
            home: std::env::home_dir(),
            in_cluster: std::env::var_os(SERVICE_HOST).is_some(),
        }
    }

    fn candidates(&self) -> Vec<PathBuf> {
        let listed = self.kubeconfig.iter().flat_map(std::env::split_paths);
        let listed: Vec<_> = listed.filter(|path| !path.as_os_str().is_empty()).collect();
        if !listed.is_empty() {
            return listed;
        }
        self.home.iter().map(|home| home.join(".kube").join("config")).collect()
    }

    fn service_account(&self, mut tried: Vec<String>) -> Result<Config, ConnectError> {
        if !self.in_cluster {
            tried.push(format!("this is not a pod ({SERVICE_HOST} is not set)"));
            return Err(ConnectError::NoConfiguration { tried });
        }
        Config::incluster_env().map_err(|cause| ConnectError::InCluster { tried, cause })
    }
}

// === impl Connection ===

impl Connection {
    /// Name of the kubeconfig's context; `None` in a pod.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        match &self.source {
            Source::Kubeconfig { context, .. } => Some(context),
            Source::InCluster => None,
        }
    }

    /// URL of the API server.
    #[must_use]
    pub fn server(&self) -> String {
        self.config.cluster_url.to_string().trim_end_matches('/').to_owned()
    }

    /// A client for the cluster. Sends nothing yet.
    ///
    /// # Errors
    /// If certificates, keys or credentials are bad.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn client(&self) -> Result<Client, ConnectError> {
        Ok(self.builder()?.build())
    }

    /// Likewise, and each of its requests is counted.
    #[cfg(feature = "operator")]
    pub(crate) fn counted_client(&self, metrics: &Metrics) -> Result<Client, ConnectError> {
        let host = self.config.cluster_url.authority().map(ToString::to_string).unwrap_or_default();
        Ok(self.builder()?.with_layer(&metrics.requests(&host)).build())
    }

    fn builder(&self) -> Result<ClientBuilder<Requests>, ConnectError> {
        let no_client = |cause| ConnectError::Client { connection: self.to_string(), cause: Box::new(cause) };
        client::builder(self.config.clone()).map_err(no_client)
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.context() {
            Some(context) => write!(f, "context {context}, server {}", self.server()),
            None => write!(f, "the pod's own cluster, server {}", self.server()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_from_others() {
        assert!(["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "::1"].into_iter().all(is_this_machine));
        assert!(!["10.0.0.1", "[::2]", "localhost.example.com", ""].into_iter().any(is_this_machine));
    }

    #[test]
    fn a_proxy_that_a_kubeconfig_names_is_meant() {
        let of = |cluster| Kubeconfig::from_yaml(&format!("clusters: [{{name: a, cluster: {cluster}}}]")).unwrap();
        assert!(names_proxy(&of(r#"{server: "https://127.0.0.1", proxy-url: "http://proxy"}"#)));
        assert!(!names_proxy(&of(r#"{server: "https://127.0.0.1"}"#)));
    }
}
