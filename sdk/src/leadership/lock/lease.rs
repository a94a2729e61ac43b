//! The Lease lock: client-go's record in a `coordination.k8s.io/v1` Lease.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::ResourceExt as _;
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::core::Status;
use serde_json::{Map, Value, json};

use super::object::{Found, Object, parse_version};
use super::{Lock, LockError, LockWatch, dated};
use crate::leadership::election::{Dates, Observation, Put, Record, Spec, Stamp};

const INSTANCE: &str = "app.kubernetes.io/instance";

/// The fields of the spec that belong to the election. All others are kept as they are.
const OURS: [&str; 5] = ["holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime", "leaseTransitions"];

/// A Lease, as [client-go](https://pkg.go.dev/k8s.io/client-go/tools/leaderelection) uses it, so that both can stand for one.
///
/// Needs the verbs `list`, `watch`, `create` and `update` on that one Lease; all of them can be bound by
/// `resourceNames`, because the lock is found by a field selector and created by a PUT.
#[derive(Debug)]
pub struct LeaseLock {
    at: Object,
    labels: BTreeMap<String, String>,
    newest: Arc<Mutex<Newest>>,
}

/// The newest object seen: what a write keeps of it is everything but the election's fields.
#[derive(Debug, Default)]
struct Newest {
    object: Option<DynamicObject>,
    dates: Option<Dates>,
}

impl LeaseLock {
    /// The Lease of this name and namespace. `client` should be of its own, without a retry policy.
    #[must_use]
    pub fn new(client: kube::Client, namespace: &str, name: &str) -> Self {
        let rule = format!(
            "apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [{name}], \
             verbs: [list, watch, create, update], in a Role of namespace {namespace}"
        );
        let at = Object::new(client, ApiResource::erase::<Lease>(&()), namespace, name, rule);
        Self { at, labels: BTreeMap::new(), newest: Arc::default() }
    }

    /// Puts a label on the Lease at each write, so that it is found by it. Labels of others stay, as do those of client-go.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(label.into(), value.into());
        self
    }

    /// Says which installation the Lease belongs to, by the label `app.kubernetes.io/instance`, so that two which share one by
    /// mistake hear of it.
    #[must_use]
    pub fn of_installation(self, installation: impl Into<String>) -> Self {
        self.labelled(INSTANCE, installation)
    }

    async fn list(&self) -> Result<Observation, LockError> {
        let Found { version, object, answered } = self.at.read().await?;
        let mut newest = lock(&self.newest);
        match object {
            Some(object) => {
                let version = parse_version(object.metadata.resource_version.as_deref())?;
                newest.dates = dated::dates(&object, version, answered);
                newest.present(object)
            }
            None => Ok(newest.absent(version)),
        }
    }

    async fn write(&self, put: Put) -> Result<Observation, LockError> {
        let Some(object) = self.object(&put) else { return Err(LockError::Conflict) };
        match self.at.api().replace(self.at.name(), &PostParams::default(), &object).await {
            Ok(written) => {
                let observation = lock(&self.newest).present(written)?;
                self.at.advance(observation.version());
                Ok(observation)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Err(LockError::Conflict),
            Err(kube::Error::Api(status)) if lacks_version(&status) => Err(LockError::Conflict),
            Err(error) => Err(self.at.error(error)),
        }
    }

    /// The object to write, with our labels. `None` if the one that it is based on is not known any more.
    fn object(&self, put: &Put) -> Option<DynamicObject> {
        let mut object = self.unlabelled(put)?;
        if !self.labels.is_empty() {
            object.labels_mut().extend(self.labels.clone());
        }
        Some(object)
    }

    /// The one that was read, with only the election's fields changed, or a new one.
    fn unlabelled(&self, put: &Put) -> Option<DynamicObject> {
        let Some((version, uid)) = &put.base else {
            let mut object = self.at.blank();
            object.data = json!({ "spec": Value::Object(fields(&put.spec)) });
            return Some(object);
        };
        let mut object = lock(&self.newest).object.clone()?;
        let same = object.metadata.resource_version.as_deref() == Some(version.to_string().as_str());
        if !same || object.metadata.uid.as_deref() != Some(uid) {
            return None;
        }
        object.metadata.managed_fields = None;
        let data = object.data.as_object_mut()?;
        let spec = data.entry("spec").or_insert_with(|| json!({}));
        spec.as_object_mut()?.extend(fields(&put.spec));
        Some(object)
    }

    async fn open(&self) -> Result<LockWatch, LockError> {
        let newest = self.newest.clone();
        let observed = move |found: Result<Found, LockError>| {
            let Found { version, object, answered: _ } = found?;
            let mut newest = lock(&newest);
            match object {
                Some(object) => newest.present(object),
                None => Ok(newest.absent(version)),
            }
        };
        Ok(self.at.watch().await?.map(observed).boxed())
    }
}

impl Lock for LeaseLock {
    fn read(&self) -> BoxFuture<'_, Result<Observation, LockError>> {
        Box::pin(self.list())
    }

    fn dates(&self) -> Option<Dates> {
        lock(&self.newest).dates
    }

    fn other_installation(&self) -> Option<String> {
        let own = self.labels.get(INSTANCE)?;
        let newest = lock(&self.newest);
        newest.object.as_ref()?.labels().get(INSTANCE).filter(|other| *other != own).cloned()
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Observation, LockError>> {
        Box::pin(self.write(put))
    }

    fn watch(&self) -> BoxFuture<'_, Result<LockWatch, LockError>> {
        Box::pin(self.open())
    }

    fn reference(&self) -> ObjectReference {
        self.at.reference(lock(&self.newest).object.as_ref().and_then(|object| object.metadata.uid.clone()))
    }
}

