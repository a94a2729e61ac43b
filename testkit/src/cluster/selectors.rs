//! Label and field selectors.

use std::collections::BTreeSet;

use serde_json::Value;

use super::names;
use super::resources::Kind;
use super::status::Status;
use super::store::{Key, Object};

/// What a list or watch leaves in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    Missing(String),
    Above(String, i64),
    Below(String, i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    path: Path,
    equal: bool,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Path {
    Name,
    Namespace,
    /// A JSON pointer into the object.
    Pointer(String),
}

/// Fields of built-in kinds that can be selected by, besides name and namespace.
fn selectable(kind: &Kind) -> Option<&'static [&'static str]> {
    Some(match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => &[
            "spec.hostNetwork",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.nominatedNodeName",
            "status.phase",
            "status.podIP",
        ],
        ("", "events") => &[
            "involvedObject.apiVersion",
            "involvedObject.fieldPath",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.resourceVersion",
            "involvedObject.uid",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "secrets") => &["type"],
        ("", "namespaces") => &["status.phase"],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "replicationcontrollers") | ("apps", "replicasets") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        ("certificates.k8s.io", "certificatesigningrequests") => &["spec.signerName"],
        _ => return None,
    })
}

impl Selector {
    /// Reads both; what cannot be read, or is no field to select by, is an error as on the real server.
    pub(crate) fn read(kind: &Kind, labels: &str, fields: &str) -> Result<Self, Status> {
        Ok(Self {
            labels: Parser::new(labels).requirements().map_err(Status::bad_request)?,
            fields: read_fields(kind, fields)?,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn matches(&self, key: &Key, object: &Object) -> bool {
        let labels = object.metadata("labels");
        let label = |name: &str| labels.and_then(|labels| labels.get(name)).and_then(Value::as_str);
        self.labels.iter().all(|requirement| requirement.holds(label))
            && self.fields.iter().all(|field| field.holds(key, object.value()))
    }
}

impl Requirement {
    fn holds<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        let number = |name: &str| label(name).and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::In(name, values) => label(name).is_some_and(|value| values.contains(value)),
            Self::NotIn(name, values) => label(name).is_none_or(|value| !values.contains(value)),
            Self::Exists(name) => label(name).is_some(),
            Self::Missing(name) => label(name).is_none(),
            Self::Above(name, bound) => number(name).is_some_and(|value| value > *bound),
            Self::Below(name, bound) => number(name).is_some_and(|value| value < *bound),
        }
    }
}

impl Field {
    fn holds(&self, key: &Key, object: &Value) -> bool {
        let equal = match &self.path {
            Path::Name => key.name == self.value,
            Path::Namespace => key.namespace == self.value,
            Path::Pointer(pointer) => match object.pointer(pointer) {
                Some(Value::String(text)) => *text == self.value,
                // As the server's types show what was not set.
                Some(Value::Null) | None => matches!(self.value.as_str(), "" | "0" | "false"),
                Some(other) => {
                    let text = other.to_string();
                    text == self.value
                }
            },
        };
        equal == self.equal
    }
}

fn read_fields(kind: &Kind, text: &str) -> Result<Vec<Field>, Status> {
    let mut fields = Vec::new();
    for term in split_terms(text).into_iter().filter(|term| !term.is_empty()) {
        let invalid = || Status::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"));
        let (name, value) = term.split_once('=').ok_or_else(invalid)?;
        let (name, equal) = name.strip_suffix('!').map_or((name, true), |name| (name, false));
        let value = if equal { value.strip_prefix('=').unwrap_or(value) } else { value };
        let value = unescaped(value).map_err(|why| Status::bad_request(format!("invalid field selector: {why}")))?;
        // That no field be nothing holds of everything.
        if !(name.is_empty() && value.is_empty()) {
            fields.push(Field { path: path(kind, name)?, equal, value });
        }
    }
    Ok(fields)
}

/// At commas, unless there is a backslash before them.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|letter: char| {
        let ends = letter == ',' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    })
    .collect()
}

