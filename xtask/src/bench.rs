//! `cargo xtask bench leadership`: figures of the election beside client-go's, printed and kept in the book with the machine's description.

use std::path::Path;
use std::process::Command;
use std::{fs, thread};

use crate::error::Error;
use crate::{contender, control_plane, rounds, workspace};

const FIGURES: &str = "figures::figures_of_leadership";
const PAGE: &str = "docs/src/concepts/leadership-figures.md";

const WHAT: &str = "\
# Figures of leadership

Two replicas of the sample operator and two of a program on client-go stand for a lock each, on one real API server, by the same settings: lease 15 s, renew \
deadline 10 s, retry period 2 s. The Go program has `ReleaseOnCancel`, which controller-runtime has not unless asked for. It has no reconciler: what counts as its first work is \
the ConfigMap that it writes in `OnStartedLeading`; the operator reads its caches and queue first. In rounds the two take turns, but for the crash, which is both's at once: there nothing but the lease \
takes time. Instants are those of the API server's audit log, and of the same clock for signals and starts. A start includes a \
few milliseconds that the tests' own shell takes. The Go program has a new identity at each start, as with controller-runtime, so a restart waits for the lease.
";

/// `handovers`: how many; a tenth as many of what waits for a lease.
pub(crate) fn leadership(handovers: &str) -> Result<(), Error> {
    let release = ["build", "--release", "--locked", "--package", "guestbook", "--no-default-features"];
    workspace::run(workspace::cargo().args(release))?;
    let figures = workspace::target().join("leadership-figures.md");
    let mut measure = rounds::end_to_end(FIGURES, handovers)?;
    measure.env("KUBEOPS_GUESTBOOK", workspace::target().join("release").join("guestbook"));
    measure.env("KUBEOPS_CONTENDER", contender::provide()?).env("KUBEOPS_FIGURES", &figures);
    let load = load();
    workspace::run(&mut measure)?;
    let tables = read(&figures)?;
    let page = format!("{WHAT}\n{tables}\n{}\nMade by `cargo xtask bench leadership`.\n", machine(&load)?);
    print!("{page}");
    let path = workspace::root().join(PAGE);
    fs::write(&path, page).map_err(Error::io(format!("write {}", path.display())))
}

fn machine(load_before: &str) -> Result<String, Error> {
    let programs = control_plane::provide()?;
    let value = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.split_once(':').map(|(_, value)| value.trim().to_owned()));
        line.unwrap_or_else(|| "unknown".to_owned())
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let lines = [
        format!("- processor: {cores} × {}", value("/proc/cpuinfo", "model name")),
        format!("- memory: {}", value("/proc/meminfo", "MemTotal")),
        format!("- Linux {}", read(Path::new("/proc/sys/kernel/osrelease"))?.trim()),
        format!(
            "- load average before: {load_before}, after: {}; niceness of all that was measured: {}",
            load(),
            niceness()?
        ),
        format!("- {}", first_line(Command::new(programs.join("kube-apiserver")).arg("--version"))?),
        format!("- {}, without fsync", first_line(Command::new(programs.join("etcd")).arg("--version"))?),
        format!("- client-go {}, {}", contender::client_go()?, first_line(Command::new("go").arg("version"))?),
        format!("- {}, `--release`", first_line(Command::new("rustc").arg("--version"))?),
    ];
    Ok(format!(
        "Measured on {}, with API server, etcd and all programs on one machine:\n\n{}\n",
        today()?,
        lines.join("\n")
    ))
}

/// Runnable processes over the last one, five and fifteen minutes.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Of this process, and so of all that it starts.
fn niceness() -> Result<String, Error> {
    first_line(&mut Command::new("nice"))
}

fn today() -> Result<String, Error> {
    first_line(Command::new("date").arg("+%F"))
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))
}

fn first_line(command: &mut Command) -> Result<String, Error> {
    let line = workspace::line(command);
    let output = command.output().map_err(Error::io(format!("start `{line}`")))?;
    if !output.status.success() {
        return Err(Error::Command { command: line, status: output.status });
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}
