//! The chart for Helm.

use super::*;

fn chart_file(options: &Options, path: &str) -> String {
    let files = chart(&shop(), options).unwrap();
    files.into_iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

#[test]
fn every_file_of_the_chart_says_who_wrote_it_and_is_filled_in() {
    let options = Options { command: "shop generate helm --set 'a=\"b\"'".to_owned(), ..options() };
    let files = chart(&shop(), &options).unwrap();
    assert!(files.iter().any(|file| file.path == "templates/crd-shops.example.com.yaml"));
    for File { path, text } in &files {
        assert!(files::is_ours(text, "helm"), "{path}: {text}");
        let token =
            text.split('@').skip(1).step_by(2).find(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        assert_eq!(token, None, "{path}");
    }
}

#[test]
fn the_charts_values_begin_with_the_operators_settings() {
    let appsettings = json!({
        "KubeOps": { "EnableLeaderElection": false, "LeaderElectionId": "x", "MaxParallelReconciliations": 4 },
        "Pages": { "Theme": "plain" },
    });
    let lock = Some(Lock::new("shop-leader", "locks", LockKind::Lease));
    let image = "registry:5000/team/shop:7".to_owned();
    let values = chart_file(&Options { appsettings, lock, image, ..options() }, "values.yaml");
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    let expected = json!({ "KubeOps": { "MaxParallelReconciliations": 4 }, "Pages": { "Theme": "plain" } });
    assert_eq!(values["appsettings"], expected);
    let election = json!({
        "enabled": true, "fence": false, "lock": "Lease", "leaderLockApiVersion": "coordination.kubeops.rs/v1", "namespace": "locks",
        "flowSchema": true,
    });
    assert_eq!(values["leaderElection"], election);
    assert_eq!(
        (&values["image"]["repository"], &values["image"]["tag"]),
        (&json!("registry:5000/team/shop"), &json!("7"))
    );
    let digest = Options { image: "shop@sha256:7".to_owned(), ..options() };
    let values_of_digest: Value = serde_saphyr::from_str(&chart_file(&digest, "values.yaml")).unwrap();
    assert_eq!(values_of_digest["image"]["tag"], "sha256:7");
    let schema: Value = serde_json::from_str(&chart_file(&options(), "values.schema.json")).unwrap();
    let known: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
    let missing: Vec<_> = values.as_object().unwrap().keys().filter(|key| !known.contains(key)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn without_election_the_chart_begins_with_one_replica() {
    let values = chart_file(&Options { lock: None, ..options() }, "values.yaml");
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    assert_eq!((&values["leaderElection"]["enabled"], &values["deployment"]["replicas"]), (&json!(false), &json!(1)));
    assert_eq!(values["appsettings"], json!({}));
}
