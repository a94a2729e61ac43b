//! Differences that are known, each with its reason. One that is listed but does not differ fails, too: so the table stays true.

/// A difference that stays.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) case: &'static str,
    /// Where the answers differ, as far as it starts with this.
    pub(crate) path: &'static str,
    /// As `docs/src/guides/in-memory-cluster.md` tells it.
    pub(crate) why: &'static str,
}

/// Code, reason and the fields at fault are compared all the same.
const WORDS_OF_GO: &str = "the real server tells what its decoder stumbled over, in terms of its own types";

/// Here each cause stands once; it is the same one.
const TWICE: &str = "the real server checks updates at more than one place and lists the same cause again";

const DEFAULTS: &str = "defaults of built-in kinds are not simulated";

const OWN_ORDER: &str =
    "a refused patch is shown with its result, whose fields stand in the order of the server's own types";

const NO_WARNING: &str = "a deprecated kind is warned of where it is answered, not where it is refused";

const DESCRIPTIONS: &str = "what a table's columns are for is told in other words";

const NO_DESCRIPTIONS: &str = "what the fields of the server's own types are for is not told";

#[rustfmt::skip]
pub(crate) const KNOWN: &[Known] = &[
    Known { case: "a_create_of_another_kind_is_refused", path: "body.message", why: WORDS_OF_GO },
    Known { case: "an_apply_that_is_no_object", path: "body.message", why: WORDS_OF_GO },
    Known { case: "two_controllers_are_refused", path: "body.details.causes", why: WORDS_OF_GO },
    Known { case: "two_controllers_are_refused", path: "body.message", why: WORDS_OF_GO },
    Known { case: "a_token_that_is_none", path: "body.message", why: WORDS_OF_GO },
    Known { case: "an_update_cannot_set_what_is_the_servers", path: "body.details.causes", why: TWICE },
    Known { case: "an_apply_with_a_uid_of_what_is_not_there", path: "body.details.causes", why: TWICE },
    Known { case: "one_of_two_finalizers_taken_out", path: "body.details.causes", why: TWICE },
    Known { case: "a_terminating_object_takes_no_new_finalizers", path: "body.details.causes", why: TWICE },
    Known { case: "an_apply_to_a_terminating_object", path: "body.details.causes", why: TWICE },
    Known { case: "a_table_of_config_maps", path: "body.columnDefinitions", why: DESCRIPTIONS },
    Known { case: "a_table_of_nothing", path: "body.columnDefinitions", why: DESCRIPTIONS },
    Known { case: "a_table_of_custom_objects", path: "body.columnDefinitions", why: DESCRIPTIONS },
    Known { case: "an_explanation", path: "out", why: NO_DESCRIPTIONS },
    Known { case: "a_merge_patch_of_a_name", path: "body.details.causes", why: TWICE },
    Known { case: "a_merge_patch_of_a_name", path: "body.message", why: WORDS_OF_GO },
    Known { case: "a_patch_that_makes_an_object_invalid", path: "body.details.causes", why: TWICE },
    Known { case: "a_patch_that_makes_an_object_invalid", path: "body.message", why: OWN_ORDER },
    Known { case: "values_of_another_type", path: "body.details.causes", why: WORDS_OF_GO },
    Known { case: "values_of_another_type", path: "body.message", why: WORDS_OF_GO },
    Known { case: "a_stateful_set_is_scaled", path: "body.status", why: DEFAULTS },
    Known { case: "a_scale_that_makes_no_sense_is_refused", path: "body.details.causes", why: OWN_ORDER },
    Known { case: "a_scale_that_makes_no_sense_is_refused", path: "body.message", why: OWN_ORDER },
    Known { case: "what_a_new_one_is_stays", path: "body.details.causes", why: WORDS_OF_GO },
    Known { case: "what_a_new_one_is_stays", path: "body.message", why: WORDS_OF_GO },
    Known { case: "a_watch_of_an_unknown_resource_is_refused", path: "warning", why: NO_WARNING },
    Known { case: "two_versions_of_other_schemas", path: "body.columnDefinitions", why: DESCRIPTIONS },
    Known { case: "a_merge_patch_of_null", path: "body.details.causes", why: OWN_ORDER },
    Known { case: "a_merge_patch_of_null", path: "body.message", why: OWN_ORDER },
];

pub(crate) fn of<'a>(case: &'a str) -> impl Iterator<Item = &'static Known> + 'a {
    KNOWN.iter().filter(move |known| known.case == case)
}
