//! `dev`: the operator at work with nothing but this machine. A cluster in memory, the crate's samples in it, and replicas of
//! this same program that hand over to each other.

mod cluster;
mod console;
mod error;
mod folder;
mod holder;
mod keys;
mod layout;
mod leaders;
mod options;
mod ports;
mod presets;
mod replica;
mod samples;
mod screen;
mod show;
mod summary;
mod tail;
mod terminal;

use std::path::Path;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use self::cluster::Cluster;
use self::console::Console;
use self::folder::Folder;
use self::ports::Ports;
use self::presets::Presets;
use self::replica::Replica;
use self::samples::Sample;
use self::screen::Screen;
use self::show::{Show, Stage};
use super::overrides::Overrides;
use crate::operator::kube_ops::{Defaults, KubeOps};
use crate::settings::LoadOptions;

pub use self::error::DevError;
pub use self::options::DevOptions;

/// The namespace of the kubeconfigs that the cluster gives out.
const NAMESPACE: &str = "default";

/// What replicas elect their leader by.
#[derive(Clone, Debug)]
struct Lock {
    namespace: String,
    name: String,
}

/// Runs until it is asked to end. All that is started belongs to values of this function, and ends when it returns. When the
/// process is killed, the test kit's guards end it.
///
/// # Errors
/// [`DevError`]. Replicas that fail are none: they are started again.
pub(super) async fn dev(
    operator: &'static str,
    crds: &[CustomResourceDefinition],
    overrides: Overrides,
    options: &DevOptions,
) -> Result<(), DevError> {
    let presets = Presets::new(overrides, LoadOptions::of_this_process()).map_err(DevError::Settings)?;
    let kube_ops = kube_ops(operator, &presets)?;
    let samples = Sample::read_all(&presets.folders)?;
    let executable = std::env::current_exe().map_err(DevError::io("find this program"))?;

    let mut console = Console::open()?;
    let folder = Folder::create(&executable, &std::process::id().to_string())?;
    let cluster = Cluster::start(options.port, folder).await?;
    let mut screen = Screen::new(Replica::name(0).len());
    screen.tell(format!("{} is a cluster in memory, kubeconfig {}", cluster.url(), cluster.kubeconfig.display()));
    fill(&cluster, operator, crds, &kube_ops, &samples, &mut screen).await?;

    let replicas = replicas(options.replicas.into(), &executable, &cluster)?;
    let lock = Lock { namespace: kube_ops.leader_election_namespace, name: kube_ops.leader_election_id };
    let (cluster, presets, lock, screen) = (&cluster, &presets, &lock, &mut screen);
    Show::new(Stage { cluster, presets, lock, crds, options, screen, replicas }).run(&mut console).await
}

/// So many of them, all of them down.
fn replicas(count: usize, executable: &Path, cluster: &Cluster) -> Result<Vec<Replica>, DevError> {
    let ports = Ports::free(count).map_err(DevError::io("find free ports"))?;
    let replicas = ports.into_iter().enumerate();
    replicas.map(|(at, ports)| Replica::new(Replica::name(at), executable, ports, cluster)).collect()
}

/// The section as the replicas will read it.
fn kube_ops(operator: &'static str, presets: &Presets) -> Result<KubeOps, DevError> {
    let client_namespace = Some(NAMESPACE.to_owned());
    let defaults = Defaults { client_namespace, for_pods: true, ..Defaults::of_this_machine(operator) };
    let (kube_ops, _replicas_tell_them) =
        KubeOps::from_settings(&presets.settings, &defaults).map_err(DevError::Settings)?;
    Ok(kube_ops)
}

/// The operator's kinds, the namespaces that its settings name, and the samples. A sample that is refused is told, and the
/// others are not the worse for it.
async fn fill(
    cluster: &Cluster,
    operator: &str,
    crds: &[CustomResourceDefinition],
    kube_ops: &KubeOps,
    samples: &[Sample],
    screen: &mut Screen,
) -> Result<(), DevError> {
    for told in cluster.install(operator, crds).await? {
        screen.tell(told);
    }
    for namespace in kube_ops.namespaces.iter().chain([&kube_ops.leader_election_namespace]) {
        if let Err(error) = cluster.create_namespace(namespace).await {
            screen.tell(error.to_string());
        }
    }
    if samples.is_empty() {
        screen
            .tell("there are no samples: objects in samples/*.yaml, beside appsettings.json, are applied at the start");
    }
    for sample in samples {
        match sample.apply(&cluster.client()).await {
            Ok(()) => screen.tell(format!("{} is applied", sample.title())),
            Err(error) => screen.tell(error.to_string()),
        }
    }
    Ok(())
}
