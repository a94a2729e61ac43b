//! Transcripts in a form in which two servers can be compared: what each makes up (ids, versions, times) is replaced by what it
//! stands for. Versions become v1, v2, … in their order, and those of lists "from v2 on", as other writers count them up as well.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// One request with its answer, or one event of a watch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) what: String,
    pub(crate) told: Value,
}

/// Fields that hold times, of the server's own making.
const TIMES: [&str; 5] = ["creationTimestamp", "deletionTimestamp", "time", "lastTransitionTime", "lastUpdateTime"];

/// Fields that tell nothing but of the server itself: its address, and a hash that its storage migrations go by.
const MADE_UP: [&str; 2] = ["serverAddress", "storageVersionHash"];

pub(crate) fn normalised(mut steps: Vec<Step>, with_managers: bool) -> Vec<Step> {
    let mut names = Names::default();
    for step in &mut steps {
        drop_fields(&mut step.told, &MADE_UP);
        if !with_managers {
            drop_fields(&mut step.told, &["managedFields"]);
        }
        names.gather(&step.told);
    }
    for step in &mut steps {
        names.replace(&mut step.told, false);
        if let Some(body) = step.told.get_mut("body") {
            sort_causes(body);
            sort_errors(body);
            hide_ages(body);
        }
    }
    steps
}

/// The fields of an invalid object, and those that others own, are told in no order: the real server walks over Go's maps.
fn sort_causes(status: &mut Value) {
    let Some(causes) = status.pointer_mut("/details/causes").and_then(Value::as_array_mut) else { return };
    let mut told: Vec<String> = Vec::new();
    for cause in causes.iter() {
        let text = |field: &str| cause[field].as_str().unwrap_or_default();
        let text = format!("{}: {}", text("field"), text("message"));
        // The message tells each but once.
        if !told.contains(&text) {
            told.push(text);
        }
    }
    causes.sort_by_key(Value::to_string);
    let as_told = format!("[{}]", told.join(", "));
    told.sort_unstable();
    if let Some(message) = status["message"].as_str().and_then(|message| message.strip_suffix(&as_told)) {
        status["message"] = format!("{message}[{}]", told.join(", ")).into();
    }
}

/// What does not fit a schema is told in no order either, one error a line.
fn sort_errors(status: &mut Value) {
    let Some(message) = status["message"].as_str() else { return };
    let Some((before, errors)) = message.split_once(": errors:\n") else { return };
    let mut errors: Vec<&str> = errors.lines().collect();
    errors.sort_unstable();
    status["message"] = format!("{before}: errors:\n{}", errors.join("\n")).into();
}

/// Ages in a table's cells: how long ago that is depends on who asks.
fn hide_ages(table: &mut Value) {
    let Some(rows) = table.get_mut("rows").and_then(Value::as_array_mut) else { return };
    for cell in rows.iter_mut().filter_map(|row| row["cells"].as_array_mut()).flatten() {
        let age = cell.as_str().and_then(|text| text.strip_suffix('s'));
        if age.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())) {
            *cell = "<age>".into();
        }
    }
}

/// What stands for what.
#[derive(Debug, Default)]
struct Names {
    versions: BTreeSet<u64>,
    uids: Vec<String>,
    generated: BTreeMap<String, String>,
}

impl Names {
    fn gather(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let of_many = is_of_many(fields);
                if let Some(metadata) = fields.get("metadata").and_then(Value::as_object) {
                    self.gather_metadata(metadata, of_many);
                }
                fields.values().for_each(|value| self.gather(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            _ => {}
        }
    }

    fn gather_metadata(&mut self, metadata: &Map<String, Value>, of_many: bool) {
        let text = |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or_default();
        if !of_many && let Ok(version) = text("resourceVersion").parse() {
            self.versions.insert(version);
        }
        let uid = text("uid");
        if !uid.is_empty() && !self.uids.iter().any(|known| known == uid) {
            self.uids.push(uid.to_owned());
        }
        let (prefix, name) = (text("generateName"), text("name"));
        if let Some(suffix) = name.strip_prefix(prefix)
            && !prefix.is_empty()
            && !self.generated.contains_key(name)
        {
            let symbol = format!("{prefix}<{} letters, {}>", suffix.len(), self.generated.len() + 1);
            self.generated.insert(name.to_owned(), symbol);
        }
    }

    fn replace(&self, value: &mut Value, of_many: bool) {
        match value {
            Value::Object(fields) => {
                let of_many = of_many || is_of_many(fields);
                // Of an entry of `managedFields`, uids are part of the names.
                *fields = std::mem::take(fields).into_iter().map(|(name, value)| (self.told(&name), value)).collect();
                for (name, value) in fields {
                    match value {
                        Value::String(text) => *text = self.replaced(name, text, of_many),
                        // Their order goes by their seconds, and a second may begin between two writes.
                        Value::Array(entries) if name == "managedFields" => {
                            entries.iter_mut().for_each(|entry| self.replace(entry, false));
                            entries.sort_by_key(|entry| format!("{} {}", entry["manager"], entry["operation"]));
                        }
                        // The items of a list have versions of their own.
                        _ => self.replace(value, of_many && name == "metadata"),
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    match item {
                        Value::String(text) => *text = self.told(text),
                        _ => self.replace(item, false),
                    }
                }
            }
            _ => {}
        }
    }

    fn replaced(&self, field: &str, text: &str, of_many: bool) -> String {
        match field {
            "resourceVersion" => self.version(text, of_many),
            "continue" if !text.is_empty() => "<token>".to_owned(),
            _ if TIMES.contains(&field) => time(text),
            _ => self.told(text),
        }
    }

    fn version(&self, text: &str, of_many: bool) -> String {
        let Ok(version) = text.parse::<u64>() else { return text.to_owned() };
        let rank = self.versions.range(..=version).count();
        match self.versions.contains(&version) {
            true if !of_many => format!("v{rank}"),
            _ => format!("from v{rank} on"),
        }
    }

    /// A text in which versions stand as such.
    fn with_versions(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
            let (before, digits) = rest.split_at(start);
            let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
            let (digits, after) = digits.split_at(end);
            // A part of a word is no version.
            let apart = !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '-');
            let known = digits.parse().is_ok_and(|version| self.versions.contains(&version));
            told += before;
            told +=
                &if known && apart && end >= VERSION_DIGITS { self.version(digits, false) } else { digits.to_owned() };
            rest = after;
        }
        told + rest
    }

