//! What programs do with a cluster through kube-rs, told once and done twice: on the cluster in memory and on a real control plane.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test says what is wrong by panicking"
)]

mod applying;
mod crds;
mod deleting;
mod discovering;
mod machine;
mod operating;
mod site;
mod watching;
mod writing;

/// Makes of each use two tests.
macro_rules! uses {
    ($($topic:ident: $($name:ident)+;)+) => {
        mod in_memory {
            $($(
                #[tokio::test]
                async fn $name() {
                    crate::$topic::$name(crate::site::Site::in_memory(stringify!($name)).await).await;
                }
            )+)+
        }

        mod on_a_control_plane {
            $($(
                #[tokio::test]
                #[ignore = "needs a control plane: cargo xtask test"]
                async fn $name() {
                    crate::$topic::$name(crate::site::Site::on_a_control_plane(stringify!($name)).await).await;
                }
            )+)+
        }
    };
}

uses! {
    crds:
        a_kind_is_registered_and_waited_for
        what_the_schema_says_is_filled_in_and_enforced
        a_registration_goes_with_its_objects;
    discovering:
        a_kind_is_found_by_its_name_and_used_without_a_type
        all_that_is_served_is_found
        yaml_of_any_kinds_is_applied;
    writing:
        an_object_is_created_read_replaced_and_deleted
        who_replaces_an_old_version_tries_again
        patches_of_all_kinds_change_what_they_say
        an_entry_is_inserted_once_and_modified_after
        status_and_spec_are_written_apart
        the_scale_is_read_and_set;
    applying:
        two_managers_share_an_object_and_quarrel_about_a_field
        what_a_manager_no_longer_applies_goes;
    deleting:
        a_deletion_is_waited_for
        a_collection_is_deleted_by_its_labels
        children_know_their_owner;
    watching:
        a_watcher_tells_what_is_there_and_what_comes
        a_reflector_keeps_a_store
        metadata_alone_is_watched
        only_what_a_predicate_lets_through_is_told
        watchers_of_several_kinds_are_one_stream
        a_condition_is_waited_for
        a_long_list_is_read_in_pages;
    operating:
        a_finalizer_runs_before_an_object_goes
        a_controller_makes_and_repairs_what_its_objects_own
        an_event_is_recorded;
}
