//! Finds the layers, and holds them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::node::{Entry, Kind, Node, Table};
use super::problems::{Layer, Origin, Problem, Problems};
use super::{binding, file, variables};

const FILE_NAME: &str = "appsettings.json";
const DEFAULT_ENVIRONMENT: &str = "Production";
/// The variables that name the environment; the first that is not empty counts.
pub(crate) const ENVIRONMENT_VARIABLES: [&str; 2] = ["KUBEOPS_ENVIRONMENT", "DOTNET_ENVIRONMENT"];

/// The merged settings of a process. Cheap to clone.
#[derive(Clone)]
pub struct Settings(Arc<Layers>);

/// What settings are made from. The default is nothing at all, which is what tests start from;
/// [`LoadOptions::of_this_process`] is what a program uses.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// `--content-root`: where `appsettings.json` is looked for, instead of in the three folders below.
    pub content_root: Option<PathBuf>,
    /// `--settings`: read in place of `appsettings.json`, and must be there. The environment's file is then looked for
    /// beside it: `other.Production.json` for `other.json`.
    pub file: Option<PathBuf>,
    /// `--set`: keys with `:` between their levels, and their values.
    pub set: Vec<(String, String)>,
    /// The environment variables.
    pub variables: Vec<(String, String)>,
    /// The working directory.
    pub working_directory: Option<PathBuf>,
    /// The folder that the executable is in.
    pub executable_directory: Option<PathBuf>,
    /// The crate's folder, for a binary started by cargo.
    pub crate_directory: Option<PathBuf>,
}

struct Layers {
    environment: String,
    content_root: PathBuf,
    files: Vec<PathBuf>,
    /// The files, merged.
    below: Node,
    variables: Vec<(String, String)>,
    set: Vec<(String, String)>,
}

// === impl LoadOptions ===

impl LoadOptions {
    /// The variables and folders of this process: the only place where settings look at them.
    #[must_use]
    pub fn of_this_process() -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self {
            variables: std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect(),
            working_directory: std::env::current_dir().ok(),
            executable_directory: std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned())),
            // `cargo run` sets it for the program that it starts.
            crate_directory: std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
            ..Self::default()
        }
    }

    fn find_content_root(&self) -> PathBuf {
        let folders = [&self.working_directory, &self.executable_directory, &self.crate_directory];
        let holds_file = |folder: &&PathBuf| folder.join(FILE_NAME).exists();
        let found = self.content_root.as_ref().or_else(|| folders.into_iter().flatten().find(holds_file));
        found.or(self.working_directory.as_ref()).cloned().unwrap_or_else(|| PathBuf::from("."))
    }

    /// The file of settings, and that of the environment.
    fn find_files(&self, content_root: &Path, environment: &str) -> (PathBuf, PathBuf) {
        let main = self.file.clone().unwrap_or_else(|| content_root.join(FILE_NAME));
        let stem = main.file_stem().unwrap_or_default().to_string_lossy();
        let of_environment = main.with_file_name(format!("{stem}.{environment}.json"));
        (main, of_environment)
    }
}

impl fmt::Debug for LoadOptions {
    /// Leaves the values of variables out: the environment is full of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("content_root", &self.content_root)
            .field("file", &self.file)
            .field("working_directory", &self.working_directory)
            .field("executable_directory", &self.executable_directory)
            .field("crate_directory", &self.crate_directory)
            .finish_non_exhaustive()
    }
}

// === impl Settings ===

impl Settings {
    /// Reads the files and keeps the other layers.
    ///
    /// # Errors
    /// All of it at once: files that cannot be read (with line and column), a file or content root that was named but does
    /// not exist, keys of `--set` that are none.
    pub fn load(options: LoadOptions) -> Result<Self, Problems> {
        let mut problems = variables::check_overrides(&options.set);
        let environment = environment(&options.variables, &mut problems);
        let content_root = options.find_content_root();
        if let Some(named) = options.content_root.as_ref().filter(|folder| !folder.is_dir()) {
            problems.push(Problem::new(format!("--content-root {}", named.display()), "is not a folder"));
        }
        let (main, of_environment) = options.find_files(&content_root, &environment);
        let mut files = Vec::new();
        let mut below = Node::table(Table::default(), Origin::default_value());
        for (path, layer) in [(main, Layer::File), (of_environment, Layer::EnvironmentFile)] {
            match file::read(&path, layer) {
                Ok(Some(node)) => {
                    below = below.merge(node);
                    files.push(path);
                }
                Ok(None) if layer == Layer::File && options.file.is_some() => {
                    problems.push(Problem::new(format!("--settings {}", path.display()), "there is no such file"));
                }
                Ok(None) => {}
                Err(unreadable) => problems.extend(unreadable),
            }
        }
        let LoadOptions { variables, set, .. } = options;
        problems.or(Self(Arc::new(Layers { environment, content_root, files, below, variables, set })))
    }

