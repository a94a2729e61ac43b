//! Which changes of the reconciled kind count.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Which changes of an object lead to a reconcile. Changes of what it owns always do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconcileStrategy {
    /// Those of `metadata.generation`, that is of the spec, so that the reconciler's own status writes don't wake it.
    ///
    /// Besides: that the object is being deleted, and that somebody took our finalizer away (controller-runtime's
    /// `GenerationChangedPredicate` looks at the generation alone). Labels and annotations don't count. An object without a
    /// generation (ConfigMap, Secret, …) counts by `resourceVersion`.
    #[default]
    ByGeneration,
    /// Every one.
    ByResourceVersion,
}

impl ReconcileStrategy {
    /// Whether the change from `old` to `new` counts.
    pub(super) fn counts(self, old: &ObjectMeta, new: &ObjectMeta, finalizer: Option<&str>) -> bool {
        match (self, new.generation) {
            (Self::ByResourceVersion, _) | (Self::ByGeneration, None) => old.resource_version != new.resource_version,
            (Self::ByGeneration, Some(_)) => {
                old.generation != new.generation
                    || old.deletion_timestamp != new.deletion_timestamp
                    || finalizer.is_some_and(|finalizer| was_taken(finalizer, old, new))
            }
        }
    }
}

/// Of an object that is being deleted a finalizer is meant to go: nothing is left to do then.
fn was_taken(finalizer: &str, old: &ObjectMeta, new: &ObjectMeta) -> bool {
    let has = |meta: &ObjectMeta| meta.finalizers.iter().flatten().any(|name| name == finalizer);
    new.deletion_timestamp.is_none() && has(old) && !has(new)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

    use super::ReconcileStrategy::{ByGeneration, ByResourceVersion};

    const OURS: Option<&str> = Some("example.com/ours");

    fn meta(version: &str, generation: Option<i64>) -> ObjectMeta {
        ObjectMeta { resource_version: Some(version.to_owned()), generation, ..ObjectMeta::default() }
    }

    #[test]
    fn a_status_write_does_not_count_by_generation() {
        assert!(!ByGeneration.counts(&meta("1", Some(1)), &meta("2", Some(1)), OURS));
        assert!(ByResourceVersion.counts(&meta("1", Some(1)), &meta("2", Some(1)), OURS));
    }

    #[test]
    fn a_new_spec_counts() {
        assert!(ByGeneration.counts(&meta("1", Some(1)), &meta("2", Some(2)), OURS));
    }

    #[test]
    fn an_object_without_a_generation_counts_by_version() {
        assert!(ByGeneration.counts(&meta("1", None), &meta("2", None), OURS));
        assert!(!ByGeneration.counts(&meta("1", None), &meta("1", None), OURS));
    }

    #[test]
    fn the_beginning_of_a_deletion_counts() {
        let deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
        let deleting = ObjectMeta { deletion_timestamp, ..meta("2", Some(1)) };
        assert!(ByGeneration.counts(&meta("1", Some(1)), &deleting, OURS));
    }

    #[test]
    fn our_finalizer_taken_away_counts_and_another_ones_does_not() {
        let with = |names: &[&str]| ObjectMeta {
            finalizers: Some(names.iter().copied().map(str::to_owned).collect()),
            ..meta("1", Some(1))
        };
        let both = with(&["example.com/ours", "example.com/other"]);
        assert!(ByGeneration.counts(&both, &with(&["example.com/other"]), OURS));
        assert!(!ByGeneration.counts(&both, &with(&["example.com/ours"]), OURS));
        assert!(!ByGeneration.counts(&both, &with(&["example.com/other"]), None));
    }

    #[test]
    fn our_finalizer_going_from_an_object_being_deleted_does_not_count() {
        let deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
        let without = ObjectMeta { deletion_timestamp, ..meta("1", Some(1)) };
        let with = ObjectMeta { finalizers: Some(vec!["example.com/ours".to_owned()]), ..without.clone() };
        assert!(!ByGeneration.counts(&with, &without, OURS));
    }
}
