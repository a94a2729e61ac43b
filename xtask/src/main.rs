//! The project's own chores: `cargo xtask <chore>`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what a chore is for")]

mod alerts;
mod bench;
mod book;
mod builtin_kinds;
mod ci;
mod contender;
mod control_plane;
mod dockerfile;
mod error;
mod features;
mod helm;
mod layers;
mod model;
mod rounds;
mod simulate;
mod templates;
mod test;
mod tools;
mod versions;
mod workspace;

use std::env;
use std::process::ExitCode;

use error::Error;

const USAGE: &str = "\
usage: cargo xtask <chore>

  test [cargo's options] [-- filter …]
                  run every test, also those that need a control plane; ends with `N passed, N failed`
  ci              everything that must hold before a change goes in: the checks below, and all tests, those in a browser too
  control-plane   provide etcd, kube-apiserver, kube-controller-manager and kubectl; prints their folder
  helm            provide Helm, for tests of the generated charts; prints its path
  contender       provide a program on client-go, which stands for the same Lease in tests; prints its path
  contend [rounds]
                  let our elector and client-go's stand for one Lease, and harm whoever leads, so often (100)
  takeovers [rounds]
                  kill, freeze and stop leaders under load, so often (50), and look for writes without the lock
  bench leadership [handovers]
                  measure the election beside client-go's, on a build for release (100), and write the book's page of figures
  builtin-kinds   ask a real server for its kinds, and write them down for the in-memory cluster
  tools           provide the other programs that `ci` needs; prints their paths
  alerts          check and test the alert rules of docs/monitoring
  dockerfile      build what is committed as the sample's generated Dockerfile says, and look at what its image would hold
  book [--write]  build the book, check its pages' links and blocks, and that its reference is what the code says, or write that
  features        check that the sdk compiles without a warning with each of its features alone, and with none
  layers          draw which room of sdk/src imports which; fails on a circle or a forbidden import
  model [seconds [words]]
                  search the election for a state in which it is wrong, so long for each scenario (30 s)
  simulate [--seeds N] [--seed S] [--minutes M]
                  play hours of whole operators with whatever can go wrong, drawn from each seed (1000 seeds of 60 minutes)
  templates       generate projects from the templates, and take them to an API server as a newcomer does
  versions        check that the sdk compiles with the oldest and the newest Kubernetes version
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Error> {
    let (chore, rest) = arguments.split_first().ok_or(Error::Usage(USAGE))?;
    match (chore.as_str(), rest.iter().map(String::as_str).collect::<Vec<_>>().as_slice()) {
        ("test", _) => test::run(rest),
        ("ci", []) => ci::run(),
        ("tools", []) => tools::run(),
        ("alerts", []) => alerts::run(),
        ("book", []) => book::run(false),
        ("book", ["--write"]) => book::run(true),
        ("control-plane", []) => {
            println!("{}", control_plane::provide()?.display());
            Ok(())
        }
        ("helm", []) => {
            println!("{}", helm::provide()?.display());
            Ok(())
        }
        ("contender", []) => {
            println!("{}", contender::provide()?.display());
            Ok(())
        }
        ("contend", []) => rounds::run(rounds::CONTEND, "100"),
        ("contend", [rounds]) => rounds::run(rounds::CONTEND, rounds),
        ("takeovers", []) => rounds::run(rounds::TAKEOVERS, "50"),
        ("takeovers", [rounds]) => rounds::run(rounds::TAKEOVERS, rounds),
        ("bench", ["leadership"]) => bench::leadership("100"),
        ("bench", ["leadership", handovers]) => bench::leadership(handovers),
        ("builtin-kinds", []) => builtin_kinds::run(),
        ("dockerfile", []) => dockerfile::run(),
        ("features", []) => features::run(),
        ("layers", []) => layers::run(),
        ("model", rest) => model::run(rest),
        ("simulate", rest) => simulate::run(rest),
        ("templates", []) => templates::run(),
        ("versions", []) => versions::run(),
        ("help" | "--help" | "-h", _) => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(Error::Usage(USAGE)),
    }
}
