//! What kinds there are.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::convert;
use super::crd::CustomKind;

/// What a real server told of itself: `cargo xtask builtin-kinds` wrote it.
pub(super) const BUILT_IN: &str = include_str!("builtin.json");

/// A resource that is served: one kind at one version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kind {
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    #[serde(default)]
    pub(crate) short_names: Vec<String>,
    #[serde(default)]
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) verbs: Vec<String>,
    #[serde(default)]
    pub(crate) subresources: BTreeMap<String, Subresource>,
    /// The name of its type among the built-in ones.
    #[serde(default, rename = "type")]
    pub(crate) type_name: Option<String>,
    /// What its CRD says, if it has one.
    #[serde(skip)]
    pub(crate) custom: Option<Arc<CustomKind>>,
    /// What [`resource`](Self::resource) gives.
    #[serde(skip, default = "no_table")]
    pub(crate) name: Arc<str>,
    /// The table that its objects lie in: the same for all versions of a kind.
    #[serde(skip, default = "no_table")]
    pub(crate) table: Arc<str>,
}

fn no_table() -> Arc<str> {
    Arc::from("")
}

/// Such as `status`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Subresource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) verbs: Vec<String>,
}

impl Kind {
    /// The plural, with the group as in `deployments.apps`: how the server's messages name it.
    pub(crate) fn resource(&self) -> &str {
        &self.name
    }

    /// As in `Deployment.apps`.
    pub(crate) fn group_kind(&self) -> String {
        match self.group.as_str() {
            "" => self.kind.clone(),
            group => format!("{}.{group}", self.kind),
        }
    }

    /// As [`group_kind`](Self::group_kind), of what its objects are stored as.
    pub(crate) fn stored_group_kind(&self) -> String {
        match convert::table_of_other(&self.group, &self.plural) {
            Some(_) => self.kind.clone(),
            None => self.group_kind(),
        }
    }

    /// As in `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// As in `DeploymentList`.
    pub(crate) fn list_kind(&self) -> String {
        self.custom.as_ref().map_or_else(|| format!("{}List", self.kind), |custom| custom.list_kind.clone())
    }

    /// What the server's own messages call the package of its types.
    pub(crate) fn internal_package(&self) -> &str {
        self.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core")
    }

    pub(crate) fn has_status(&self) -> bool {
        self.subresources.contains_key("status")
    }

    pub(crate) fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }

    /// The table of `plural` in `group`.
    pub(crate) fn table_of(group: &str, plural: &str) -> Arc<str> {
        match group {
            "" => Arc::from(plural),
            group => Arc::from(format!("{plural}.{group}")),
        }
    }

    /// Fills in what follows from the rest.
    #[must_use]
    pub(crate) fn finished(mut self) -> Self {
        self.name = Self::table_of(&self.group, &self.plural);
        let other = convert::table_of_other(&self.group, &self.plural);
        self.table = other.map_or_else(|| self.name.clone(), Arc::from);
        self
    }
}

/// The kinds that a cluster serves: built in, and those of its CRDs.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    /// In the order of the server's discovery.
    kinds: Vec<Arc<Kind>>,
}

impl Default for Resources {
    fn default() -> Self {
        Self { kinds: built_in().to_vec() }
    }
}

impl Resources {
    pub(crate) fn all(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    /// By its place in a URL.
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.kinds.iter().find(|kind| kind.plural == plural && kind.group == group && kind.version == version)
    }

    /// By what an object says of itself.
    pub(crate) fn of_object(&self, api_version: &str, kind: &str) -> Option<&Arc<Kind>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.kinds.iter().find(|known| known.kind == kind && known.group == group && known.version == version)
    }

    /// Whether the server itself serves this group, and not some CRD.
    pub(crate) fn has_built_in(&self, group: &str) -> bool {
        self.kinds.iter().any(|kind| kind.group == group && kind.custom.is_none())
    }

    /// Puts the kinds of a CRD in the place of those it had before.
    pub(crate) fn replace(&mut self, table: &str, kinds: Vec<Kind>) {
        self.kinds.retain(|kind| &*kind.table != table);
        self.kinds.extend(kinds.into_iter().map(Arc::new));
    }
}

/// The server that the built-in kinds were asked of.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Version {
    pub(crate) git_version: String,
    pub(crate) major: String,
    pub(crate) minor: String,
}

/// What that server told.
#[derive(Default, Deserialize)]
struct BuiltIn {
    version: Version,
    resources: Vec<Kind>,
}

pub(crate) fn version() -> &'static Version {
    &read().0
}

fn built_in() -> &'static [Arc<Kind>] {
    &read().1
}

/// Read once a process: every cluster shares it.
fn read() -> &'static (Version, Vec<Arc<Kind>>) {
    static READ: OnceLock<(Version, Vec<Arc<Kind>>)> = OnceLock::new();
    READ.get_or_init(|| {
        // That the file can be read is what the tests below see to.
        let BuiltIn { version, resources } = serde_json::from_str(BUILT_IN).unwrap_or_default();
        (version, resources.into_iter().map(|kind| Arc::new(kind.finished())).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deployments_are_known_with_their_subresources() {
        let resources = Resources::default();
        let deployments = resources.find("apps", "v1", "deployments").unwrap();
        assert_eq!((&*deployments.kind, deployments.resource()), ("Deployment", "deployments.apps"));
        assert!(deployments.namespaced && deployments.has_status());
        assert_eq!(deployments.subresources["scale"].kind, "Scale");
        assert!(!resources.find("", "v1", "configmaps").unwrap().has_status());
    }

    #[test]
    fn the_version_is_that_of_the_server_that_was_asked() {
        let Version { git_version, major, minor } = version();
        assert!(git_version.starts_with(&format!("v{major}.{minor}.")), "{git_version}");
    }

    #[test]
    fn an_object_is_known_by_its_version_and_kind() {
        let resources = Resources::default();
        assert_eq!(resources.of_object("v1", "Namespace").unwrap().plural, "namespaces");
        assert!(resources.of_object("apps/v1", "Namespace").is_none());
    }
}
