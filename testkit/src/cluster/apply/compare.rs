//! What differs between two values, field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::path::Step;
use super::place::{Form, ListOf, Place};
use super::set::FieldSet;

/// No field is in more than one of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Difference {
    pub(super) added: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) removed: FieldSet,
}

impl Difference {
    /// Of whole objects; what they carry in `managedFields` is left out.
    pub(super) fn between(place: Place<'_>, old: &Value, new: &Value) -> Self {
        let mut difference = Self::default();
        difference.walk(place, Some(old), Some(new), &mut Vec::new(), false);
        difference
    }

    /// Without what lies in or below `ignored`.
    pub(super) fn without(self, ignored: &FieldSet) -> Self {
        if ignored.is_empty() {
            return self;
        }
        let rest = |set: &FieldSet| set.without_all_below(ignored);
        Self { added: rest(&self.added), modified: rest(&self.modified), removed: rest(&self.removed) }
    }

    /// `always_there`: in an empty object too, so that it is no addition, but what is in it.
    fn walk(
        &mut self,
        place: Place<'_>,
        old: Option<&Value>,
        new: Option<&Value>,
        path: &mut Vec<Step>,
        always_there: bool,
    ) {
        let form = common_form(place, old, new);
        match form {
            Form::Fields => self.walk_fields(place, old, new, path, always_there || old.is_some()),
            Form::Items(list) => self.walk_items(list, old, new, path),
            Form::Piece => {}
        }
        match (old, new) {
            (None, Some(_)) if always_there && !matches!(form, Form::Piece) => {}
            (None, Some(_)) => self.added.insert(path),
            (Some(_), None) => self.removed.insert(path),
            (Some(old), Some(new)) if matches!(form, Form::Piece) && !same(old, new) => self.modified.insert(path),
            _ => {}
        }
    }

    fn walk_fields<'v>(
        &mut self,
        place: Place<'_>,
        old: Option<&'v Value>,
        new: Option<&'v Value>,
        path: &mut Vec<Step>,
        is_there: bool,
    ) {
        let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
        let names: BTreeSet<&String> = old.into_iter().chain(new).flat_map(Map::keys).collect();
        for name in names {
            let of = |fields: Option<&'v Map<String, Value>>| fields.and_then(|fields| fields.get(name));
            let (old, new) = (of(old), of(new));
            if old == new || (name == "managedFields" && is_metadata(path)) {
                continue;
            }
            path.push(Step::field(name));
            let always_there = is_there && place.always_has(name);
            self.walk(place.field(name).0, old, new, path, always_there);
            path.pop();
        }
    }

    fn walk_items(&mut self, list: ListOf<'_>, old: Option<&Value>, new: Option<&Value>, path: &mut Vec<Step>) {
        let (old, new) = (by_step(list, old), by_step(list, new));
        let steps: BTreeSet<&Step> = old.keys().chain(new.keys()).collect();
        for step in steps {
            path.push(step.clone());
            let (old, new) =
                (old.get(step).map_or(&[][..], Vec::as_slice), new.get(step).map_or(&[][..], Vec::as_slice));
            match (old, new) {
                ([] | [_], [] | [_]) => {
                    self.walk(list.item, old.first().copied(), new.first().copied(), path, false);
                }
                // Items that are there twice are one piece.
                ([_, _, ..], new @ ([] | [_])) => {
                    if let [new] = new {
                        self.walk(list.item, None, Some(new), path, false);
                    }
                    self.removed.insert(path);
                }
                (old @ ([] | [_]), [_, _, ..]) => {
                    if let [old] = old {
                        self.walk(list.item, Some(old), None, path, false);
                    }
                    self.added.insert(path);
                }
                (old, new) if old != new => self.modified.insert(path),
                _ => {}
            }
            path.pop();
        }
    }
}

/// How two values in the same place are merged: nothing, null and what is empty go along with the other.
pub(super) fn common_form<'a>(place: Place<'a>, old: Option<&Value>, new: Option<&Value>) -> Form<'a> {
    let form = |value: Option<&Value>| value.filter(|value| !value.is_null()).map(|value| place.form(value));
    let is_empty = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    };
    if is_empty(old) && is_empty(new) {
        return Form::Piece;
    }
    match (form(old), form(new)) {
        (Some(Form::Fields), Some(Form::Fields) | None) | (None, Some(Form::Fields)) => Form::Fields,
        (Some(Form::Items(list)), Some(Form::Items(_)) | None) | (None, Some(Form::Items(list))) => Form::Items(list),
        _ => Form::Piece,
    }
}

/// Whether the path is that of an object's own metadata: who noted what in it is nobody's field.
fn is_metadata(path: &[Step]) -> bool {
    matches!(path, [Step::Field(name)] if name == "metadata")
}

fn by_step<'v>(list: ListOf<'_>, items: Option<&'v Value>) -> BTreeMap<Step, Vec<&'v Value>> {
    let mut by_step: BTreeMap<Step, Vec<&Value>> = BTreeMap::new();
    for item in items.and_then(Value::as_array).into_iter().flatten() {
        if let Ok(step) = list.step(item) {
            by_step.entry(step).or_default().push(item);
        }
    }
    by_step
}

/// Equal as the server has it: 1 and 1.0 are.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}
