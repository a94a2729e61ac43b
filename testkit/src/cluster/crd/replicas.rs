//! What the scale subresource wants of an object, beside its schema.

use serde_json::Value;

use crate::cluster::go;
use crate::cluster::status::Cause;

/// `scale` as the CRD says where replicas are. Of a write to the status, only what lies there is looked at.
pub(super) fn validate(scale: &Value, object: &Value, of_status: bool) -> Vec<Cause> {
    let path = |field: &str| scale[field].as_str();
    let wished = path("specReplicasPath").filter(|_| !of_status);
    let numbers = [wished, path("statusReplicasPath")].into_iter().flatten();
    let selector = path("labelSelectorPath").and_then(|path| {
        let why = match at(object, path) {
            Ok(None | Some(Value::String(_))) => return None,
            Ok(Some(found)) => not_a(path, found, "string"),
            Err(why) => why,
        };
        Some(Cause::invalid(path, &"".into(), &why))
    });
    numbers.filter_map(|path| number(object, path)).chain(selector).collect()
}

fn number(object: &Value, path: &str) -> Option<Cause> {
    let found = match at(object, path) {
        Ok(None) => return None,
        Ok(Some(found)) => found.as_i64().ok_or_else(|| not_a(path, found, "int64")),
        Err(why) => Err(why),
    };
    match found {
        Ok(number @ ..0) => Some(Cause::invalid(path, &number.into(), "should be a non-negative integer")),
        Ok(number) if number > i64::from(i32::MAX) => {
            Some(Cause::invalid(path, &number.into(), &format!("should be less than or equal to {}", i32::MAX)))
        }
        Ok(_) => None,
        Err(why) => Some(Cause::invalid(path, &0.into(), &why)),
    }
}

/// What lies there, if anything.
fn at<'a>(object: &'a Value, path: &str) -> Result<Option<&'a Value>, String> {
    let mut found = object;
    for (index, field) in path.trim_start_matches('.').split('.').enumerate() {
        let Value::Object(fields) = found else {
            let way: String = path.split_inclusive('.').take(index + 1).collect();
            let way = way.trim_end_matches('.');
            return if found.is_null() { Ok(None) } else { Err(not_a(way, found, "map[string]interface{}")) };
        };
        match fields.get(field) {
            None => return Ok(None),
            Some(value) => found = value,
        }
    }
    Ok(Some(found))
}

fn not_a(path: &str, found: &Value, wanted: &str) -> String {
    format!("{path} accessor error: {} is of the type {}, expected {wanted}", go::shown(found), go::type_of(found))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(object: &Value) -> Vec<String> {
        let scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
        validate(&scale, object, false).into_iter().map(|cause| cause.message).collect()
    }

    #[test]
    fn replicas_are_whole_numbers_that_are_not_negative() {
        assert!(wrong(&json!({"spec": {"replicas": 3}, "status": null})).is_empty());
        assert_eq!(wrong(&json!({"spec": {"replicas": -2}})), ["Invalid value: -2: should be a non-negative integer"]);
        let told = wrong(&json!({"spec": {"replicas": "x"}}));
        assert_eq!(told, ["Invalid value: 0: .spec.replicas accessor error: x is of the type string, expected int64"]);
        let told = wrong(&json!({"spec": [], "status": {"replicas": 3_000_000_000_i64}}));
        assert_eq!(
            told[0],
            "Invalid value: 0: .spec accessor error: [] is of the type []interface {}, expected map[string]interface{}"
        );
        assert_eq!(told[1], "Invalid value: 3000000000: should be less than or equal to 2147483647");
    }
}
