//! The control plane gives what tests of operators need.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, ResourceExt,
    api::{ObjectMeta, PostParams},
};
use kubeops_testkit::ControlPlane;

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn config_map(name: &str) -> ConfigMap {
    ConfigMap { metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }, ..ConfigMap::default() }
}

#[tokio::test]
#[ignore = "needs a control plane: cargo xtask test"]
async fn what_a_user_writes_is_there_and_in_the_audit_log_under_its_name() -> TestResult {
    let plane = ControlPlane::start().await?;
    let api: Api<ConfigMap> = Api::namespaced(plane.client_for("replica-a")?, "default");
    api.create(&PostParams::default(), &config_map("page")).await?;
    assert_eq!(api.get("page").await?.name_any(), "page");

    let requests = plane.audit().requests_of("replica-a")?;
    let [create, get] = requests.as_slice() else { panic!("two requests, not {}", requests.len()) };
    assert_eq!((create.verb.as_str(), create.name.as_str(), create.code), ("create", "page", Some(201)));
    assert_eq!((get.verb.as_str(), get.resource.as_str(), get.namespace.as_str()), ("get", "configmaps", "default"));
    assert!(create.is_write() && !get.is_write());
    assert!(create.received < create.completed.ok_or("the create is complete")?);
    Ok(())
}
