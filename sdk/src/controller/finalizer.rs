//! Decisions about finalizers. Pure: what to do with an object, and the patches for it.
//!
//! Patches are JSON patches that test what was seen, so that none is applied to an object that has changed meanwhile, or to
//! another one of the same name.

use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation, TestOperation, jsonptr::PointerBuf};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

/// What an object needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision<'a> {
    /// This finalizer first, then a reconcile.
    AddFinalizer(&'a str),
    Reconcile,
    /// This finalizer's work, then its removal.
    Finalize(&'a str),
    /// It is being deleted, and not our business (any more).
    Nothing,
}

/// What to do with an object of a controller that has this `finalizer`, or none. Without `auto_attach` finalizers are added
/// by somebody else.
pub(super) fn decide<'a>(meta: &ObjectMeta, finalizer: Option<&'a str>, auto_attach: bool) -> Decision<'a> {
    let is_there = |finalizer| position(meta, finalizer).is_some();
    match (meta.deletion_timestamp.is_some(), finalizer) {
        (true, Some(finalizer)) if is_there(finalizer) => Decision::Finalize(finalizer),
        (true, _) => Decision::Nothing,
        (false, Some(finalizer)) if auto_attach && !is_there(finalizer) => Decision::AddFinalizer(finalizer),
        (false, _) => Decision::Reconcile,
    }
}

/// Adds `finalizer` at the end of the list that was seen.
pub(super) fn addition(meta: &ObjectMeta, finalizer: &str) -> Patch {
    let mut operations = vec![same_object(meta)];
    match meta.finalizers.as_deref() {
        None | Some([]) => {
            // A `test` for null passes where there is nothing.
            operations.push(test(&["metadata", "finalizers"], Value::Null));
            operations.push(add(&["metadata", "finalizers"], json!([finalizer])));
        }
        Some(seen) => {
            operations.push(test(&["metadata", "finalizers"], json!(seen)));
            operations.push(add(&["metadata", "finalizers", "-"], json!(finalizer)));
        }
    }
    Patch(operations)
}

/// Takes `finalizer` out of the list, wherever it stands; `None` if it isn't there.
pub(super) fn removal(meta: &ObjectMeta, finalizer: &str) -> Option<Patch> {
    let index = position(meta, finalizer)?.to_string();
    let path = ["metadata", "finalizers", index.as_str()];
    let remove = PatchOperation::Remove(RemoveOperation { path: pointer(&path) });
    Some(Patch(vec![same_object(meta), test(&path, json!(finalizer)), remove]))
}

/// Whether what a patch tested is not so any more. If it still is, the refusal had another reason.
pub(super) fn changed(seen: &ObjectMeta, now: &ObjectMeta) -> bool {
    let list = |meta: &ObjectMeta| meta.finalizers.clone().unwrap_or_default();
    seen.uid != now.uid
        || list(seen) != list(now)
        || seen.deletion_timestamp.is_some() != now.deletion_timestamp.is_some()
}

fn position(meta: &ObjectMeta, finalizer: &str) -> Option<usize> {
    meta.finalizers.iter().flatten().position(|name| name == finalizer)
}

fn same_object(meta: &ObjectMeta) -> PatchOperation {
    test(&["metadata", "uid"], json!(meta.uid))
}

fn test(path: &[&str], value: Value) -> PatchOperation {
    PatchOperation::Test(TestOperation { path: pointer(path), value })
}

fn add(path: &[&str], value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path: pointer(path), value })
}

