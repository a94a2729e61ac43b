//! The tree that layers are merged into.

use std::collections::BTreeMap;

use super::problems::{Origin, printable};

/// A value, or a section of them, with the layer that it came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Unset, whatever lower layers say.
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    /// By index, because a layer may know only some of the elements.
    List(BTreeMap<usize, Node>),
    Table(Table),
}

/// Keys as they were written first, found without regard to case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table(BTreeMap<String, (String, Node)>);

/// One value of a section, as `settings` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The key's path, levels separated by `:`.
    pub key: String,
    /// The value; secrets are hidden.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Whether two keys mean the same field: case and `_` make no difference.
pub(crate) fn same_key(one: &str, other: &str) -> bool {
    let significant = |key: &str| key.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect::<String>();
    significant(one) == significant(other)
}

// === impl Table ===

impl Table {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.values().map(|(name, node)| (name.as_str(), node))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(&key.to_lowercase()).map(|(_, node)| node)
    }

    /// Puts a value in; gives back the key that was there already, if it differs in case only or not at all.
    pub(crate) fn insert(&mut self, key: &str, node: Node) -> Option<String> {
        self.0.insert(key.to_lowercase(), (key.to_owned(), node)).map(|(old, _)| old)
    }

    pub(crate) fn merge(mut self, above: Self) -> Self {
        for (folded, (name, node)) in above.0 {
            let merged = match self.0.remove(&folded) {
                Some((first_name, below)) => (first_name, below.merge(node)),
                None => (name, node),
            };
            self.0.insert(folded, merged);
        }
        self
    }

    /// The elements by index, if every key is one.
    fn as_list(&self) -> Option<BTreeMap<usize, Node>> {
        self.iter().map(|(key, node)| Some((key.parse().ok()?, node.clone()))).collect()
    }
}

// === impl Node ===

impl Node {
    pub(crate) fn text(text: impl Into<String>, origin: Origin) -> Self {
        Self { kind: Kind::Text(text.into()), origin }
    }

    pub(crate) fn null(origin: Origin) -> Self {
        Self { kind: Kind::Null, origin }
    }

    pub(crate) fn table(table: Table, origin: Origin) -> Self {
        Self { kind: Kind::Table(table), origin }
    }

    /// This node at the end of `path`, and nothing else.
    pub(crate) fn nested(self, path: &[&str]) -> Self {
        path.iter().rev().fold(self, |node, level| {
            let origin = node.origin.clone();
            let kind = if let Ok(index) = level.parse() {
                Kind::List(BTreeMap::from([(index, node)]))
            } else {
                let mut table = Table::default();
                table.insert(level, node);
                Kind::Table(table)
            };
            Self { kind, origin }
        })
    }

    /// The entries of a section, if it is one.
    pub(crate) fn into_table(self) -> Table {
        match self.kind {
            Kind::Table(table) => table,
            Kind::List(list) => as_table(list),
            _ => Table::default(),
        }
    }

    /// This node with a later layer's `above` on it: sections key by key, lists index by index, all else is replaced.
    pub(crate) fn merge(self, above: Self) -> Self {
        let kind = match (self.kind, above.kind) {
            (Kind::Table(below), Kind::Table(above)) => Kind::Table(below.merge(above)),
            (Kind::List(below), Kind::List(above)) => Kind::List(merge_lists(below, above)),
            // A list is a section whose keys are numbers.
            (Kind::List(below), Kind::Table(above)) => match above.as_list() {
                Some(above) => Kind::List(merge_lists(below, above)),
                None => Kind::Table(as_table(below).merge(above)),
            },
            (Kind::Table(below), Kind::List(above)) => Kind::Table(below.merge(as_table(above))),
            (_, above) => above,
        };
        Self { kind, origin: above.origin }
    }

    /// What the field `name` is set to: keys that differ in case and `_` only are one, and the later layer wins.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        let Kind::Table(table) = &self.kind else { return None };
        let mut spellings: Vec<&Self> = table.iter().filter(|(key, _)| same_key(key, name)).map(|(_, n)| n).collect();
        spellings.sort_by_key(|node| node.origin.layer());
        spellings.into_iter().cloned().reduce(Self::merge).filter(|node| node.kind != Kind::Null)
    }

    /// The text of a single value: all that variables can give, so that every type is read from it.
    pub(crate) fn scalar(&self) -> Option<String> {
        match &self.kind {
            Kind::Bool(value) => Some(value.to_string()),
            Kind::Integer(value) => Some(value.to_string()),
            Kind::Float(value) => Some(value.to_string()),
            Kind::Text(value) => Some(value.clone()),
            Kind::Null | Kind::List(_) | Kind::Table(_) => None,
        }
    }

    /// The elements of a list with their indexes. Nothing, or an empty text, is an empty list.
    pub(crate) fn elements(&self) -> Option<BTreeMap<usize, Self>> {
        match &self.kind {
            Kind::List(elements) => Some(elements.clone()),
            Kind::Table(table) => table.as_list(),
            Kind::Null => Some(BTreeMap::new()),
            Kind::Text(text) if text.is_empty() => Some(BTreeMap::new()),
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Text(_) => None,
        }
    }

    /// The entries of a section. Nothing, or an empty text, is an empty section.
    pub(crate) fn entries(&self) -> Option<Vec<(String, Self)>> {
        match &self.kind {
            Kind::Table(table) => Some(table.iter().map(|(key, node)| (key.to_owned(), node.clone())).collect()),
            Kind::List(_) | Kind::Null | Kind::Text(_) => {
                Some(self.elements()?.into_iter().map(|(index, node)| (index.to_string(), node)).collect())
            }
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => None,
        }
    }

    /// The value as messages show it.
    pub(crate) fn shown(&self) -> String {
        match &self.kind {
            Kind::Null => "null".to_owned(),
            Kind::List(elements) => {
                let shown: Vec<String> = elements.values().map(Self::shown).collect();
                format!("[{}]", shown.join(", "))
            }
            Kind::Table(_) => "{…}".to_owned(),
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Text(_) => self.scalar().unwrap_or_default(),
        }
    }

    /// Where the value came from; for a list, every layer that gave an element.
    pub(crate) fn all_origins(&self) -> Vec<Origin> {
        let mut origins = match &self.kind {
            Kind::List(elements) if !elements.is_empty() => elements.values().map(|e| e.origin.clone()).collect(),
            _ => vec![self.origin.clone()],
        };
        origins.dedup();
        origins
    }

    /// Every single value below this node, which is at `path`.
    pub(crate) fn flattened(&self, path: &str) -> Vec<Entry> {
        match &self.kind {
            Kind::Null => Vec::new(),
            Kind::List(elements) => {
                elements.iter().flat_map(|(index, node)| node.flattened(&format!("{path}:{index}"))).collect()
            }
            Kind::Table(table) => {
                table.iter().flat_map(|(key, node)| node.flattened(&format!("{path}:{key}"))).collect()
            }
            Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Text(_) => {
                let value = printable(path, &self.shown());
                vec![Entry { key: path.to_owned(), value, origin: self.origin.clone() }]
            }
        }
    }
}

fn merge_lists(mut below: BTreeMap<usize, Node>, above: BTreeMap<usize, Node>) -> BTreeMap<usize, Node> {
    for (index, node) in above {
        let merged = match below.remove(&index) {
            Some(old) => old.merge(node),
            None => node,
        };
        below.insert(index, merged);
    }
    below
}

fn as_table(list: BTreeMap<usize, Node>) -> Table {
    let mut table = Table::default();
    for (index, node) in list {
        table.insert(&index.to_string(), node);
    }
    table
}
