//! The `KubeOps` section: defaults, what is read, and everything that is refused. Nothing here touches the real environment.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its helpers too")]

use std::path::PathBuf;
use std::time::Duration;

use kubeops::operator::kube_ops::{
    Defaults, KEYS, KubeOps, LeaderElectionLock, ReadyWhen, ReconcileStrategy, listing, text_table,
};
use kubeops::operator::logging;
use kubeops::settings::{LoadOptions, Problem, Settings, Warning};

fn settings(variables: &[(&str, &str)]) -> Settings {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let nowhere = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src"));
    Settings::load(LoadOptions { variables, working_directory: nowhere, ..LoadOptions::default() }).unwrap()
}

fn defaults() -> Defaults {
    Defaults {
        operator: "guest_book".to_owned(),
        client_namespace: None,
        host_name: Some("My_Laptop.local".to_owned()),
        cpus: std::num::NonZeroUsize::new(3),
        for_pods: false,
    }
}

fn read(variables: &[(&str, &str)]) -> (KubeOps, Vec<Warning>) {
    KubeOps::from_settings(&settings(variables), &defaults()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(variables: &[(&str, &str)]) -> Vec<Problem> {
    KubeOps::from_settings(&settings(variables), &defaults()).unwrap_err().into_iter().collect()
}

/// The problem of `key` alone, when it alone is set to `value`.
fn refusal(key: &str, value: &str) -> String {
    let variable = format!("KubeOps__{key}");
    let problems = refused(&[(&variable, value)]);
    assert_eq!(problems.len(), 1, "{key}={value} gives {problems:#?}");
    let problem = &problems[0];
    assert_eq!((problem.key.as_str(), problem.value.is_some()), (format!("KubeOps:{key}").as_str(), true));
    assert!(problem.to_string().contains(&format!("(variable {variable})")), "{problem}");
    problem.to_string()
}

fn row(variables: &[(&str, &str)], key: &str) -> (String, String) {
    let rows = listing(&settings(variables), &defaults());
    let found = rows.into_iter().find(|row| row.key == key).unwrap_or_else(|| panic!("no row {key}"));
    (found.value, found.origin)
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let (kube_ops, warnings) = read(&[]);
    assert_eq!(warnings, []);
    assert_eq!(kube_ops.name, "my-laptop.local");
    assert_eq!((kube_ops.pod_uid.clone(), kube_ops.namespaces.len()), (None, 0));
    assert!(kube_ops.enable_leader_election && kube_ops.leader_election_release_on_stop);
    assert_eq!(kube_ops.leader_election_id, "guest-book-leader");
    assert_eq!(kube_ops.leader_election_namespace, "default");
    assert_eq!(kube_ops.leader_election_lock, LeaderElectionLock::Lease);
    let seconds = |duration: Duration| duration.as_secs_f64();
    let lease = [
        kube_ops.leader_election_lease_duration,
        kube_ops.leader_election_renew_deadline,
        kube_ops.leader_election_retry_period,
    ];
    assert_eq!(lease.map(seconds), [15.0, 10.0, 2.0]);
    let reconciling = [kube_ops.error_backoff_base, kube_ops.error_backoff_max, kube_ops.shutdown_timeout];
    assert_eq!(reconciling.map(seconds), [0.5, 300.0, 25.0]);
    assert_eq!(kube_ops.resync_period.map(seconds), Some(36_000.0));
    assert_eq!(kube_ops.reconcile_timeout.map(seconds), Some(300.0));
    assert_eq!(kube_ops.max_parallel_reconciliations.get(), 6);
    assert_eq!(kube_ops.reconcile_strategy, ReconcileStrategy::ByGeneration);
    assert_eq!(kube_ops.ready_when, ReadyWhen::Synced);
    assert!(kube_ops.auto_attach_finalizers && kube_ops.auto_detach_finalizers);
    assert_eq!(kube_ops.health_address, "[::]:8081".parse().ok());
    assert_eq!(kube_ops.metrics_address, "[::]:8080".parse().ok());
    assert_eq!(kube_ops.status_address, None);
}

#[test]
fn every_key_can_be_set() {
    let given = [
        ("Name", "replica-a"),
        ("PodUid", "1234"),
        ("Namespaces", "[one, two]"),
        ("EnableLeaderElection", "false"),
        ("LeaderElectionId", "my.lock"),
        ("LeaderElectionNamespace", "ops"),
        ("LeaderElectionLock", "LeaderLock"),
        ("LeaderLockApiVersion", "coralogix.com/v1"),
        ("LeaderElectionLeaseDuration", "00:01:00"),
        ("LeaderElectionRenewDeadline", "00:00:40"),
        ("LeaderElectionRetryPeriod", "00:00:05.5"),
        ("LeaderElectionReleaseOnStop", "false"),
        ("LeaderElectionTrustAge", "false"),
        ("LeaderElectionLabelPod", "true"),
        ("LeaderElectionFence", "false"),
        ("MaxParallelReconciliations", "1"),
        ("ReconcileStrategy", "ByResourceVersion"),
        ("ResyncPeriod", "00:00:00"),
        ("ErrorBackoffBase", "00:00:01"),
        ("ErrorBackoffMax", "1.00:00:00"),
        ("ReconcileTimeout", "00:00:00"),
        ("AutoAttachFinalizers", "false"),
        ("AutoDetachFinalizers", "false"),
        ("ShutdownTimeout", "00:00:05"),
        ("HealthAddress", "0"),
        ("MetricsAddress", "127.0.0.1:0"),
        ("StatusAddress", "127.0.0.1:9000"),
        ("InstallCrds", "true"),
        ("ReadyWhen", "Leading"),
    ];
    assert_eq!(given.map(|(key, _)| key).to_vec(), KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
    let mut variables: Vec<(String, String)> =
        given.iter().map(|(key, value)| (format!("kubeops__{}", key.to_uppercase()), (*value).to_owned())).collect();
    variables.retain(|(name, _)| name != "kubeops__NAMESPACES");
    variables.extend([0, 1].map(|i| (format!("KubeOps__Namespaces__{i}"), ["one", "two"][i].to_owned())));
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (kube_ops, warnings) = read(&variables);
    assert_eq!(warnings, []);
    assert_eq!((kube_ops.resync_period, kube_ops.reconcile_timeout, kube_ops.health_address), (None, None, None));
    assert_eq!(kube_ops.namespaces, ["one", "two"]);
    assert!(!kube_ops.enable_leader_election && !kube_ops.auto_attach_finalizers);
    for (key, value) in given {
        assert_eq!(row(&variables, &format!("KubeOps:{key}")).0, value, "{key}");
    }
}

#[test]
fn names_come_from_the_pod_where_there_is_one() {
    let pod = [("POD_NAME", "web-0"), ("POD_NAMESPACE", "ops"), ("POD_UID", "77")];
    let (kube_ops, _) = read(&pod);
    assert_eq!((kube_ops.name.as_str(), kube_ops.leader_election_namespace.as_str()), ("web-0", "ops"));
    assert_eq!(kube_ops.holder_identity(), "web-0_77");
    assert_eq!(row(&pod, "KubeOps:Name"), ("web-0".to_owned(), "variable POD_NAME".to_owned()));

    let of_client = Defaults { client_namespace: Some("kubeconfigs".to_owned()), ..defaults() };
    let namespace =
        |variables| KubeOps::from_settings(&settings(variables), &of_client).unwrap().0.leader_election_namespace;
    assert_eq!(namespace(&[]), "kubeconfigs");
    assert_eq!(namespace(&[("POD_NAMESPACE", "ops")]), "ops");
    assert_eq!(namespace(&[("POD_NAMESPACE", "ops"), ("KubeOps__LeaderElectionNamespace", "set")]), "set");
}

#[test]
fn empty_texts_mean_the_default_but_for_the_replicas_name() {
    let empty = [
        ("KubeOps__LeaderElectionId", ""),
        ("KubeOps__LeaderElectionNamespace", " "),
        ("KubeOps__PodUid", ""),
        ("KubeOps__Namespaces", ""),
        ("POD_NAME", ""),
    ];
    let (kube_ops, _) = read(&empty);
    assert_eq!(
        (kube_ops.leader_election_id.as_str(), kube_ops.name.as_str()),
        ("guest-book-leader", "my-laptop.local")
    );
    assert!(refusal("Name", "").contains("must not be empty"));
    assert!(refusal("EnableLeaderElection", "").contains("true or false"));
}

#[test]
fn a_random_identity_stays_the_same_for_a_process_and_differs_between_two() {
    let (one, other) = (read(&[]).0, read(&[]).0);
    assert_eq!(one.holder_identity(), one.clone().holder_identity());
    assert_ne!(one.holder_identity(), other.holder_identity());
    let (name, id) = one.holder_identity().split_once('_').map(|(n, i)| (n.to_owned(), i.to_owned())).unwrap();
    assert_eq!((name.as_str(), id.len()), ("my-laptop.local", 36));
}

#[test]
fn addresses_are_read_in_all_forms() {
    for (text, shown) in [("0", "0"), (":9000", "[::]:9000"), ("0.0.0.0:9000", "0.0.0.0:9000"), ("[::1]:0", "[::1]:0")]
    {
        let variables = [("KubeOps__HealthAddress", text)];
        assert_eq!(row(&variables, "KubeOps:HealthAddress").0, shown);
        assert!(KubeOps::from_settings(&settings(&variables), &defaults()).is_ok());
    }
    for text in ["", "8081", ":", ":+1", ":99999", "localhost:80", "1.2.3.4", "[::]", "http://[::]:80"] {
        assert!(refusal("HealthAddress", text).contains("expected an IP address and a port"), "{text}");
    }
}

#[test]
fn addresses_must_differ_but_for_port_0() {
    let both = |health, metrics| {
        let variables = [("KubeOps__HealthAddress", health), ("KubeOps__MetricsAddress", metrics)];
        KubeOps::from_settings(&settings(&variables), &defaults()).is_ok()
    };
    assert!(both(":0", ":0") && both("0", "0") && both("127.0.0.1:80", "[::1]:80") && both(":80", ":81"));
    assert!(!both(":80", ":80") && !both("127.0.0.1:80", ":80") && !both("0.0.0.0:80", "[::1]:80"));
    assert!(!both("127.0.0.1:80", "[::ffff:127.0.0.1]:80"));
    assert!(refusal("MetricsAddress", ":8081").contains("HealthAddress ([::]:8081)"));
    assert!(refusal("StatusAddress", "127.0.0.1:8080").contains("MetricsAddress ([::]:8080)"));
}

#[test]
fn lease_renew_deadline_and_retry_period_are_in_order() {
    assert!(refusal("LeaderElectionLeaseDuration", "10").contains("LeaderElectionRenewDeadline (00:00:10)"));
    assert!(refusal("LeaderElectionLeaseDuration", "15.5").contains("whole seconds"));
    assert!(refusal("LeaderElectionLeaseDuration", "9999999999").contains("whole seconds"));
    assert!(refusal("LeaderElectionRetryPeriod", "0").contains("more than 0"));
    assert!(refusal("LeaderElectionRenewDeadline", "2.4").contains("1.2 times LeaderElectionRetryPeriod (00:00:02)"));
    assert_eq!(read(&[("KubeOps__LeaderElectionRenewDeadline", "2.401")]).1, []);
    let zero = refused(&[("KubeOps__LeaderElectionLeaseDuration", "0")]);
    assert!(zero.iter().all(|problem| problem.key == "KubeOps:LeaderElectionLeaseDuration"), "{zero:#?}");
}

#[test]
fn a_fence_without_an_election_is_refused() {
    let problems = refused(&[("KubeOps__LeaderElectionFence", "true"), ("KubeOps__EnableLeaderElection", "false")]);
    let text = problems[0].to_string();
    assert!(
        text.starts_with("KubeOps:LeaderElectionFence") && text.contains("EnableLeaderElection is false"),
        "{text}"
    );
    assert_eq!(read(&[("KubeOps__LeaderElectionFence", "true")]).1, []);
}

#[test]
fn a_narrow_margin_is_a_warning_where_it_may_not_be_meant() {
    let (_, warnings) = read(&[("KubeOps__LeaderElectionRenewDeadline", "13.001")]);
    assert_eq!(warnings.len(), 1);
    let text = warnings[0].to_string();
    assert!(text.starts_with("KubeOps:LeaderElectionRenewDeadline (variable KubeOps__"), "{text}");
    assert!(text.contains("00:00:01.999"), "{text}");
    assert_eq!(read(&[("KubeOps__LeaderElectionRenewDeadline", "13")]).1, []);
    let developing = [("KubeOps__LeaderElectionRenewDeadline", "14"), ("DOTNET_ENVIRONMENT", "Development")];
    assert_eq!(read(&developing).1, []);
}

#[test]
fn every_type_tells_what_it_expects() {
    for (key, value, expected) in [
        ("EnableLeaderElection", "yes", "expected true or false"),
        ("InstallCrds", "1", "expected true or false"),
        ("MaxParallelReconciliations", "0", "whole number from 1"),
        ("MaxParallelReconciliations", "-1", "whole number from 1"),
        ("MaxParallelReconciliations", "99999999999999999999999", "whole number from 1"),
        ("ResyncPeriod", "soon", "expected a duration"),
        ("ResyncPeriod", "-1", "not negative"),
        ("ErrorBackoffBase", "0", "more than 0"),
        ("ErrorBackoffMax", "0.1", "at least ErrorBackoffBase (00:00:00.5)"),
        ("ReconcileStrategy", "Sometimes", "expected ByGeneration or ByResourceVersion"),
        ("ReadyWhen", "1", "expected Synced or Leading"),
        ("LeaderElectionLock", "Mutex", "expected Lease, ConfigMap or LeaderLock"),
        ("LeaderLockApiVersion", "v1", "expected coordination.kubeops.rs/v1 or coralogix.com/v1"),
        ("LeaderElectionId", "My_Lock", "DNS-1123 name"),
        ("LeaderElectionNamespace", "a.b", "DNS-1123 label"),
        ("Name", "Web_0", "DNS-1123 name"),
        ("Namespaces", "one,two", "expected a list"),
    ] {
        assert!(refusal(key, value).contains(expected), "{key}={value} gives {}", refusal(key, value));
    }
    let nested = refused(&[("KubeOps__Name__0", "x"), ("KubeOps__ReadyWhen__x", "y")]);
    assert!(nested[0].message.contains("found a list") && nested[1].message.contains("found a section"), "{nested:#?}");
}

#[test]
fn wrong_and_repeated_namespaces_are_named() {
    let namespaces = [
        ("KubeOps__Namespaces__0", "one"),
        ("KubeOps__Namespaces__1", "Two"),
        ("KubeOps__Namespaces__2", "one"),
        ("KubeOps__Namespaces__3", ""),
    ];
    let told: Vec<String> = refused(&namespaces).into_iter().map(|problem| problem.message).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].starts_with("\"Two\"") && told[1].contains("is there twice") && told[2].starts_with("\"\""));
}

#[test]
fn a_lock_for_life_needs_to_know_its_pod() {
    for lock in ["ConfigMap", "LeaderLock"] {
        let lock = ("KubeOps__LeaderElectionLock", lock);
        let told = refused(&[lock]);
        assert_eq!(told.len(), 1, "{told:#?}");
        let text = told[0].to_string();
        assert!(text.starts_with("KubeOps:Name"), "{text}");
        for line in [
            "- { name: POD_NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }",
            "- { name: POD_UID, valueFrom: { fieldRef: { fieldPath: metadata.uid } } }",
        ] {
            assert!(text.lines().any(|told| told == line), "{text}");
        }
        assert_eq!(read(&[lock, ("POD_NAME", "shop-0")]).0.name, "shop-0");
        assert_eq!(read(&[lock, ("KubeOps__Name", "shop-0")]).0.name, "shop-0");
        read(&[lock, ("KubeOps__EnableLeaderElection", "false")]);
    }
}

#[test]
fn a_lock_for_life_is_in_the_namespace_of_its_pod_and_makes_no_fence() {
    let pod = [("KubeOps__LeaderElectionLock", "ConfigMap"), ("POD_NAME", "shop-0"), ("POD_NAMESPACE", "shop")];
    assert_eq!(read(&pod).0.leader_election_namespace, "shop");
    let told = refused(&[&pod[..], &[("KubeOps__LeaderElectionNamespace", "locks")]].concat());
    assert!(told.len() == 1 && told[0].message.contains("expected the pod's own namespace, shop"), "{told:#?}");
    let told = refused(&[&pod[..], &[("KubeOps__LeaderElectionFence", "true")]].concat());
    assert!(told.iter().any(|problem| problem.message.contains("LeaderElectionLock is another lock")), "{told:#?}");
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_known_one() {
    let (_, warnings) = read(&[("KubeOps__LeaderElectonID", "x"), ("KubeOps__Leader_Election_Id", "ok")]);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(
        warnings[0].to_string(),
        "KubeOps:LeaderElectonID (variable KubeOps__LeaderElectonID): is not a known key; did you mean LeaderElectionId?"
    );
}

#[test]
fn all_problems_come_at_once_without_second_hand_ones() {
    let problems = refused(&[
        ("KubeOps__LeaderElectionLeaseDuration", "soon"),
        ("KubeOps__LeaderElectionRenewDeadline", "60"),
        ("KubeOps__HealthAddress", "x"),
        ("KubeOps__Name", "-"),
        ("KubeOps__LeaderElectionLabelPod", "perhaps"),
        ("KubeOps____X", "empty level"),
    ]);
    let mut keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    keys.sort_unstable();
    let expected = [
        "KubeOps:HealthAddress",
        "KubeOps:LeaderElectionLabelPod",
        "KubeOps:LeaderElectionLeaseDuration",
        "KubeOps:Name",
        "KubeOps____X",
    ];
    assert_eq!(keys, expected, "{problems:#?}");
}

#[test]
fn a_value_in_the_sections_place_is_refused() {
    let set = vec![("KubeOps".to_owned(), "x".to_owned())];
    let settings = Settings::load(LoadOptions { set, ..LoadOptions::default() }).unwrap();
    let told = KubeOps::from_settings(&settings, &defaults()).unwrap_err().to_string();
    assert!(told.contains(r#"KubeOps is "x" (command line): expected a section"#), "{told}");
}

#[test]
fn the_listing_has_every_key_with_its_layer() {
    let variables =
        [("KubeOps__ResyncPeriod", "90m"), ("KubeOps__Namespaces__1", "b"), ("Logging__LogLevel__Kube", "Debug")];
    let set =
        vec![("KubeOps:Namespaces:0".to_owned(), "a".to_owned()), ("Guestbook:Theme".to_owned(), "dark".to_owned())];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let settings = Settings::load(LoadOptions { set, variables, ..LoadOptions::default() }).unwrap();
    let table = text_table(&listing(&settings, &defaults()));
    let lines: Vec<Vec<&str>> =
        table.lines().map(|line| line.split("  ").filter(|c| !c.is_empty()).map(str::trim).collect()).collect();
    for expected in [
        ["KubeOps:ResyncPeriod", "01:30:00", "variable KubeOps__ResyncPeriod"],
        ["KubeOps:Namespaces", "[a, b]", "command line, variable KubeOps__Namespaces__1"],
        ["KubeOps:LeaderElectionId", "guest-book-leader", "default"],
        ["KubeOps:Name", "my-laptop.local", "default, from the host's name"],
        ["Logging:LogLevel:Kube", "Debug", "variable Logging__LogLevel__Kube"],
        ["Guestbook:Theme", "dark", "command line"],
    ] {
        assert!(lines.iter().any(|line| *line == expected), "{expected:?} is not in\n{table}");
    }
    assert_eq!(lines.len(), 1 + KEYS.len() + 2, "{table}");
}

#[test]
fn the_table_describes_every_key() {
    for key in KEYS {
        assert!(!key.kind.is_empty() && key.doc.ends_with('.'), "{key:?}");
        let (value, origin) = row(&[], &format!("KubeOps:{}", key.name));
        let in_words = key.default_value().contains('`') || key.default_value().contains('×');
        assert!(in_words || value == key.default_value() || value == "[]", "{key:?} is {value} from {origin}");
        assert!(origin.starts_with("default"), "{key:?} is from {origin}");
    }
}

#[test]
fn logging_can_be_set_up_twice() {
    logging::init(&settings(&[("Logging__LogLevel__Default", "None")])).unwrap();
    logging::init(&settings(&[])).unwrap();
    assert!(logging::init(&settings(&[("Logging__LogLevel__Default", "x")])).is_err());
    // The first one stays.
    assert!(!tracing::enabled!(tracing::Level::ERROR));
}
