//! What follows from a write: objects whose owners are gone go too, owners wait for what blocks them, namespaces and CRDs are emptied.
//!
//! What a real cluster's controllers do seconds later happens here within the request, so that tests see it at once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::options::Propagation;
use super::resources::Kind;
use super::state::State;
use super::store::{Key, Object};
use super::{crd, namespaces, verbs};

pub(crate) const FOREGROUND: &str = "foregroundDeletion";
pub(crate) const ORPHAN: &str = "orphan";
const CRD_CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Where an object lies.
pub(crate) type Place = (Arc<str>, Key);

/// Something to look after.
#[derive(Clone, Debug)]
pub(crate) enum Chore {
    /// It has owners: are they there?
    Owned(Place),
    /// It is being deleted: what does it wait for?
    Terminating(Place),
    /// An object of this uid is gone.
    Gone(String),
    /// A kind of this group is no longer registered: another may have waited for its names.
    NamesFree(Value),
}

/// To be called after an object was put.
pub(crate) fn written(state: &mut State, table: &Arc<str>, key: Key, object: &Object) {
    if object.is_terminating() {
        state.chores.push(Chore::Terminating((table.clone(), key.clone())));
    }
    if !owners(object.value()).is_empty() {
        state.chores.push(Chore::Owned((table.clone(), key)));
    }
}

/// Takes an object away at once, whatever its finalizers.
pub(crate) fn remove(state: &mut State, table: &Arc<str>, key: &Key) -> Option<Arc<Object>> {
    let object = state.store.remove(table, key)?;
    state.chores.push(Chore::Gone(object.uid().to_owned()));
    for owner in owners(object.value()) {
        state.chores.extend(place_of(state, owner, &key.namespace).map(Chore::Terminating));
    }
    if !key.namespace.is_empty() {
        state.chores.push(Chore::Terminating(("namespaces".into(), Key::new("", &key.namespace))));
    }
    let crds = Kind::table_of(crd::GROUP, crd::PLURAL);
    if **table == *crds {
        let named = object.metadata("name").and_then(Value::as_str).unwrap_or_default();
        state.resources.replace(named, Vec::new());
        state.store.wake(&named.into());
        state.chores.push(Chore::NamesFree(object.value()["spec"]["group"].clone()));
    } else if state.store.get(&crds, &Key::new("", &**table)).is_some() {
        state.chores.push(Chore::Terminating((crds, Key::new("", &**table))));
    }
    Some(object)
}

/// Begins or finishes the deletion of an object. Gives it as it is now, or `None` if it is gone.
pub(crate) fn delete(
    state: &mut State,
    (table, key): &Place,
    propagation: Option<Propagation>,
    grace: i64,
) -> Option<Arc<Object>> {
    let live = state.store.get(table, key)?.clone();
    let finalizers = finalizers_for(&live, table, propagation);
    let unchanged = finalizers.iter().map(String::as_str).eq(strings(live.metadata("finalizers")));
    if finalizers.is_empty() && grace == 0 && **table != *"namespaces" {
        remove(state, table, key);
        return None;
    }
    let shorter = live.metadata("deletionGracePeriodSeconds").and_then(Value::as_i64).is_some_and(|had| grace < had);
    if live.is_terminating() && unchanged && !shorter {
        return Some(live);
    }
    let mut value = live.value().clone();
    set_finalizers(&mut value, &finalizers);
    if !live.is_terminating() || shorter {
        mark(state, table, &mut value, grace);
    }
    let object = state.store.put(table, key.clone(), value);
    state.chores.push(Chore::Terminating((table.clone(), key.clone())));
    Some(object)
}

/// What [`delete`] would make of an object, if it left one.
pub(crate) fn deleted(
    state: &State,
    table: &str,
    live: &Object,
    propagation: Option<Propagation>,
    grace: i64,
) -> Option<Value> {
    let finalizers = finalizers_for(live, table, propagation);
    if finalizers.is_empty() && grace == 0 {
        return None;
    }
    let mut value = live.value().clone();
    set_finalizers(&mut value, &finalizers);
    if !live.is_terminating() {
        mark(state, table, &mut value, grace);
    }
    Some(value)
}

/// Looks after all that writes left behind, until nothing is.
pub(crate) fn settle(state: &mut State) {
    while let Some(chore) = state.chores.pop() {
        match chore {
            Chore::Gone(uid) => {
                let dependents = state.store.dependents(&uid);
                state.chores.extend(dependents.into_iter().map(Chore::Owned));
            }
            Chore::NamesFree(group) => accept_names(state, &group),
            Chore::Owned(place) => look_for_owners(state, &place),
            Chore::Terminating(place) => try_to_finish(state, &place),
        }
    }
}

