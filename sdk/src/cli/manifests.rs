//! `generate manifests`: into a folder, on stdout, or compared with a folder.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::arguments::{ManifestsArguments, Overrides};
use crate::manifests::{Difference, Folder, Format, GenerateError, Manifests};

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
        Target::Write(folder) => {
            for done in Folder::new(folder).write(&manifests.files(format)?)? {
                let what = if matches!(done, Difference::LeftOver(_)) { "removed" } else { "written" };
                writeln!(writer, "{what}: {}", done.path().display())?;
            }
            Ok(())
        }
        Target::Check(folder) => {
            let differences = Folder::new(folder).compare(&manifests.files(format)?)?;
            for difference in &differences {
                writeln!(writer, "{difference}")?;
            }
            if differences.is_empty() { Ok(()) } else { Err(GenerateError::Different(differences.len())) }
        }
    }
}

/// What was typed, as far as it makes a difference to what is written: for the files' headers.
pub(super) fn typed(program: &str, arguments: &ManifestsArguments, overrides: &Overrides) -> String {
    let ManifestsArguments { out: _, format, check: _, image, namespace } = arguments;
    let Overrides { file, content_root, set } = overrides;
    let flag = |flag: &'static str, value: Option<String>| value.map(|value| [flag.to_owned(), value]);
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let given = [
        flag("--settings", path(file)),
        flag("--content-root", path(content_root)),
        flag("--namespace", namespace.clone()),
        flag("--image", image.clone()),
        flag("--format", (*format == Format::Json).then(|| format.extension().to_owned())),
    ];
    let set = set.iter().map(|(key, value)| Some(["--set".to_owned(), format!("{key}={value}")]));
    let words = ["generate".to_owned(), "manifests".to_owned()];
    let words = words.into_iter().chain(given.into_iter().chain(set).flatten().flatten());
    words.fold(program.to_owned(), |line, word| line + " " + &quoted(&word))
}

/// As a shell takes it, on one line.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "-_=:./,@+".contains(char);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.escape_debug()) }
}
