//! What a write does to who owns which fields. Follows the `merge.Updater` of structured-merge-diff.

use std::sync::OnceLock;

use serde_json::Value;

use super::compare::Difference;
use super::managed::{Entry, Managed, Manager};
use super::merge::{merge, remove};
use super::path::Step;
use super::place::Place;
use super::set::FieldSet;
use super::{conflict, fields};
use crate::cluster::status::Status;

/// One write: to where, by whom, and the fields that it cannot write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write<'a> {
    pub(super) place: Place<'a>,
    pub(super) manager: &'a Manager,
    pub(super) api_version: &'a str,
    /// Such as `status` of a write to the object itself.
    pub(super) ignored: &'a FieldSet,
}

impl Write<'_> {
    /// A create, update or patch from `old` to `new`.
    pub(super) fn update(self, old: &Value, new: &Value, managed: &mut Managed, time: String) {
        let difference = Difference::between(self.place, old, new).without(self.ignored);
        // What is written is of this write alone: it is taken from earlier writes of the same manager as well.
        take(&difference, managed, None);
        let mut written = difference.modified.union(&difference.added);
        written.take(never_owned());
        if written.is_empty() {
            return;
        }
        let api_version = self.api_version.to_owned();
        let fields = match managed.0.remove(self.manager) {
            Some(before) => before.fields.union(&written),
            None => written,
        };
        managed.0.insert(self.manager.clone(), Entry { fields, api_version, time: Some(time) });
        managed.cap_updaters();
    }

    /// Applies `applied` to `live`. Gives the object as it is to be, or `None` if it is that already. Of what others own, it takes what they
    /// have `given_up`, and with `force` everything.
    pub(super) fn apply(
        self,
        live: &Value,
        applied: &Value,
        managed: &mut Managed,
        given_up: &FieldSet,
        force: bool,
        time: String,
    ) -> Result<Option<Value>, Status> {
        let merged = merge(self.place, Some(live), Some(applied)).unwrap_or_else(|| applied.clone());
        let fields = fields::of(self.place, applied).without_all_below(self.ignored);
        let entry = Entry { fields, api_version: self.api_version.to_owned(), time: None };
        let last = managed.0.insert(self.manager.clone(), entry);
        let merged = match &last {
            Some(last) if !last.fields.is_empty() => self.prune(&merged, managed, &last.fields),
            _ => merged,
        };
        let difference = Difference::between(self.place, live, &merged).without(self.ignored);
        if !force {
            conflict::none(&difference, managed, self.manager, given_up)?;
        }
        take(&difference, managed, Some(self.manager));
        let changed = *live != merged;
        if let Some(entry) = managed.0.get_mut(self.manager) {
            entry.time = if changed { Some(time) } else { last.and_then(|last| last.time) };
            entry.fields.take(never_owned());
        }
        managed.0.retain(|_, entry| !entry.fields.is_empty());
        Ok(changed.then_some(merged))
    }

    /// Takes out what the manager applied last time and nobody applies or owns any more.
    fn prune(self, merged: &Value, managed: &Managed, last: &FieldSet) -> Value {
        let place = self.place;
        let named = |set: &FieldSet| fields::with_named(set, place);
        let all = |value: &Value| named(&fields::of(place, value));
        let last = named(last);
        let pruned = remove(place, merged, &last);
        // What somebody owns comes back, and what lies in the way to it.
        let owned = managed.0.values().fold(FieldSet::default(), |all, entry| all.union(&entry.fields));
        let kept = all(&pruned).union(&named(&owned));
        let everything = all(merged);
        let pruned = remove(place, merged, &everything.difference(&kept));
        // And so does what lay in something else, and was not this manager's to take away.
        remove(place, merged, &everything.difference(&all(&pruned)).intersection(&last))
    }
}

/// Takes what differs from everybody but `writer`.
fn take(difference: &Difference, managed: &mut Managed, writer: Option<&Manager>) {
    let Difference { added, modified, removed } = difference;
    for (_, entry) in managed.0.iter_mut().filter(|(manager, _)| Some(*manager) != writer) {
        [added, modified, removed].into_iter().for_each(|lost| entry.fields.take(lost));
    }
    managed.0.retain(|_, entry| !entry.fields.is_empty());
}

/// What identifies an object, or is the server's to say.
fn never_owned() -> &'static FieldSet {
    const IN_METADATA: [&str; 9] = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    static NEVER: OnceLock<FieldSet> = OnceLock::new();
    NEVER.get_or_init(|| {
        let mut set = FieldSet::default();
        for name in ["apiVersion", "kind", "metadata"] {
            set.insert(&[Step::field(name)]);
        }
        for name in IN_METADATA {
            set.insert(&[Step::field("metadata"), Step::field(name)]);
        }
        set
    })
}
