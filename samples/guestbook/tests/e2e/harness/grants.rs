//! The rights of the operator's ServiceAccount, one by one, and what the audit log says of their use.

use std::collections::BTreeSet;
use std::fmt;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use kubeops_testkit::AuditEvent;
use serde_json::json;

use super::Cluster;

/// One verb on one resource, and the role that grants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) verb: String,
    /// With its subresource.
    pub(crate) resource: String,
    group: String,
    /// `None`: a ClusterRole.
    pub(crate) namespace: Option<String>,
    role: String,
}

/// Roles of the generated manifests, found by their label.
const OURS: &str = "app.kubernetes.io/component=operator";

impl Cluster {
    /// Every right that the generated roles grant.
    pub(crate) async fn grants(&self) -> Vec<Grant> {
        let ours = ListParams::default().labels(OURS);
        let cluster_roles = Api::<ClusterRole>::all(self.client.clone()).list(&ours).await.expect("list ClusterRoles");
        let roles = Api::<Role>::all(self.client.clone()).list(&ours).await.expect("list Roles");
        let roles = roles.into_iter().map(|role| (role.metadata, role.rules));
        let all = cluster_roles.into_iter().map(|role| (role.metadata, role.rules)).chain(roles);
        all.flat_map(|(meta, rules)| {
            let role = meta.name.expect("a role has a name");
            rules.into_iter().flatten().flat_map(move |rule| grants(&rule, &role, meta.namespace.as_deref()))
        })
        .collect()
    }

    /// Takes one right away from its role; returns the role's rules as they were.
    pub(crate) async fn take_away(&self, grant: &Grant) -> Vec<PolicyRule> {
        let before = self.rules(grant).await;
        let mut less = Vec::new();
        for rule in &before {
            let (kept, without) = (rule.without_resource(&grant.resource), rule.only(&grant.resource, &grant.verb));
            less.extend(kept.into_iter().chain(without));
        }
        self.set_rules(grant, &less).await;
        before
    }

    async fn rules(&self, grant: &Grant) -> Vec<PolicyRule> {
        let rules = match &grant.namespace {
            None => Api::<ClusterRole>::all(self.client.clone()).get(&grant.role).await.expect("the role").rules,
            Some(namespace) => {
                Api::<Role>::namespaced(self.client.clone(), namespace).get(&grant.role).await.expect("the role").rules
            }
        };
        rules.unwrap_or_default()
    }

    pub(crate) async fn set_rules(&self, grant: &Grant, rules: &[PolicyRule]) {
        let patch = Patch::Merge(json!({ "rules": rules }));
        let params = PatchParams::default();
        match &grant.namespace {
            None => drop(
                Api::<ClusterRole>::all(self.client.clone()).patch(&grant.role, &params, &patch).await.expect("set"),
            ),
            Some(namespace) => {
                let roles = Api::<Role>::namespaced(self.client.clone(), namespace);
                drop(roles.patch(&grant.role, &params, &patch).await.expect("set"));
            }
        }
    }
}

fn grants(rule: &PolicyRule, role: &str, namespace: Option<&str>) -> Vec<Grant> {
    let mut grants = Vec::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            grants.extend(rule.verbs.iter().map(|verb| Grant {
                verb: verb.clone(),
                resource: resource.clone(),
                group: group.clone(),
                namespace: namespace.map(str::to_owned),
                role: role.to_owned(),
            }));
        }
    }
    grants
}

/// Parts of a rule.
trait Parts: Sized {
    fn without_resource(&self, resource: &str) -> Option<Self>;
    fn only(&self, resource: &str, without: &str) -> Option<Self>;
}

impl Parts for PolicyRule {
    fn without_resource(&self, resource: &str) -> Option<Self> {
        let mut rule = self.clone();
        rule.resources.iter_mut().for_each(|resources| resources.retain(|other| other != resource));
        rule.resources.as_ref().is_some_and(|resources| !resources.is_empty()).then_some(rule)
    }

    fn only(&self, resource: &str, without: &str) -> Option<Self> {
        let mut rule = self.clone();
        rule.resources.iter_mut().for_each(|resources| resources.retain(|other| other == resource));
        rule.verbs.retain(|verb| verb != without);
        let granted = rule.resources.as_ref().is_some_and(|resources| !resources.is_empty()) && !rule.verbs.is_empty();
        granted.then_some(rule)
    }
}

impl Grant {
    /// Whether the requests that this right is for are those of a running operator, as against those of its start.
    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "list" | "watch")
    }

    pub(crate) fn is_of_lock(&self) -> bool {
        self.resource == "leases"
    }

    /// Whether a request went through by it. A server-side apply or a PUT that made the object needed `create` too.
    pub(crate) fn was_used_by(&self, event: &AuditEvent) -> bool {
        let made = event.code == Some(201);
        let verb = event.verb == self.verb || (self.verb == "create" && made);
        verb && self.is_about(event)
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == event.namespace)
            && event.code.is_some_and(|code| (200..300).contains(&code))
    }

    /// Whether a request about its resource was refused.
    pub(crate) fn was_missed_by(&self, event: &AuditEvent) -> bool {
        self.is_about(event) && event.code == Some(403)
    }

    fn is_about(&self, event: &AuditEvent) -> bool {
        let resource = match event.subresource.as_str() {
            "" => event.resource.clone(),
            subresource => format!("{}/{subresource}", event.resource),
        };
        resource == self.resource && event.group == self.group
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.verb, self.resource, self.role)
    }
}

/// As lines that can be compared.
pub(crate) fn lines(grants: impl IntoIterator<Item = Grant>) -> BTreeSet<String> {
    grants.into_iter().map(|grant| grant.to_string()).collect()
}
