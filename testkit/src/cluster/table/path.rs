//! JSON paths, as far as CRDs may use them for columns.

use serde_json::Value;

/// By a JSON path as in CRDs: `.spec.a`, `.items[0]`, `.status.conditions[?(@.type=="Ready")].status`.
pub(super) fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut found = object;
    let mut rest = path.trim_start_matches("{").trim_end_matches('}');
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("[?(@.") {
            let (condition, after) = inner.split_once(")]")?;
            let (field, wanted) = condition.split_once("==")?;
            let wanted = wanted.trim().trim_matches(['"', '\'']);
            let field = field.trim();
            found = found.as_array()?.iter().find(|item| item[field] == wanted)?;
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            found = match index.parse::<usize>() {
                Ok(index) => found.get(index)?,
                Err(_) => found.get(index.trim_matches(['"', '\'']))?,
            };
            rest = after;
        } else {
            let inner = rest.strip_prefix('.').unwrap_or(rest);
            // A dot that is part of a name is written `\.`.
            let mut escaped = false;
            let end = inner.find(|c: char| {
                let ends = !escaped && matches!(c, '.' | '[');
                escaped = c == '\\';
                ends
            });
            let (field, after) = inner.split_at(end.unwrap_or(inner.len()));
            found = found.get(field.replace('\\', ""))?;
            rest = after;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_found_by_json_path() {
        let object = json!({"spec": {"a": [{"b": 1}], "x.y": "dot"}, "status": {"conditions": [
            {"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"},
        ]}});
        assert_eq!(at(&object, ".spec.a[0].b"), Some(&json!(1)));
        assert_eq!(at(&object, r".spec.x\.y"), Some(&json!("dot")));
        assert_eq!(at(&object, r#".status.conditions[?(@.type=="Ready")].status"#), Some(&json!("True")));
        assert_eq!(at(&object, ".spec.gone"), None);
    }
}
