//! What the query of a URL, and the body of a delete, ask for.

use std::borrow::Cow;

use serde_json::Value;

use super::status::{Cause, Status};

/// How far back a read at a `resourceVersion` may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VersionMatch {
    Exact,
    NotOlderThan,
    /// Refused by [`check`](super::list_options::check).
    Unknown(Box<str>),
}

/// What becomes of the objects that belong to a deleted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) watch: bool,
    pub(crate) label_selector: String,
    pub(crate) field_selector: String,
    pub(crate) resource_version: Option<String>,
    pub(crate) version_match: Option<VersionMatch>,
    pub(crate) limit: usize,
    pub(crate) continue_token: String,
    pub(crate) allow_bookmarks: bool,
    pub(crate) send_initial_events: Option<bool>,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) field_manager: String,
    pub(crate) force: bool,
    pub(crate) dry_run: bool,
    /// `Strict`, `Warn` or `Ignore`.
    pub(crate) field_validation: String,
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) propagation: Option<Propagation>,
    /// The uid and the version that an object must have to be deleted.
    pub(crate) precondition_uid: Option<String>,
    pub(crate) precondition_version: Option<String>,
    /// What was sent is asked for in a table's rows: `None`, `Metadata` or `Object`.
    pub(crate) include_object: String,
}

impl Options {
    pub(crate) fn of_query(query: &str) -> Result<Self, Status> {
        let mut options = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            options.set(&name, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: Cow<'_, str>) -> Result<(), Status> {
        match name {
            "watch" => self.watch = truth(&value),
            "labelSelector" => self.label_selector = value.into_owned(),
            "fieldSelector" => self.field_selector = value.into_owned(),
            "resourceVersion" => self.resource_version = Some(value.into_owned()).filter(|value| !value.is_empty()),
            "resourceVersionMatch" => {
                self.version_match = match &*value {
                    "Exact" => Some(VersionMatch::Exact),
                    "NotOlderThan" => Some(VersionMatch::NotOlderThan),
                    "" => None,
                    other => Some(VersionMatch::Unknown(other.into())),
                };
            }
            // Less than nothing is no limit.
            "limit" => self.limit = usize::try_from(number::<i64>(&value)?).unwrap_or(0),
            "continue" => self.continue_token = value.into_owned(),
            "allowWatchBookmarks" => self.allow_bookmarks = truth(&value),
            "sendInitialEvents" => self.send_initial_events = Some(truth(&value)),
            "timeoutSeconds" => self.timeout_seconds = Some(number(&value)?),
            "fieldManager" => self.field_manager = value.into_owned(),
            "force" => self.force = truth(&value),
            "dryRun" => self.dry_run = dry_run(&value)?,
            "fieldValidation" => self.field_validation = value.into_owned(),
            "gracePeriodSeconds" => self.grace_period_seconds = Some(number(&value)?),
            "propagationPolicy" => self.propagation = Some(propagation(&value)?),
            "orphanDependents" if truth(&value) => self.propagation = Some(Propagation::Orphan),
            "includeObject" => self.include_object = value.into_owned(),
            _ => {}
        }
        Ok(())
    }

    /// Adds what the body of a delete says; what the URL says stays where the body is silent.
    pub(crate) fn add_delete_options(&mut self, body: &Value) -> Result<(), Status> {
        if let Some(policy) = body["propagationPolicy"].as_str() {
            if !body["orphanDependents"].is_null() {
                let why = "orphanDependents and deletionPropagation cannot be both set";
                let cause = Cause::invalid("propagationPolicy", &body["propagationPolicy"], why);
                return Err(Status::invalid_options("DeleteOptions", &[cause]));
            }
            self.propagation = Some(propagation(policy)?);
        } else if body["orphanDependents"] == true {
            self.propagation = Some(Propagation::Orphan);
        }
        if let Some(grace) = body["gracePeriodSeconds"].as_i64() {
            self.grace_period_seconds = Some(grace);
        }
        for mode in body["dryRun"].as_array().into_iter().flatten() {
            self.dry_run = dry_run(mode.as_str().unwrap_or_default())?;
        }
        let text = |field: &str| body["preconditions"][field].as_str().map(str::to_owned);
        self.precondition_uid = text("uid");
        self.precondition_version = text("resourceVersion");
        Ok(())
    }
}

/// As the server reads booleans in URLs: all but these is true.
fn truth(value: &str) -> bool {
    !matches!(value, "false" | "0")
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, Status> {
    // In the words of the language that the server is written in.
    value.parse().map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {value:?}: invalid syntax")))
}

fn dry_run(value: &str) -> Result<bool, Status> {
    match value {
        "All" => Ok(true),
        "" => Ok(false),
        other => {
            let cause = Cause {
                reason: "FieldValueNotSupported",
                message: format!("Unsupported value: [{other:?}]: supported values: \"All\""),
                field: "dryRun".to_owned(),
            };
            Err(Status::invalid_options("CreateOptions", &[cause]))
        }
    }
}

fn propagation(value: &str) -> Result<Propagation, Status> {
    match value {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let supported = r#""Foreground", "Background", "Orphan", "nil""#;
            let cause = Cause::not_supported("propagationPolicy", other, supported);
            Err(Status::invalid_options("DeleteOptions", &[cause]))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_read_as_it_was_meant() {
        let options = Options::of_query("labelSelector=a%3Db%2Cc+in+%28d%29&watch=1&limit=5&force=false").unwrap();
        assert_eq!(options.label_selector, "a=b,c in (d)");
        assert_eq!((options.watch, options.limit, options.force), (true, 5, false));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(Options::of_query("limit=many").unwrap_err().code, 400);
        assert_eq!(Options::of_query("dryRun=Some").unwrap_err().code, 422);
        assert_eq!(Options::of_query("propagationPolicy=Sideways").unwrap_err().code, 422);
    }

    #[test]
    fn the_body_of_a_delete_wins_over_its_url() {
        let mut options = Options::of_query("propagationPolicy=Background&gracePeriodSeconds=5").unwrap();
        options.add_delete_options(&json!({"propagationPolicy": "Orphan", "preconditions": {"uid": "u"}})).unwrap();
        assert_eq!((options.propagation, options.grace_period_seconds), (Some(Propagation::Orphan), Some(5)));
        assert_eq!(options.precondition_uid.as_deref(), Some("u"));
    }
}
