//! A lock that was written long ago, without the wait.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, MicroTime, ObjectMeta, Time};
use kube::Api;
use kube::api::{DeleteParams, PostParams};

const AGO: SignedDuration = SignedDuration::from_hours(3);

/// Goes when the lock is dated: a server that is put nothing but other times keeps those it has.
const TO_BE_REMOVED: &str = "kubeops.dev/new";

/// Puts a lock there whose holder wrote it for the last time three hours ago, as all of its times say: a server takes the times of others'
/// `managedFields` from whoever puts them.
pub(crate) async fn write_old_lock(leases: &Api<Lease>, name: &str, duration: Duration) {
    if leases.get_opt(name).await.expect("look for the lock").is_some() {
        leases.delete(name, &DeleteParams::default()).await.expect("delete the lock");
    }
    let then = Timestamp::now() - AGO;
    let spec = LeaseSpec {
        holder_identity: Some("gone_1".to_owned()),
        lease_duration_seconds: i32::try_from(duration.as_secs()).ok(),
        acquire_time: Some(MicroTime(then)),
        renew_time: Some(MicroTime(then)),
        ..LeaseSpec::default()
    };
    let annotations = Some([(TO_BE_REMOVED.to_owned(), String::new())].into());
    let metadata = ObjectMeta { name: Some(name.to_owned()), annotations, ..ObjectMeta::default() };
    let gone = PostParams { field_manager: Some("gone".to_owned()), ..PostParams::default() };
    let lock = Lease { metadata, spec: Some(spec) };
    let mut lock = leases.create(&gone, &lock).await.expect("write the lock");
    lock.metadata.annotations = None;
    for entry in lock.metadata.managed_fields.iter_mut().flatten() {
        entry.time = Some(Time(then));
    }
    let historian = PostParams { field_manager: Some("historian".to_owned()), ..PostParams::default() };
    let dated = leases.replace(name, &historian, &lock).await.expect("date the lock");
    let times = dated.metadata.managed_fields.iter().flatten().map(|entry: &ManagedFieldsEntry| entry.time.clone());
    let newest = times.flatten().map(|time| time.0).max().expect("managed fields have times");
    assert!(Timestamp::now().duration_since(newest) > AGO - SignedDuration::from_mins(1), "{dated:#?}");
}
