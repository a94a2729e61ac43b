//! Lists in parts, when history is forgotten between them.

use kube::api::{ListParams, PostParams};
use kubeops_testkit::Cluster;
use serde_json::json;

use crate::given::{config_map, config_maps};

#[tokio::test(start_paused = true)]
async fn a_token_of_a_version_that_was_compacted_goes_on_with_what_is_there() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    for name in ["a", "b", "c"] {
        api.create(&PostParams::default(), &config_map(name, json!({}))).await.unwrap();
    }
    let page = ListParams::default().limit(1);
    let first = api.list(&page).await.unwrap();
    api.create(&PostParams::default(), &config_map("bb", json!({}))).await.unwrap();
    cluster.compact();

    let kube::Error::Api(expired) =
        api.list(&page.clone().continue_token(&first.metadata.continue_.unwrap())).await.unwrap_err()
    else {
        panic!("the API should have refused it")
    };
    assert_eq!((expired.code, expired.reason.as_str()), (410, "Expired"));
    let token = expired.metadata.unwrap().continue_.unwrap();
    let rest = api.list(&ListParams::default().continue_token(&token)).await.unwrap();
    let names: Vec<String> = rest.items.into_iter().filter_map(|map| map.metadata.name).collect();
    assert_eq!(names, ["b", "bb", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_at_a_version_that_was_compacted_is_refused() {
    let cluster = Cluster::start().await;
    let api = config_maps(&cluster);
    let early = api.create(&PostParams::default(), &config_map("a", json!({}))).await.unwrap();
    api.create(&PostParams::default(), &config_map("b", json!({}))).await.unwrap();
    cluster.compact();
    let version = early.metadata.resource_version.unwrap();
    let exactly = ListParams::default().at(&version).matching(kube::api::VersionMatch::Exact);
    let (code, message) = crate::given::refused(api.list(&exactly).await);
    assert_eq!((code, message.as_str()), (410, "The resourceVersion for the provided list is too old."));
}
