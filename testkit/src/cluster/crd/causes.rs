//! Causes of a refusal, in the words of the server's `field` package.

use serde_json::Value;

use crate::cluster::status::Cause;

fn cause(reason: &'static str, field: &str, message: String) -> Cause {
    Cause { reason, message, field: field.to_owned() }
}

/// The same, of what lies at `path`.
pub(super) fn below(path: &str, cause: Cause) -> Cause {
    let field = match cause.field.as_str() {
        "" => path.to_owned(),
        "<nil>" => cause.field,
        field => format!("{path}.{field}"),
    };
    Cause { field, ..cause }
}

pub(super) fn not_supported(field: &str, value: &Value, allowed: &[Value]) -> Cause {
    let allowed: Vec<String> = allowed
        .iter()
        .map(|allowed| format!("{:?}", allowed.as_str().map_or_else(|| allowed.to_string(), str::to_owned)))
        .collect();
    let message = format!("Unsupported value: {}: supported values: {}", shown(value), allowed.join(", "));
    cause("FieldValueNotSupported", field, message)
}

/// `found` is a type, or the text that is not as its format says.
pub(super) fn of_type(field: &str, path: &str, wanted: &str, found: &str) -> Cause {
    let message = format!("Invalid value: {found:?}: {path} in body must be of type {wanted}: {found:?}");
    cause("FieldValueTypeInvalid", field, message)
}

pub(super) fn too_long(field: &str, most: u64) -> Cause {
    cause("FieldValueTooLong", field, format!("Too long: may not be more than {most} bytes"))
}

pub(super) fn too_many(field: &str, count: u64, most: u64) -> Cause {
    cause("FieldValueTooMany", field, format!("Too many: {count}: must have at most {most} items"))
}

pub(super) fn duplicate(field: &str, value: &Value) -> Cause {
    cause("FieldValueDuplicate", field, format!("Duplicate value: {value}"))
}

/// What the server tells without its place.
pub(super) fn nowhere(why: &str) -> Cause {
    Cause::invalid("<nil>", &Value::String(String::new()), why)
}

/// Go shows whole numbers without `.0`.
pub(super) fn shown(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) if !value.is_i64() && !value.is_u64() && number.fract() == 0.0 && number.abs() < 1e15 => {
            Value::from(number as i64)
        }
        _ => value.clone(),
    }
}
