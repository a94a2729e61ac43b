//! Names and identities: which ones Kubernetes takes, and those that are made when none is given.

use std::num::NonZeroUsize;

use crate::settings::{Layer, Node, Origin};

use super::reader::Facts;

/// Longest name of an object, a DNS-1123 subdomain.
const LONGEST_NAME: usize = 253;
/// Longest name of a namespace, a DNS-1123 label.
const LONGEST_LABEL: usize = 63;

/// What is expected of a DNS-1123 label, unless `name` is one.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
pub(super) fn not_a_label(name: &str) -> Option<&'static str> {
    (!is_label(name) || name.len() > LONGEST_LABEL).then_some(
        "expected a DNS-1123 label: at most 63 lower case letters, digits and '-', a letter or digit at both ends",
    )
}

/// What is expected of a DNS-1123 subdomain, unless `name` is one.
pub(in crate::operator) fn not_a_subdomain(name: &str) -> Option<&'static str> {
    (!name.split('.').all(is_label) || name.len() > LONGEST_NAME).then_some(
        "expected a DNS-1123 name: at most 253 lower case letters, digits, '-' and '.', a letter or digit at both ends \
         and around each '.'",
    )
}

fn is_label(label: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    label.starts_with(allowed) && label.ends_with(allowed) && label.chars().all(|c| allowed(c) || c == '-')
}

/// The nearest DNS-1123 name; empty if nothing of `name` can stay.
fn cleaned(name: &str) -> String {
    let dashed: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' { c } else { '-' })
        .take(LONGEST_NAME)
        .collect();
    dashed
        .split('.')
        .map(|label| label.trim_matches('-'))
        .filter(|label| !label.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

/// What objects of the operator are named and labelled after: as long as a label's value may be. Empty if nothing of it can stay.
pub(in crate::operator) fn object_name(operator: &str) -> String {
    let name: String = cleaned(operator).replace('.', "-").chars().take(LONGEST_LABEL).collect();
    name.trim_end_matches('-').to_owned()
}

// === defaults that are made ===

pub(super) fn replica_name(facts: &Facts<'_>) -> Node {
    from_variable(facts, "POD_NAME").unwrap_or_else(|| {
        let host = facts.defaults.host_name.as_deref().unwrap_or_default();
        Node::text(cleaned(host), Origin::new(Layer::Default, "default, from the host's name"))
    })
}

pub(super) fn pod_uid(facts: &Facts<'_>) -> Node {
    from_variable(facts, "POD_UID").unwrap_or_else(|| Node::null(Origin::default_value()))
}

pub(super) fn lock_name(facts: &Facts<'_>) -> Node {
    // Package names may have `_`, names in Kubernetes may not.
    Node::text(format!("{}-leader", cleaned(&facts.defaults.operator)), Origin::default_value())
}

pub(super) fn lock_namespace(facts: &Facts<'_>) -> Node {
    let of_client = || {
        let namespace = facts.defaults.client_namespace.clone().filter(|namespace| !namespace.is_empty())?;
        Some(Node::text(namespace, Origin::new(Layer::Default, "default, from the client's configuration")))
    };
    from_variable(facts, "POD_NAMESPACE")
        .or_else(of_client)
        .unwrap_or_else(|| Node::text("default", Origin::default_value()))
}

pub(super) fn parallel(facts: &Facts<'_>) -> Node {
    let cpus = facts.defaults.cpus.map_or(1, NonZeroUsize::get);
    Node::text(cpus.saturating_mul(2).to_string(), Origin::default_value())
}

fn from_variable(facts: &Facts<'_>, name: &str) -> Option<Node> {
    facts.settings.variable(name).map(|value| Node::text(value, Origin::variable(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kubernetes_own() {
        for good in ["a", "0", "a-b", "a.b-c.d0", &"a".repeat(253)] {
            assert_eq!(not_a_subdomain(good), None, "{good}");
        }
        for bad in ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a.-b", "ä", "a b", &"a".repeat(254)] {
            assert!(not_a_subdomain(bad).is_some(), "{bad}");
        }
        assert!(not_a_label("a.b").is_some() && not_a_label(&"a".repeat(64)).is_some());
        assert_eq!(not_a_label(&"a".repeat(63)), None);
    }

    #[test]
    fn any_host_name_becomes_a_valid_name_or_nothing() {
        assert_eq!(cleaned("My_Laptop.local"), "my-laptop.local");
        assert_eq!(cleaned("-a-.-b.."), "a.b");
        assert_eq!(cleaned("___"), "");
        assert_eq!(not_a_subdomain(&cleaned(&"Ü.x_".repeat(200))), None);
    }

    #[test]
    fn what_objects_are_named_after_fits_into_a_label() {
        assert_eq!(object_name("my_shop.operator"), "my-shop-operator");
        assert_eq!(not_a_label(&object_name(&format!("{}_b", "a".repeat(62)))), None);
    }
}
