//! The job on a real API server, with the rights of `rbac.yaml` and no other.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "tests are sentences")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use kubeops_testkit::{ControlPlane, Process, eventually};

/// Far longer than anything here takes, unless it hangs.
const GENEROUS: Duration = Duration::from_secs(90);
const USER: &str = "job";

struct Site {
    plane: ControlPlane,
}

impl Site {
    async fn start() -> Self {
        let plane = ControlPlane::start().await.unwrap();
        plane.limited_user(USER, &[]).await.unwrap();
        Self { plane }
    }

    async fn kubectl(&self, words: &[&str]) {
        let output = self.plane.kubectl().unwrap().args(words).output().await.unwrap();
        assert!(output.status.success(), "kubectl {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    async fn grant(&self) {
        let rbac = Path::new(env!("CARGO_MANIFEST_DIR")).join("rbac.yaml");
        self.kubectl(&["apply", "-f", rbac.to_str().unwrap()]).await;
        self.kubectl(&["create", "rolebinding", USER, "--role=nightly-job", "--user", USER]).await;
    }

    fn job(&self, name: &str) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightly-job"));
        command.env("KUBECONFIG", self.plane.kubeconfig_for(USER).unwrap()).env("POD_NAME", name);
        Process::spawn(&command, self.plane.directory().join(format!("{name}.log"))).unwrap()
    }

    async fn holder(&self) -> Option<String> {
        let leases: Api<Lease> = Api::default_namespaced(self.plane.client().unwrap());
        leases.get("nightly-report").await.unwrap().spec?.holder_identity
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn three_replicas_report_one_after_the_other_with_the_rights_of_rbac_yaml() {
    let site = Site::start().await;
    site.grant().await;
    site.kubectl(&["create", "deployment", "shop", "--image=shop", "--replicas=3"]).await;
    let mut jobs: Vec<Process> = ["one", "two", "three"].map(|name| site.job(name)).into();
    for job in &mut jobs {
        assert_eq!(job.ended(GENEROUS).await.unwrap(), 0, "{}", job.log());
        assert!(job.log().contains("reported on 1 Deployments"), "{}", job.log());
    }
    assert_eq!(site.holder().await.as_deref(), Some(""), "given back");
    let maps: Api<ConfigMap> = Api::default_namespaced(site.plane.client().unwrap());
    let report = maps.get("nightly-report").await.unwrap().data.unwrap();
    assert_eq!(report["shop"], "0 of 3 ready");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_job_without_rights_says_which_ones_and_goes_on_when_it_has_them() {
    let site = Site::start().await;
    let mut job = site.job("early");
    eventually("the rule that is missing", GENEROUS, async || match job.log() {
        log if log.contains("resourceNames") && log.contains("nightly-report") => Ok(()),
        log => Err(log),
    })
    .await
    .unwrap();
    site.grant().await;
    assert_eq!(job.ended(GENEROUS).await.unwrap(), 0, "{}", job.log());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a control plane: cargo xtask test"]
async fn a_job_that_waits_for_another_ends_when_its_pod_is_ended() {
    let site = Site::start().await;
    site.grant().await;
    let spec = LeaseSpec {
        holder_identity: Some("another".to_owned()),
        lease_duration_seconds: Some(3600),
        ..LeaseSpec::default()
    };
    let metadata = ObjectMeta { name: Some("nightly-report".to_owned()), ..ObjectMeta::default() };
    let leases: Api<Lease> = Api::default_namespaced(site.plane.client().unwrap());
    leases.create(&PostParams::default(), &Lease { metadata, spec: Some(spec) }).await.unwrap();
    let mut job = site.job("patient");
    eventually("it sees who leads", GENEROUS, async || match job.log() {
        log if log.contains("another replica leads") => Ok(()),
        log => Err(log),
    })
    .await
    .unwrap();
    job.terminate().unwrap();
    assert_eq!(job.ended(GENEROUS).await.unwrap(), 0, "{}", job.log());
    assert_eq!(site.holder().await.as_deref(), Some("another"), "and takes nothing");
}
