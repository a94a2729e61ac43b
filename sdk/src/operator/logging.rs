//! The `Logging` section, which is .NET's, as a `tracing` subscriber.
//!
//! ```jsonc
//! "Logging": {
//!   "LogLevel": { "Default": "Information", "Kube": "Warning", "guestbook": "Debug" },
//!   "Console": { "FormatterName": "json" }      // or "simple"
//! }
//! ```
//!
//! - Levels are `Trace`, `Debug`, `Information`, `Warning`, `Error`, `Critical` and `None`. `tracing` has nothing above error,
//!   so that `Critical` lets errors through too.
//! - A category is matched against the start of `tracing` targets, the longest one decides. Case, `_`, `-`, `.` and `::` make
//!   no difference, but what is matched must end at one of them, or at the target's end: `Kube` is `kube::…` and
//!   `kube_client::…`, not `kubeops`; `Kube.Client` is `kube_client` and `kube::client`; `MyCrate` is `my_crate`.
//! - `kube_client` is silent unless a category names it (`Kube` does): what fails is told by whoever asked.
//! - A `RUST_LOG` variable (`info,kube_client=debug`) replaces `LogLevel` altogether; its targets are matched in the same way.
//! - Logs go to stdout, as .NET's console logger writes them and containers are read. Without a `FormatterName` they are JSON
//!   in a pod and text elsewhere. On a terminal text is short: the local time, no targets, and colours unless there is
//!   `NO_COLOR`.

mod text;

use std::io::IsTerminal;

use tracing::Metadata;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::settings::{Kind, Node, Origin, Problem, Problems, Settings};

pub(super) const SECTION: &str = "Logging";
/// What of the section is read.
pub(super) const KEYS: [&str; 2] = ["LogLevel", "Console:FormatterName"];
const RUST_LOG: &str = "RUST_LOG";
/// Level of whatever no category names, unless `Default` does.
const DEFAULT_LEVEL: LevelFilter = LevelFilter::INFO;
/// kube's client logs each failed request and each cut watch as an error or a warning of its own. The SDK tells of them where
/// they matter, once and with what to do: these are for those who ask for them by name.
const SILENT: &str = "kubeclient";

/// What the kubelet sets in every container.
const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
/// The target of an event that is written as a block in text: its message, and under it a line for each field.
pub(super) const BLOCK: &str = "kubeops::operator::start";

/// What the section says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Logging {
    levels: Levels,
    format: Format,
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// For a file, or another program.
    Text,
    /// For somebody who watches.
    Short {
        colours: bool,
    },
    Json,
}

/// Which level is logged of which targets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Levels {
    default: LevelFilter,
    /// Categories without case and separators, longest first.
    categories: Vec<(String, LevelFilter)>,
}

/// Logs from now on as the section says. Once somebody (the program, or an earlier call) has chosen where this process logs
/// to, that stays as it is.
///
/// # Errors
/// All levels and formats that are none, with their origin.
pub fn init(settings: &Settings) -> Result<(), Problems> {
    let logging = Logging::from_settings(settings, std::io::stdout().is_terminal())?;
    // An error only says that there is a subscriber already.
    let _already_logging = subscriber(logging, std::io::stdout).try_init();
    Ok(())
}

/// The same for an operator in a test: what it logs is shown with a test that fails, and not with one that passes. What is
/// wrong with the section is [`init`]'s to tell.
#[cfg(feature = "testing")]
pub(super) fn init_in_test(settings: &Settings) {
    if let Ok(logging) = Logging::from_settings(settings, false) {
        // An error only says that there is a subscriber already.
        let _already_logging = subscriber(logging, tracing_subscriber::fmt::TestWriter::new).try_init();
    }
}

fn subscriber<W>(logging: Logging, writer: W) -> impl tracing::Subscriber + for<'a> LookupSpan<'a> + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let Logging { levels, format } = logging;
    let most_verbose = levels.most_verbose();
    let enabled = filter_fn(move |metadata: &Metadata<'_>| levels.enable(metadata)).with_max_level_hint(most_verbose);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer: Box<dyn Layer<_> + Send + Sync> = match format {
        Format::Text => layer.with_ansi(false).event_format(text::full()).boxed(),
        Format::Short { colours } => layer.with_ansi(colours).event_format(text::short()).boxed(),
        // The list of spans holds the current one too.
        Format::Json => layer.json().flatten_event(true).with_current_span(false).boxed(),
    };
    Registry::default().with(layer.with_filter(enabled))
}

