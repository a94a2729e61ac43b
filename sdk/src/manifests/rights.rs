//! Which rights the operator needs: exactly those that the SDK uses, and those that `rbac(…)` adds.
//!
//! | for | verbs | why |
//! | --- | --- | --- |
//! | the reconciled kind | `list`, `watch` | its cache; a look at one object is a list of one |
//! | with a finalizer | `patch` | it is added and taken off |
//! | with a status | `patch` on `…/status` | `Context::patch_status` |
//! | owned kinds | `list`, `watch` | their cache |
//! | | `patch`, `create` | `Context::apply_owned`: server-side apply of what may not be there yet |
//! | | `delete` | with the admission plugin OwnerReferencesPermissionEnforcement, to become the owner of what is there already |
//! | kinds of a `Store` | `list`, `watch` | their cache |
//! | Events | `create`, `patch` | `patch` counts up |
//! | `InstallCrds` | `get`, `create`, `patch` | the operator's own CRDs, by their names: server-side apply, and a look at what became of it |
//! | `LeaderElectionLabelPod` | `patch` on pods where it runs | the leader's label |
//! | a Lease as the lock | `list`, `watch`, `create`, `update` | found by a field selector and created by a PUT, so that all are bound to its name |
//! | another lock | `create` | by a POST, which can't be bound to a name |
//! | | `list`, `watch`, `patch`, `delete` | bound to its name |
//! | | `list`, `watch` on pods | its own, and that of the holder |
//!
//! Owner references do not block their owner's deletion, so that no `update` on `…/finalizers` is needed.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

use super::{LockKind, Options};
use crate::controller::{OwnedKind, RbacRule, Registration};

/// Events about objects without a namespace are in this one.
pub(super) const EVENTS_OF_CLUSTER: &str = "default";
const CACHE: [&str; 2] = ["list", "watch"];
const OWNED: [&str; 3] = ["create", "patch", "delete"];
const EVENTS: [&str; 2] = ["create", "patch"];
const INSTALLED: [&str; 3] = ["get", "create", "patch"];
/// Of a lock that goes with its holder's pod.
pub(super) const LOCK_FOR_LIFE: [&str; 4] = ["list", "watch", "patch", "delete"];
const LABELLED: [&str; 1] = ["patch"];
pub(super) const LOCK: [&str; 4] = ["list", "watch", "create", "update"];

/// Those that admission looks at.
const WRITES: [&str; 6] = ["create", "update", "patch", "delete", "deletecollection", "*"];
/// What is written by a GET that upgrades.
const CONNECTED: [&str; 4] = ["attach", "exec", "portforward", "proxy"];

/// The order in which people write verbs; others follow.
const ORDER: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// What the operator may do, and where.
#[derive(Debug, Default)]
pub(super) struct Rights {
    /// In all namespaces, and with what has none.
    pub(super) cluster: Rules,
    pub(super) namespaces: BTreeMap<String, Rules>,
    /// In the namespace of the lock.
    pub(super) lock: Rules,
}

/// Verbs of resources, merged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rules(BTreeMap<Bound, BTreeMap<String, BTreeSet<String>>>);

/// An API group, and the names that a rule is bound to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    group: String,
    names: BTreeSet<String>,
}

/// Grants rights where they are needed.
struct Granting<'a> {
    rights: Rights,
    watched: &'a [String],
}

// === impl Rights ===

impl Rights {
    pub(super) fn of<S>(controllers: &[Registration<S>], options: &Options) -> Self {
        let mut granting = Granting { rights: Self::default(), watched: &options.watched };
        for controller in controllers {
            granting.controller(controller, options.finalizers);
            if let Some(crd) = controller.crd.as_ref().filter(|_| options.installs_crds) {
                granting.crd(crd);
            }
        }
        if let Some(crd) = options.lock_crd().filter(|_| options.installs_crds) {
            granting.crd(crd);
        }
        if options.labels_pod {
            granting.namespace(&options.namespace).add("", "pods", &[], &LABELLED);
        }
        granting.lock(options);
        granting.rights
    }
}

