//! What there is at the end: the operator's objects, and how many of them are ready.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams};

use crate::crds::{RequestError, ask, served};

const READY: &str = "Ready";

/// A sentence for each kind, as in `4 of 5 guestbooks are Ready`.
pub(super) async fn summary(client: &Client, crds: &[CustomResourceDefinition]) -> Result<Vec<String>, RequestError> {
    let mut told = Vec::new();
    for crd in crds {
        let Some(resource) = served(crd) else { continue };
        let plural = resource.plural.clone();
        let objects: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let objects = ask("list", &plural, objects.list(&ListParams::default())).await?;
        told.push(sentence(&plural, objects.iter().map(readiness)));
    }
    Ok(told)
}

/// Whether an object is ready; `None` if it has no conditions to tell.
fn readiness(object: &DynamicObject) -> Option<bool> {
    let conditions = object.data["status"]["conditions"].as_array()?;
    Some(conditions.iter().any(|one| one["type"] == READY && one["status"] == "True"))
}

fn sentence(plural: &str, objects: impl Iterator<Item = Option<bool>>) -> String {
    let objects: Vec<Option<bool>> = objects.collect();
    let ready = objects.iter().filter(|ready| **ready == Some(true)).count();
    match objects.len() {
        0 => format!("there are no {plural}"),
        all if objects.iter().any(Option::is_some) => format!("{ready} of {all} {plural} are {READY}"),
        all => format!("{all} {plural} are there, and have no conditions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_count_as_ready_only_where_there_are_conditions() {
        let sentence = |objects: &[Option<bool>]| sentence("huts", objects.iter().copied());
        assert_eq!(sentence(&[Some(true), Some(false), None]), "1 of 3 huts are Ready");
        assert_eq!(sentence(&[None, None]), "2 huts are there, and have no conditions");
        assert_eq!(sentence(&[]), "there are no huts");
    }
}