// === impl Logging ===

impl Logging {
    fn from_settings(settings: &Settings, terminal: bool) -> Result<Self, Problems> {
        let (section, mut problems) = settings.node(SECTION);
        let text = match terminal {
            true => Format::Short { colours: settings.variable("NO_COLOR").is_none() },
            false => Format::Text,
        };
        let in_pod = settings.variable(SERVICE_HOST).is_some();
        let unless_set = if in_pod && !terminal { Format::Json } else { text };
        let format = Format::from_section(&section, text, unless_set, &mut problems);
        let in_settings = Levels::from_section(&section, &mut problems);
        let levels = match settings.variable(RUST_LOG) {
            Some(rust_log) => Levels::from_rust_log(rust_log, &mut problems),
            None => in_settings,
        };
        problems.or(Self { levels, format })
    }
}

impl Format {
    fn from_section(section: &Node, text: Self, unless_set: Self, problems: &mut Problems) -> Self {
        let name = section.field("Console").and_then(|console| console.field("FormatterName"));
        let Some(name) = name.filter(|name| name.kind != Kind::Null) else { return unless_set };
        match name.scalar().unwrap_or_default().trim().to_lowercase().as_str() {
            "simple" => text,
            "json" => Self::Json,
            _ => {
                let problem = Problem::new("Logging:Console:FormatterName", "expected simple or json");
                problems.push(problem.with_value(name.shown(), &name.origin));
                text
            }
        }
    }
}

// === impl Levels ===

impl Levels {
    fn new(default: LevelFilter, categories: impl IntoIterator<Item = (String, LevelFilter)>) -> Self {
        let mut categories: Vec<_> = categories.into_iter().collect();
        if !categories.iter().any(|(category, _)| !category.is_empty() && SILENT.starts_with(&**category)) {
            categories.push((SILENT.to_owned(), LevelFilter::OFF));
        }
        categories.sort_by_key(|(category, _)| std::cmp::Reverse(category.len()));
        Self { default, categories }
    }

    fn from_section(section: &Node, problems: &mut Problems) -> Self {
        let mut default = DEFAULT_LEVEL;
        let mut categories = Vec::new();
        let levels = section.field("LogLevel");
        let entries = levels.as_ref().map_or_else(|| Some(Vec::new()), Node::entries);
        if let (None, Some(levels)) = (&entries, &levels) {
            let problem = Problem::new("Logging:LogLevel", "expected a section of categories and their levels");
            problems.push(problem.with_value(levels.shown(), &levels.origin));
        }
        for (category, node) in entries.unwrap_or_default() {
            match level(&node) {
                _ if node.kind == Kind::Null => {}
                Some(level) if category.eq_ignore_ascii_case("default") => default = level,
                Some(level) => categories.push((significant(&category).collect(), level)),
                None => {
                    let expected = "expected Trace, Debug, Information, Warning, Error, Critical or None";
                    let problem = Problem::new(format!("Logging:LogLevel:{category}"), expected);
                    problems.push(problem.with_value(node.shown(), &node.origin));
                }
            }
        }
        Self::new(default, categories)
    }

    fn from_rust_log(rust_log: &str, problems: &mut Problems) -> Self {
        let targets = rust_log.parse::<Targets>().unwrap_or_else(|error| {
            let message = format!("expected levels such as info,kube_client=debug: {error}");
            problems.push(Problem::new(RUST_LOG, message).with_value(rust_log, &Origin::variable(RUST_LOG)));
            Targets::new()
        });
        let default = targets.default_level().unwrap_or(LevelFilter::OFF);
        Self::new(default, targets.iter().map(|(target, level)| (significant(target).collect(), level)))
    }

    fn enable(&self, metadata: &Metadata<'_>) -> bool {
        self.level_of(metadata.target()) >= *metadata.level()
    }

    fn level_of(&self, target: &str) -> LevelFilter {
        let named = self.categories.iter().find(|(category, _)| names(category, target));
        named.map_or(self.default, |(_, level)| *level)
    }

