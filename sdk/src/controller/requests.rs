//! The requests that controllers send by themselves, for kinds whose scope is only known at runtime.

use kube::api::{ListParams, ObjectList, Patch, PatchParams, Request};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Entity;

/// The objects of a kind in one namespace, or those of a kind without.
#[derive(Debug)]
pub(super) struct Requests {
    url: Request,
}

impl Requests {
    pub(super) fn of<K: Resource<DynamicType = ()>>(namespace: Option<&str>) -> Self {
        Self { url: Request::new(K::url_path(&(), namespace)) }
    }

    /// The object as it is now, if it is there. A list of one: the caches need the right to list anyway, and nothing the right
    /// to get.
    pub(super) async fn find<K: Entity>(&self, client: &Client, name: &str) -> Result<Option<K>, kube::Error> {
        let only_it = ListParams::default().fields(&format!("metadata.name={name}"));
        let found: ObjectList<K> = send(client, "list", self.url.list(&only_it)).await?;
        Ok(found.items.into_iter().find(|object| object.meta().name.as_deref() == Some(name)))
    }

    pub(super) async fn patch<K: DeserializeOwned, P: Serialize>(
        &self,
        client: &Client,
        name: &str,
        params: &PatchParams,
        patch: &Patch<P>,
    ) -> Result<K, kube::Error> {
        send(client, "patch", self.url.patch(name, params, patch)).await
    }

    pub(super) async fn patch_status<K: DeserializeOwned, P: Serialize>(
        &self,
        client: &Client,
        name: &str,
        params: &PatchParams,
        patch: &Patch<P>,
    ) -> Result<K, kube::Error> {
        send(client, "patch_status", self.url.patch_subresource("status", name, params, patch)).await
    }
}

/// `verb` is what kube's own `Api` tells to the layers below, for their spans.
async fn send<K: DeserializeOwned>(
    client: &Client,
    verb: &'static str,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<K, kube::Error> {
    let mut request = request.map_err(kube::Error::BuildRequest)?;
    request.extensions_mut().insert(verb);
    client.request(request).await
}
