//! The kind `Guestbook`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The condition that says whether everything is there.
const READY: &str = "Ready";

/// A page that is served inside of the cluster.
#[derive(CustomResource, Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "guestbook.example.com",
    version = "v1",
    kind = "Guestbook",
    namespaced,
    status = "GuestbookStatus",
    shortname = "gb",
    doc = "A page that is served inside of the cluster",
    printcolumn = r#"{"name":"Title","type":"string","jsonPath":".spec.title"}"#,
    printcolumn = r#"{"name":"Replicas","type":"integer","jsonPath":".spec.replicas"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reconciled By","type":"string","jsonPath":".status.reconciledBy","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GuestbookSpec {
    /// Title of the page.
    #[schemars(length(min = 1, max = 120))]
    pub(crate) title: String,
    /// Text of the page.
    #[serde(default)]
    pub(crate) message: String,
    /// How many pods serve the page.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 10))]
    pub(crate) replicas: i32,
}

/// What the operator says of a Guestbook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GuestbookStatus {
    /// The generation that the rest of the status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,
    /// Identity of the leader that reconciled it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reconciled_by: Option<String>,
    /// `Ready`: page, Deployment and Service are as the spec says.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub(crate) conditions: Vec<Condition>,
}

/// How a reconcile went.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress<'a> {
    /// Page, Deployment and Service are as the spec says.
    Applied,
    /// One of them is not, and why.
    Failed(&'a str),
}

const fn one() -> i32 {
    1
}

impl Guestbook {
    /// Whether its status says that everything is as this generation of its spec wants it.
    pub(crate) fn is_applied(&self) -> bool {
        let generation = self.metadata.generation;
        let applied = |condition: &Condition| {
            condition.type_ == READY && condition.status == "True" && condition.observed_generation == generation
        };
        self.status.iter().flat_map(|status| &status.conditions).any(applied)
    }

    /// The status after a reconcile by `leader`. It says the same as before if nothing has changed.
    pub(crate) fn status_after(&self, progress: Progress<'_>, leader: &str, now: Timestamp) -> GuestbookStatus {
        let before = self.status.clone().unwrap_or_default();
        let (status, reason, message) = match progress {
            Progress::Applied => ("True", "Applied", "page, Deployment and Service are as the spec says"),
            Progress::Failed(why) => ("False", "NotApplied", why),
        };
        let same = |condition: &&Condition| condition.type_ == READY && condition.status == status;
        let since = before.conditions.iter().find(same).map(|condition| condition.last_transition_time.clone());
        let ready = Condition {
            type_: READY.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            last_transition_time: since.unwrap_or(Time(now)),
            observed_generation: self.metadata.generation,
        };
        let mut conditions = before.conditions;
        match conditions.iter_mut().find(|condition| condition.type_ == READY) {
            Some(condition) => *condition = ready,
            None => conditions.push(ready),
        }
        GuestbookStatus {
            observed_generation: self.metadata.generation,
            reconciled_by: Some(leader.to_owned()),
            conditions,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use kube::CustomResourceExt;

    use super::{Guestbook, GuestbookSpec, Progress};

    const LATER: SignedDuration = SignedDuration::from_hours(1);

    fn guestbook() -> Guestbook {
        let spec = GuestbookSpec { title: "Hello".to_owned(), message: String::new(), replicas: 1 };
        let mut guestbook = Guestbook::new("hello", spec);
        guestbook.metadata.generation = Some(1);
        guestbook
    }

    #[test]
    fn a_second_reconcile_says_the_same() {
        let mut guestbook = guestbook();
        let first = guestbook.status_after(Progress::Applied, "leader", Timestamp::UNIX_EPOCH);
        guestbook.status = Some(first.clone());
        assert_eq!(guestbook.status_after(Progress::Applied, "leader", Timestamp::UNIX_EPOCH + LATER), first);
    }

    #[test]
    fn the_transition_is_dated_when_the_status_turns_and_not_when_the_spec_or_the_leader_changes() {
        let mut guestbook = guestbook();
        guestbook.status = Some(guestbook.status_after(Progress::Applied, "leader", Timestamp::UNIX_EPOCH));
        guestbook.metadata.generation = Some(2);
        let applied = guestbook.status_after(Progress::Applied, "other", Timestamp::UNIX_EPOCH + LATER);
        assert_eq!(applied.reconciled_by.as_deref(), Some("other"));
        assert_eq!(applied.observed_generation, Some(2));
        assert_eq!(applied.conditions[0].observed_generation, Some(2));
        assert_eq!(applied.conditions[0].last_transition_time, Time(Timestamp::UNIX_EPOCH));
        let failed = guestbook.status_after(Progress::Failed("no room"), "other", Timestamp::UNIX_EPOCH + LATER);
        assert_eq!(failed.conditions.len(), 1);
        assert_eq!(failed.conditions[0].status, "False");
        assert_eq!(failed.conditions[0].last_transition_time, Time(Timestamp::UNIX_EPOCH + LATER));
    }

    #[test]
    fn only_what_was_applied_in_this_generation_is_applied() {
        let mut guestbook = guestbook();
        assert!(!guestbook.is_applied());
        for (progress, applied) in [(Progress::Failed("no room"), false), (Progress::Applied, true)] {
            guestbook.status = Some(guestbook.status_after(progress, "leader", Timestamp::UNIX_EPOCH));
            assert_eq!(guestbook.is_applied(), applied, "{progress:?}");
        }
        guestbook.metadata.generation = Some(2);
        assert!(!guestbook.is_applied());
    }

    #[test]
    fn the_crd_is_what_the_contract_says() {
        let crd = serde_json::to_value(Guestbook::crd()).unwrap();
        assert_eq!(crd["metadata"]["name"], "guestbooks.guestbook.example.com");
        assert_eq!(crd["spec"]["names"]["shortNames"][0], "gb");
        assert_eq!(crd["spec"]["scope"], "Namespaced");
        let version = &crd["spec"]["versions"][0];
        assert!(version["subresources"]["status"].is_object(), "{version:#}");
        let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"];
        assert_eq!(spec["required"], serde_json::json!(["title"]));
        assert_eq!(spec["properties"]["title"]["minLength"], 1);
        assert_eq!(spec["properties"]["title"]["maxLength"], 120);
        assert_eq!(spec["properties"]["message"]["default"], "");
        assert_eq!(spec["properties"]["replicas"]["default"], 1);
        assert_eq!(spec["properties"]["replicas"]["minimum"], 0.0);
        assert_eq!(spec["properties"]["replicas"]["maximum"], 10.0);
    }
}