    fn most_verbose(&self) -> LevelFilter {
        self.categories.iter().map(|(_, level)| *level).fold(self.default, LevelFilter::max)
    }
}

/// Whether `target` starts with `category` (which is without case and separators), and a name ends there.
fn names(category: &str, target: &str) -> bool {
    let mut rest = target.chars();
    let starts_with = category.chars().all(|expected| significant_next(&mut rest) == Some(expected));
    starts_with && rest.next().is_none_or(is_separator)
}

fn significant_next(chars: &mut std::str::Chars<'_>) -> Option<char> {
    chars.find(|c| !is_separator(*c)).map(|c| c.to_ascii_lowercase())
}

/// A name without what makes no difference.
fn significant(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !is_separator(*c)).map(|c| c.to_ascii_lowercase())
}

fn is_separator(c: char) -> bool {
    matches!(c, ':' | '.' | '_' | '-')
}

fn level(node: &Node) -> Option<LevelFilter> {
    Some(match node.scalar()?.trim().to_lowercase().as_str() {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "information" => LevelFilter::INFO,
        "warning" => LevelFilter::WARN,
        "error" | "critical" => LevelFilter::ERROR,
        "none" => LevelFilter::OFF,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::*;
    use crate::settings::LoadOptions;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let nowhere = Some(std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src"));
        Settings::load(LoadOptions { variables, working_directory: nowhere, ..LoadOptions::default() }).unwrap()
    }

    fn levels(variables: &[(&str, &str)]) -> Levels {
        Logging::from_settings(&settings(variables), false).unwrap_or_else(|problems| panic!("{problems}")).levels
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(variables: &[(&str, &str)], log: impl FnOnce()) -> String {
        logged_to(false, variables, log)
    }

    fn logged_to(terminal: bool, variables: &[(&str, &str)], log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let logging = Logging::from_settings(&settings(variables), terminal).unwrap();
        with_default(subscriber(logging, move || writer.clone()), log);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn information_is_logged_where_nothing_is_said() {
        assert_eq!(levels(&[]), Levels::new(LevelFilter::INFO, []));
        assert_eq!(levels(&[("Logging__LogLevel__default", "warning")]).level_of("any"), LevelFilter::WARN);
    }

    #[test]
    fn kubes_client_is_silent_unless_it_is_named() {
        let level = |variables: &[(&str, &str)]| levels(variables).level_of("kube_client::client::builder");
        assert_eq!(level(&[("Logging__LogLevel__Default", "Debug")]), LevelFilter::OFF);
        assert_eq!(level(&[("Logging__LogLevel__Kube", "Debug")]), LevelFilter::DEBUG);
        assert_eq!(level(&[("RUST_LOG", "kube_client=warn")]), LevelFilter::WARN);
    }

    #[test]
    fn a_category_is_a_crate_or_module_but_not_the_start_of_a_name() {
        let levels = levels(&[("Logging__LogLevel__Kube", "Warning"), ("Logging__LogLevel__Kube.Client", "Trace")]);
        for (target, expected) in [
            ("kube", LevelFilter::WARN),
            ("kube::api", LevelFilter::WARN),
            ("kube_runtime::watcher", LevelFilter::WARN),
            ("kube_client::client", LevelFilter::TRACE),
            ("kube::client", LevelFilter::TRACE),
            ("kubeops::leadership", LevelFilter::INFO),
            ("kub", LevelFilter::INFO),
        ] {
            assert_eq!(levels.level_of(target), expected, "{target}");
        }
        assert_eq!(self::levels(&[("Logging__LogLevel__MyCrate", "None")]).level_of("my_crate::a"), LevelFilter::OFF);
    }

    #[test]
    fn rust_log_wins() {
        let settings = [("Logging__LogLevel__Default", "Trace"), ("RUST_LOG", "warn,kube=debug")];
        let levels = levels(&settings);
        assert_eq!(levels.level_of("guestbook"), LevelFilter::WARN);
        assert_eq!((levels.level_of("kube::x"), levels.level_of("kubeops")), (LevelFilter::DEBUG, LevelFilter::WARN));
        assert_eq!(self::levels(&[("RUST_LOG", "")]).default, LevelFilter::INFO);
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_variable() {
        let wrong = [
            ("Logging__LogLevel__Default", "loud"),
            ("Logging__LogLevel__Kube", "7"),
            ("Logging__Console__FormatterName", "systemd"),
            ("RUST_LOG", "kube=loud"),
        ];
        let problems = Logging::from_settings(&settings(&wrong), false).unwrap_err();
        assert_eq!(problems.len(), wrong.len(), "{problems}");
        for (variable, value) in wrong {
            let told = |p: &Problem| p.to_string().contains(variable) && p.value.as_deref() == Some(value);
            assert!(problems.iter().any(told), "{variable} is not in {problems}");
        }
        let flat = Logging::from_settings(&settings(&[("Logging__LogLevel", "Debug")]), false).unwrap_err();
        assert!(flat.to_string().contains("expected a section"), "{flat}");
    }

    #[test]
    fn json_is_one_object_a_line_with_its_spans() {
        let text = logged(&[("Logging__Console__FormatterName", "Json")], || {
            let _entered = tracing::info_span!("reconcile", object = "hello").entered();
            tracing::info!(answer = 42, "done");
            tracing::debug!("not logged");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["message"], &line["answer"]), (&"done".into(), &42.into()));
        assert_eq!((&line["spans"][0]["name"], &line["spans"][0]["object"]), (&"reconcile".into(), &"hello".into()));
    }

    #[test]
    fn simple_is_text_with_levels_by_target() {
        let text = logged(
            &[("Logging__LogLevel__Default", "Warning"), ("Logging__LogLevel__Chatty", "Debug"), ("NO_COLOR", "1")],
            || {
                tracing::warn!("one");
                tracing::info!("two");
                tracing::debug!(target: "chatty::part", "three");
                tracing::trace!(target: "chatty::part", "four");
            },
        );
        let words: Vec<&str> =
            text.split_whitespace().filter(|w| ["one", "two", "three", "four"].contains(w)).collect();
        assert_eq!(words, ["one", "three"], "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    fn format(variables: &[(&str, &str)], terminal: bool) -> Format {
        Logging::from_settings(&settings(variables), terminal).unwrap().format
    }

    #[test]
    fn logs_are_json_in_a_pod_and_short_on_a_terminal_unless_the_settings_say_so() {
        let pod = (SERVICE_HOST, "10.96.0.1");
        let (simple, json) =
            (("Logging__Console__FormatterName", "simple"), ("Logging__Console__FormatterName", "json"));
        let short = Format::Short { colours: true };
        for (variables, terminal, expected) in [
            (&[][..], false, Format::Text),
            (&[], true, short),
            (&[pod], false, Format::Json),
            (&[pod], true, short),
            (&[pod, simple], false, Format::Text),
            (&[simple], true, short),
            (&[json], true, Format::Json),
            (&[("NO_COLOR", "1")], true, Format::Short { colours: false }),
        ] {
            assert_eq!(format(variables, terminal), expected, "{variables:?}, terminal: {terminal}");
        }
    }

    fn start() {
        tracing::info!(target: BLOCK, version = "0.1.0", lock = %"default/pages-leader", "pages starts");
    }

    #[test]
    fn on_a_terminal_a_line_is_short_and_coloured() {
        let line = || tracing::info!(lock = "a/b", "became leader");
        let plain = logged_to(true, &[("NO_COLOR", "1")], line);
        let (time, rest) = plain.split_once(' ').unwrap();
        assert_eq!((time.len(), rest), ("12:34:56".len(), " INFO became leader lock=\"a/b\"\n"), "{plain}");
        let coloured = logged_to(true, &[], line);
        assert!(coloured.contains("\u{1b}[32m INFO\u{1b}[0m"), "{coloured:?}");
    }

    #[test]
    fn a_block_has_a_line_for_each_field() {
        let block = "pages starts\n    version  0.1.0\n    lock     default/pages-leader\n";
        let short = logged_to(true, &[("NO_COLOR", "1")], start);
        assert!(short.ends_with(&format!(" INFO {block}")), "{short}");
        let text = logged(&[], start);
        assert!(text.ends_with(&format!(" INFO {block}")), "{text}");
    }

    #[test]
    fn a_block_is_one_object_in_json() {
        let text = logged(&[(SERVICE_HOST, "10.96.0.1")], start);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["message"], &line["lock"]), (&"pages starts".into(), &"default/pages-leader".into()));
    }
}
