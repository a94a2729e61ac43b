//! The requests that controllers send by themselves, for kinds whose scope is only known at runtime.

use kube::api::{GetParams, Patch, PatchParams, Request};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The objects of a kind in one namespace, or those of a kind without.
#[derive(Debug)]
pub(super) struct Requests {
    url: Request,
}

impl Requests {
    pub(super) fn of<K: Resource<DynamicType = ()>>(namespace: Option<&str>) -> Self {
        Self { url: Request::new(K::url_path(&(), namespace)) }
    }

    pub(super) async fn get<K: DeserializeOwned>(&self, client: &Client, name: &str) -> Result<K, kube::Error> {
        send(client, "get", self.url.get(name, &GetParams::default())).await
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
