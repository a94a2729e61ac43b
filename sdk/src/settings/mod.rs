//! Layers of `appsettings.json`. Knows nobody.
