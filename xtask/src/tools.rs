//! `cargo xtask tools`: programs that checks need besides Rust and Go. Each is installed once, outside of the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::error::Error;
use crate::workspace;

/// All of them, printed as they are there.
pub(crate) fn run() -> Result<(), Error> {
    for program in [CARGO_DENY, CARGO_GENERATE, MDBOOK] {
        println!("{}", program.provide()?.display());
    }
    let Browser { chromium, driver } = browser()?;
    for program in [promtool()?, chromium, driver] {
        println!("{}", program.display());
    }
    Ok(())
}

/// A program that cargo builds from its crate.
#[derive(Debug)]
pub(crate) struct CargoProgram {
    name: &'static str,
    version: &'static str,
    /// Instead of the crate's default ones, if only these are needed.
    features: Option<&'static [&'static str]>,
}

/// Forbidden licences, sources and crates.
pub(crate) const CARGO_DENY: CargoProgram = CargoProgram { name: "cargo-deny", version: "0.20.2", features: None };

/// Projects from templates. The newest that Rust 1.95 compiles.
pub(crate) const CARGO_GENERATE: CargoProgram =
    CargoProgram { name: "cargo-generate", version: "0.23.8", features: None };

/// The book. Without its own server, which asks for most of what it depends on.
pub(crate) const MDBOOK: CargoProgram = CargoProgram { name: "mdbook", version: "0.5.4", features: Some(&["search"]) };

impl CargoProgram {
    /// Gives the program's path; builds it the first time, which takes minutes.
    pub(crate) fn provide(&self) -> Result<PathBuf, Error> {
        let Self { name, version, features } = self;
        let folder = workspace::cache()?.join("tools").join(format!("{name}-{version}"));
        workspace::make_once(&folder, |unfinished| {
            eprintln!("building {name} {version}, once: some minutes on two cores");
            let target = unfinished.join("target");
            let mut cargo = workspace::cargo();
            cargo.env("CARGO_TARGET_DIR", &target).args(["install", name, "--locked", "--quiet"]);
            cargo.args(["--version", version, "--root"]).arg(unfinished);
            if let Some(features) = features {
                cargo.args(["--no-default-features", "--features", &features.join(",")]);
            }
            workspace::run(&mut cargo)?;
            fs::remove_dir_all(&target).map_err(Error::io(format!("remove {}", target.display())))
        })?;
        Ok(folder.join("bin").join(name))
    }
}

/// Tests rules of alerts: the one on PATH, else the one in Debian's package of Prometheus, which is unpacked and not installed.
pub(crate) fn promtool() -> Result<PathBuf, Error> {
    const NAME: &str = "promtool";
    if let Some(given) = on_path(NAME) {
        return Ok(given);
    }
    let folder = workspace::cache()?.join("tools").join("prometheus");
    workspace::make_once(&folder, |unfinished| {
        eprintln!("fetching {NAME} from Debian's package prometheus, once");
        unpack("prometheus", unfinished).map_err(|source| Error::no_program(NAME, "the package prometheus", source))
    })?;
    Ok(folder.join("usr").join("bin").join(NAME))
}

/// A browser, and the program by which tests drive it.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

/// `KUBEOPS_CHROMIUM` and `KUBEOPS_CHROMEDRIVER` if set, else those on PATH, else Debian's, which only root can install.
pub(crate) fn browser() -> Result<Browser, Error> {
    let find = || {
        let chromium = given("KUBEOPS_CHROMIUM").or_else(|| on_path("chromium"))?;
        let driver = given("KUBEOPS_CHROMEDRIVER").or_else(|| on_path("chromedriver"))?;
        Some(Browser { chromium, driver })
    };
    if let Some(browser) = find() {
        return Ok(browser);
    }
    eprintln!("installing Debian's packages chromium and chromium-driver");
    let packages = ["chromium", "chromium-driver"];
    let none = |source| {
        let way = "the packages chromium and chromium-driver, or set KUBEOPS_CHROMIUM and KUBEOPS_CHROMEDRIVER";
        Error::no_program("chromium", way, source)
    };
    with_lists(|| apt(&["install", "--yes", "--no-install-recommends"], &packages, Path::new("/"))).map_err(none)?;
    find().ok_or(Error::NotInPackage { program: "chromium and chromedriver" })
}

/// A program that the user has, named by a variable; an empty one counts as not set.
pub(crate) fn given(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(Into::into)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Downloads a package and unpacks it into `folder`; any user may.
fn unpack(package: &str, folder: &Path) -> Result<(), Error> {
    with_lists(|| apt(&["download"], &[package], folder))?;
    let entries = fs::read_dir(folder).map_err(Error::io(format!("read {}", folder.display())))?;
    let archives = entries.filter_map(|entry| Some(entry.ok()?.path()));
    for archive in archives.filter(|path| path.extension().is_some_and(|ending| ending == "deb")) {
        workspace::run(Command::new("dpkg").arg("--extract").arg(&archive).arg(folder))?;
        fs::remove_file(&archive).map_err(Error::io(format!("remove {}", archive.display())))?;
    }
    Ok(())
}

/// Fails for the first time on a machine whose lists of packages are old or missing.
fn with_lists(mut install: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    install().or_else(|_| {
        apt(&["update"], &[], Path::new("/"))?;
        install()
    })
}

fn apt(words: &[&str], packages: &[&str], folder: &Path) -> Result<(), Error> {
    let mut apt = Command::new("apt-get");
    apt.current_dir(folder).env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2").args(words).args(packages);
    // What it says is for people; the last line of a check's output is for programs.
    apt.stdout(std::io::stderr());
    workspace::run(&mut apt)
}
