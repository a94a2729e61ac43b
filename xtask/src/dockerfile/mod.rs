//! `cargo xtask dockerfile`: what `generate dockerfile` writes for the sample, built as it says, but without Docker, which is not to be
//! had everywhere: the steps of its first stage are run in what a clone of this repository holds, and what the second stage takes
//! is looked at. What only Docker can show is not shown: that the images exist, and that the layers make one.

mod checkout;
mod stages;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::error::Error;
use crate::workspace;
use checkout::Checkout;
use stages::{Dockerfile, Run, Stage};

const SAMPLE: &str = "samples/guestbook";
const PACKAGE: &str = "guestbook";
/// Shared libraries that a program may need: those of `gcr.io/distroless/cc-debian12`.
/// <https://github.com/GoogleContainerTools/distroless/blob/main/cc/README.md>
const LIBRARIES: [&str; 7] =
    ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libstdc++.so.6"];
/// What loads them is named by its architecture.
const LOADER: &str = "ld-linux";
/// What is shown does not depend on how well the program is optimised, which takes most of the time of a build.
const PROFILE: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"), ("CARGO_PROFILE_RELEASE_INCREMENTAL", "true")];
/// Of both images: what one's glibc links, the other's can load.
const RELEASES: [&str; 2] = ["-bookworm", "-debian12:"];

pub(crate) fn run() -> Result<(), Error> {
    let checkout = Checkout::of_head(&workspace::target().join("dockerfile"))?;
    eprintln!("building what is committed, in {}", checkout.context().display());
    let program = first_build(&checkout)?;
    let (dockerfile, deployment) = generate(&program, &checkout)?;
    let [build, image] = dockerfile.stages() else { return Err(wrong("it has other than two stages")) };
    check_bases(build, image)?;
    let built = run_stage(build, &checkout)?;
    let taken = take(image, &built)?;
    check_libraries(&taken)?;
    check_process(image, &deployment)?;
    check_it_runs(&taken, &built.root)
}

fn wrong(what: impl Into<String>) -> Error {
    Error::Dockerfile { problem: what.into() }
}

fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(wrong(what())) }
}

/// The program that writes the Dockerfile, built as that will say.
fn first_build(checkout: &Checkout) -> Result<PathBuf, Error> {
    let mut cargo = workspace::cargo();
    cargo.current_dir(checkout.context()).env_remove("CARGO_TARGET_DIR").envs(PROFILE);
    workspace::run(cargo.args(["build", "--release", "--locked", "--package", PACKAGE, "--bin", PACKAGE]))?;
    Ok(checkout.context().join("target/release").join(PACKAGE))
}

/// The Dockerfile, and the Deployment that its image is for.
fn generate(program: &Path, checkout: &Checkout) -> Result<(Dockerfile, Value), Error> {
    let sample = checkout.context().join(SAMPLE);
    let out = format!("--out={}", checkout.context().display());
    workspace::run(Command::new(program).current_dir(&sample).args(["generate", "dockerfile", &out]))?;
    let dockerfile = Dockerfile::parse(&read(&checkout.context().join("Dockerfile"))?)?;
    let ignored = read(&checkout.context().join("Dockerfile.dockerignore"))?;
    checkout.check_ignored(ignored.lines().filter(|line| !line.starts_with('#')))?;

    let manifests =
        output(Command::new(program).current_dir(&sample).args(["generate", "manifests", "--format=json"]))?;
    let manifests: Value = serde_json::from_slice(&manifests.stdout).map_err(|error| wrong(error.to_string()))?;
    let deployment = manifests["items"].as_array().into_iter().flatten().find(|item| item["kind"] == "Deployment");
    Ok((dockerfile, deployment.cloned().ok_or_else(|| wrong("there is no Deployment beside it"))?))
}

fn check_bases(build: &Stage, image: &Stage) -> Result<(), Error> {
    for (stage, release) in [build, image].into_iter().zip(RELEASES) {
        expect(stage.base.contains(release), || format!("{} is not of Debian 12, as the other is", stage.base))?;
    }
    Ok(())
}

/// What the first stage leaves behind: a folder in place of the image's root.
struct Built {
    name: String,
    root: PathBuf,
}

/// Runs the steps of the first stage, word by word, but for where the image's root and its caches are.
fn run_stage(stage: &Stage, checkout: &Checkout) -> Result<Built, Error> {
    let root = checkout.new_root()?;
    let mut copied = false;
    for instruction in &stage.instructions {
        match instruction.keyword.as_str() {
            "WORKDIR" => {}
            // The whole of it is there.
            "COPY" if instruction.arguments == ". ." => copied = true,
            "RUN" => {
                expect(copied, || format!("it runs before anything is copied: {}", instruction.arguments))?;
                run_step(&Run::parse(&instruction.arguments), stage, &root, checkout)?;
            }
            other => return Err(wrong(format!("this chore does not know {other} in the first stage"))),
        }
    }
    let name = stage.name.clone().ok_or_else(|| wrong("the first stage has no name"))?;
    Ok(Built { name, root })
}