/// Serves the kinds of a group that had to wait for their names.
fn accept_names(state: &mut State, group: &Value) {
    let Some(kind) = state.resources.find(crd::GROUP, "v1", crd::PLURAL).cloned() else { return };
    let Some(table) = state.store.table(&kind.table) else { return };
    let of_group = table.now(None).filter(|(_, crd)| crd.value()["spec"]["group"] == *group);
    let crds: Vec<Arc<Object>> = of_group.map(|(_, crd)| crd.clone()).collect();
    for crd in crds {
        // What cannot be registered was refused when it was written.
        let _ = verbs::register(state, &kind, &crd);
    }
}

fn finalizers_for(live: &Object, table: &str, propagation: Option<Propagation>) -> Vec<String> {
    let mut finalizers: Vec<String> = strings(live.metadata("finalizers")).map(str::to_owned).collect();
    if *table == *Kind::table_of(crd::GROUP, crd::PLURAL) && !live.is_terminating() {
        // Whatever is asked for: its objects go first.
        if !finalizers.iter().any(|finalizer| finalizer == CRD_CLEANUP) {
            finalizers.push(CRD_CLEANUP.to_owned());
        }
        return finalizers;
    }
    let wanted = match propagation {
        None => None,
        Some(Propagation::Background) => Some(""),
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Orphan) => Some(ORPHAN),
    };
    if let Some(wanted) = wanted {
        finalizers.retain(|finalizer| (finalizer != FOREGROUND && finalizer != ORPHAN) || finalizer == wanted);
        if !wanted.is_empty() && !finalizers.iter().any(|finalizer| finalizer == wanted) {
            finalizers.push(wanted.to_owned());
        }
    }
    finalizers
}

/// Says of an object that it is being deleted.
fn mark(state: &State, table: &str, value: &mut Value, grace: i64) {
    let at = state.now.checked_add(jiff::SignedDuration::from_secs(grace)).unwrap_or(state.now);
    let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.insert("deletionTimestamp".to_owned(), State::time_of(at));
    if table == "namespaces" {
        if let Some(status) = value.get_mut("status").and_then(Value::as_object_mut) {
            status.insert("phase".to_owned(), "Terminating".into());
        }
        return;
    }
    if *table == *Kind::table_of(crd::GROUP, crd::PLURAL) {
        return crd::terminate(value, &state.time());
    }
    metadata.insert("deletionGracePeriodSeconds".to_owned(), grace.into());
    if let Some(generation) = metadata.get("generation").and_then(Value::as_i64).filter(|generation| *generation > 0) {
        metadata.insert("generation".to_owned(), (generation + 1).into());
    }
}

fn look_for_owners(state: &mut State, (table, key): &Place) {
    let Some(object) = state.store.get(table, key).cloned() else { return };
    let (mut solid, mut waiting, mut dangling) = (Vec::new(), Vec::new(), Vec::new());
    for owner in owners(object.value()) {
        match owner_of(state, owner, &key.namespace) {
            Owner::Unknown => solid.push(owner),
            Owner::Gone => dangling.push(owner),
            Owner::There(found) if waits(&found) && owner["blockOwnerDeletion"] == true => waiting.push(owner),
            Owner::There(_) => solid.push(owner),
        }
    }
    let place = (table.clone(), key.clone());
    if waiting.is_empty() && dangling.is_empty() {
        return;
    }
    if !solid.is_empty() {
        let solid: Vec<Value> = solid.into_iter().cloned().collect();
        set_owners(state, &place, &object, solid);
    } else if !waiting.is_empty() {
        delete(state, &place, Some(Propagation::Foreground), 0);
    } else {
        let asked = strings(object.metadata("finalizers")).find_map(|finalizer| match finalizer {
            ORPHAN => Some(Propagation::Orphan),
            FOREGROUND => Some(Propagation::Foreground),
            _ => None,
        });
        delete(state, &place, Some(asked.unwrap_or(Propagation::Background)), 0);
    }
}

