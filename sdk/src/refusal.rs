//! What the API server says of a request that it refuses.

use std::error::Error;

use kube::core::Status;

use crate::chain::{causes, joined};

/// An error and its causes on one line, as [`chain`](crate::chain::chain) tells them; a refusal of the API server in its own words
/// and nothing else of the answer.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut refused = false;
    joined(causes(error).map_while(|cause| match refusal(cause) {
        _ if refused => None,
        Some(Status { message, reason, code, .. }) => {
            refused = true;
            Some(format!("{message} ({reason}, {code})"))
        }
        None => Some(cause.to_string()),
    }))
}

/// The RBAC rule that would have granted the request that this error, or what caused it, tells was forbidden.
///
/// The API server's own sentence says all that it takes: `… cannot patch resource "configmaps" in API group "" in the
/// namespace "default"`.
pub(crate) fn missing_rule(error: &(dyn Error + 'static)) -> Option<String> {
    let status = causes(error).find_map(refusal)?;
    (status.code == 403).then(|| rule(&status.message)).flatten()
}

fn refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Status> {
    // A boxed error is its own cause, and of another type than what is in the box.
    let of_kube = error.downcast_ref::<kube::Error>();
    match of_kube.or_else(|| error.downcast_ref::<Box<kube::Error>>().map(AsRef::as_ref)) {
        Some(kube::Error::Api(status)) => Some(status),
        _ => None,
    }
}

fn rule(message: &str) -> Option<String> {
    let between = |before: &str, after: &str| Some(message.split_once(before)?.1.split_once(after)?.0);
    let verb = between(" cannot ", " resource ")?;
    let resource = between(" resource \"", "\"")?;
    let group = between(" in API group \"", "\"")?;
    let place = match between(" in the namespace \"", "\"") {
        Some(namespace) => format!("in a Role of namespace {namespace}"),
        None => "in a ClusterRole".to_owned(),
    };
    Some(format!("{{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]}} {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_read_from_the_servers_sentence() {
        let message = "guestbooks.guestbook.example.com \"a\" is forbidden: User \"u\" cannot patch resource \
                       \"guestbooks/status\" in API group \"guestbook.example.com\" in the namespace \"default\"";
        let expected = "{apiGroups: [\"guestbook.example.com\"], resources: [\"guestbooks/status\"], verbs: [\"patch\"]} \
                        in a Role of namespace default";
        assert_eq!(rule(message).as_deref(), Some(expected));
    }

    #[test]
    fn what_has_no_namespace_needs_a_cluster_role() {
        let message =
            "nodes is forbidden: User \"u\" cannot list resource \"nodes\" in API group \"\" at the cluster scope";
        let expected = "{apiGroups: [\"\"], resources: [\"nodes\"], verbs: [\"list\"]} in a ClusterRole";
        assert_eq!(rule(message).as_deref(), Some(expected));
    }

    #[test]
    fn the_refusal_is_found_behind_other_errors_boxed_or_not() {
        #[derive(Debug, thiserror::Error)]
        #[error("could not be applied")]
        struct Applied<E: Error + 'static>(#[source] E);
        let message =
            "a \"b\" is forbidden: User \"u\" cannot get resource \"pods\" in API group \"\" at the cluster scope";
        let refusal = || kube::Error::Api(Status::failure(message, "Forbidden").with_code(403).boxed());
        assert!(missing_rule(&Applied(refusal())).is_some());
        assert!(missing_rule(&Applied(Box::new(refusal()))).is_some());
        assert_eq!(
            describe(&Applied(Box::new(refusal()))),
            format!("could not be applied: {message} (Forbidden, 403)")
        );
    }

    #[test]
    fn other_refusals_have_no_rule() {
        assert_eq!(rule("admission webhook \"x\" denied the request"), None);
        assert_eq!(missing_rule(&std::io::Error::other("no")), None);
    }
}
