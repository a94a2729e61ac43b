//! What the server's own controllers write into a CRD's status.

use serde_json::{Value, json};

use crate::cluster::resources::{Kind, Resources};

/// Says whether the names are accepted and the kind is served, and gives it too. Changes nothing if that was said before.
pub(crate) fn establish(crd: &mut Value, resources: &Resources, now: &Value) -> bool {
    let (accepted, conflict) = accepted_names(crd, resources);
    let was_established = holds(crd, "Established");
    let wanted = match &conflict {
        None => [
            ("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
            ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        Some((reason, message)) => {
            let established = if was_established {
                ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted")
            } else {
                ("Established", "False", "NotAccepted", "not all names are accepted")
            };
            [("NamesAccepted", "False", *reason, message.as_str()), established]
        }
    };
    for condition in wanted {
        set_condition(crd, condition, now);
    }
    crd["status"]["acceptedNames"] = accepted;
    was_established || conflict.is_none()
}

/// Says that the kind's objects are about to go, and it after them.
pub(crate) fn terminate(crd: &mut Value, now: &Value) {
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(crd, ("Terminating", "True", "InstanceDeletionPending", message), now);
}

fn holds(crd: &Value, kind: &str) -> bool {
    let conditions = crd["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
}

fn set_condition(crd: &mut Value, (kind, status, reason, message): (&str, &str, &str, &str), now: &Value) {
    let condition =
        json!({"type": kind, "status": status, "lastTransitionTime": now, "reason": reason, "message": message});
    let mut conditions = crd["status"]["conditions"].as_array().cloned().unwrap_or_default();
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        Some(known) if known["status"] == status && known["reason"] == reason => {}
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
    crd["status"]["conditions"] = Value::Array(conditions);
}

/// The names that no other kind of the group has, and the last of those that one has, in the order in which the server looks.
fn accepted_names(crd: &Value, resources: &Resources) -> (Value, Option<(&'static str, String)>) {
    let own = crd["metadata"]["name"].as_str().unwrap_or_default();
    let others: Vec<&Kind> = resources
        .all()
        .iter()
        .filter(|kind| crd["spec"]["group"] == *kind.group && &*kind.table != own)
        .map(AsRef::as_ref)
        .collect();
    let is_resource = |name: &str| {
        others.iter().any(|kind| {
            kind.plural == name || kind.singular == name || kind.short_names.iter().any(|short| short == name)
        })
    };
    let is_kind = |name: &str| others.iter().any(|kind| kind.kind == name || kind.list_kind() == name);
    let names = &crd["spec"]["names"];
    let mut accepted = crd["status"]["acceptedNames"].clone();
    let mut conflict = None;
    let looked_at = [
        ("plural", "PluralConflict"),
        ("singular", "SingularConflict"),
        ("shortNames", "ShortNamesConflict"),
        ("kind", "KindConflict"),
        ("listKind", "ListKindConflict"),
    ];
    for (field, reason) in looked_at {
        let is_taken =
            |name: &str| if field.to_lowercase().ends_with("kind") { is_kind(name) } else { is_resource(name) };
        let said = names[field]
            .as_str()
            .into_iter()
            .chain(names[field].as_array().into_iter().flatten().filter_map(Value::as_str));
        match said.into_iter().find(|name| is_taken(name)) {
            Some(name) => conflict = Some((reason, format!("{name:?} is already in use"))),
            None if names[field].is_null() => {
                drop(accepted.as_object_mut().and_then(|accepted| accepted.remove(field)));
            }
            None => accepted[field] = names[field].clone(),
        }
    }
    if !names["categories"].is_null() {
        accepted["categories"] = names["categories"].clone();
    }
    (accepted, conflict)
}