fn unescaped(value: &str) -> Result<String, String> {
    let mut read = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(next @ ('\\' | ',' | '=')) => read.push(next),
                Some(next) => return Err(format!("invalid escape sequence: \\{next}")),
                None => return Err("invalid escape sequence: \\".to_owned()),
            },
            ',' | '=' => return Err(format!("unescaped character in value: {}", u32::from(letter))),
            _ => read.push(letter),
        }
    }
    Ok(read)
}

fn path(kind: &Kind, name: &str) -> Result<Path, Status> {
    let custom = kind
        .custom
        .as_ref()
        .is_some_and(|custom| custom.selectable.iter().any(|path| path.trim_start_matches('.') == name));
    match name {
        "metadata.name" => Ok(Path::Name),
        "metadata.namespace" if kind.namespaced || selectable(kind).is_none() => Ok(Path::Namespace),
        "source" if kind.is("", "events") => Ok(Path::Pointer("/source/component".to_owned())),
        "status.successful" if kind.is("batch", "jobs") => Ok(Path::Pointer("/status/succeeded".to_owned())),
        name if custom || selectable(kind).is_some_and(|known| known.contains(&name)) => {
            Ok(Path::Pointer(format!("/{}", name.replace('.', "/"))))
        }
        name if kind.custom.is_some() || selectable(kind).is_some() => {
            Err(Status::bad_request(format!("field label not supported: {name}")))
        }
        name => {
            let known = r#"only "metadata.name", "metadata.namespace""#;
            Err(Status::bad_request(format!("{name:?} is not a known field selector: {known}")))
        }
    }
}

/// A `LabelSelector` as the text that clients would ask with.
pub(crate) fn of_object(selector: &Value) -> String {
    let labels = selector.get("matchLabels").unwrap_or(selector).as_object();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let equal = labels.into_iter().flatten().filter(|(_, value)| value.is_string());
    let mut terms: Vec<String> = equal.map(|(name, value)| format!("{name}={}", text(value))).collect();
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = text(&expression["key"]);
        let values: Vec<String> = expression["values"].as_array().into_iter().flatten().map(text).collect();
        terms.push(match expression["operator"].as_str().unwrap_or_default() {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key,
        });
    }
    terms.join(",")
}

/// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.trim() }
    }

    fn requirements(mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        while !self.rest.is_empty() {
            let first = self.peek();
            if first != "!" && !is_word(first) {
                return Err(format!("found '{first}', expected: !, identifier, or 'end of string'"));
            }
            let requirement = self.requirement();
            requirements.push(requirement.map_err(|why| format!("unable to parse requirement: {why}"))?);
            match self.token() {
                "" => {}
                "," if !self.rest.is_empty() => {}
                "," => return Err("found '', expected: identifier after ','".to_owned()),
                found => return Err(format!("found '{found}', expected: ',' or 'end of string'")),
            }
        }
        Ok(requirements)
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let first = self.token();
        if first == "!" {
            return Ok(Requirement::Missing(label_key(self.word()?)?));
        }
        let name = label_key(first.to_owned())?;
        if matches!(self.peek(), "" | ",") {
            return Ok(Requirement::Exists(name));
        }
        self.condition(name)
    }

    fn condition(&mut self, name: String) -> Result<Requirement, String> {
        match self.token() {
            "=" | "==" => {
                label_values(&name, BTreeSet::from([self.value()?])).map(|values| Requirement::In(name, values))
            }
            "!=" => label_values(&name, BTreeSet::from([self.value()?])).map(|values| Requirement::NotIn(name, values)),
            "in" => label_values(&name, self.values()?).map(|values| Requirement::In(name, values)),
            "notin" => label_values(&name, self.values()?).map(|values| Requirement::NotIn(name, values)),
            ">" | "gt" => Ok(Requirement::Above(name, self.number()?)),
            "<" | "lt" => Ok(Requirement::Below(name, self.number()?)),
            found => Err(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        let open = self.token();
        if open != "(" {
            return Err(format!("found '{open}' expected: '('"));
        }
        let mut values = BTreeSet::new();
        loop {
            match self.peek() {
                "," | ")" => drop(values.insert(String::new())),
                _ => drop(values.insert(self.word()?)),
            }
            match self.token() {
                "," => {}
                ")" => return Ok(values),
                found => return Err(format!("found '{found}', expected: ',' or ')'")),
            }
        }
    }

    fn value(&mut self) -> Result<String, String> {
        if matches!(self.peek(), "" | ",") { Ok(String::new()) } else { self.word() }
    }

    fn number(&mut self) -> Result<i64, String> {
        let word = self.word()?;
        word.parse().map_err(|_| {
            format!("values[0]: Invalid value: {word:?}: for 'Gt', 'Lt' operators, the value must be an integer")
        })
    }

    fn word(&mut self) -> Result<String, String> {
        match self.token() {
            word if is_word(word) => Ok(word.to_owned()),
            found => Err(format!("found '{found}', expected: identifier")),
        }
    }

    fn peek(&self) -> &'a str {
        Parser { rest: self.rest }.token()
    }

    /// A word, or one of the signs; empty at the end.
    fn token(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let signs = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
        let sign = signs.into_iter().find(|sign| text.starts_with(sign)).map(str::len);
        let end = text.find(|c: char| c.is_whitespace() || "=!(),<>".contains(c)).unwrap_or(text.len());
        let (token, rest) = text.split_at(sign.unwrap_or(end));
        self.rest = rest.trim_start();
        token
    }
}

