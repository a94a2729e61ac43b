//! `uninstall`: the CRDs, and with them all of their objects, out of the cluster.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, ListParams, Preconditions};
use kube::{Api, Client, ResourceExt as _};
use tokio::time::Instant;

use crate::crds::{Conflicting, RequestError, ask, by_name, served};

const POLL: Duration = Duration::from_millis(250);
/// Objects of one answer of the server; what kubectl asks for.
const PAGE: u32 = 500;
/// As many objects are named in an error.
const EXAMPLES: usize = 3;
/// Finalizers that the cluster's own garbage collector removes.
const COLLECTED: [&str; 2] = ["foregroundDeletion", "orphan"];

/// How it is confirmed that everything is to go.
pub enum Confirmation<'a> {
    /// It was: `--yes`.
    Given,
    /// Somebody sits at a terminal and is asked; this reads the answer. Blocks the thread.
    Ask(&'a mut dyn BufRead),
    /// Nobody can be asked.
    Impossible,
}

/// The CRDs are not, or not all, uninstalled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UninstallError {
    /// Nobody confirmed it. Nothing was sent.
    #[error("uninstall deletes all objects of its kinds: say --yes, or run it on a terminal to be asked")]
    Unconfirmed,
    /// The answer was not `yes`. Nothing was deleted.
    #[error("not confirmed, nothing is deleted")]
    Declined,
    /// Two definitions of one name differ.
    #[error(transparent)]
    Definitions(#[from] Conflicting),
    /// The server could not be asked, or refused.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The CRD is being deleted, but objects are left.
    #[error(
        "{name} is being deleted, but is still there after {timeout:?}, with {left}. Start the controllers that do so, or \
         remove the finalizers by hand"
    )]
    StillThere {
        /// Name of the CRD.
        name: String,
        /// How long it was waited for.
        timeout: Duration,
        /// The objects that are left.
        left: Objects,
    },
    /// The question could not be asked, or the output not written.
    #[error("cannot write the output, or read the answer")]
    Terminal(#[from] io::Error),
}

/// The objects of a kind, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// How many there are.
    pub count: usize,
    /// How many of them have finalizers, which somebody has to remove.
    pub finalized: usize,
    /// The finalizers that they have.
    pub finalizers: BTreeSet<String>,
    /// The first few of those that have finalizers.
    pub examples: Vec<String>,
}

/// Deletes the CRDs and waits until they are gone, `timeout` for each. Before that it names the `cluster`, counts what goes
/// too, and asks.
///
/// # Errors
/// At the first CRD that fails. CRDs that are not installed are none.
///
/// # Cancel safety
/// What the server has begun to delete goes on being deleted.
pub async fn uninstall(
    client: &Client,
    cluster: &str,
    crds: &[CustomResourceDefinition],
    confirmation: Confirmation<'_>,
    timeout: Duration,
    out: &mut impl Write,
) -> Result<(), UninstallError> {
    if matches!(confirmation, Confirmation::Impossible) {
        return Err(UninstallError::Unconfirmed);
    }
    writeln!(out, "{cluster}")?;
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut installed = Vec::new();
    for name in by_name(crds)?.into_keys() {
        match ask("read", name, api.get_opt(name)).await? {
            Some(crd) => {
                writeln!(out, "{name} goes with {}", Objects::of(client, &crd).await?)?;
                installed.push(crd);
            }
            None => writeln!(out, "{name} is not installed")?,
        }
    }
    if installed.is_empty() {
        return Ok(());
    }
    if let Confirmation::Ask(answers) = confirmation {
        write!(out, "Delete all of this? Only `yes` does it: ")?;
        out.flush()?;
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        if answer.trim() != "yes" {
            return Err(UninstallError::Declined);
        }
    }
    for crd in &installed {
        delete(client, &api, crd, timeout).await?;
        writeln!(out, "{} deleted", crd.name_any())?;
    }
    Ok(())
}

async fn delete(
    client: &Client,
    api: &Api<CustomResourceDefinition>,
    crd: &CustomResourceDefinition,
    timeout: Duration,
) -> Result<(), UninstallError> {
    let (name, uid) = (crd.name_any(), crd.uid());
    let deadline = Instant::now() + timeout;
    // Only the one whose objects were counted, not one that was made since.
    let preconditions = Preconditions { uid: uid.clone(), resource_version: None };
    let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    match ask("delete", &name, absent_is_ok(api.delete(&name, &parameters))).await? {
        Some(_) => {}
        None => return Ok(()),
    }
    while ask("read", &name, api.get_opt(&name)).await?.is_some_and(|newest| newest.uid() == uid) {
        if Instant::now() >= deadline {
            let left = Objects::of(client, crd).await?;
            return Err(UninstallError::StillThere { name, timeout, left });
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

async fn absent_is_ok<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<Option<T>> {
    match request.await {
        Ok(answer) => Ok(Some(answer)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

// === impl Objects ===

impl Objects {
    /// Counts all objects of a kind, page by page.
    async fn of(client: &Client, crd: &CustomResourceDefinition) -> Result<Self, RequestError> {
        let mut objects = Self::default();
        let Some(resource) = served(crd) else { return Ok(objects) };
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let list = ask("list", &crd.name_any(), absent_is_ok(api.list_metadata(&page))).await?;
            // A CRD that never was Established serves nothing.
            let Some(list) = list else { return Ok(objects) };
            for object in &list.items {
                objects.add(object.namespace(), &object.name_any(), object.finalizers());
            }
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => return Ok(objects),
            }
        }
    }

    fn add(&mut self, namespace: Option<String>, name: &str, finalizers: &[String]) {
        self.count += 1;
        let finalizers: Vec<_> =
            finalizers.iter().filter(|finalizer| !COLLECTED.contains(&finalizer.as_str())).collect();
        if finalizers.is_empty() {
            return;
        }
        self.finalized += 1;
        self.finalizers.extend(finalizers.into_iter().cloned());
        if self.examples.len() < EXAMPLES {
            self.examples.push(namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}")));
        }
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, finalized, finalizers, examples } = self;
        write!(f, "{count} {}", if *count == 1 { "object" } else { "objects" })?;
        if *finalized == 0 {
            return Ok(());
        }
        let finalizers = finalizers.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let examples = examples.join(", ") + if *finalized > examples.len() { ", …" } else { "" };
        write!(f, ", {finalized} of which hang unless a running controller removes their finalizers ")?;
        write!(f, "({finalizers}: {examples})")
    }
}

// === impl UninstallError ===

impl UninstallError {
    /// 2 if it was called in a way that cannot work, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Unconfirmed) { 2 } else { 1 }
    }
}

impl fmt::Debug for Confirmation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "Given",
            Self::Ask(_) => "Ask",
            Self::Impossible => "Impossible",
        })
    }
}
