//! Guestbooks as the cluster's users see them: only the published contract, none of the sample's types.

use futures::{StreamExt, stream};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::wait::eventually;
use super::{NAMESPACE, PATIENCE};

/// Requests that a test has under way at once while it makes many objects.
const AT_ONCE: usize = 16;

#[derive(Clone)]
pub(crate) struct Guestbooks {
    pub(crate) api: Api<DynamicObject>,
    client: Client,
    resource: ApiResource,
}

impl Guestbooks {
    pub(crate) fn new(client: Client) -> Self {
        let resource = ApiResource {
            group: "guestbook.example.com".into(),
            version: "v1".into(),
            api_version: "guestbook.example.com/v1".into(),
            kind: "Guestbook".into(),
            plural: "guestbooks".into(),
        };
        Self { api: Api::namespaced_with(client.clone(), NAMESPACE, &resource), client, resource }
    }

    /// The guestbooks by another client.
    pub(crate) fn of(&self, client: Client) -> Api<DynamicObject> {
        Api::namespaced_with(client, NAMESPACE, &self.resource)
    }

    pub(crate) async fn create(&self, name: &str, spec: Value) -> kube::Result<DynamicObject> {
        let object = DynamicObject::new(name, &self.resource).data(json!({ "spec": spec }));
        self.api.create(&PostParams::default(), &object).await
    }

    /// `count` guestbooks `<prefix>-0`, `<prefix>-1`, …; returns their names.
    pub(crate) async fn create_many(&self, prefix: &str, count: usize) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|number| format!("{prefix}-{number}")).collect();
        stream::iter(&names)
            .for_each_concurrent(AT_ONCE, async |name| {
                self.create(name, json!({ "title": format!("Guests of {name}") })).await.expect("create a guestbook");
            })
            .await;
        names
    }

    pub(crate) async fn get(&self, name: &str) -> DynamicObject {
        self.api.get(name).await.expect("get the guestbook")
    }

    pub(crate) async fn list(&self) -> Vec<DynamicObject> {
        self.api.list(&ListParams::default()).await.expect("list the guestbooks").items
    }

    /// Changes the spec, so that there is something to reconcile.
    pub(crate) async fn touch(&self, name: &str, message: &str) -> kube::Result<DynamicObject> {
        let patch = json!({ "spec": { "message": message } });
        self.api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.api.delete(name, &DeleteParams::default()).await.expect("delete the guestbook");
    }

    /// Waits until there are `count` guestbooks and all are Ready for their newest generation.
    pub(crate) async fn wait_all_settled(&self, count: usize) -> Vec<DynamicObject> {
        eventually(&format!("{count} guestbooks are Ready"), PATIENCE, async || {
            let all = self.list().await;
            let settled = all.iter().filter(|one| is_settled(one)).count();
            if all.len() == count && settled == count { Ok(all) } else { Err(format!("{settled} of {}", all.len())) }
        })
        .await
    }

    pub(crate) async fn wait_settled(&self, name: &str) -> DynamicObject {
        eventually(&format!("{name} is Ready"), PATIENCE, async || {
            let now = self.api.get(name).await.map_err(|error| error.to_string())?;
            if is_settled(&now) { Ok(now) } else { Err(now.data.to_string()) }
        })
        .await
    }

    /// Changes `name` and waits until that was reconciled: proof that somebody does the work.
    pub(crate) async fn prove_reconciling(&self, name: &str, message: &str) -> DynamicObject {
        self.touch(name, message).await.expect("touch the guestbook");
        self.wait_settled(name).await
    }

    /// Waits until the object is gone for good.
    pub(crate) async fn wait_gone(&self, name: &str) {
        eventually(&format!("{name} is gone"), PATIENCE, async || match self.api.get_opt(name).await {
            Ok(None) => Ok(()),
            Ok(Some(object)) => Err(format!("finalizers {:?}", object.finalizers())),
            Err(error) => Err(error.to_string()),
        })
        .await;
    }

    pub(crate) fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    pub(crate) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    pub(crate) fn services(&self) -> Api<Service> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// The page that is served for a guestbook.
    pub(crate) async fn page(&self, name: &str) -> String {
        let map = self.config_maps().get(name).await.expect("get the guestbook's ConfigMap");
        map.data.and_then(|mut data| data.remove("index.html")).expect("the ConfigMap holds index.html")
    }

    /// ConfigMap, Deployment and Service of a guestbook.
    pub(crate) async fn children(&self, name: &str) -> kube::Result<[(&'static str, ObjectMeta); 3]> {
        Ok([
            ("ConfigMap", self.config_maps().get(name).await?.metadata),
            ("Deployment", self.deployments().get(name).await?.metadata),
            ("Service", self.services().get(name).await?.metadata),
        ])
    }

    /// Fails unless every child is there and owned by this very object.
    pub(crate) async fn assert_owns_children(&self, guestbook: &DynamicObject) {
        let name = guestbook.name_any();
        let children = self.children(&name).await.unwrap_or_else(|error| panic!("the children of {name}: {error}"));
        for (kind, child) in children {
            let owner = child.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
            let OwnerReference { kind: owner_kind, uid, .. } =
                owner.unwrap_or_else(|| panic!("{kind} {name} has no controller"));
            assert_eq!(
                (owner_kind.as_str(), Some(uid)),
                ("Guestbook", guestbook.uid().as_ref()),
                "owner of {kind} {name}"
            );
        }
    }
}

/// The identity that wrote the status last.
pub(crate) fn reconciled_by(guestbook: &DynamicObject) -> Option<&str> {
    guestbook.data["status"]["reconciledBy"].as_str()
}

pub(crate) fn observed_generation(guestbook: &DynamicObject) -> Option<i64> {
    guestbook.data["status"]["observedGeneration"].as_i64()
}

/// The condition `Ready` says `True`.
pub(crate) fn is_ready(guestbook: &DynamicObject) -> bool {
    let conditions = guestbook.data["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

/// Ready, and for the newest generation.
pub(crate) fn is_settled(guestbook: &DynamicObject) -> bool {
    is_ready(guestbook) && observed_generation(guestbook) == guestbook.metadata.generation
}