fn label_key(key: String) -> Result<String, String> {
    match names::not_qualified(&key) {
        wrong if wrong.is_empty() => Ok(key),
        wrong => Err(format!("<nil>: Invalid value: {key:?}: {}", wrong.join("; "))),
    }
}

fn label_values(key: &str, values: BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    let wrong = values.iter().enumerate().filter_map(|(index, value)| {
        let why = names::no_label_value(value)?;
        Some(format!("values[{index}][{key}]: Invalid value: {value:?}: {why}"))
    });
    let wrong: Vec<String> = wrong.collect();
    match wrong.as_slice() {
        [] => Ok(values),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

fn is_word(token: &str) -> bool {
    !token.is_empty() && !token.contains(['=', '!', '(', ')', ',', '<', '>'])
}

#[cfg(test)]
mod tests {
    use super::super::resources::Resources;
    use super::*;

    fn holds(selector: &str, labels: &[(&str, &str)]) -> bool {
        let requirements = Parser::new(selector).requirements().unwrap();
        let label = |name: &str| labels.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        requirements.iter().all(|requirement| requirement.holds(label))
    }

    #[test]
    fn labels_are_selected_by_all_that_can_be_said_of_them() {
        let labels = [("app", "web"), ("tier", "2"), ("example.com/x", "")];
        for selector in [
            "",
            "app=web",
            "app==web",
            "app!=db",
            "app in (web, db)",
            "app notin (db)",
            "tier",
            "!gone",
            "gone!=x",
            "tier>1,tier<3",
            "example.com/x=",
            "app in (web),!gone,tier=2",
        ] {
            assert!(holds(selector, &labels), "{selector}");
        }
        for selector in
            ["app=db", "app!=web", "app notin (web,db)", "!tier", "gone", "gone in (a)", "tier>2", "app=web,tier=3"]
        {
            assert!(!holds(selector, &labels), "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused_in_the_server_s_words() {
        let told = |selector: &str| Parser::new(selector).requirements().unwrap_err();
        assert_eq!(told("a b"), "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
        assert!(told("a in b").contains("expected: '('"));
        assert!(told("a=b,").contains("expected"));
    }

    #[test]
    fn fields_that_cannot_be_selected_by_are_refused() {
        let resources = Resources::default();
        let read = |plural: &str, fields: &str| {
            Selector::read(resources.find("", "v1", plural).unwrap(), "", fields).map_err(|status| status.message)
        };
        assert!(read("pods", "spec.nodeName=n,metadata.name!=x").is_ok());
        assert_eq!(read("pods", "spec.bogus=1").unwrap_err(), "field label not supported: spec.bogus");
        let known = r#""data.x" is not a known field selector: only "metadata.name", "metadata.namespace""#;
        assert_eq!(read("configmaps", "data.x=1").unwrap_err(), known);
    }
}
