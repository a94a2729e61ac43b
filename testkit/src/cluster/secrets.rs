//! Secrets may be written in plain text, and are kept in base64.

use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};

use super::resources::Kind;

const PLAIN: &str = "stringData";

/// The field of bytes, which are written in base64.
fn bytes(kind: &Kind) -> Option<&'static str> {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "secrets") => Some("data"),
        ("", "configmaps") => Some("binaryData"),
        _ => None,
    }
}

/// Puts what was written in plain text where it belongs, over what is there.
pub(crate) fn complete(fields: &mut Map<String, Value>) {
    fields.entry("type").or_insert_with(|| "Opaque".into());
    let Some(Value::Object(plain)) = fields.remove(PLAIN) else { return };
    let data = fields.entry("data").or_insert_with(|| json!({}));
    let Some(data) = data.as_object_mut() else { return };
    for (name, text) in plain {
        let bytes = ByteString(text.as_str().unwrap_or_default().as_bytes().to_vec());
        // Bytes can always be written so.
        data.insert(name, serde_json::to_value(bytes).unwrap_or_default());
    }
}

/// What is no base64, in the words of the server's decoder.
pub(crate) fn no_bytes(kind: &Kind, object: &Value) -> Option<String> {
    let values = object[bytes(kind)?].as_object()?.values().filter_map(Value::as_str);
    let mut wrong = values.filter(|text| serde_json::from_value::<ByteString>((*text).into()).is_err());
    let text = wrong.next()?;
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/');
    let at = text.find(|letter| !is_letter(letter)).unwrap_or(text.len());
    Some(format!("illegal base64 data at input byte {at}"))
}

#[cfg(test)]
mod tests {
    use super::super::resources::Resources;
    use super::*;

    #[test]
    fn plain_text_wins_over_what_is_there() {
        let mut secret = json!({"data": {"a": "eA==", "b": "eQ=="}, "stringData": {"a": "one"}});
        complete(secret.as_object_mut().unwrap());
        assert_eq!(secret, json!({"data": {"a": "b25l", "b": "eQ=="}, "type": "Opaque"}));
    }

    #[test]
    fn bytes_are_base64() {
        let resources = Resources::default();
        let kind = resources.of_object("v1", "Secret").unwrap();
        assert_eq!(no_bytes(kind, &json!({"data": {"a": "b25l"}})), None);
        let why = "illegal base64 data at input byte 2".to_owned();
        assert_eq!(no_bytes(kind, &json!({"data": {"a": "no base64"}})), Some(why));
    }
}
