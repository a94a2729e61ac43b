//! The probes of a container, asked as a kubelet asks them: paths, periods and thresholds are those of the Deployment.

use std::time::Duration;

use k8s_openapi::api::core::v1::{self as core, Container};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Replica;

/// A probe as its manifest has it.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) path: String,
    pub(crate) period: Duration,
    pub(crate) timeout: Duration,
    pub(crate) failures: usize,
}

/// The three of them.
#[derive(Clone, Debug)]
pub(crate) struct Probes {
    pub(crate) startup: Probe,
    pub(crate) liveness: Probe,
    pub(crate) readiness: Probe,
}

impl Probes {
    pub(crate) fn of(container: &Container) -> Self {
        let probe = |probe: &Option<core::Probe>| Probe::of(probe.as_ref().expect("a probe"), container);
        Self {
            startup: probe(&container.startup_probe),
            liveness: probe(&container.liveness_probe),
            readiness: probe(&container.readiness_probe),
        }
    }
}

impl Probe {
    fn of(probe: &core::Probe, container: &Container) -> Self {
        let get = probe.http_get.as_ref().expect("a probe by HTTP");
        let is_meant = |name: &Option<String>| name.clone().map(IntOrString::String).as_ref() == Some(&get.port);
        let ports = container.ports.iter().flatten();
        assert!(ports.clone().any(|port| is_meant(&port.name)), "no port is called {:?}", get.port);
        // What is not said is the API server's default, which stands in what it answers.
        let number = |number: Option<i32>| u32::try_from(number.expect("a number")).expect("not negative");
        let seconds = |count: Option<i32>| Duration::from_secs(number(count).into());
        Self {
            path: get.path.clone().expect("a path"),
            period: seconds(probe.period_seconds),
            timeout: seconds(probe.timeout_seconds),
            failures: number(probe.failure_threshold) as usize,
        }
    }

    /// Asks once; what fails, or takes too long, says why.
    pub(crate) async fn ask(&self, replica: &Replica) -> Result<(), String> {
        match tokio::time::timeout(self.timeout, replica.health(&self.path)).await {
            Ok(Ok((200, _))) => Ok(()),
            Ok(Ok((_, text))) => Err(text),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("no answer in {:?}", self.timeout)),
        }
    }

    /// Asks until it answers; panics when a kubelet would give up.
    pub(crate) async fn wait(&self, replica: &Replica) {
        let mut failed = String::new();
        for _try in 0..self.failures {
            match self.ask(replica).await {
                Ok(()) => return,
                Err(why) => failed = why,
            }
            tokio::time::sleep(self.period).await;
        }
        panic!("{} on {}: {failed}", self.path, replica.name());
    }

    /// What it answers so often in a row that a kubelet draws its conclusion.
    pub(crate) async fn row(&self, replica: &Replica) -> Vec<Result<(), String>> {
        let mut answers = Vec::new();
        while answers.len() < self.failures {
            answers.push(self.ask(replica).await);
            tokio::time::sleep(self.period).await;
        }
        answers
    }
}
