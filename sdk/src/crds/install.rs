//! The CRDs into the cluster.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionCondition,
};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use tokio::time::Instant;

use super::request::{RequestError, ask};
use super::{Conflicting, by_name};

/// Becoming Established takes the server some ten milliseconds.
const POLL: Duration = Duration::from_millis(100);
/// One that takes longer is told of, this often.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// The CRDs are not, or not all, installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// Two definitions of one name differ.
    #[error(transparent)]
    Definitions(#[from] Conflicting),
    /// The server could not be asked, or refused.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// An earlier uninstall has not come to its end: what would be applied now goes with it.
    #[error(
        "{0} is still being deleted, because objects of it have finalizers: start the controllers that remove these, and \
         install again when it is gone"
    )]
    BeingDeleted(String),
    /// The server took the definition but does not serve it.
    #[error("{name} is applied, but not established after {timeout:?}: {reason}")]
    NotEstablished {
        /// Name of the CRD.
        name: String,
        /// How long it was waited for.
        timeout: Duration,
        /// What the server says of it.
        reason: String,
    },
}

/// What applying a CRD did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// There was none.
    Created,
    /// There was another.
    Configured,
    /// There was this one.
    Unchanged,
}

/// How far an installation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// It is applied, and the server has not established it for so long.
    Waiting {
        /// Name of the CRD.
        name: &'a str,
        /// How long it has been waited for.
        waited: Duration,
        /// What the server says of it.
        reason: String,
    },
    /// It is established.
    Done {
        /// Name of the CRD.
        name: &'a str,
        /// What applying it did.
        effect: Effect,
        /// Which one it is, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
}

/// Applies the CRDs by server-side apply and waits until each is Established, `timeout` for each, and tells how it goes. Fields
/// that somebody else manages are taken over: the definition is the operator's.
///
/// # Errors
/// At the first CRD that fails; those before it are installed.
///
/// # Cancel safety
/// What was applied stays so; running it again does no harm.
pub async fn install(
    client: &Client,
    field_manager: &str,
    crds: &[CustomResourceDefinition],
    timeout: Duration,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<(), InstallError> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let parameters = PatchParams::apply(field_manager).force();
    let crds = by_name(crds)?;
    let of = crds.len();
    for (number, (name, crd)) in (1..).zip(crds) {
        let before = ask("read", name, api.get_opt(name)).await?;
        if before.as_ref().is_some_and(|before| before.metadata.deletion_timestamp.is_some()) {
            return Err(InstallError::BeingDeleted(name.to_owned()));
        }
        let after = ask("apply", name, api.patch(name, &parameters, &Patch::Apply(crd))).await?;
        let version = |crd: &CustomResourceDefinition| crd.metadata.resource_version.clone();
        let effect = match before {
            None => Effect::Created,
            Some(before) if version(&before) == version(&after) => Effect::Unchanged,
            Some(_) => Effect::Configured,
        };
        established(&api, name, after, timeout, &mut tell).await?;
        tell(Progress::Done { name, effect, number, of });
    }
    Ok(())
}

async fn established(
    api: &Api<CustomResourceDefinition>,
    name: &str,
    applied: CustomResourceDefinition,
    timeout: Duration,
    tell: &mut impl FnMut(Progress<'_>),
) -> Result<(), InstallError> {
    let since = Instant::now();
    let mut told = since;
    let mut newest = applied;
    while condition(&newest, "Established").is_none_or(|condition| condition.status != "True") {
        let (waited, reason) = (since.elapsed(), obstacle(&newest));
        if waited >= timeout {
            return Err(InstallError::NotEstablished { name: name.to_owned(), timeout, reason });
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tell(Progress::Waiting { name, waited, reason });
        }
        tokio::time::sleep(POLL).await;
        newest = ask("read", name, api.get(name)).await?;
    }
    Ok(())
}

fn condition<'a>(crd: &'a CustomResourceDefinition, kind: &str) -> Option<&'a CustomResourceDefinitionCondition> {
    let conditions = crd.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Why the server does not serve it, as far as it says: names that another CRD has come first.
fn obstacle(crd: &CustomResourceDefinition) -> String {
    let refused = ["NamesAccepted", "Established"].map(|kind| condition(crd, kind));
    let refused = refused.into_iter().flatten().find(|condition| condition.status != "True");
    let message = refused.and_then(|condition| condition.message.clone());
    message.unwrap_or_else(|| "the server does not say why".to_owned())
}

impl Effect {
    /// kubectl's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
        }
    }
}
