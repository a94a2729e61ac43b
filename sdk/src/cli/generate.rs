//! `generate crds`: the CRDs as files, or on stdout.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::json;

use crate::crds::by_name;
use crate::manifests::{Format, GenerateError, json, yaml};

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
    fs::create_dir_all(directory).map_err(GenerateError::file("create", directory))?;
    for (name, crd) in crds {
        let text = match format {
            Format::Yaml => header(program) + &yaml(crd).map_err(GenerateError::serialize(name))?,
            Format::Json => json(crd).map_err(GenerateError::serialize(name))?,
        };
        let file = directory.join(format!("{name}.{}", format.extension()));
        fs::write(&file, text).map_err(GenerateError::file("write", &file))?;
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
            let document =
                |(name, crd): (&&str, &&CustomResourceDefinition)| yaml(crd).map_err(GenerateError::serialize(name));
            let documents: Result<Vec<_>, _> = crds.iter().map(document).collect();
            Ok(header(program) + &documents?.join("---\n"))
        }
        Format::Json => {
            let items: Vec<_> = crds.values().collect();
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
            json(&list).map_err(GenerateError::serialize("the list"))
        }
    }
}

fn header(program: &str) -> String {
    format!("# Written by `{program} generate crds` from the operator's types: change those, not this file.\n")
}
