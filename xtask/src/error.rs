//! What makes a chore fail.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Usage(&'static str),
    #[error("cannot {action}")]
    Io { action: String, source: io::Error },
    #[error("`{command}` failed: {status}")]
    Command { command: String, status: ExitStatus },
    #[error(
        "KUBEBUILDER_ASSETS is {}, but there is no {missing} in it; set it to a folder that has them (setup-envtest prints one), or unset it \
         to have them built by Go", folder.display()
    )]
    AssetsLack { folder: PathBuf, missing: String },
    #[error(
        "Go is needed to build the control plane for tests, and `go` cannot be started ({source}); install Go 1.26 or later \
         (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl"
    )]
    NoGo { source: io::Error },
    #[error(
        "Go is needed to build Helm for tests, and `go` cannot be started ({source}); install Go 1.26 or later \
         (https://go.dev/dl), or set KUBEOPS_HELM to Helm 3 or 4"
    )]
    NoGoForHelm { source: io::Error },
    #[error("{program} is needed, and could not be had from Debian's packages; install {way}")]
    NoProgram { program: &'static str, way: &'static str, source: Box<Self> },
    #[error("Debian's packages have brought no {program}")]
    NotInPackage { program: &'static str },
    #[error("neither XDG_CACHE_HOME nor HOME is set: there is no place for the programs that checks need")]
    NoCache,
    #[error("go.mod requires no {module}")]
    NoVersion { module: &'static str },
    #[error("the generated Dockerfile: {problem}")]
    Dockerfile { problem: String },
    #[error("no test ran")]
    NoTests,
    #[error("{failed} of the tests failed")]
    TestsFailed { failed: u64 },
    #[error("rooms import each other in a circle")]
    Circle,
    #[error("wrong in pages: {problems}")]
    Book { problems: usize },
    #[error("mdBook warned, and would publish the book as it is")]
    BookWarning,
    #[error("imports that the architecture forbids: {problems}")]
    Layers { problems: usize },
}

impl Error {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    pub(crate) fn no_program(program: &'static str, way: &'static str, source: Self) -> Self {
        Self::NoProgram { program, way, source: Box::new(source) }
    }

    /// One line; what tests and layers found was printed before.
    pub(crate) fn report(&self) {
        match self {
            Self::Usage(usage) => eprint!("{usage}"),
            Self::NoTests | Self::TestsFailed { .. } => {}
            Self::Io { source, .. } => eprintln!("error: {self}: {source}"),
            Self::NoProgram { source, .. } => eprintln!("error: {self}: {source}"),
            _ => eprintln!("error: {self}"),
        }
    }
}
