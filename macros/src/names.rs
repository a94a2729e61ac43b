//! The names that Kubernetes and metrics accept, checked where they are written.

/// Longest subdomain, RFC 1123.
const LONGEST_SUBDOMAIN: usize = 253;
/// Longest label, RFC 1123; also the longest name part of a qualified name.
const LONGEST_LABEL: usize = 63;

/// What is wrong with a finalizer's name, which the API server wants qualified: `domain/name`.
pub(crate) fn qualified_name_problem(name: &str) -> Option<String> {
    const FORM: &str = "a finalizer's name is qualified, like `guestbook.example.com/cleanup`";
    let Some((domain, local)) = name.split_once('/') else {
        return Some(format!("{FORM}: `{name}` has no `/`"));
    };
    if !is_subdomain(domain) {
        return Some(format!(
            "{FORM}: `{domain}` is no DNS subdomain (small letters, digits, `-` and `.`, at most {LONGEST_SUBDOMAIN} characters)"
        ));
    }
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = local.as_bytes();
    let valid =
        bytes.len() <= LONGEST_LABEL && ends(bytes.first()) && ends(bytes.last()) && bytes.iter().copied().all(inner);
    (!valid).then(|| {
        format!(
            "{FORM}: after the `/` come letters, digits, `-`, `_` and `.`, first and last a letter or digit, at most {LONGEST_LABEL}"
        )
    })
}

/// What is wrong with a controller's name.
pub(crate) fn label_problem(name: &str) -> Option<String> {
    (!is_label(name)).then(|| {
        format!("`{name}` can't name a controller: small letters, digits and `-` inside, at most {LONGEST_LABEL}")
    })
}

/// `GuestbookController` is called `guestbook`, `NightlyReport` is called `nightly-report`.
pub(crate) fn controller_name(ident: &str) -> String {
    let stem = ident.strip_suffix("Controller").filter(|stem| !stem.is_empty()).unwrap_or(ident);
    let mut name = String::new();
    let mut chars = stem.chars().filter(char::is_ascii_alphanumeric).peekable();
    let mut previous_is_small = false;
    while let Some(char) = chars.next() {
        let next_is_small = chars.peek().is_some_and(char::is_ascii_lowercase);
        let word_begins = char.is_ascii_uppercase() && (previous_is_small || next_is_small);
        if word_begins && !name.is_empty() {
            name.push('-');
        }
        name.push(char.to_ascii_lowercase());
        previous_is_small = !char.is_ascii_uppercase();
    }
    name
}

pub(crate) fn is_subdomain(name: &str) -> bool {
    name.len() <= LONGEST_SUBDOMAIN && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::{controller_name, label_problem, qualified_name_problem};

    #[test]
    fn a_finalizer_is_a_domain_and_a_name() {
        for good in ["guestbook.example.com/cleanup", "a/B", "example.com/clean_up.now-1"] {
            assert_eq!(qualified_name_problem(good), None, "{good}");
        }
        for bad in
            ["cleanup", "/cleanup", "example.com/", "Example.com/a", "example..com/a", "-a/b", "a/b/c", "a/-b", "a/b."]
        {
            assert!(qualified_name_problem(bad).is_some(), "{bad}");
        }
        assert!(qualified_name_problem(&format!("a/{}", "b".repeat(64))).is_some());
    }

    #[test]
    fn a_controller_is_called_like_its_struct() {
        assert_eq!(controller_name("GuestbookController"), "guestbook");
        assert_eq!(controller_name("NightlyReport"), "nightly-report");
        assert_eq!(controller_name("HTTPRouteController"), "http-route");
        assert_eq!(controller_name("Controller"), "controller");
        assert_eq!(controller_name("V1Demo"), "v1-demo");
    }

    #[test]
    fn a_controllers_name_is_a_label() {
        assert_eq!(label_problem("nightly-report"), None);
        for bad in ["", "Nightly", "-a", "a-", "a b", "ä"] {
            assert!(label_problem(bad).is_some(), "{bad}");
        }
    }
}
