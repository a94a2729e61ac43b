//! Manifests as files, or as one stream.

use serde_json::{Map, Value, json};

use super::deployment::settings_name;
use super::kustomize::{self, KUSTOMIZATION};
use super::text::{Format, Sorted, json, yaml};
use super::{GenerateError, Manifest, Manifests, Options, overlay};

/// The folder that is generated, and nothing but generated.
const BASE: &str = "base";
/// Who wrote an object, in JSON, which has no comments.
const WRITTEN_BY: &str = "kubeops-rs.github.io/written-by";
const CHANGES: &str = "Changes belong into an overlay";
const BOM: char = '\u{feff}';

/// A file and where it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Below the folder that is generated into, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// Files that one command writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    /// The command, behind `generate`: only files that it wrote are its to change or to remove.
    pub(crate) what: &'static str,
    /// Written each time.
    pub(crate) base: Vec<File>,
    /// An example, written if there is no overlay at all.
    pub(crate) overlay: Vec<File>,
}

impl Manifests {
    /// All objects as one text, the settings among them as a ConfigMap: YAML documents, or a JSON `List`.
    ///
    /// # Errors
    /// If an object cannot be written as text.
    pub(crate) fn stream(&self, format: Format) -> Result<String, GenerateError> {
        let Self { objects, options } = self;
        let settings = settings(options);
        // Before the Deployment, which mounts it.
        let deployment = objects.iter().position(|object| object.file == "deployment").unwrap_or(objects.len());
        let (before, after) = objects.split_at(deployment);
        let all = before.iter().chain([&settings]).chain(after);
        match format {
            Format::Yaml => {
                let documents: Result<Vec<_>, _> = all.map(|object| as_text(object, Format::Yaml)).collect();
                Ok(format!("# {}\n{}", header(options, CHANGES), documents?.join("---\n")))
            }
            Format::Json => {
                let items: Vec<_> = all.map(|object| &object.object).collect();
                let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
                json(&Sorted(&list)).map_err(GenerateError::serialize("the list"))
            }
        }
    }

    /// A file for each object, each with a header that says who wrote it.
    ///
    /// # Errors
    /// If an object cannot be written as text.
    pub(crate) fn files(&self, format: Format) -> Result<Files, GenerateError> {
        let Self { objects, options } = self;
        let header = header(options, CHANGES);
        let name = |object: &Manifest| format!("{}.{}", object.file, format.extension());
        let mut base = Vec::new();
        for object in objects {
            let text = match format {
                Format::Yaml => format!("# {header}\n{}", as_text(object, format)?),
                Format::Json => as_text(&signed(object, &header), format)?,
            };
            base.push(File { path: name(object), text });
        }
        for file in &options.settings {
            let text = file.text.trim_start_matches(BOM);
            base.push(File { path: file.name.clone(), text: format!("// {header}\n{text}") });
        }
        let resources: Vec<String> = objects.iter().map(name).collect();
        let kustomization = Manifest::new(
            KUSTOMIZATION,
            kustomize::base(&resources.iter().map(String::as_str).collect::<Vec<_>>(), options),
        );
        let text = format!("# {header}\n{}", as_text(&kustomization, Format::Yaml)?);
        base.push(File { path: KUSTOMIZATION.to_owned(), text });
        for file in &mut base {
            file.path = format!("{BASE}/{}", file.path);
        }
        Ok(Files { what: "manifests", base, overlay: overlay::example(options)? })
    }
}

/// Whether a file's text says that `generate <what>` wrote it: in one of its first lines, or, in JSON, in an annotation or in a
/// schema's comment.
pub(super) fn is_ours(text: &str, what: &str) -> bool {
    let command = format!(" generate {what}");
    let comment = |line| ["# ", "// ", "{{- /* "].into_iter().find_map(|comment| str::strip_prefix(line, comment));
    let signature = || -> Option<String> {
        let object: Value = serde_json::from_str(text).ok()?;
        let annotation = object["metadata"]["annotations"][WRITTEN_BY].as_str();
        Some(annotation.or_else(|| object["$comment"].as_str())?.to_owned())
    };
    let is_header = |text: &str| text.starts_with("Written by `") && text.contains(&command);
    // A Dockerfile's first line is its syntax.
    text.lines().take(2).filter_map(comment).any(is_header) || signature().as_deref().is_some_and(is_header)
}

/// Who writes a file, and where changes belong.
pub(super) fn header(options: &Options, changes: &str) -> String {
    let Options { command, operator, version, .. } = options;
    format!("Written by `{command}` of {operator} {version}, and again each time. {changes}.")
}

fn as_text(object: &Manifest, format: Format) -> Result<String, GenerateError> {
    let sorted = Sorted(&object.object);
    let text = match format {
        Format::Yaml => yaml(&sorted),
        Format::Json => json(&sorted),
    };
    text.map_err(GenerateError::serialize(&object.file))
}

fn signed(object: &Manifest, header: &str) -> Manifest {
    let mut signed = object.clone();
    signed.object["metadata"]["annotations"][WRITTEN_BY] = json!(header);
    signed
}

fn settings(options: &Options) -> Manifest {
    let data: Map<String, Value> =
        options.settings.iter().map(|file| (file.name.clone(), json!(file.text.trim_start_matches(BOM)))).collect();
    let metadata = options.metadata(&settings_name(options), &options.namespace);
    Manifest::new("settings", json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data }))
}
