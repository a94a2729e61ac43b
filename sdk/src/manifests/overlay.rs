//! An overlay to begin with: written once, and then the user's own.

use serde_json::json;

use super::files::File;
use super::kustomize::{KUSTOMIZATION, generator, kustomization};
use super::text::{Sorted, yaml};
use super::{GenerateError, Options};

/// The folder of the overlay, beside the base.
pub(super) const FOLDER: &str = "overlays/example";
/// Settings of the environment that pods run in unless told otherwise.
const SETTINGS: &str = "appsettings.Production.json";

/// Another image, and, unless the base has some, settings of the environment.
pub(super) fn example(options: &Options) -> Result<Vec<File>, GenerateError> {
    let image =
        json!({ "name": repository(&options.image), "newName": format!("registry.example.com/{}", options.operator) });
    let mut overlay = kustomization(&["../../base"]);
    overlay["images"] = json!([image]);
    let mut files = Vec::new();
    if !options.settings.iter().any(|file| file.name == SETTINGS) {
        let mut settings = generator(options, &[SETTINGS]);
        settings["behavior"] = json!("merge");
        overlay["configMapGenerator"] = json!([settings]);
        let text = format!(
            "// {}\n{{\n  \"Logging\": {{ \"LogLevel\": {{ \"Default\": \"Information\" }} }}\n}}\n",
            note(options)
        );
        files.push(File { path: format!("{FOLDER}/{SETTINGS}"), text });
    }
    let text = yaml(&Sorted(&overlay)).map_err(GenerateError::serialize(KUSTOMIZATION))?;
    files.push(File { path: format!("{FOLDER}/{KUSTOMIZATION}"), text: format!("# {}\n{text}", note(options)) });
    Ok(files)
}

fn note(options: &Options) -> String {
    format!(
        "An example, written once by `{}` {}. It is yours: nothing writes it again.",
        options.command, options.version
    )
}

/// An image without its tag and digest. A `:` before the last `/` is that of a registry's port.
pub(super) fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let name = image.rfind('/').map_or(0, |slash| slash + 1);
    image[name..].find(':').map_or(image, |colon| &image[..name + colon])
}

#[cfg(test)]
mod tests {
    use super::repository;

    #[test]
    fn an_images_name_is_what_stands_before_tag_and_digest() {
        for image in ["app", "app:1.0", "app@sha256:abc", "app:1.0@sha256:abc"] {
            assert_eq!(repository(image), "app", "{image}");
        }
        assert_eq!(repository("registry:5000/team/app:1.0"), "registry:5000/team/app");
        assert_eq!(repository("registry:5000/app"), "registry:5000/app");
    }
}