impl Granting<'_> {
    fn controller<S>(&mut self, controller: &Registration<S>, finalizers: bool) {
        let Registration { entity, crd, finalizer, owns, reads, rbac, .. } = controller;
        self.kind(entity, "", &CACHE);
        if finalizers && finalizer.is_some() {
            self.kind(entity, "", &["patch"]);
        }
        if crd.as_ref().is_some_and(has_status) {
            self.kind(entity, "/status", &["patch"]);
        }
        for kind in owns {
            self.kind(kind, "", &CACHE);
            self.kind(kind, "", &OWNED);
        }
        for kind in reads {
            self.kind(kind, "", &CACHE);
        }
        self.everywhere(|rules| rules.add("", "events", &[], &EVENTS));
        if !entity.namespaced && !self.watches(EVENTS_OF_CLUSTER) {
            self.namespace(EVENTS_OF_CLUSTER).add("", "events", &[], &EVENTS);
        }
        for rule in *rbac {
            self.own(rule);
        }
    }

    fn crd(&mut self, crd: &CustomResourceDefinition) {
        let name = crd.metadata.name.as_deref().unwrap_or_default();
        self.rights.cluster.add("apiextensions.k8s.io", "customresourcedefinitions", &[name], &INSTALLED);
    }

    fn kind(&mut self, kind: &OwnedKind, subresource: &str, verbs: &[&str]) {
        let resource = format!("{}{subresource}", kind.resource.plural);
        let add = |rules: &mut Rules| rules.add(&kind.resource.group, &resource, &[], verbs);
        if kind.namespaced { self.everywhere(add) } else { add(&mut self.rights.cluster) }
    }

    /// What `rbac(…)` says.
    fn own(&mut self, rule: &RbacRule) {
        let RbacRule { groups, resources, verbs, names, cluster } = rule;
        let add = |rules: &mut Rules| {
            for group in *groups {
                for resource in *resources {
                    rules.add(group, resource, names, verbs);
                }
            }
        };
        if *cluster { add(&mut self.rights.cluster) } else { self.everywhere(add) }
    }

    fn lock(&mut self, options: &Options) {
        let Some(lock) = &options.lock else { return };
        let granted = self.rights.cluster.grant("", "events", "create")
            || self.rights.namespaces.get(&lock.namespace).is_some_and(|rules| rules.grant("", "events", "create"));
        let rules = &mut self.rights.lock;
        match lock.kind {
            LockKind::Lease => rules.add("coordination.k8s.io", "leases", &[&lock.name], &LOCK),
            LockKind::ConfigMap => rules.lock_for_life("", "configmaps", &lock.name),
            LockKind::LeaderLock(group) => rules.lock_for_life(group, "leaderlocks", &lock.name),
        }
        if !granted {
            rules.add("", "events", &[], &["create"]);
        }
    }

    /// Where objects with namespaces are reconciled.
    fn everywhere(&mut self, add: impl Fn(&mut Rules)) {
        if self.watched.is_empty() {
            return add(&mut self.rights.cluster);
        }
        let watched = self.watched;
        watched.iter().for_each(|namespace| add(self.namespace(namespace)));
    }

    fn watches(&self, namespace: &str) -> bool {
        self.watched.is_empty() || self.watched.iter().any(|watched| watched == namespace)
    }

    fn namespace(&mut self, namespace: &str) -> &mut Rules {
        self.rights.namespaces.entry(namespace.to_owned()).or_default()
    }
}

fn has_status(crd: &CustomResourceDefinition) -> bool {
    let subresources = crd.spec.versions.iter().filter_map(|version| version.subresources.as_ref());
    subresources.into_iter().any(|subresources| subresources.status.is_some())
}

// === impl Rules ===

impl Rules {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, group: &str, resource: &str, names: &[&str], verbs: &[&str]) {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let resources = self.0.entry(Bound { group: group.to_owned(), names }).or_default();
        let known = resources.entry(resource.to_owned()).or_default();
        known.extend(verbs.iter().map(|&verb| verb.to_owned()));
    }

    fn lock_for_life(&mut self, group: &str, resource: &str, name: &str) {
        self.add(group, resource, &[], &["create"]);
        self.add(group, resource, &[name], &LOCK_FOR_LIFE);
        self.add("", "pods", &[], &CACHE);
    }

    /// Whether they let this verb do its work on all objects of the resource.
    fn grant(&self, group: &str, resource: &str, verb: &str) -> bool {
        let all = Bound { group: group.to_owned(), names: BTreeSet::new() };
        self.0.get(&all).and_then(|resources| resources.get(resource)).is_some_and(|verbs| verbs.contains(verb))
    }

    /// Groups and resources that they let be written, but for Events.
    pub(super) fn written(&self) -> impl Iterator<Item = (&str, &str)> {
        let resources = self.0.iter().flat_map(|(bound, resources)| {
            resources.iter().map(|(resource, verbs)| (bound.group.as_str(), resource.as_str(), verbs))
        });
        let written = |(group, resource, verbs): (_, _, &BTreeSet<String>)| {
            let connected = str::split_once(resource, '/').is_some_and(|(_, sub)| CONNECTED.contains(&sub));
            let written = connected || verbs.iter().any(|verb| WRITES.contains(&verb.as_str()));
            (written && resource != "events").then_some((group, resource))
        };
        resources.filter_map(written)
    }

    /// As a role has them: resources with the same verbs are one rule.
    pub(super) fn to_json(&self) -> Value {
        let mut rules = Vec::new();
        for (Bound { group, names }, resources) in &self.0 {
            let mut alike: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
            for (resource, verbs) in resources {
                alike.entry(verbs).or_default().push(resource);
            }
            let mut alike: Vec<_> = alike.into_iter().collect();
            alike.sort_by(|(_, one), (_, other)| one.cmp(other));
            for (verbs, resources) in alike {
                let mut rule = json!({ "apiGroups": [group], "resources": resources, "verbs": in_order(verbs) });
                if !names.is_empty() {
                    rule["resourceNames"] = json!(names);
                }
                rules.push(rule);
            }
        }
        Value::Array(rules)
    }
}

fn in_order(verbs: &BTreeSet<String>) -> Vec<&str> {
    let mut verbs: Vec<&str> = verbs.iter().map(String::as_str).collect();
    verbs.sort_by_key(|verb| ORDER.iter().position(|known| known == verb).unwrap_or(ORDER.len()));
    verbs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_with_the_same_verbs_are_one_rule_and_names_keep_rules_apart() {
        let mut rules = Rules::default();
        rules.add("", "services", &[], &["watch", "list"]);
        rules.add("", "configmaps", &[], &["list"]);
        rules.add("", "configmaps", &[], &["watch", "list"]);
        rules.add("", "secrets", &["one"], &["use", "get"]);
        rules.add("apps", "deployments", &[], &["patch", "list"]);
        let expected = json!([
            { "apiGroups": [""], "resources": ["configmaps", "services"], "verbs": ["list", "watch"] },
            { "apiGroups": [""], "resourceNames": ["one"], "resources": ["secrets"], "verbs": ["get", "use"] },
            { "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "patch"] },
        ]);
        assert_eq!(rules.to_json(), expected);
    }
}
