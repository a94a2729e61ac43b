//! Why a list or a watch ended. Pure.

use std::fmt;
use std::time::Duration;

use kube::core::{ApiResource, Status};

use crate::chain::chain;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    List,
    Watch,
}

/// Why it did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The version to go on from is too old: everything is to be listed again. Happens, and is none.
    Expired,
    /// The server does not know the kind.
    Missing,
    /// The verb is not granted.
    Forbidden(Verb),
    /// Anything else: the server is down, or overloaded, or can't be reached.
    Other(String),
}

/// What is watched, in the words of RBAC.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) resource: &'a ApiResource,
    pub(super) namespace: Option<&'a str>,
}

impl Failure {
    pub(super) fn of(error: &kube::Error, verb: Verb) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status, verb),
            error => Self::Other(format!("can't {verb}: {}", chain(error))),
        }
    }

    pub(super) fn of_status(status: &Status, verb: Verb) -> Self {
        match status.code {
            410 => Self::Expired,
            404 => Self::Missing,
            403 => Self::Forbidden(verb),
            _ if status.reason == "Expired" || status.reason == "Gone" => Self::Expired,
            code => Self::Other(format!("can't {verb}: {} ({code})", status.message)),
        }
    }

    pub(super) fn endless(asked: Duration) -> Self {
        Self::Other(format!("the server did not end it after {asked:?}, as it was asked to: the connection is dead"))
    }

    /// The line to log. It tells what to do about it.
    pub(super) fn explain(&self, subject: &Subject<'_>) -> String {
        let Subject { resource, namespace } = subject;
        let ApiResource { group, api_version, kind, plural, .. } = resource;
        let place = namespace.map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name}"));
        match self {
            Self::Expired => format!("the version that {kind} was watched from is too old"),
            Self::Missing => format!(
                "the API server does not know {kind} ({api_version}): waiting for its CustomResourceDefinition to be installed"
            ),
            Self::Forbidden(verb) => {
                let role = if namespace.is_some() { "Role" } else { "ClusterRole" };
                let name = if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") };
                format!(
                    "not allowed to {verb} {name} in {place}: bind a {role} with the rule \
                     {{apiGroups: [\"{group}\"], resources: [\"{plural}\"], verbs: [\"list\", \"watch\"]}}"
                )
            }
            Self::Other(text) => format!("the watch of {kind} in {place} does not work, trying again: {text}"),
        }
    }

    /// Whether a line about the one says all that a line about the other would.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other(_), Self::Other(_)) => true,
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Watch => "watch",
        })
    }
}