fn pointer(path: &[&str]) -> PointerBuf {
    PointerBuf::from_tokens(path.iter().copied())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
    use serde_json::{Value, json};

    use super::{Decision, addition, changed, decide, removal};

    const OURS: &str = "example.com/ours";

    fn meta(finalizers: &[&str], deleting: bool) -> ObjectMeta {
        let finalizers = finalizers.iter().copied().map(str::to_owned).collect::<Vec<_>>();
        ObjectMeta {
            uid: Some("uid-1".to_owned()),
            finalizers: (!finalizers.is_empty()).then_some(finalizers),
            deletion_timestamp: deleting.then_some(Time(jiff::Timestamp::UNIX_EPOCH)),
            ..ObjectMeta::default()
        }
    }

    /// What the object looks like after the patch; `None` if a test in it fails.
    fn patched(meta: &ObjectMeta, patch: &json_patch::Patch) -> Option<Value> {
        let mut object = json!({ "metadata": serde_json::to_value(meta).unwrap() });
        // The API server's `test` lets null stand for nothing, the crate's wants the member to be there.
        if object["metadata"].get("finalizers").is_none() {
            object["metadata"]["finalizers"] = Value::Null;
        }
        json_patch::patch(&mut object, patch).ok()?;
        Some(object["metadata"]["finalizers"].clone())
    }

    #[test]
    fn a_living_object_gets_the_finalizer_before_its_reconcile() {
        assert_eq!(decide(&meta(&[], false), Some(OURS), true), Decision::AddFinalizer(OURS));
        assert_eq!(decide(&meta(&["example.com/other"], false), Some(OURS), true), Decision::AddFinalizer(OURS));
        assert_eq!(decide(&meta(&["example.com/other", OURS], false), Some(OURS), true), Decision::Reconcile);
        assert_eq!(decide(&meta(&[], false), Some(OURS), false), Decision::Reconcile);
        assert_eq!(decide(&meta(&[], false), None, true), Decision::Reconcile);
    }

    #[test]
    fn an_object_being_deleted_is_finalized_only_while_it_has_our_finalizer() {
        assert_eq!(decide(&meta(&["example.com/other", OURS], true), Some(OURS), true), Decision::Finalize(OURS));
        assert_eq!(decide(&meta(&["example.com/other"], true), Some(OURS), true), Decision::Nothing);
        assert_eq!(decide(&meta(&["example.com/other"], true), None, true), Decision::Nothing);
    }

    #[test]
    fn the_finalizer_is_added_behind_those_of_others() {
        let empty = meta(&[], false);
        assert_eq!(patched(&empty, &addition(&empty, OURS)), Some(json!([OURS])));
        let other = meta(&["example.com/other"], false);
        assert_eq!(patched(&other, &addition(&other, OURS)), Some(json!(["example.com/other", OURS])));
    }

    #[test]
    fn the_finalizer_is_not_added_to_a_list_that_has_changed_or_to_another_object() {
        let seen = meta(&["example.com/other"], false);
        assert_eq!(patched(&meta(&[], false), &addition(&seen, OURS)), None);
        assert_eq!(patched(&meta(&["example.com/new"], false), &addition(&meta(&[], false), OURS)), None);
        let another = ObjectMeta { uid: Some("uid-2".to_owned()), ..seen.clone() };
        assert_eq!(patched(&another, &addition(&seen, OURS)), None);
    }

    #[test]
    fn only_our_own_entry_is_removed_wherever_it_stands() {
        for (before, after) in [
            (&[OURS][..], json!([])),
            (&[OURS, "b/b"], json!(["b/b"])),
            (&["a/a", OURS], json!(["a/a"])),
            (&["a/a", OURS, "b/b"], json!(["a/a", "b/b"])),
        ] {
            let seen = meta(before, true);
            assert_eq!(patched(&seen, &removal(&seen, OURS).unwrap()), Some(after));
        }
        assert!(removal(&meta(&["a/a"], true), OURS).is_none());
    }

    #[test]
    fn nothing_is_removed_from_a_list_in_which_our_entry_has_moved() {
        let patch = removal(&meta(&["a/a", OURS], true), OURS).unwrap();
        assert_eq!(patched(&meta(&[OURS, "b/b"], true), &patch), None);
        assert_eq!(patched(&meta(&[OURS], true), &patch), None);
    }

    #[test]
    fn a_refusal_is_a_race_only_if_what_was_tested_has_changed() {
        let seen = meta(&[OURS], true);
        assert!(!changed(&seen, &ObjectMeta { resource_version: Some("9".to_owned()), ..seen.clone() }));
        assert!(changed(&seen, &meta(&["a/a", OURS], true)));
        assert!(changed(&meta(&[], false), &meta(&[], true)));
        assert!(changed(&seen, &ObjectMeta { uid: Some("uid-2".to_owned()), ..seen.clone() }));
    }
}
