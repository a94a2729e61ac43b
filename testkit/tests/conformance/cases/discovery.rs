//! What the server says of itself, and objects in other forms than their own.

use super::{CONFIG_MAPS, config_map, things};
use crate::ask::Ask;
use crate::case::cases;
use crate::session::Session;

cases!("discovery":
    the_core_group,
    a_group_and_its_versions,
    the_resources_of_a_group,
    a_group_of_a_custom_resource,
    a_group_that_is_not_there,
    metadata_alone_of_one_object,
    metadata_alone_of_a_list,
    metadata_alone_in_a_watch,
    a_table_of_config_maps,
    a_table_of_nothing,
    a_deprecated_kind_is_warned_of,
    health,
);

const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

async fn the_core_group(s: &mut Session) {
    s.get("/api").await;
    s.get("/api/v1").await;
}

async fn a_group_and_its_versions(s: &mut Session) {
    s.get("/apis/apps").await;
    s.get("/apis/coordination.k8s.io").await;
}

async fn the_resources_of_a_group(s: &mut Session) {
    for group in
        ["apps/v1", "coordination.k8s.io/v1", "batch/v1", "apiextensions.k8s.io/v1", "rbac.authorization.k8s.io/v1"]
    {
        s.get(format!("/apis/{group}")).await;
    }
}

async fn a_group_of_a_custom_resource(s: &mut Session) {
    s.install(things::crd()).await;
    s.until("/apis/$ns.example.com", 200).await;
    s.until("/apis/$ns.example.com/v1", 200).await;
}

async fn a_group_that_is_not_there(s: &mut Session) {
    s.get("/apis/nobody.example.com").await;
    s.get("/apis/nobody.example.com/v1").await;
    s.get("/apis/apps/v9").await;
    s.get("/api/v9").await;
}

async fn metadata_alone_of_one_object(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.ask(Ask::get(format!("{CONFIG_MAPS}/x")).header("accept", METADATA)).await;
    s.ask(Ask::get(format!("{CONFIG_MAPS}/y")).header("accept", METADATA)).await;
}

async fn metadata_alone_of_a_list(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    s.ask(Ask::get(CONFIG_MAPS).header("accept", METADATA_LIST)).await;
    s.ask(Ask::get(CONFIG_MAPS).header("accept", METADATA)).await;
}

async fn metadata_alone_in_a_watch(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let mut watch = s.watch_ask(Ask::get(format!("{CONFIG_MAPS}?watch=true")).header("accept", METADATA)).await;
    s.event(&mut watch).await;
    s.delete(format!("{CONFIG_MAPS}/x")).await;
    s.event(&mut watch).await;
}

async fn a_table_of_config_maps(s: &mut Session) {
    s.post(CONFIG_MAPS, config_map("x")).await;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    s.ask(Ask::get(CONFIG_MAPS).header("accept", table)).await;
    s.ask(Ask::get(format!("{CONFIG_MAPS}/x")).header("accept", table)).await;
}

async fn a_table_of_nothing(s: &mut Session) {
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    s.ask(Ask::get(CONFIG_MAPS).header("accept", table)).await;
    s.ask(Ask::get(format!("{CONFIG_MAPS}/x")).header("accept", table)).await;
}

async fn a_deprecated_kind_is_warned_of(s: &mut Session) {
    s.get("/api/v1/namespaces/$ns/endpoints").await;
    s.get("/api/v1/namespaces/$ns/endpoints/x").await;
}

async fn health(s: &mut Session) {
    for path in ["/healthz", "/livez", "/readyz"] {
        s.get(path).await;
    }
}