    /// A text with names in it.
    fn told(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (index, uid) in self.uids.iter().enumerate() {
            text = text.replace(uid, &format!("uid{}", index + 1));
        }
        for (name, symbol) in &self.generated {
            text = text.replace(name, symbol);
        }
        text = without_times(&self.with_versions(&text));
        if let Some((before, _)) = text.split_once("too old resource version: ") {
            text = format!("{before}too old resource version: …");
        }
        // How far the whole server has come.
        if let Some((before, _)) = text.split_once(", current: ") {
            text = format!("{before}, current: …");
        }
        text
    }
}

/// Versions are told from other numbers by being at least this long.
const VERSION_DIGITS: usize = 3;

/// Whether the version of this is one of a whole collection.
fn is_of_many(fields: &Map<String, Value>) -> bool {
    let annotated = fields.get("metadata").is_some_and(|metadata| {
        // A bookmark has no name.
        metadata.get("resourceVersion").is_some() && metadata.get("name").is_none()
    });
    annotated || fields.contains_key("items") || fields.contains_key("rows")
}

/// Times are compared by their form: with or without fractions of a second.
fn time(text: &str) -> String {
    let form: String = text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    match form.as_str() {
        "0000-00-00T00:00:00Z" => "<time>".to_owned(),
        "0000-00-00T00:00:00.000000Z" => "<time in microseconds>".to_owned(),
        _ => text.to_owned(),
    }
}

/// A text in which times stand, as in an object that a message shows.
fn without_times(text: &str) -> String {
    const FORM: &str = "0000-00-00T00:00:00Z";
    // A whole text that is a time was set by the case.
    if text.len() == FORM.len() {
        return text.to_owned();
    }
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let found = rest.get(..FORM.len()).filter(|start| time(start) == "<time>");
        let length = found.map_or(letter.len_utf8(), str::len);
        let (start, after) = rest.split_at(length);
        told += if found.is_some() { "<time>" } else { start };
        rest = after;
    }
    told
}

fn drop_fields(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields.values_mut().for_each(|value| drop_fields(value, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_fields(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(told: &[Value]) -> Vec<Value> {
        let steps = told.iter().map(|told| Step { what: String::new(), told: told.clone() }).collect();
        normalised(steps, false).into_iter().map(|step| step.told).collect()
    }

    const A: &str = "6f0b2a52-0001-4000-8000-000000000001";
    const B: &str = "6f0b2a52-0002-4000-8000-000000000002";

    fn object(version: &str, uid: &str) -> Value {
        json!({"metadata": {"name": "x", "resourceVersion": version, "uid": uid}})
    }

    #[test]
    fn versions_are_told_by_their_order_and_uids_by_their_first_appearance() {
        let told = steps(&[object("93", B), object("117", A), object("93", B)]);
        assert_eq!(told, [object("v1", "uid1"), object("v2", "uid2"), object("v1", "uid1")]);
    }

    #[test]
    fn a_list_is_of_the_versions_of_its_objects_or_later() {
        let list = |version: &str, item: Value| json!({"metadata": {"resourceVersion": version}, "items": [item]});
        assert_eq!(steps(&[list("200", object("93", A))]), [list("from v1 on", object("v1", "uid1"))]);
    }

    #[test]
    fn what_is_wrong_with_an_object_is_told_in_no_order() {
        let invalid = |first: &str, second: &str| {
            let cause = |field: &str| json!({"field": field, "message": "Required value"});
            let message = format!("x is invalid: [{first}: Required value, {second}: Required value]");
            json!({"body": {"reason": "Invalid", "message": message, "details": {"causes": [cause(first), cause(second)]}}})
        };
        assert_eq!(steps(&[invalid("b", "a")]), steps(&[invalid("a", "b")]));
        assert_eq!(steps(&[invalid("b", "a")]), [invalid("a", "b")]);
    }

    #[test]
    fn generated_names_are_the_same_wherever_they_stand() {
        let told = steps(&[
            json!({"metadata": {"name": "x-4f5bz", "generateName": "x-"}}),
            json!({"message": "things \"x-4f5bz\" not found"}),
        ]);
        assert_eq!(told[0]["metadata"]["name"], "x-<5 letters, 1>");
        assert_eq!(told[1]["message"], "things \"x-<5 letters, 1>\" not found");
    }

    #[test]
    fn times_are_told_by_their_form() {
        let told = steps(&[json!({"creationTimestamp": "2025-01-01T10:20:30Z", "time": "2025-01-01T10:20:30.5Z"})]);
        assert_eq!(told, [json!({"creationTimestamp": "<time>", "time": "2025-01-01T10:20:30.5Z"})]);
    }
}
