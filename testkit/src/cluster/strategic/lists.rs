//! Lists: which are merged, by what, and in which order.

use serde_json::Value;

use super::{DIRECTIVE, Problem, merge as merge_fields, order, unknown_directive};
use crate::cluster::go;
use crate::cluster::types::{Shape, Type};

/// What is known of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListMeta<'a> {
    /// Of its items.
    of: Option<&'static Type>,
    /// Whether patches are merged into it; it is replaced otherwise.
    merges: bool,
    /// What tells its items apart, if they are objects.
    pub(super) key: Option<&'a str>,
}

impl<'a> ListMeta<'a> {
    pub(super) fn of(shape: Option<&'a Shape>) -> Self {
        match shape {
            Some(Shape::List { of, merge, strategy, .. }) => {
                let merges =
                    strategy.as_deref().is_some_and(|strategy| strategy.split(',').any(|part| part == "merge"));
                Self { of: of.object(), merges, key: merge.as_deref() }
            }
            _ => Self { of: None, merges: false, key: None },
        }
    }
}

pub(super) fn merge(meta: ListMeta<'_>, had: Vec<Value>, patch: Vec<Value>) -> Result<Vec<Value>, Problem> {
    if !meta.merges {
        return Ok(patch);
    }
    if had.is_empty() && patch.is_empty() {
        return Ok(had);
    }
    if !are_objects(&[&had, &patch])? {
        let mut all = had.clone();
        patch.iter().for_each(|item| push_new(&mut all, item));
        return order::ordered(all, &patch, &had, None);
    }
    let key = meta.key.ok_or_else(|| Problem::Sense("cannot merge lists without merge key for struct".to_owned()))?;
    let (had, patch) = directed(had, patch, key)?;
    let mut all = had.clone();
    for item in &patch {
        let Some(wanted) = item.get(key) else { return Err(no_key(item, key)) };
        match all.iter_mut().find(|had| had.get(key) == Some(wanted)) {
            Some(Value::Object(fields)) => {
                let patch = item.as_object().cloned().unwrap_or_default();
                *fields = merge_fields(meta.of, std::mem::take(fields), &patch)?;
            }
            _ => all.push(item.clone()),
        }
    }
    order::ordered(all, &patch, &had, Some(key))
}

/// Takes out `gone`.
pub(super) fn delete(meta: ListMeta<'_>, had: Vec<Value>, gone: Vec<Value>) -> Result<Vec<Value>, Problem> {
    if had.is_empty() && gone.is_empty() {
        return Ok(had);
    }
    if are_objects(&[&had, &gone])? {
        return merge(ListMeta { merges: true, ..meta }, had, gone);
    }
    Ok(had.into_iter().filter(|item| !gone.contains(item)).collect())
}

fn push_new(all: &mut Vec<Value>, item: &Value) {
    if !all.contains(item) {
        all.push(item.clone());
    }
}

/// Does what items with a `$patch` say. Gives the list, and the patch without them.
fn directed(mut had: Vec<Value>, patch: Vec<Value>, key: &str) -> Result<(Vec<Value>, Vec<Value>), Problem> {
    let mut plain = Vec::new();
    let mut replaces = false;
    for item in patch {
        match item.get(DIRECTIVE).map(|directive| directive.as_str().unwrap_or_default()) {
            None => plain.push(item),
            Some("delete") => {
                let gone = item.get(key).ok_or_else(|| no_key(&item, key))?;
                had.retain(|had| had.get(key) != Some(gone));
            }
            Some("replace") => replaces = true,
            Some("merge") => {
                return Err(Problem::Sense("merging lists cannot yet be specified in the patch".to_owned()));
            }
            Some(_) => return Err(unknown_directive(&item[DIRECTIVE], &item.as_object().cloned().unwrap_or_default())),
        }
    }
    Ok(if replaces { (plain, Vec::new()) } else { (had, plain) })
}

pub(super) fn no_key(item: &Value, key: &str) -> Problem {
    Problem::Sense(format!("map: {} does not contain declared merge key: {key}", go::shown(item)))
}

/// Whether all items of these lists are objects; they must be of one type.
pub(super) fn are_objects(lists: &[&[Value]]) -> Result<bool, Problem> {
    let mut types = lists.iter().copied().flatten().map(go::type_of);
    let Some(first) = types.next() else {
        return Err(Problem::Sense("no elements in any of the given slices".to_owned()));
    };
    if first.starts_with("[]") {
        return Err(Problem::Sense("lists of lists are not supported".to_owned()));
    }
    if types.any(|other| other != first) {
        let lists: Vec<String> = lists.iter().map(|list| go::shown(&Value::Array(list.to_vec()))).collect();
        return Err(Problem::Sense(format!("list element types are not identical: [{}]", lists.join(" "))));
    }
    Ok(first.starts_with("map"))
}
