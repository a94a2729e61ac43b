//! The cluster of the demo: a control plane, the sample's CRD, and some guestbooks.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kubeops_testkit::ControlPlane;

use crate::Failure;
use crate::screen::Screen;

/// Whose kubeconfig is told to the one who looks.
const VISITOR: &str = "visitor";

const SAMPLE: &str = env!("CARGO_MANIFEST_DIR");

/// Files with guestbooks, below the sample's folder: what everybody gets, and some more so that there is something to do.
const OBJECTS: [&str; 2] = ["samples", "examples/demo/guestbooks.yaml"];

#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) plane: ControlPlane,
    guestbook: PathBuf,
}

impl Cluster {
    /// A control plane without anything in it.
    pub(crate) async fn start(screen: &mut Screen) -> Result<Self, Failure> {
        let guestbook = guestbook_binary()?;
        screen.tell("starting etcd and kube-apiserver")?;
        let start = Instant::now();
        let plane = ControlPlane::start().await?;
        screen.tell(format!("https://{} is ready after {:.1} s", plane.address(), start.elapsed().as_secs_f64()))?;
        Ok(Self { plane, guestbook })
    }

    /// The CRD, as an administrator installs it, and the guestbooks.
    pub(crate) async fn fill(&self, screen: &mut Screen) -> Result<(), Failure> {
        let mut install = tokio::process::Command::from(self.guestbook(VISITOR)?);
        screen.tell("$ guestbook install")?;
        screen.tell(succeeded(&install.arg("install").kill_on_drop(true).output().await?)?)?;
        let mut apply = self.plane.kubectl()?;
        apply.current_dir(SAMPLE).arg("apply").args(OBJECTS.map(|path| format!("--filename={path}")));
        screen.tell("$ kubectl apply")?;
        screen.tell(succeeded(&apply.output().await?)?)?;
        Ok(())
    }

    /// The operator's program, with the sample's own settings, as `user` of this cluster.
    pub(crate) fn guestbook(&self, user: &str) -> Result<Command, Failure> {
        let mut command = Command::new(&self.guestbook);
        command.args(["--content-root", SAMPLE]).env("KUBECONFIG", self.plane.kubeconfig_for(user)?);
        Ok(command)
    }

    /// The beginning of each kubectl command, for a shell.
    pub(crate) fn kubectl(&self) -> Result<String, Failure> {
        let kubectl = self.plane.kubectl()?;
        let kubeconfig = self.plane.kubeconfig_for(VISITOR)?;
        Ok(format!("{} --kubeconfig {}", for_shell(kubectl.as_std().get_program()), for_shell(kubeconfig.as_os_str())))
    }

    /// How many guestbooks are Ready, and how many there are.
    pub(crate) async fn ready_guestbooks(&self) -> Result<(usize, usize), Failure> {
        let guestbook = ApiResource::from_gvk(&GroupVersionKind::gvk("guestbook.example.com", "v1", "Guestbook"));
        let all = Api::<DynamicObject>::all_with(self.plane.client()?, &guestbook).list(&ListParams::default()).await?;
        Ok((all.iter().filter(|one| is_ready(one)).count(), all.items.len()))
    }
}

/// `<target>/debug/guestbook`; this program is `<target>/debug/examples/demo`.
fn guestbook_binary() -> Result<PathBuf, Failure> {
    let demo = std::env::current_exe()?;
    let folder = demo.parent().and_then(Path::parent).ok_or("this program has no place")?;
    let guestbook = folder.join("guestbook");
    match guestbook.is_file() {
        true => Ok(guestbook),
        false => Err(format!("{} is not built; `cargo xtask demo` builds it", guestbook.display()).into()),
    }
}

/// Its output, or an error with all it said.
fn succeeded(output: &Output) -> Result<String, Failure> {
    let said = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match output.status.success() {
        true => Ok(said(&output.stdout)),
        false => Err(format!("{}\n{}\n{}", output.status, said(&output.stdout), said(&output.stderr)).into()),
    }
}

/// Quoted if it must be.
fn for_shell(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let harmless = |c: char| c.is_alphanumeric() || "/._-+,@".contains(c);
    if word.chars().all(harmless) { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn is_ready(guestbook: &DynamicObject) -> bool {
    let conditions = guestbook.data["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
}
