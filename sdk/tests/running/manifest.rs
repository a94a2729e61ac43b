//! What of the generated Deployment a kubelet goes by. The file is the sample's, which its own tests compare with what `generate
//! manifests` writes; probes and times are the same for every operator.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{self as core, Container};

const DEPLOYMENT: &str = "../samples/guestbook/deploy/base/deployment.yaml";

/// A probe, with the API server's defaults for what the manifest does not say.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) path: String,
    pub(crate) delay: Duration,
    pub(crate) period: Duration,
    pub(crate) timeout: Duration,
    pub(crate) failures: u32,
}

/// When a pod's container counts as started, as ready and as dead, and how long it may take to end.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) startup: Probe,
    pub(crate) liveness: Probe,
    pub(crate) readiness: Probe,
    pub(crate) grace: Duration,
}

impl Manifest {
    pub(crate) fn generated() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DEPLOYMENT);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let deployment: Deployment = serde_saphyr::from_str(&text).unwrap();
        let pod = deployment.spec.unwrap().template.spec.unwrap();
        let Container { startup_probe, liveness_probe, readiness_probe, .. } = &pod.containers[0];
        let probe = |probe: &Option<core::Probe>| Probe::of(probe.as_ref().unwrap());
        Self {
            startup: probe(startup_probe),
            liveness: probe(liveness_probe),
            readiness: probe(readiness_probe),
            grace: Duration::from_secs(pod.termination_grace_period_seconds.unwrap().try_into().unwrap()),
        }
    }

    /// With pauses that a test can wait for. What takes time by itself, an answer, takes as long as it does.
    pub(crate) fn with_pauses_of_a_tenth(mut self) -> Self {
        for probe in [&mut self.startup, &mut self.liveness, &mut self.readiness] {
            probe.delay /= 10;
            probe.period /= 10;
        }
        self.grace /= 10;
        self
    }
}

impl Probe {
    fn of(probe: &core::Probe) -> Self {
        let or = |given: Option<i32>, default: u32| given.map_or(default, |given| given.try_into().unwrap());
        let seconds = |given, default| Duration::from_secs(or(given, default).into());
        assert_eq!(or(probe.success_threshold, 1), 1, "more than that is not played");
        Self {
            path: probe.http_get.as_ref().unwrap().path.clone().unwrap(),
            delay: seconds(probe.initial_delay_seconds, 0),
            period: seconds(probe.period_seconds, 10),
            timeout: seconds(probe.timeout_seconds, 1),
            failures: or(probe.failure_threshold, 3),
        }
    }

    /// How long it may fail from the first time on until it has failed for good.
    pub(crate) fn patience(&self) -> Duration {
        self.period * (self.failures - 1)
    }
}
