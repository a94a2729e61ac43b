//! What is wrong in settings, all of it at once, and where each value came from.

use std::fmt;
use std::sync::Arc;

/// Longer values are cut in messages: a certificate pasted under the wrong key must not fill the screen.
const LONGEST_VALUE: usize = 120;
/// Values under keys that contain one of these are never printed.
const SECRETS: [&str; 6] = ["password", "secret", "token", "apikey", "credential", "connectionstring"];

/// The layers that settings come from; later ones win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// A default in code.
    Default,
    /// `appsettings.json`, or the file named by `--settings`.
    File,
    /// `appsettings.{Environment}.json`.
    EnvironmentFile,
    /// An environment variable.
    Variable,
    /// `--set`, or one of its short forms.
    CommandLine,
}

/// Where a value came from: its layer, and which file or variable it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    layer: Layer,
    name: Arc<str>,
}

/// One thing that is wrong in settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The key's path, levels separated by `:`; a file's name where the file itself is wrong.
    pub key: String,
    /// The value that was found, if there is one.
    pub value: Option<String>,
    /// What was expected instead.
    pub message: String,
    /// Where the value came from.
    pub origin: Option<Origin>,
}

/// Everything that is wrong in settings. Shows one problem a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

/// Something in settings that is probably not what was meant, but does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The key's path, levels separated by `:`.
    pub key: String,
    /// What is odd about it.
    pub message: String,
    /// Where the value came from.
    pub origin: Origin,
}

// === impl Origin ===

impl Origin {
    pub(crate) fn new(layer: Layer, name: impl Into<Arc<str>>) -> Self {
        Self { layer, name: name.into() }
    }

    /// A default in code.
    pub(crate) fn default_value() -> Self {
        Self::new(Layer::Default, "default")
    }

    /// The environment variable `name`.
    pub(crate) fn variable(name: &str) -> Self {
        Self::new(Layer::Variable, format!("variable {name}"))
    }

    /// The layer that the value came from.
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.layer
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

// === impl Problem ===

impl Problem {
    /// A problem of the key at `key` (levels separated by `:`).
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), value: None, message: message.into(), origin: None }
    }

    #[must_use]
    pub(crate) fn with_value(mut self, value: impl Into<String>, origin: &Origin) -> Self {
        self.value = Some(printable(&self.key, &value.into()));
        self.origin = Some(origin.clone());
        self
    }

    #[must_use]
    pub(crate) fn with_origin(mut self, origin: &Origin) -> Self {
        self.origin = Some(origin.clone());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " is {value:?}")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.key, self.origin, self.message)
    }
}

/// `value` as it may be shown: cut where it is long, hidden where the key says that it is a secret.
pub(crate) fn printable(key: &str, value: &str) -> String {
    let key = key.to_lowercase().replace('_', "");
    if SECRETS.iter().any(|secret| key.contains(secret)) && !value.is_empty() {
        return "***".to_owned();
    }
    match value.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

// === impl Problems ===

impl Problems {
    /// No problems yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one more.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The problems in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// `value` if nothing is wrong.
    ///
    /// # Errors
    /// The problems, if there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        self.0.extend(problems);
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("nothing is wrong in the settings"),
            [only] => write!(f, "a problem in the settings: {only}"),
            many => {
                write!(f, "{} problems in the settings:", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_key_value_layer_and_what_was_expected() {
        let problem =
            Problem::new("KubeOps:Name", "expected a name").with_value("", &Origin::variable("KubeOps__Name"));
        assert_eq!(problem.to_string(), r#"KubeOps:Name is "" (variable KubeOps__Name): expected a name"#);
    }

    #[test]
    fn many_problems_are_listed_one_a_line() {
        let problems: Problems = Problems(vec![Problem::new("A", "one"), Problem::new("B", "two")]);
        assert_eq!(problems.to_string(), "2 problems in the settings:\n  - A: one\n  - B: two");
    }

    #[test]
    fn secrets_are_hidden_and_long_values_cut() {
        assert_eq!(printable("Smtp:Api_Key", "hunter2"), "***");
        assert_eq!(printable("Smtp:Host", &"é".repeat(200)).chars().count(), LONGEST_VALUE + 1);
    }
}
