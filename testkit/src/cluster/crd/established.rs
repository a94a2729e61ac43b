//! What the server's own controllers write into a CRD's status.

use serde_json::{Value, json};

/// Says that the names are accepted and the kind is served. Changes nothing if that was said before.
pub(crate) fn establish(crd: &mut Value, now: &Value) {
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message});
    let names = crd["spec"]["names"].clone();
    let storage = crd["spec"]["versions"].as_array().into_iter().flatten().find(|version| version["storage"] == true);
    let storage = storage.map(|version| version["name"].clone()).unwrap_or_default();
    if !crd["status"]["conditions"].is_array() {
        crd["status"]["conditions"] = json!([
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ]);
    }
    crd["status"]["acceptedNames"] = names;
    let mut stored = crd["status"]["storedVersions"].as_array().cloned().unwrap_or_default();
    if !stored.contains(&storage) {
        stored.push(storage);
    }
    crd["status"]["storedVersions"] = Value::Array(stored);
}
