//! `generate manifests`: into a folder, on stdout, or compared with a folder.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::generate_arguments::{ChartArguments, ManifestsArguments};
use super::overrides::Overrides;
use crate::manifests::{Difference, Files, Folder, Format, GenerateError, Manifests};

/// What is to be done with manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// Tell them all.
    Stream,
    /// Write them to a folder, and tell which files that changed.
    Write(&'a Path),
    /// Tell which files of a folder are not as they would be written.
    Check(&'a Path),
}

/// Writes manifests where they belong, or compares. `writer` gets what there is to tell.
///
/// # Errors
/// If something cannot be read or written; [`GenerateError::Different`] if a check finds anything.
pub(super) fn generate_manifests(
    manifests: &Manifests,
    target: Target<'_>,
    format: Format,
    writer: &mut impl Write,
) -> Result<(), GenerateError> {
    match target {
        Target::Stream => Ok(writer.write_all(manifests.stream(format)?.as_bytes())?),
        Target::Write(folder) => write_or_check(&manifests.files(format)?, folder, false, writer),
        Target::Check(folder) => write_or_check(&manifests.files(format)?, folder, true, writer),
    }
}

/// Writes files to a folder, or tells which of them are not as they would be written.
///
/// # Errors
/// As [`generate_manifests`].
pub(super) fn write_or_check(
    files: &Files,
    folder: &Path,
    check: bool,
    writer: &mut impl Write,
) -> Result<(), GenerateError> {
    if check { self::check(files, folder, writer) } else { write(files, folder, writer) }
}

/// Writes files to a folder, and tells which of them changed.
fn write(files: &Files, folder: &Path, writer: &mut impl Write) -> Result<(), GenerateError> {
    for done in Folder::new(folder).write(files)? {
        let what = if matches!(done, Difference::LeftOver(_)) { "removed" } else { "written" };
        writeln!(writer, "{what}: {}", done.path().display())?;
    }
    Ok(())
}

/// Tells which files of a folder are not as they would be written.
fn check(files: &Files, folder: &Path, writer: &mut impl Write) -> Result<(), GenerateError> {
    let differences = Folder::new(folder).compare(files)?;
    for difference in &differences {
        writeln!(writer, "{difference}")?;
    }
    if differences.is_empty() { Ok(()) } else { Err(GenerateError::Different(differences.len())) }
}

/// What was typed, as far as it makes a difference to what is written: for the files' headers.
pub(super) fn typed_manifests(program: &str, arguments: &ManifestsArguments, overrides: &Overrides) -> String {
    let ManifestsArguments { out: _, format, check: _, fence, image, namespace } = arguments;
    let json = (*format == Format::Json).then(|| format.extension().to_owned());
    let flags = [("--namespace", namespace.clone()), ("--image", image.clone()), ("--format", json)];
    typed(program, "manifests", overrides, flags) + if *fence { " --fence" } else { "" }
}

/// As [`typed_manifests`].
pub(super) fn typed_chart(program: &str, arguments: &ChartArguments, overrides: &Overrides) -> String {
    let ChartArguments { out: _, check: _, image } = arguments;
    typed(program, "helm", overrides, [("--image", image.clone())])
}

/// As [`typed_manifests`].
pub(super) fn typed_dockerfile(program: &str, overrides: &Overrides) -> String {
    typed(program, "dockerfile", overrides, [])
}

fn typed<const N: usize>(
    program: &str,
    command: &str,
    overrides: &Overrides,
    flags: [(&'static str, Option<String>); N],
) -> String {
    let Overrides { file, content_root, set } = overrides;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let set = set.iter().map(|(key, value)| ("--set", Some(format!("{key}={value}"))));
    let given =
        [("--settings", path(file)), ("--content-root", path(content_root))].into_iter().chain(flags).chain(set);
    let given = given.filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten();
    let words = ["generate".to_owned(), command.to_owned()].into_iter().chain(given);
    words.fold(program.to_owned(), |line, word| line + " " + &quoted(&word))
}

/// As a shell takes it, on one line.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "-_=:./,@+".contains(char);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.escape_debug()) }
}
