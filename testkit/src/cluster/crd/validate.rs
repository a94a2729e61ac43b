//! An object held against its schema, with the server's own words for what is wrong.

use serde_json::{Map, Value};

use super::causes;
use super::formats;
use crate::cluster::status::Cause;

/// What is wrong with `value`. What is as it was in `old` is not looked at: objects may be older than their schema.
pub(super) fn validate(schema: &Value, value: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut checker = Checker::default();
    checker.value(schema, value, old, "");
    checker.causes
}

/// Goes through an object and collects what is wrong.
#[derive(Debug, Default)]
struct Checker {
    causes: Vec<Cause>,
}

/// JSON's types as Go's JSON has them, with the format that a number has there.
fn type_of(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::Number(number) if number.is_i64() || number.is_u64() => ("integer", "int64"),
        Value::Number(_) => ("number", "float64"),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
    }
}

/// The types that a schema allows.
fn types(schema: &Value) -> Vec<&str> {
    if schema["x-kubernetes-int-or-string"] == true {
        return vec!["integer", "string"];
    }
    schema["type"].as_str().filter(|of| !of.is_empty()).into_iter().collect()
}

/// The format, if it is one that is checked for this type.
fn format<'a>(schema: &'a Value, types: &[&str]) -> &'a str {
    let format = schema["format"].as_str().unwrap_or_default();
    let is_checked = match types {
        [] | ["string"] => formats::is_known(format),
        ["integer"] => matches!(format, "int32" | "int64"),
        ["number"] => matches!(format, "float" | "double"),
        _ => false,
    };
    if is_checked { format } else { "" }
}

impl Checker {
    fn value(&mut self, schema: &Value, value: &Value, old: Option<&Value>, path: &str) {
        if old == Some(value) {
            return;
        }
        let types = types(schema);
        let format = format(schema, &types);
        self.check_type(&types, format, schema["nullable"] == true, value, path);
        if !value.is_null() {
            self.alternatives(schema, value, path);
        }
        match value {
            Value::String(text) => self.string(schema, text, format, path),
            Value::Number(_) => self.number(schema, value, &types, format, path),
            Value::Array(items) => self.items(schema, items, old.and_then(Value::as_array), path),
            _ => {}
        }
        let allowed = schema["enum"].as_array().filter(|allowed| !allowed.is_empty());
        if let Some(allowed) = allowed.filter(|allowed| !allowed.iter().any(|allowed| same(allowed, value))) {
            self.causes.push(causes::not_supported(trimmed(path), value, allowed));
        }
        if let Value::Object(fields) = value {
            self.fields(schema, fields, old.and_then(Value::as_object), path);
        }
    }

    fn check_type(&mut self, types: &[&str], format: &str, nullable: bool, value: &Value, path: &str) {
        if types.is_empty() && format.is_empty() {
            return;
        }
        let wrong = |wanted: &str, found: &str| causes::of_type(trimmed(path), path, wanted, found);
        let (found, found_format) = type_of(value);
        let allows = |name: &str| types.contains(&name);
        if value.is_null() {
            if !types.is_empty() && !nullable {
                self.causes.push(wrong(&types.join(","), "null"));
            }
            return;
        }
        let is_whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
        let fits = allows(found)
            || (found == "number" && is_whole && allows("integer"))
            || (found == "integer" && allows("number"));
        let is_text = matches!(value, Value::String(_) | Value::Array(_));
        if !is_text && !format.is_empty() && !fits {
            self.causes.push(wrong(format, found_format));
        } else if is_text && !format.is_empty() && !allows("number") && !allows("integer") {
            // What the format is for, its own check tells.
        } else if !fits {
            self.causes.push(wrong(&types.join(","), found));
        }
    }

