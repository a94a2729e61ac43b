//! Reads keys one by one, and remembers what is wrong.

use std::collections::BTreeMap;

use crate::settings::{Kind, Layer, Node, Origin, Problem, Problems, Settings, Warning, same_key};

use super::table::{Key, Preset};
use super::types::Setting;
use super::{Defaults, SECTION};

/// The environment of those who try things out.
const DEVELOPMENT: &str = "Development";

/// What defaults may be made of.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) settings: &'a Settings,
    pub(super) defaults: &'a Defaults,
}

/// The section while it is read.
pub(super) struct Reader<'a> {
    facts: Facts<'a>,
    section: Node,
    values: BTreeMap<&'static str, Read>,
    problems: Problems,
    warnings: Vec<Warning>,
}

/// The effective value of a key.
pub(super) struct Read {
    /// As it is printed: in our own form if it could be read, else as it was given.
    pub(super) shown: String,
    pub(super) origins: Vec<Origin>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings, defaults: &'a Defaults) -> Self {
        let (section, mut problems) = settings.node(SECTION);
        if !matches!(section.kind, Kind::Table(_) | Kind::Null) {
            let problem = Problem::new(SECTION, "expected a section with keys");
            problems.push(problem.with_value(section.shown(), &section.origin));
        }
        Self { facts: Facts { settings, defaults }, section, values: BTreeMap::new(), problems, warnings: Vec::new() }
    }

    /// The key's effective value; `None`, and a problem, if it is not one.
    pub(super) fn read<T: Setting>(&mut self, key: &'static str, preset: &Preset) -> Option<T> {
        let node = self.effective(key, preset);
        let read = T::read(&node);
        let shown = read.as_ref().map_or_else(|_| node.shown(), Setting::show);
        self.values.insert(key, Read { shown, origins: node.all_origins() });
        match read {
            Ok(value) => Some(value),
            Err(expected) => {
                self.problem(key, expected);
                None
            }
        }
    }

    fn effective(&self, key: &str, preset: &Preset) -> Node {
        let given = self.section.field(key);
        let blank = |node: &Node| matches!(&node.kind, Kind::Text(text) if text.trim().is_empty());
        match (given, preset) {
            (Some(node), Preset::Made(_, make)) if blank(&node) => make(&self.facts),
            (Some(node), _) => node,
            (None, Preset::Made(_, make) | Preset::Required(_, make)) => make(&self.facts),
            (None, Preset::Text(text)) => Node::text(*text, Origin::default_value()),
            (None, Preset::Nothing) => Node::null(Origin::default_value()),
        }
    }

    /// Where short leases are meant so: somebody waits for a takeover.
    pub(super) fn is_development(&self) -> bool {
        self.facts.settings.environment().eq_ignore_ascii_case(DEVELOPMENT)
    }

    /// Something is wrong with the value of `key`.
    pub(super) fn problem(&mut self, key: &'static str, message: impl Into<String>) {
        let problem = Problem::new(format!("{SECTION}:{key}"), message);
        self.problems.push(match self.value_of(key) {
            Some((value, origin)) => problem.with_value(value, &origin),
            None => problem,
        });
    }

    /// The value of `key` is probably not meant so.
    pub(super) fn warn(&mut self, key: &'static str, message: impl Into<String>) {
        let origin = self.value_of(key).map_or_else(Origin::default_value, |(_, origin)| origin);
        self.warnings.push(Warning { key: format!("{SECTION}:{key}"), message: message.into(), origin });
    }

    /// Whether nobody has said what the value of `key` is, and no variable of the pod has.
    pub(super) fn is_made_up(&self, key: &str) -> bool {
        self.value_of(key).is_none_or(|(_, origin)| origin.layer() == Layer::Default)
    }

    /// Whether pods are meant, which know more of themselves than this process does.
    pub(super) fn is_for_pods(&self) -> bool {
        self.facts.defaults.for_pods
    }

    /// What the environment says.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.facts.settings.variable(name).map(str::to_owned)
    }

    fn value_of(&self, key: &str) -> Option<(String, Origin)> {
        let Read { shown, origins } = self.values.get(key)?;
        let last = origins.iter().max_by_key(|origin| origin.layer())?;
        Some((shown.clone(), last.clone()))
    }

    pub(super) fn into_values(self) -> BTreeMap<&'static str, Read> {
        self.values
    }

    /// What is wrong and what is odd, including keys of the section that are not in the table.
    pub(super) fn finish(mut self, keys: &[Key]) -> (Problems, Vec<Warning>) {
        let entries = match &self.section.kind {
            Kind::Table(_) => self.section.entries().unwrap_or_default(),
            _ => Vec::new(),
        };
        for (written, node) in entries {
            let path = format!("{SECTION}:{written}");
            if node.kind == Kind::Null || keys.iter().any(|key| same_key(key.name, &written)) {
                continue;
            }
            let message = match nearest(&written, keys.iter().map(|key| key.name)) {
                Some(nearest) => format!("is not a known key; did you mean {nearest}?"),
                None => "is not a known key".to_owned(),
            };
            self.warnings.push(Warning { key: path, message, origin: node.origin });
        }
        (self.problems, self.warnings)
    }
}

/// The known key that is the fewest typing errors away from `written`.
fn nearest<'k>(written: &str, keys: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let written = written.to_lowercase();
    keys.min_by_key(|key| strsim::damerau_levenshtein(&key.to_lowercase(), &written))
}
