//! Where two transcripts differ.

use std::fmt;

use serde_json::Value;

use crate::normal::Step;

/// One place in which the sides differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The number of the request or event within the case, from 1 on.
    pub(crate) step: usize,
    pub(crate) what: String,
    /// Where in the answer, such as `body.metadata.generation`.
    pub(crate) path: String,
    /// `None` where there is nothing at all.
    pub(crate) memory: Option<Value>,
    pub(crate) real: Option<Value>,
}

pub(crate) fn differences(memory: &[Step], real: &[Step]) -> Vec<Difference> {
    let mut found = Vec::new();
    for step in 0..memory.len().max(real.len()) {
        let (memory, real) = (memory.get(step), real.get(step));
        let what = memory.or(real).map(|step| step.what.clone()).unwrap_or_default();
        let mut note = |path: &str, memory: Option<&Value>, real: Option<&Value>| {
            let (memory, real) = (memory.cloned(), real.cloned());
            found.push(Difference { step: step + 1, what: what.clone(), path: path.to_owned(), memory, real });
        };
        walk("", memory.map(|step| &step.told), real.map(|step| &step.told), &mut note);
    }
    found
}

type Note<'a> = dyn FnMut(&str, Option<&Value>, Option<&Value>) + 'a;

fn walk(path: &str, memory: Option<&Value>, real: Option<&Value>, note: &mut Note<'_>) {
    match (memory, real) {
        // Two different things, such as an object and an error, are not told field by field.
        (Some(ours), Some(theirs)) if ours["kind"] != theirs["kind"] && path == "body" => note(path, memory, real),
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            let mut names: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, ours.get(name), theirs.get(name), note);
            }
        }
        (Some(Value::Array(ours)), Some(Value::Array(theirs))) => {
            for index in 0..ours.len().max(theirs.len()) {
                walk(&format!("{path}[{index}]"), ours.get(index), theirs.get(index), note);
            }
        }
        _ if memory == real => {}
        _ => note(path, memory, real),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, what, path, memory, real } = self;
        let text = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        writeln!(f, "    step {step}, {what}: {path}")?;
        writeln!(f, "        in memory: {}", text(memory))?;
        write!(f, "        real:      {}", text(real))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(memory: &[Value], real: &[Value]) -> Vec<(usize, String)> {
        let steps = |told: &[Value]| -> Vec<Step> {
            told.iter().map(|told| Step { what: String::new(), told: told.clone() }).collect()
        };
        let found = differences(&steps(memory), &steps(real));
        found.into_iter().map(|difference| (difference.step, difference.path)).collect()
    }

    #[test]
    fn what_is_equal_does_not_differ() {
        assert_eq!(paths(&[json!({"a": [1, 2]})], &[json!({"a": [1, 2]})]), []);
    }

    #[test]
    fn each_differing_field_is_named_with_its_step() {
        let (memory, real) = (json!({"a": [1, 2], "b": {"c": 1}}), json!({"a": [1], "b": {"c": 2, "d": null}}));
        let expected = [(1, "a[1]".to_owned()), (1, "b.c".to_owned()), (1, "b.d".to_owned()), (2, String::new())];
        assert_eq!(paths(&[memory], &[real, json!(1)]), expected);
    }
}
