//! `generate crds`: the CRDs as files, or on stdout.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::json;

use crate::crds::{Conflicting, by_name};

/// How manifests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// YAML, with a first line that says who wrote it.
    #[default]
    Yaml,
    /// JSON, which has no comments.
    Json,
}

/// The CRDs were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// Two controllers bring different definitions of the same kind.
    #[error(transparent)]
    Definitions(#[from] Conflicting),
    /// A definition could not be written as text.
    #[error("{name} cannot be written as text")]
    Serialize {
        /// Name of the CRD.
        name: String,
        /// Why.
        source: crate::BoxError,
    },
    /// A file or directory could not be written.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The output could not be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// Writes CRDs to `writer`, or each to a file `<name>.yaml` (or `.json`) in `directory`, which is made if need be; then
/// `writer` gets the files' names. The same CRDs give the same text, in the order of their names. `program` is who the
/// first line says wrote it.
///
/// To a writer, YAML is one document for each CRD, JSON a single `List`.
///
/// # Errors
/// If something cannot be written, or two definitions of one name differ.
pub fn generate_crds(
    program: &str,
    crds: &[CustomResourceDefinition],
    directory: Option<&Path>,
    format: Format,
    writer: &mut impl Write,
) -> Result<(), GenerateError> {
    let crds = by_name(crds)?;
    let Some(directory) = directory else {
        return Ok(writer.write_all(together(program, &crds, format)?.as_bytes())?);
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| GenerateError::Write { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    for (name, crd) in crds {
        let (extension, text) = match format {
            Format::Yaml => ("yaml", header(program) + &yaml(name, crd)?),
            Format::Json => ("json", json(name, crd)?),
        };
        let file = directory.join(format!("{name}.{extension}"));
        fs::write(&file, text).map_err(failed(&file))?;
        writeln!(writer, "{}", file.display())?;
    }
    Ok(())
}

fn together(
    program: &str,
    crds: &BTreeMap<&str, &CustomResourceDefinition>,
    format: Format,
) -> Result<String, GenerateError> {
    match format {
        Format::Yaml => {
            let documents: Result<Vec<_>, _> = crds.iter().map(|(name, crd)| yaml(name, crd)).collect();
            Ok(header(program) + &documents?.join("---\n"))
        }
        Format::Json => {
            let items: Vec<_> = crds.values().collect();
            json("the list", &json!({ "apiVersion": "v1", "kind": "List", "items": items }))
        }
    }
}

fn header(program: &str) -> String {
    format!("# Written by `{program} generate crds` from the operator's types: change those, not this file.\n")
}

fn yaml(name: &str, crd: &CustomResourceDefinition) -> Result<String, GenerateError> {
    let text = serde_saphyr::to_string(crd);
    text.map_err(|error| GenerateError::Serialize { name: name.to_owned(), source: error.into() })
}

fn json(name: &str, value: &impl serde::Serialize) -> Result<String, GenerateError> {
    let text = serde_json::to_string_pretty(value).map(|text| text + "\n");
    text.map_err(|error| GenerateError::Serialize { name: name.to_owned(), source: error.into() })
}