    /// The section `name` as a type of the program's own.
    ///
    /// Keys are matched to fields without regard to case and `_`, so that `MaxItems` sets `max_items`. Texts are read as
    /// what the field is: `"True"` is a bool, `"4"` a number, `"00:00:15"` or `"1m30s"` a [`std::time::Duration`]. A
    /// section that is not there is an empty one. Of types with `#[serde(flatten)]`, keys must be written as the
    /// fields are; and what serde buffers (`flatten`, `untagged`) sees texts as texts.
    ///
    /// ```
    /// # use kubeops::settings::{LoadOptions, Settings};
    /// #[derive(serde::Deserialize)]
    /// #[serde(default)]
    /// struct Pages {
    ///     theme: String,
    ///     max_items: u32,
    /// }
    /// # impl Default for Pages { fn default() -> Self { Self { theme: "plain".into(), max_items: 10 } } }
    /// # let variables = vec![("Guestbook__MaxItems".to_owned(), "4".to_owned())];
    /// # let settings = Settings::load(LoadOptions { variables, ..LoadOptions::default() })?;
    /// let pages: Pages = settings.section("Guestbook")?; // Guestbook__MaxItems=4
    /// assert_eq!((pages.theme.as_str(), pages.max_items), ("plain", 4));
    /// # Ok::<(), kubeops::settings::Problems>(())
    /// ```
    ///
    /// # Errors
    /// All problems at once, as far as serde lets them be found: of several fields missing in one section it names the first.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, Problems> {
        let (node, mut problems) = self.node(name);
        match binding::bind(&node, name) {
            Ok(value) => problems.or(value),
            Err(more) => {
                problems.extend(more);
                Err(problems)
            }
        }
    }

    /// Every value of the section `name` and where it came from.
    #[must_use]
    pub fn entries(&self, name: &str) -> Vec<Entry> {
        self.node(name).0.flattened(name)
    }

    /// The sections that files and `--set` name, in order. Variables name sections only by their being asked for.
    #[must_use]
    pub fn sections(&self) -> Vec<String> {
        let Kind::Table(table) = &self.0.below.kind else { return Vec::new() };
        let mut names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
        for (key, _) in &self.0.set {
            let first = key.split(':').next().unwrap_or_default().trim();
            if !names.iter().any(|name| name.to_lowercase() == first.to_lowercase()) {
                names.push(first.to_owned());
            }
        }
        names
    }

    /// The environment: `Production` unless said otherwise.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The folder that settings were looked for in.
    #[must_use]
    pub fn content_root(&self) -> &Path {
        &self.0.content_root
    }

    /// The files that were read, lower layers first.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.0.files
    }

    /// An environment variable that is no setting, such as `POD_NAME`. An empty one counts as not set.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        variable(&self.0.variables, name)
    }

    /// The section `name` with all layers merged, and what is wrong with the names of its variables.
    pub(crate) fn node(&self, name: &str) -> (Node, Problems) {
        let Layers { below, variables, set, .. } = &*self.0;
        let in_files = match &below.kind {
            Kind::Table(table) => table.get(name).cloned(),
            _ => None,
        };
        let mut problems = Problems::new();
        let node = in_files.unwrap_or_else(|| Node::null(Origin::default_value()));
        let node = variables::with_variables(node, name, variables, &mut problems);
        (variables::with_overrides(node, name, set), problems)
    }
}

impl fmt::Debug for Settings {
    /// Leaves the values out: some are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("environment", &self.0.environment)
            .field("files", &self.0.files)
            .finish_non_exhaustive()
    }
}

fn variable<'a>(variables: &'a [(String, String)], name: &str) -> Option<&'a str> {
    variables.iter().find(|(other, _)| other == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

fn environment(variables: &[(String, String)], problems: &mut Problems) -> String {
    let named = ENVIRONMENT_VARIABLES.into_iter().find_map(|name| Some((name, variable(variables, name)?)));
    let Some((name, environment)) = named else { return DEFAULT_ENVIRONMENT.to_owned() };
    if environment.contains(['/', '\\']) {
        let problem = Problem::new(name, "expected a name such as Production, which becomes part of a file's name");
        problems.push(problem.with_value(environment, &Origin::variable(name)));
    }
    environment.to_owned()
}
