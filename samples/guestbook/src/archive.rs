//! What is kept of a Guestbook that is deleted.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

/// The ConfigMap that holds the titles of a namespace's deleted Guestbooks, by their names.
pub(crate) const NAME: &str = "guestbook-archive";

/// Keeps `title` under `name`.
///
/// A merge patch touches only its own key, so that archiving several at once is fine. (With server-side apply, a manager that applies
/// one key gives up the others, and a manager a Guestbook would let the object's managed fields grow with every deletion.)
pub(crate) async fn keep(client: &Client, namespace: &str, name: &str, title: &str) -> Result<(), kube::Error> {
    let archives: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let entry = json!({ "data": { name: title } });
    match archives.patch(NAME, &PatchParams::default(), &Patch::Merge(&entry)).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => {}
        other => return other.map(drop),
    }
    let first = ConfigMap {
        metadata: kube::api::ObjectMeta { name: Some(NAME.to_owned()), ..kube::api::ObjectMeta::default() },
        data: Some([(name.to_owned(), title.to_owned())].into()),
        ..ConfigMap::default()
    };
    match archives.create(&PostParams::default(), &first).await {
        // Another one was first.
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            archives.patch(NAME, &PatchParams::default(), &Patch::Merge(&entry)).await.map(drop)
        }
        // The archive would go with its namespace. Insisting would keep the namespace from going.
        Err(kube::Error::Api(status)) if is_namespace_going(&status) => {
            tracing::warn!(namespace, name, "not archived: the namespace is being deleted");
            Ok(())
        }
        other => other.map(drop),
    }
}

fn is_namespace_going(status: &kube::core::Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}
