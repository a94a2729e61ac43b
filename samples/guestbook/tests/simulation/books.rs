//! The user, who makes, changes and deletes Guestbooks, and what must have become of them in the end.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::world::World;
use crate::guestbook::{Guestbook, GuestbookSpec};

const USER: &str = "somebody";
const NAMES: usize = 6;

pub(super) struct Books {
    world: World,
    books: Api<Guestbook>,
    changes: u64,
}

impl Books {
    pub(super) fn new(world: &World) -> Self {
        Self { world: world.clone(), books: Api::default_namespaced(world.cluster().client(USER)), changes: 0 }
    }

    /// One of the user's whims. What can't be done, because it is there already or not any more, is not done.
    pub(super) async fn whim(&mut self) {
        self.changes += 1;
        let (number, what) = self.world.draw(|random| (random.usize(0..NAMES), random.u8(0..10)));
        let name = format!("book-{number}");
        let message = format!("change {}", self.changes);
        let _may_not_be_possible = match what {
            0..3 => self.create(&name, message).await,
            3..8 => {
                let change = match self.world.draw(|random| random.u8(0..3)) {
                    0 => json!({ "replicas": self.world.draw(|random| random.u8(0..=10)) }),
                    _ => json!({ "message": message }),
                };
                let patch = Patch::Merge(json!({ "spec": change }));
                self.books.patch(&name, &PatchParams::default(), &patch).await.map(drop)
            }
            8 => self.books.delete(&name, &DeleteParams::default()).await.map(drop),
            _ => self.api::<ConfigMap>().delete(&name, &DeleteParams::default()).await.map(drop),
        };
    }

    /// Makes the leader look at it again.
    pub(super) async fn mend(&self, name: &str) {
        let patch = Patch::Merge(json!({ "spec": { "message": "looked at again" } }));
        let _may_be_deleted = self.books.patch(name, &PatchParams::default(), &patch).await;
    }

    pub(super) async fn create(&self, name: &str, message: String) -> kube::Result<()> {
        let spec = GuestbookSpec { title: format!("Guests of {name}"), message, replicas: 1 };
        self.books.create(&PostParams::default(), &Guestbook::new(name, spec)).await.map(drop)
    }

    /// What is not as it should be, once all is calm: `None` if each Guestbook is reconciled as it is now, and nothing is left
    /// of those that were deleted.
    pub(super) async fn amiss(&self) -> Option<String> {
        let books = self.books.list(&ListParams::default()).await.unwrap().items;
        let pages: BTreeMap<String, ConfigMap> = self.children().await;
        let deployments: BTreeMap<String, Deployment> = self.children().await;
        let services: BTreeMap<String, Service> = self.children().await;
        for book in &books {
            let (name, spec) = (book.name_any(), &book.spec);
            if book.metadata.deletion_timestamp.is_some() {
                return Some(format!("{name} was deleted, and is still there"));
            }
            if !book.is_applied() {
                return Some(format!("{name} is not reconciled: {:?}", book.status));
            }
            let is_child = |meta: &ObjectMeta| {
                meta.owner_references.iter().flatten().any(|owner| Some(&owner.uid) == book.metadata.uid.as_ref())
            };
            let page = pages.get(&name).filter(|page| is_child(&page.metadata));
            let shows = page.and_then(|page| page.data.as_ref()?.get("index.html"));
            if !shows.is_some_and(|page| page.contains(&format!("<p>{}</p>", spec.message))) {
                return Some(format!("the page of {name} does not say `{}`: {shows:?}", spec.message));
            }
            let replicas = deployments.get(&name).filter(|deployment| is_child(&deployment.metadata));
            if replicas.and_then(|deployment| deployment.spec.as_ref()?.replicas) != Some(spec.replicas) {
                return Some(format!("the Deployment of {name} has not {} replicas", spec.replicas));
            }
            if !services.get(&name).is_some_and(|service| is_child(&service.metadata)) {
                return Some(format!("{name} has no Service"));
            }
        }
        let counts = [pages.len(), deployments.len(), services.len()];
        counts
            .iter()
            .any(|count| *count != books.len())
            .then(|| format!("{counts:?} children of {} Guestbooks", books.len()))
    }

    /// What Guestbooks own, by name.
    async fn children<K>(&self) -> BTreeMap<String, K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let all = self.api::<K>().list(&ListParams::default()).await.unwrap();
        let owned = all.into_iter().filter(|object| !object.owner_references().is_empty());
        owned.map(|object| (object.name_any(), object)).collect()
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::default_namespaced(self.world.cluster().client(USER))
    }
}
