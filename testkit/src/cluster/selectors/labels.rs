//! Label selectors: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::names;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    Missing(String),
    Above(String, i64),
    Below(String, i64),
}

/// Reads a selector; what is none is told in the server's words.
pub(super) fn read(text: &str) -> Result<Vec<Requirement>, String> {
    Parser::new(text).requirements()
}

impl Requirement {
    pub(super) fn holds<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
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

/// A `LabelSelector` as the text that clients would ask with.
pub(crate) fn of_object(selector: &Value) -> String {
    let labels = selector.get("matchLabels").unwrap_or(selector).as_object();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let equal = labels.into_iter().flatten().filter(|(_, value)| value.is_string());
    let mut terms: Vec<(String, String)> =
        equal.map(|(name, value)| (name.clone(), format!("{name}={}", text(value)))).collect();
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = text(&expression["key"]);
        let mut values: Vec<String> = expression["values"].as_array().into_iter().flatten().map(text).collect();
        values.sort_unstable();
        let term = match expression["operator"].as_str().unwrap_or_default() {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        };
        terms.push((key, term));
    }
    terms.sort_by(|(one, _), (other, _)| one.cmp(other));
    let terms: Vec<String> = terms.into_iter().map(|(_, term)| term).collect();
    terms.join(",")
}

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
    use super::*;

    fn holds(selector: &str, labels: &[(&str, &str)]) -> bool {
        let requirements = read(selector).unwrap();
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
        let told = |selector: &str| read(selector).unwrap_err();
        assert_eq!(told("a b"), "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
        assert!(told("a in b").contains("expected: '('"));
        assert!(told("a=b,").contains("expected"));
    }
}
