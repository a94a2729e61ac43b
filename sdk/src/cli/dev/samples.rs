//! The crate's `samples/*.yaml`: read before anything is started, applied as `kubectl apply --server-side` does.

use std::fs;
use std::future::ready;
use std::io;
use std::path::{Path, PathBuf};

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use kube::error::DiscoveryError;
use serde_json::Value;

use super::DevError;
use crate::crds::{RequestError, ask};

/// In the content root, or in the crate's folder.
const FOLDER: &str = "samples";
const EXTENSIONS: [&str; 2] = ["yaml", "yml"];
/// Where objects go that name no namespace.
const NAMESPACE: &str = "default";

/// As `kubectl apply --server-side` names itself: a sample that somebody changes is then applied without a conflict.
const KUBECTL: &str = "kubectl";

/// An object, and where it is written.
#[derive(Debug)]
pub(super) struct Sample {
    file: String,
    kind: GroupVersionKind,
    name: String,
    object: Value,
}

impl Sample {
    /// All of the first of these folders that has any; none if none has.
    pub(super) fn read_all(folders: &[PathBuf]) -> Result<Vec<Self>, DevError> {
        for folder in folders {
            let folder = folder.join(FOLDER);
            let files = files(&folder).map_err(DevError::io(format!("read {}", folder.display())))?;
            if !files.is_empty() {
                let samples: Result<Vec<_>, _> = files.iter().map(|file| Self::read(file)).collect();
                return Ok(samples?.into_iter().flatten().collect());
            }
        }
        Ok(Vec::new())
    }

    fn read(path: &Path) -> Result<Vec<Self>, DevError> {
        let wrong = |problem: String| DevError::Sample { path: path.to_owned(), problem };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).map_err(|error| wrong(format!("this is no YAML: {error}")))?;
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let documents = documents.into_iter().enumerate().filter(|(_, document)| !document.is_null());
        let samples = documents.flat_map(|(at, document)| {
            let of_list = document["kind"] == "List";
            let objects =
                if of_list { document["items"].as_array().cloned().unwrap_or_default() } else { vec![document] };
            objects.into_iter().map(move |object| (at + 1, object))
        });
        let sample = |(at, object)| Self::of(&file, object).ok_or_else(|| wrong(not_an_object(at)));
        samples.map(sample).collect()
    }

    fn of(file: &str, object: Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let api_version = text(&object["apiVersion"])?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let kind = GroupVersionKind::gvk(group, version, &text(&object["kind"])?);
        let name = text(&object["metadata"]["name"]).or_else(|| text(&object["metadata"]["generateName"]))?;
        Some(Self { file: file.to_owned(), kind, name, object })
    }

    fn unknown(&self) -> ApplyError {
        let (kind, api_version) = (self.kind.kind.clone(), self.kind.api_version());
        ApplyError::UnknownKind { title: self.title(), kind, api_version }
    }

    /// What it is called, for people: `Guestbook hello (guestbook.yaml)`.
    pub(super) fn title(&self) -> String {
        format!("{} {} ({})", self.kind.kind, self.name, self.file)
    }

    pub(super) async fn apply(&self, client: &Client) -> Result<(), ApplyError> {
        let title = self.title();
        let (resource, capabilities) = match pinned_kind(client, &self.kind).await {
            Err(kube::Error::Api(status)) if status.code == 404 => return Err(self.unknown()),
            Err(kube::Error::Discovery(DiscoveryError::MissingKind(_))) => return Err(self.unknown()),
            found => ask("find the kind of", &title, ready(found)).await?,
        };
        let api: Api<DynamicObject> = match capabilities.scope {
            Scope::Cluster => Api::all_with(client.clone(), &resource),
            Scope::Namespaced => {
                let namespace = self.object["metadata"]["namespace"].as_str().unwrap_or(NAMESPACE);
                Api::namespaced_with(client.clone(), namespace, &resource)
            }
        };
        if self.object["metadata"]["name"].is_string() {
            let parameters = PatchParams::apply(KUBECTL).force();
            ask("apply", &title, api.patch(&self.name, &parameters, &Patch::Apply(&self.object))).await?;
        } else {
            let create = async {
                let object = serde_json::from_value(self.object.clone()).map_err(kube::Error::SerdeError)?;
                api.create(&PostParams::default(), &object).await
            };
            ask("create", &title, create).await?;
        }
        Ok(())
    }
}

/// A sample is not in the cluster.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyError {
    #[error("{title}: there is no kind {kind} in {api_version}; dev knows those of Kubernetes and the operator's own")]
    UnknownKind { title: String, kind: String, api_version: String },
    #[error(transparent)]
    Request(#[from] RequestError),
}

fn not_an_object(at: usize) -> String {
    format!("document {at} is no object: expected apiVersion, kind and metadata with a name")
}

/// In the order of their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let is_sample = |path: &PathBuf| {
        path.is_file() && path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
    };
    let paths: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut files: Vec<PathBuf> = paths?.into_iter().filter(is_sample).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUT: &str = "apiVersion: example.com/v1\nkind: Hut\nmetadata:\n  name: ";

    /// The titles of what is read, or what is said.
    fn read(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let crate_folder = std::env::temp_dir().join(format!("kubeops-dev-samples-{:032x}", fastrand::u128(..)));
        let folder = crate_folder.join(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        let read = Sample::read_all(&[crate_folder.join("elsewhere"), crate_folder.clone()]);
        fs::remove_dir_all(&crate_folder).unwrap();
        read.map(|samples| samples.iter().map(Sample::title).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_document_of_every_file_is_a_sample_and_an_item_of_a_list_too() {
        let list =
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {generateName: s-}}\n";
        let read = read(&[
            ("b.yaml", &format!("---\n{HUT}one\n---\n# nothing\n---\n{HUT}two\n")),
            ("a.yml", list),
            ("notes.txt", "no sample"),
        ]);
        assert_eq!(read.unwrap(), ["Secret s- (a.yml)", "Hut one (b.yaml)", "Hut two (b.yaml)"]);
    }

    #[test]
    fn a_crate_without_samples_is_fine() {
        assert_eq!(read(&[]).unwrap(), Vec::<String>::new());
        assert!(Sample::read_all(&[PathBuf::from("/nowhere")]).unwrap().is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_named() {
        let broken = read(&[("huts.yaml", "kind: [")]).unwrap_err();
        assert!(broken.contains("samples/huts.yaml: this is no YAML"), "{broken}");
        let nameless = read(&[("huts.yaml", &format!("{HUT}one\n---\nkind: Hut\n"))]).unwrap_err();
        assert!(nameless.contains("samples/huts.yaml: document 2 is no object"), "{nameless}");
    }
}
