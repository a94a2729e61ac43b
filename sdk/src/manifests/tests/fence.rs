//! The fence in the API server.

use super::*;

fn fenced() -> Options {
    Options { fence: true, ..options() }
}

#[test]
fn a_fence_is_for_what_controllers_may_write_and_for_nothing_else() {
    let manifests = manifests(&shop(), Options { installs_crds: true, ..fenced() });
    let policy = object(&manifests, "fence-policy");
    let fenced = |group: &str, resources: &[&str]| {
        json!({
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
            "resources": resources,
        })
    };
    let of = |kind: &str| ["", "/finalizers", "/scale", "/status"].map(|subresource| format!("{kind}{subresource}"));
    let (maps, shops) = (of("configmaps"), of("shops"));
    let core: Vec<&str> = maps.iter().map(String::as_str).chain(["pods/exec"]).collect();
    let own: Vec<&str> = shops.iter().map(String::as_str).collect();
    let expected = json!([fenced("", &core), fenced("example.com", &own)]);
    assert_eq!(policy["spec"]["matchConstraints"]["resourceRules"], expected);
    let exempt = &policy["spec"]["matchConstraints"]["excludeResourceRules"];
    assert_eq!(exempt[0]["resourceNames"], json!(["shop-leader"]), "other Leases may well be the controllers' own");
    assert_eq!(exempt[1]["resources"], json!(["events"]));
}

#[test]
fn a_fence_lets_replicas_that_do_not_lead_install_their_crds_even_if_controllers_may_write_everything() {
    let exempt = |installs_crds| {
        let manifests = manifests(&shop(), Options { installs_crds, ..fenced() });
        let policy = object(&manifests, "fence-policy");
        policy["spec"]["matchConstraints"]["excludeResourceRules"].as_array().unwrap().clone()
    };
    let crds = json!({
        "apiGroups": ["apiextensions.k8s.io"],
        "apiVersions": ["*"],
        "operations": ["*"],
        "resources": ["customresourcedefinitions"],
        "resourceNames": ["shops.example.com"],
    });
    assert!(exempt(true).contains(&crds) && !exempt(false).contains(&crds), "{:#?}", exempt(true));
}

#[test]
fn a_fence_goes_by_the_lease_and_refuses_when_there_is_none() {
    let manifests = manifests(&shop(), fenced());
    let (policy, binding) = (object(&manifests, "fence-policy"), object(&manifests, "fence-policy-binding"));
    assert_eq!(policy["metadata"]["name"], "shop-operator.shop-system.leader-fence");
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    assert_eq!(policy["spec"]["failurePolicy"], "Fail");
    let of_operator = "request.userInfo.username == 'system:serviceaccount:shop-system:shop-operator'";
    assert_eq!(policy["spec"]["matchConditions"][0]["expression"], of_operator);
    let lease = json!({ "name": "shop-leader", "namespace": "shop-system", "parameterNotFoundAction": "Deny" });
    assert_eq!(binding["spec"]["paramRef"], lease);
}

#[test]
fn there_is_no_fence_unless_asked_for_nor_where_nothing_is_written() {
    let has_fence = |manifests: &Manifests| names(manifests).iter().any(|name| name.starts_with("fence"));
    assert!(!has_fence(&manifests(&shop(), options())));
    assert!(!has_fence(&manifests(&nodes(), fenced())));
}
