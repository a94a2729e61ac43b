//! The operator's own settings.

use serde::Deserialize;

/// The section `Pages` of appsettings.json.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct PageSettings {
    /// The last line of each page.
    pub(crate) footer: String,
}
