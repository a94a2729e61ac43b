//! Sets of fields: what `fieldsV1` holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::path::Step;

/// Stands for the place itself among what lies below it.
const ITSELF: &str = ".";

/// Fields of an object, by the way to each of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FieldSet {
    /// Fields that are in the set themselves.
    pub(super) members: BTreeSet<Step>,
    /// Where fields of the set lie below. Never one without any.
    pub(super) below: BTreeMap<Step, Self>,
}

impl FieldSet {
    /// `None` if it is not as `fieldsV1` has to be.
    pub(super) fn parse(fields: &Value) -> Option<Self> {
        let mut set = Self::default();
        for (text, inner) in fields.as_object()?.iter().filter(|(text, _)| *text != ITSELF) {
            let step = Step::parse(text)?;
            let below = Self::parse(inner)?;
            if inner.as_object().is_some_and(|inner| inner.is_empty() || inner.contains_key(ITSELF)) {
                set.members.insert(step.clone());
            }
            set.put_below(step, below);
        }
        Some(set)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        for step in &self.members {
            fields.insert(step.to_text(), Value::Object(Map::new()));
        }
        for (step, below) in &self.below {
            let mut inner = below.to_json();
            if let Some(inner) = inner.as_object_mut().filter(|_| self.members.contains(step)) {
                inner.insert(ITSELF.to_owned(), Value::Object(Map::new()));
            }
            fields.insert(step.to_text(), inner);
        }
        Value::Object(fields)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.below.is_empty()
    }

    pub(super) fn insert(&mut self, path: &[Step]) {
        match path {
            [] => {}
            [step] => drop(self.members.insert(step.clone())),
            [step, rest @ ..] => self.below.entry(step.clone()).or_default().insert(rest),
        }
    }

    /// The set of what lies below `step`; the empty set is never kept.
    fn put_below(&mut self, step: Step, set: Self) {
        if !set.is_empty() {
            self.below.insert(step, set);
        }
    }

    /// Puts in all that the other set has.
    pub(super) fn add(&mut self, other: &Self) {
        self.members.extend(other.members.iter().cloned());
        for (step, theirs) in &other.below {
            match self.below.get_mut(step) {
                Some(ours) => ours.add(theirs),
                None => self.put_below(step.clone(), theirs.clone()),
            }
        }
    }

    /// Takes out all that the other set has. A field is not in a set for what it is in.
    pub(super) fn take(&mut self, other: &Self) {
        self.members.retain(|step| !other.members.contains(step));
        self.below.retain(|step, ours| {
            if let Some(theirs) = other.below.get(step) {
                ours.take(theirs);
            }
            !ours.is_empty()
        });
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        self.add(other);
        self
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut both = Self { members: &self.members & &other.members, below: BTreeMap::new() };
        for (step, ours) in &self.below {
            if let Some(theirs) = other.below.get(step) {
                both.put_below(step.clone(), ours.intersection(theirs));
            }
        }
        both
    }

    /// What is in this set and not in the other.
    pub(super) fn difference(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.take(other);
        rest
    }

    /// Without the members of the other set and all that lies below them.
    pub(super) fn without_all_below(&self, other: &Self) -> Self {
        let mut rest = Self { members: &self.members - &other.members, below: BTreeMap::new() };
        for (step, ours) in self.below.iter().filter(|(step, _)| !other.members.contains(step)) {
            let left = other.below.get(step).map_or_else(|| ours.clone(), |theirs| ours.without_all_below(theirs));
            rest.put_below(step.clone(), left);
        }
        rest
    }

    /// All paths, each level's own fields before what lies below.
    pub(super) fn paths(&self) -> Vec<String> {
        let own = self.members.iter().map(Step::to_string);
        let below = self
            .below
            .iter()
            .flat_map(|(step, below)| below.paths().into_iter().map(move |path| format!("{step}{path}")));
        own.chain(below).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(fields: &Value) -> FieldSet {
        FieldSet::parse(fields).unwrap()
    }

    #[test]
    fn fields_v1_is_read_as_it_is_written() {
        let fields = json!({
            "f:data": {".": {}, "f:a": {}},
            "f:spec": {"f:containers": {r#"k:{"name":"web"}"#: {".": {}, "f:image": {}}}},
        });
        assert_eq!(set(&fields).to_json(), fields);
        assert_eq!(
            set(&fields).paths(),
            [".data", ".data.a", r#".spec.containers[name="web"]"#, r#".spec.containers[name="web"].image"#]
        );
        assert_eq!(FieldSet::parse(&json!({"x:a": {}})), None);
    }

    #[test]
    fn a_field_is_taken_out_without_what_lies_below_it() {
        let whole = set(&json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}}));
        assert_eq!(whole.difference(&set(&json!({"f:a": {}}))), set(&json!({"f:a": {"f:b": {}, "f:c": {}}})));
        assert_eq!(whole.difference(&whole), FieldSet::default());
        assert_eq!(whole.without_all_below(&set(&json!({"f:a": {}}))), FieldSet::default());
    }

    #[test]
    fn union_and_intersection_go_through_all_levels() {
        let (a, b) = (set(&json!({"f:a": {"f:b": {}}})), set(&json!({"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}})));
        assert_eq!(a.clone().union(&b), b);
        assert_eq!(a.intersection(&b), a);
        assert_eq!(a.intersection(&set(&json!({"f:a": {}}))), FieldSet::default());
    }
}
