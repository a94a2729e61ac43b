//! What names, label keys and label values must be, in the words of the server.

pub(crate) const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and \
    end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NAME_PART: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
    character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end \
    with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";

pub(crate) const LABEL_LENGTH: usize = 63;

/// What is wrong with a label's key, an annotation's, or a finalizer: as in `example.com/name`; the prefix may be missing.
pub(crate) fn not_qualified(name: &str) -> Vec<String> {
    let (prefix, part) = name.split_once('/').map_or((None, name), |(prefix, part)| (Some(prefix), part));
    let mut wrong = Vec::new();
    match prefix {
        _ if part.contains('/') => return vec![QUALIFIED.to_owned()],
        Some("") => wrong.push("prefix part must be non-empty".to_owned()),
        Some(prefix) if !prefix.split('.').all(is_label) => wrong.push(format!("prefix part {SUBDOMAIN}")),
        _ => {}
    }
    if part.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if part.len() > LABEL_LENGTH {
        wrong.push("name part must be no more than 63 characters".to_owned());
    }
    if !is_name_part(part) {
        wrong.push(NAME_PART.to_owned());
    }
    wrong
}

/// What is wrong with a label's value, if anything is.
pub(crate) fn no_label_value(text: &str) -> Option<&'static str> {
    if text.len() > LABEL_LENGTH {
        return Some("must be no more than 63 characters");
    }
    (!text.is_empty() && !is_name_part(text)).then_some(LABEL_VALUE)
}

pub(crate) fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_name_part(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = |end: Option<u8>| end.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.bytes().all(inner) && ends(text.bytes().next()) && ends(text.bytes().last())
}