/// An object that is being deleted may wait for what belongs to it, or for what is in it.
fn try_to_finish(state: &mut State, place: &Place) {
    let (table, key) = place;
    let Some(object) = state.store.get(table, key).cloned().filter(|object| object.is_terminating()) else { return };
    let has = |finalizer: &str| strings(object.metadata("finalizers")).any(|had| had == finalizer);
    if has(ORPHAN) {
        for dependent in state.store.dependents(object.uid()) {
            let Some(owned) = state.store.get(&dependent.0, &dependent.1).cloned() else { continue };
            let others = owners(owned.value()).iter().filter(|owner| owner["uid"] != object.uid()).cloned().collect();
            set_owners(state, &dependent, &owned, others);
        }
        drop_finalizer(state, place, &object, ORPHAN);
    } else if has(FOREGROUND) {
        let blocking = |state: &State, dependent: &Place| {
            state.store.get(&dependent.0, &dependent.1).is_some_and(|owned| {
                owners(owned.value())
                    .iter()
                    .any(|owner| owner["uid"] == object.uid() && owner["blockOwnerDeletion"] == true)
            })
        };
        let dependents = state.store.dependents(object.uid());
        if dependents.iter().any(|dependent| blocking(state, dependent)) {
            let new = dependents
                .into_iter()
                .filter(|(table, key)| state.store.get(table, key).is_some_and(|owned| !owned.is_terminating()));
            let new: Vec<Chore> = new.map(Chore::Owned).collect();
            state.chores.extend(new);
        } else {
            drop_finalizer(state, place, &object, FOREGROUND);
        }
    } else if has(CRD_CLEANUP) {
        let table = Arc::from(key.name.as_str());
        if empty(state, |other, _| *other == table) {
            drop_finalizer(state, place, &object, CRD_CLEANUP);
        }
    } else if **table == *"namespaces"
        && empty(state, |_, inside| inside.namespace == key.name)
        && strings(object.metadata("finalizers")).next().is_none()
    {
        remove(state, table, key);
    }
}

/// Deletes what is chosen; says whether nothing is left of it.
fn empty(state: &mut State, chosen: impl Fn(&Arc<str>, &Key) -> bool) -> bool {
    let places: Vec<Place> = state
        .store
        .tables()
        .flat_map(|(table, objects)| objects.now(None).map(move |(key, _)| (table, key)))
        .filter(|(table, key)| chosen(table, key))
        .map(|(table, key)| (table.clone(), key.clone()))
        .collect();
    let mut left = false;
    for place in places {
        left |= delete(state, &place, None, 0).is_some();
    }
    !left
}

fn drop_finalizer(state: &mut State, (table, key): &Place, object: &Object, finalizer: &str) {
    let left: Vec<String> =
        strings(object.metadata("finalizers")).filter(|had| *had != finalizer).map(str::to_owned).collect();
    if left.is_empty() {
        remove(state, table, key);
    } else {
        let mut value = object.value().clone();
        set_finalizers(&mut value, &left);
        state.store.put(table, key.clone(), value);
        state.chores.push(Chore::Terminating((table.clone(), key.clone())));
    }
}

fn set_owners(state: &mut State, (table, key): &Place, object: &Object, owners: Vec<Value>) {
    let mut value = object.value().clone();
    let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if owners.is_empty() {
        metadata.remove("ownerReferences");
    } else {
        metadata.insert("ownerReferences".to_owned(), Value::Array(owners));
    }
    state.store.put(table, key.clone(), value);
}

fn set_finalizers(value: &mut Value, finalizers: &[String]) {
    let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), json!(finalizers));
    }
}

enum Owner {
    There(Arc<Object>),
    Gone,
    /// Of a kind that nobody serves: not known to be gone.
    Unknown,
}

fn owner_of(state: &State, reference: &Value, namespace: &str) -> Owner {
    let Some((table, key)) = place_of(state, reference, namespace) else { return Owner::Unknown };
    match state.store.get(&table, &key) {
        Some(object) if reference["uid"] == object.uid() => Owner::There(object.clone()),
        _ => Owner::Gone,
    }
}

fn place_of(state: &State, reference: &Value, namespace: &str) -> Option<Place> {
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let kind = state.resources.of_object(text("apiVersion"), text("kind"))?;
    let namespace = if kind.namespaced { namespace } else { "" };
    Some((kind.table.clone(), Key::new(namespace, text("name"))))
}

fn waits(object: &Object) -> bool {
    object.is_terminating() && strings(object.metadata("finalizers")).any(|finalizer| finalizer == FOREGROUND)
}

fn owners(value: &Value) -> &[Value] {
    value["metadata"]["ownerReferences"].as_array().map_or(&[], Vec::as_slice)
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether this is a namespace that is on its way out already: asked again, it says so.
pub(crate) fn is_emptying(kind: &Kind, object: &Object) -> bool {
    namespaces::is_namespaces(kind) && object.is_terminating()
}