fn run_step(step: &Run, stage: &Stage, root: &Path, checkout: &Checkout) -> Result<(), Error> {
    let workdir = stage.argument("WORKDIR").unwrap_or("/");
    for cache in &step.caches {
        let known = *cache == format!("{workdir}/target") || cache == "/usr/local/cargo/registry";
        expect(known, || format!("this chore does not know the cache {cache}"))?;
    }
    let line = step.line.replace("/usr/local/bin", &root.join("usr/local/bin").display().to_string());
    let mut shell = Command::new("sh");
    workspace::forget_cargo(&mut shell);
    shell.current_dir(checkout.context()).env_remove("CARGO_TARGET_DIR").envs(PROFILE);
    workspace::run(shell.args(["-ec", &line]))
}

/// The program that the second stage takes from the first, in its place below the same folder.
fn take(image: &Stage, built: &Built) -> Result<PathBuf, Error> {
    let copy = image.argument("COPY").ok_or_else(|| wrong("the image gets nothing"))?;
    let words: Vec<&str> = copy.split_whitespace().collect();
    let [from, source, target] = words[..] else { return Err(wrong(format!("COPY {copy}"))) };
    expect(from == format!("--from={}", built.name), || format!("no stage is called as in COPY {copy}"))?;
    let entry = image.words("ENTRYPOINT")?;
    expect(entry == [target], || format!("it starts {entry:?}, but holds {target}"))?;
    let below = |path: &str| built.root.join(path.trim_start_matches('/'));
    fs::copy(below(source), below(target))
        .map_err(Error::io(format!("copy {source}, which the first stage is to leave")))?;
    Ok(below(target))
}

/// All that the program loads is in the image.
fn check_libraries(program: &Path) -> Result<(), Error> {
    let dynamic = output(Command::new("readelf").args(["--dynamic", "--wide"]).arg(program))?;
    let dynamic = String::from_utf8_lossy(&dynamic.stdout).into_owned();
    let needed = |line: &str| Some(line.split_once("(NEEDED)")?.1.split_once('[')?.1.split_once(']')?.0.to_owned());
    let needed: Vec<String> = dynamic.lines().filter_map(needed).collect();
    let lacks = |name: &&String| !LIBRARIES.contains(&name.as_str()) && !name.starts_with(LOADER);
    let lacking: Vec<&String> = needed.iter().filter(lacks).collect();
    expect(lacking.is_empty(), || format!("the program needs {lacking:?}, which the image does not have"))?;
    expect(!needed.is_empty(), || format!("readelf names no library: {dynamic}"))?;
    println!("the program needs {}", needed.join(", "));
    Ok(())
}

/// User, ports and arguments are those that the Deployment counts on.
fn check_process(image: &Stage, deployment: &Value) -> Result<(), Error> {
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let user = image.argument("USER").unwrap_or_default();
    let is_number = |id: &str| id.parse::<u32>().is_ok_and(|id| id > 0);
    expect(user.split(':').count() == 2 && user.split(':').all(is_number), || {
        format!("USER {user}: for runAsNonRoot the kubelet must see by its number that it is not root")
    })?;
    expect(pod["securityContext"]["runAsNonRoot"] == true, || "the pod may be root".to_owned())?;
    for context in [&pod["securityContext"], &container["securityContext"]] {
        expect(context["runAsUser"].is_null(), || "the pod says who runs, too".to_owned())?;
    }
    let exposed: BTreeSet<&str> = image.arguments("EXPOSE").collect();
    let ports = container["ports"].as_array().into_iter().flatten();
    let ports: BTreeSet<String> = ports.map(|port| port["containerPort"].to_string()).collect();
    expect(exposed.iter().eq(ports.iter()), || format!("it exposes {exposed:?}, and the pod has {ports:?}"))?;
    expect(container["command"].is_null(), || "the pod starts something else".to_owned())?;
    let command = image.words("CMD")?;
    expect(container["args"][0] == command.join(" ").as_str(), || format!("alone it would do {command:?}"))
}

/// With no variable, and no folder but the root.
fn check_it_runs(program: &Path, root: &Path) -> Result<(), Error> {
    let mut alone = Command::new(program);
    let crds = output(alone.env_clear().current_dir(root).args(["generate", "crds"]))?;
    let told = String::from_utf8_lossy(&crds.stdout);
    expect(told.contains("kind: CustomResourceDefinition"), || format!("it runs, and says {told}"))?;
    println!("the image's program runs, from {}", program.display());
    Ok(())
}

fn output(command: &mut Command) -> Result<Output, Error> {
    let line = workspace::line(command);
    let output = command.output().map_err(Error::io(format!("start `{line}`")))?;
    let failed = || Error::Command { command: line, status: output.status };
    if output.status.success() { Ok(output) } else { Err(failed()) }
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))
}
