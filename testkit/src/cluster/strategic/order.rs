//! The order of merged lists: that of `$setElementOrder`, then of the patch, then of the list as it was.

use serde_json::Value;

use super::lists::{self, ListMeta, are_objects, no_key};
use super::{DIRECTIVE, Fields, ORDER, Problem, without_directives};
use crate::cluster::go;
use crate::cluster::types::Type;

/// Merges the lists whose order the patch tells, and takes them out of the patch.
pub(super) fn set(of: Option<&Type>, object: &mut Fields, patch: &mut Fields) -> Result<(), Problem> {
    let names: Vec<String> = patch.keys().filter(|name| name.starts_with(ORDER)).cloned().collect();
    for name in names {
        let Some(order) = patch.remove(&name) else { continue };
        let order = list(order)?;
        let field = name.split_once('/').map(|(_, field)| field);
        let field = field.ok_or(Problem::Format("invalid patch format of setElementOrder list"))?;
        let had = object.get(field).cloned().map(list).transpose()?;
        let sent = patch.get(field).cloned().map(list).transpose()?;
        let meta = ListMeta::of(of.and_then(|of| of.fields.get(field)));
        is_in_order(sent.as_deref().unwrap_or_default(), &order, meta.key)?;
        let merged = match (&had, sent) {
            (Some(had), None) => had.clone(),
            (None, Some(sent)) => sent.into_iter().filter_map(without_directives).collect(),
            (Some(had), Some(sent)) => lists::merge(meta, had.clone(), sent)?,
            (None, None) => continue,
        };
        are_objects(&[&merged])?;
        let ordered = ordered(merged, &order, &had.unwrap_or_default(), meta.key)?;
        object.insert(field.to_owned(), Value::Array(ordered));
        patch.remove(field);
    }
    Ok(())
}

fn list(value: Value) -> Result<Vec<Value>, Problem> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(Problem::Sense(format!("expected a []interface {{}}, but received a {}", go::type_of(&other)))),
    }
}

/// Whether `order` knows all that `sent` has, in that order.
fn is_in_order(sent: &[Value], order: &[Value], key: Option<&str>) -> Result<(), Problem> {
    if sent.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut places = order.iter();
    for item in sent.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let mut found = false;
        for place in places.by_ref() {
            if identity(item, key)? == identity(place, key)? {
                found = true;
                break;
            }
        }
        if !found {
            let shown = |list: &[Value]| go::shown(&Value::Array(list.to_vec()));
            return Err(Problem::Sense(format!(
                "The order in patch list:\n{}\n doesn't match {ORDER} list:\n{}\n",
                shown(sent),
                shown(order)
            )));
        }
    }
    Ok(())
}

fn identity<'a>(item: &'a Value, key: Option<&str>) -> Result<&'a Value, Problem> {
    match key {
        None => Ok(item),
        Some(key) if item.is_object() => item.get(key).ok_or_else(|| no_key(item, key)),
        Some(_) => {
            let found = go::type_of(item);
            Err(Problem::Sense(format!("expected a map[string]interface {{}}, but received a {found}")))
        }
    }
}

/// `merged` in the order of the patch; what the patch does not know keeps its place before what came after it in `had`.
pub(super) fn ordered(
    merged: Vec<Value>,
    patch: &[Value],
    had: &[Value],
    key: Option<&str>,
) -> Result<Vec<Value>, Problem> {
    for item in merged.iter().chain(patch) {
        identity(item, key)?;
    }
    let place = |list: &[Value], item: &Value| {
        let same = |other: &Value| key.map_or_else(|| other == item, |key| other[key] == item[key]);
        list.iter().position(same)
    };
    let (mut told, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| place(patch, item).is_some());
    told.sort_by_key(|item| place(patch, item));
    others.sort_by_key(|item| place(had, item).unwrap_or(usize::MAX));
    let mut all = Vec::with_capacity(told.len() + others.len());
    let (mut told, mut others) = (told.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let other_first = match (others.peek(), told.peek()) {
            (Some(other), Some(item)) => match (place(had, other), place(had, item)) {
                (Some(other), Some(item)) => other < item,
                _ => false,
            },
            (other, _) => other.is_some(),
        };
        let next = if other_first { others.next() } else { told.next() };
        match next {
            Some(item) => all.push(item),
            None => return Ok(all),
        }
    }
}