    fn string(&mut self, schema: &Value, text: &str, format: &str, path: &str) {
        let length = text.chars().count() as u64;
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            self.causes.push(causes::too_long(trimmed(path), most));
        } else if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
            self.invalid(path, &text.into(), &format!("should be at least {least} chars long"));
        } else if let Some(pattern) = schema["pattern"].as_str().filter(|pattern| !formats::matches(pattern, text)) {
            self.invalid(path, &text.into(), &format!("should match '{pattern}'"));
        }
        if !format.is_empty() && formats::check(format, text) == Some(false) {
            self.causes.push(causes::of_type(trimmed(path), path, format, text));
        }
    }

    fn number(&mut self, schema: &Value, value: &Value, types: &[&str], format: &str, path: &str) {
        let number = value.as_f64().unwrap_or_default();
        if let [of @ ("integer" | "number")] = types {
            let fits = match (*of, format) {
                ("integer", "int32") => {
                    number.fract() == 0.0 && i32::try_from(number as i64).is_ok() && number.abs() < 1e10
                }
                ("integer", _) => number.fract() == 0.0,
                (_, "float") => number.abs() <= f64::from(f32::MAX),
                _ => true,
            };
            if !fits {
                let format =
                    if format.is_empty() { " (default format)".to_owned() } else { format!(" with format {format}") };
                let why = format!("Checked value must be of type {of}{format} in {path}");
                self.causes.push(causes::nowhere(&why));
            }
        }
        // Bounds of whole numbers are cut to whole numbers, as Go does.
        let bound = |name: &str| {
            let bound = schema[name].as_f64()?;
            Some(if value.is_i64() { bound.trunc() } else { bound })
        };
        if let Some(factor) = bound("multipleOf").filter(|factor| *factor > 0.0) {
            let times = number / factor;
            if (times - times.round()).abs() > 1e-9 {
                self.invalid(path, value, &format!("should be a multiple of {factor}"));
            }
        }
        let exclusive = |name: &str| schema[name] == true;
        if let Some(least) = bound("minimum") {
            match exclusive("exclusiveMinimum") {
                true if number <= least => self.invalid(path, value, &format!("should be greater than {least}")),
                false if number < least => {
                    self.invalid(path, value, &format!("should be greater than or equal to {least}"));
                }
                _ => {}
            }
        }
        if let Some(most) = bound("maximum") {
            match exclusive("exclusiveMaximum") {
                true if number >= most => self.invalid(path, value, &format!("should be less than {most}")),
                false if number > most => self.invalid(path, value, &format!("should be less than or equal to {most}")),
                _ => {}
            }
        }
    }

    fn items(&mut self, schema: &Value, items: &[Value], old: Option<&Vec<Value>>, path: &str) {
        if schema["items"].is_object() {
            for (index, item) in items.iter().enumerate() {
                let old = old.and_then(|old| same_item(schema, old, item));
                self.value(&schema["items"], item, old, &format!("{path}[{index}]"));
            }
        }
        let count = items.len() as u64;
        if let Some(least) = schema["minItems"].as_u64().filter(|least| count < *least) {
            self.invalid(path, &count.into(), &format!("should have at least {least} items"));
        }
        if let Some(most) = schema["maxItems"].as_u64().filter(|most| count > *most) {
            self.causes.push(causes::too_many(trimmed(path), count, most));
        }
    }

    fn fields(&mut self, schema: &Value, fields: &Map<String, Value>, old: Option<&Map<String, Value>>, path: &str) {
        let count = fields.len() as u64;
        if let Some(least) = schema["minProperties"].as_u64().filter(|least| count < *least) {
            self.invalid(path, &count.into(), &format!("should have at least {least} properties"));
        }
        if let Some(most) = schema["maxProperties"].as_u64().filter(|most| count > *most) {
            self.causes.push(causes::too_many(trimmed(path), count, most));
        }
        for (name, value) in fields {
            let old = old.and_then(|old| old.get(name));
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(of), _) => self.value(of, value, old, &inner),
                (None, of @ Value::Object(_)) => self.value(of, value, old, &format!("{path}.{name}")),
                (None, Value::Bool(false)) => {
                    let why = format!("Invalid value: {name:?}: {path}.{name} in body is a forbidden property");
                    self.causes.push(Cause {
                        reason: "FieldValueInvalid",
                        message: why,
                        field: trimmed(path).to_owned(),
                    });
                }
                _ => {}
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                self.causes.push(Cause::required(trimmed(&format!("{path}.{name}")), ""));
            }
        }
    }

    /// `anyOf`, `oneOf`, `allOf` and `not`.
    fn alternatives(&mut self, schema: &Value, value: &Value, path: &str) {
        let each = |name: &str| -> Vec<Vec<Cause>> {
            let schemas = schema[name].as_array().into_iter().flatten();
            schemas.map(|schema| Self::alone(schema, value, path)).collect()
        };
        let any = each("anyOf");
        if !any.is_empty() && any.iter().all(|causes| !causes.is_empty()) {
            self.causes.push(causes::nowhere(&format!("\"{path}\" must validate at least one schema (anyOf)")));
            self.causes.extend(any.into_iter().next().unwrap_or_default());
        }
        let one = each("oneOf");
        let matching = one.iter().filter(|causes| causes.is_empty()).count();
        if !one.is_empty() && matching != 1 {
            let found = if matching == 0 { "none valid".to_owned() } else { format!("{matching} valid alternatives") };
            let why = format!("\"{path}\" must validate one and only one schema (oneOf). Found {found}");
            self.causes.push(causes::nowhere(&why));
            if matching == 0 {
                self.causes.extend(one.into_iter().next().unwrap_or_default());
            }
        }
        let all = each("allOf");
        let failing = all.iter().filter(|causes| !causes.is_empty()).count();
        let none = if failing == all.len() { ". None validated" } else { "" };
        self.causes.extend(all.into_iter().flatten());
        if failing > 0 {
            self.causes.push(causes::nowhere(&format!("\"{path}\" must validate all the schemas (allOf){none}")));
        }
        if schema["not"].is_object() && Self::alone(&schema["not"], value, path).is_empty() {
            self.causes.push(causes::nowhere(&format!("\"{path}\" must not validate the schema (not)")));
        }
    }

    fn alone(schema: &Value, value: &Value, path: &str) -> Vec<Cause> {
        let mut checker = Self::default();
        checker.value(schema, value, None, path);
        checker.causes
    }

    fn invalid(&mut self, path: &str, value: &Value, why: &str) {
        self.causes.push(Cause::invalid(trimmed(path), &causes::shown(value), &format!("{path} in body {why}")));
    }
}

/// The item that was there before, if items are told apart by keys.
fn same_item<'a>(schema: &Value, old: &'a [Value], item: &Value) -> Option<&'a Value> {
    if schema["x-kubernetes-list-type"] != "map" {
        return None;
    }
    let keys = schema["x-kubernetes-list-map-keys"].as_array()?;
    let same = |old: &&Value| keys.iter().filter_map(Value::as_str).all(|key| old.get(key) == item.get(key));
    old.iter().find(same)
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && b.is_number() && a.as_f64() == b.as_f64())
}

/// What lies at the root is `name`, not `.name`.
fn trimmed(path: &str) -> &str {
    path.trim_start_matches('.')
}
