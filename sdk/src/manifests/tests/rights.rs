//! What the operator may do.

use super::*;

#[test]
fn rights_are_those_that_the_sdk_uses_and_those_that_the_controller_names() {
    let manifests = manifests(&shop(), options());
    let mut expected = rules_of_shop();
    expected.push(named(rule("storage.k8s.io", &["storageclasses"], &["get"]), "fast"));
    assert_eq!(object(&manifests, "cluster-role")["rules"], json!(expected));
    let lease = rule("coordination.k8s.io", &["leases"], &["list", "watch", "create", "update"]);
    let of_lock = object(&manifests, "role-leader-election");
    assert_eq!(of_lock["rules"], json!([named(lease, "shop-leader")]));
    assert_eq!(of_lock["metadata"]["namespace"], "shop-system");
}

#[test]
fn a_lock_for_life_may_be_created_and_else_only_the_one_of_its_name() {
    let pods = rule("", &["pods"], &["list", "watch"]);
    let verbs = ["list", "watch", "patch", "delete"];
    for (kind, group, plural) in [
        (LockKind::ConfigMap, "", "configmaps"),
        (LockKind::LeaderLock("coralogix.com"), "coralogix.com", "leaderlocks"),
    ] {
        let leader_lock = LeaderLockApi::Coralogix.definition();
        let lock = Some(Lock::new("shop-leader", "shop-system", kind));
        let manifests = manifests(&shop(), Options { lock, leader_lock, installs_crds: true, ..options() });
        let rules = object(&manifests, "role-leader-election")["rules"].as_array().unwrap();
        let bound = named(rule(group, &[plural], &verbs), "shop-leader");
        for expected in [&rule(group, &[plural], &["create"]), &bound, &pods] {
            assert!(rules.contains(expected), "{expected} of {rules:#?}");
        }
        assert_eq!(rules.len(), 3, "{rules:#?}");
        let needs_crd = plural == "leaderlocks";
        assert_eq!(names(&manifests).contains("crd-leaderlocks.coralogix.com"), needs_crd);
        let told = manifests.stream(Format::Yaml).unwrap();
        assert_eq!(
            told.contains("customresourcedefinitions") && told.contains("- leaderlocks.coralogix.com"),
            needs_crd
        );
        assert_eq!(names(&manifests).contains("flow-schema"), needs_crd, "it can't be told from other ConfigMaps");
        assert!(!told.contains("leases"));
    }
}

#[test]
fn without_automatic_finalizers_the_object_itself_is_not_written() {
    let manifests = manifests(&shop(), Options { finalizers: false, ..options() });
    let rules = object(&manifests, "cluster-role")["rules"].as_array().unwrap().clone();
    assert!(rules.contains(&rule("example.com", &["shops"], &["list", "watch"])), "{rules:#?}");
}

#[test]
fn an_operator_that_installs_its_crds_may_do_so_and_no_others() {
    let watched = vec!["a".to_owned()];
    let manifests = manifests(&shop(), Options { installs_crds: true, watched, ..options() });
    let installed = rule("apiextensions.k8s.io", &["customresourcedefinitions"], &["get", "create", "patch"]);
    let rules = object(&manifests, "cluster-role")["rules"].as_array().unwrap().clone();
    assert!(rules.contains(&named(installed, "shops.example.com")), "{rules:#?}");
}

#[test]
fn an_operator_that_labels_the_leaders_pod_may_patch_pods_where_it_runs_and_nowhere_else() {
    let rights = |watched: &[&str]| {
        let watched: Vec<String> = watched.iter().map(|&name| name.to_owned()).collect();
        let made = |labels_pod| manifests(&shop(), Options { labels_pod, watched: watched.clone(), ..options() });
        let manifests = made(true);
        let role = object(&manifests, "role-shop-system").clone();
        assert_eq!(role["metadata"]["namespace"], "shop-system");
        assert_eq!(object(&manifests, "cluster-role"), object(&made(false), "cluster-role"));
        role["rules"].clone()
    };
    let pods = rule("", &["pods"], &["patch"]);
    assert_eq!(rights(&[]), json!([pods]));
    assert!(rights(&["shop-system"]).as_array().unwrap().contains(&pods));
}

#[test]
fn watched_namespaces_have_a_role_each_and_the_cluster_only_what_has_no_namespace() {
    let watched = vec!["a".to_owned(), "b".to_owned()];
    let manifests = manifests(&shop(), Options { watched, ..options() });
    for namespace in ["a", "b"] {
        let role = object(&manifests, &format!("role-{namespace}"));
        assert_eq!((&role["rules"], &role["metadata"]["namespace"]), (&json!(rules_of_shop()), &json!(namespace)));
        let subject = &object(&manifests, &format!("role-binding-{namespace}"))["subjects"][0];
        assert_eq!((&subject["name"], &subject["namespace"]), (&json!("shop-operator"), &json!("shop-system")));
    }
    let of_cluster = named(rule("storage.k8s.io", &["storageclasses"], &["get"]), "fast");
    assert_eq!(object(&manifests, "cluster-role")["rules"], json!([of_cluster]));
    let of_lock = object(&manifests, "role-leader-election")["rules"].as_array().unwrap();
    assert!(of_lock.contains(&rule("", &["events"], &["create"])), "the lock is elsewhere: {of_lock:#?}");
}

#[test]
fn events_about_what_has_no_namespace_are_in_the_default_one() {
    let manifests = manifests(&nodes(), Options { watched: vec!["a".to_owned()], ..options() });
    assert_eq!(object(&manifests, "cluster-role")["rules"], json!([rule("", &["nodes"], &["list", "watch"])]));
    assert_eq!(object(&manifests, "role-default")["rules"], json!([rule("", &["events"], &["create", "patch"])]));
}
