//! `rbac(…)`: what the user's own code asks of the API server.

use darling::util::Flag;
use darling::{Error, FromMeta, Result};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Lit, LitStr, Path};

use crate::names;

/// Those that the API server and its own resources know. A custom verb of something else has to stand in a role of its own.
/// <https://kubernetes.io/docs/reference/access-authn-authz/authorization/>
const VERBS: [&str; 16] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "approve",
    "attest",
    "bind",
    "escalate",
    "impersonate",
    "sign",
    "use",
    "*",
];

/// One `rbac(…)`, each word checked for itself.
#[derive(Debug, FromMeta)]
pub(crate) struct RbacArgs {
    #[darling(default, and_then = checked_groups)]
    groups: Words,
    #[darling(and_then = checked_resources)]
    resources: Words,
    #[darling(and_then = checked_verbs)]
    verbs: Words,
    #[darling(default, and_then = checked_names)]
    names: Words,
    #[darling(default)]
    cluster: Flag,
}

/// `"one"` or `["one", "other"]`.
#[derive(Debug, Default)]
struct Words(Vec<LitStr>);

impl RbacArgs {
    /// The rule as a constant expression. Without groups it is the core group's.
    pub(crate) fn rule(&self, krate: &Path) -> TokenStream {
        let Self {
            groups: Words(groups),
            resources: Words(resources),
            verbs: Words(verbs),
            names: Words(names),
            cluster,
        } = self;
        let groups = if groups.is_empty() {
            quote! { "" }
        } else {
            quote! { #(#groups),* }
        };
        let cluster = cluster.is_present();
        quote! {
            #krate::__private::RbacRule {
                groups: &[#groups],
                resources: &[#(#resources),*],
                verbs: &[#(#verbs),*],
                names: &[#(#names),*],
                cluster: #cluster,
            }
        }
    }
}

impl FromMeta for Words {
    fn from_expr(expr: &Expr) -> Result<Self> {
        let word = |expr: &Expr| match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(word) => Ok(word.clone()),
                other => Err(Error::custom("expected a text in quotes").with_span(other)),
            },
            other => Err(Error::custom("expected a text in quotes, or several in `[…]`").with_span(other)),
        };
        let mut errors = Error::accumulator();
        let words = match expr {
            Expr::Group(group) => return Self::from_expr(&group.expr),
            Expr::Array(array) => array.elems.iter().filter_map(|one| errors.handle(word(one))).collect(),
            one => errors.handle(word(one)).into_iter().collect(),
        };
        errors.finish_with(Self(words))
    }
}

impl Words {
    fn checked(self, problem: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut errors = Error::accumulator();
        for word in &self.0 {
            if let Some(problem) = problem(&word.value()) {
                errors.push(Error::custom(problem).with_span(word));
            }
        }
        errors.finish_with(self)
    }

    fn some(self, what: &str) -> Result<Self> {
        if self.0.is_empty() { Err(Error::custom(format!("a rule without {what} grants nothing"))) } else { Ok(self) }
    }
}

fn checked_groups(groups: Words) -> Result<Words> {
    groups.checked(group_problem)
}

fn checked_resources(resources: Words) -> Result<Words> {
    resources.some("resources")?.checked(resource_problem)
}

fn checked_verbs(verbs: Words) -> Result<Words> {
    verbs.some("verbs")?.checked(verb_problem)
}

fn checked_names(names: Words) -> Result<Words> {
    names.checked(|name| {
        (name.is_empty() || name.contains('/')).then(|| format!("`{name}` can't be the name of an object"))
    })
}

fn group_problem(group: &str) -> Option<String> {
    match group {
        "" | "*" => None,
        "core" | "v1" => Some(format!("the core group is called `\"\"`, not `{group}`: leave `groups` out")),
        _ => match group.split_once('/') {
            Some((name, _)) => Some(format!("RBAC knows groups without versions: `{name}` instead of `{group}`")),
            None => (!names::is_subdomain(group)).then(|| format!("`{group}` can't be an API group, like `apps`")),
        },
    }
}

fn resource_problem(resource: &str) -> Option<String> {
    let (plural, subresource) = resource.split_once('/').unwrap_or((resource, "status"));
    let is_word = |word: &str| word == "*" || names::is_subdomain(word);
    (!is_word(plural) || !is_word(subresource)).then(|| {
        format!("`{resource}` can't be a resource: plurals in small letters, like `deployments` or `deployments/scale`")
    })
}

fn verb_problem(verb: &str) -> Option<String> {
    (!VERBS.contains(&verb)).then(|| format!("`{verb}` is no verb of Kubernetes: {}", VERBS.join(", ")))
}