// === impl Newest ===

impl Newest {
    fn present(&mut self, object: DynamicObject) -> Result<Observation, LockError> {
        let record = read(&object)?;
        if record.version >= self.object_version() {
            self.object = Some(object);
        }
        Ok(Observation::Present(record))
    }

    fn absent(&mut self, version: u64) -> Observation {
        if version >= self.object_version() {
            self.object = None;
        }
        Observation::Absent { version }
    }

    fn object_version(&self) -> u64 {
        let version = self.object.as_ref().and_then(|object| object.metadata.resource_version.as_deref());
        version.and_then(|version| version.parse().ok()).unwrap_or_default()
    }
}

// === the record ===

fn read(object: &DynamicObject) -> Result<Record, LockError> {
    let version = parse_version(object.metadata.resource_version.as_deref())?;
    let uid = object.metadata.uid.clone().ok_or_else(|| LockError::Unreadable("it has no uid".to_owned()))?;
    let empty = Map::new();
    let spec = object.data.get("spec").and_then(Value::as_object).unwrap_or(&empty);
    let text = |key: &str| spec.get(key).and_then(Value::as_str);
    if let Some(strategy) = text("strategy").filter(|strategy| !strategy.is_empty()) {
        return Err(LockError::Coordinated { strategy: strategy.to_owned() });
    }
    let number = |key: &str| spec.get(key).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
    let time = |key: &str| {
        let time: Option<Timestamp> = text(key).and_then(|text| text.parse().ok());
        time.map(|time| Stamp::from_micros(time.as_microsecond()))
    };
    let foreign: Map<String, Value> =
        spec.iter().filter(|(key, _)| !OURS.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
    let spec = Spec {
        holder: text("holderIdentity").map(str::to_owned),
        duration: number("leaseDurationSeconds"),
        acquired: time("acquireTime"),
        renewed: time("renewTime"),
        transitions: number("leaseTransitions"),
        foreign: if foreign.is_empty() { String::new() } else { Value::Object(foreign).to_string() },
    };
    Ok(Record { version, uid, spec })
}

fn fields(spec: &Spec) -> Map<String, Value> {
    let Spec { holder, duration, acquired, renewed, transitions, foreign: _ } = spec;
    let values =
        [json!(holder), json!(duration), json!(acquired.map(time)), json!(renewed.map(time)), json!(transitions)];
    OURS.iter().map(|key| (*key).to_owned()).zip(values).collect()
}

/// RFC 3339 with exactly six digits: the API server takes nothing else for a MicroTime.
fn time(stamp: Stamp) -> String {
    let time = Timestamp::from_microsecond(stamp.as_micros()).unwrap_or_default();
    format!("{time:.6}")
}

/// A write without a version, on a Lease that is there. Names that are none are 422 too.
fn lacks_version(status: &Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 422 && causes.any(|cause| cause.field == "metadata.resourceVersion")
}

fn lock(newest: &Mutex<Newest>) -> MutexGuard<'_, Newest> {
    newest.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": "lock", "namespace": "default", "uid": "u", "resourceVersion": "7", "labels": { "a": "b" } },
            "spec": {
                "holderIdentity": "me", "leaseDurationSeconds": 15, "leaseTransitions": 2,
                "acquireTime": "2026-01-02T03:04:05.000006Z", "renewTime": "2026-01-02T03:04:05.600000Z",
                "preferredHolder": "you",
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_record_is_read_and_written_without_loss() {
        let record = read(&lease()).unwrap();
        assert_eq!((record.version, record.uid.as_str()), (7, "u"));
        let written = Value::Object(fields(&record.spec));
        let mut expected = lease().data["spec"].clone();
        expected.as_object_mut().unwrap().remove("preferredHolder");
        assert_eq!(written, expected);
        assert!(record.spec.foreign.contains("preferredHolder"));
    }

    #[test]
    fn times_have_exactly_six_digits() {
        assert_eq!(time(Stamp::from_micros(1_000_000)), "1970-01-01T00:00:01.000000Z");
        assert_eq!(time(Stamp::from_micros(1_234_567_890_123_456)), "2009-02-13T23:31:30.123456Z");
    }

    #[test]
    fn a_bare_lease_is_read_as_held_by_nobody() {
        let mut bare = lease();
        bare.data = json!({});
        assert_eq!(read(&bare).unwrap().spec, Spec::default());
    }

    #[test]
    fn a_lease_that_the_control_plane_coordinates_is_none_of_ours() {
        let mut coordinated = lease();
        coordinated.data["spec"]["strategy"] = json!("OldestEmulationVersion");
        let error = read(&coordinated).unwrap_err();
        assert!(
            matches!(&error, LockError::Coordinated { strategy } if strategy == "OldestEmulationVersion"),
            "{error}"
        );
        coordinated.data["spec"]["strategy"] = json!("");
        read(&coordinated).unwrap();
    }

    #[test]
    fn absurd_fields_are_as_good_as_absent() {
        let mut absurd = lease();
        absurd.data["spec"] = json!({
            "holderIdentity": 5, "leaseDurationSeconds": i64::MAX, "leaseTransitions": "many", "acquireTime": "soon", "renewTime": [],
        });
        assert_eq!(read(&absurd).unwrap().spec, Spec::default());
        absurd.data = json!({ "spec": "none" });
        assert_eq!(read(&absurd).unwrap().spec, Spec::default());
    }

    #[test]
    fn an_older_event_does_not_replace_the_newest_object() {
        let mut newest = Newest::default();
        newest.present(lease()).unwrap();
        let mut old = lease();
        old.metadata.resource_version = Some("5".to_owned());
        newest.present(old).unwrap();
        newest.absent(6);
        assert_eq!(newest.object_version(), 7);
    }
}
