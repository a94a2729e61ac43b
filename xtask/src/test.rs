//! `cargo xtask test`: every test there is, and one line at the end that says how it went.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::{env, thread};

use crate::error::Error;
use crate::tools::Browser;
use crate::{contender, control_plane, helm, workspace};

/// More control planes at once would not fit into the memory of a common machine.
const MOST_AT_ONCE: usize = 4;

/// The module of tests that need a browser, in whichever test target.
const IN_A_BROWSER: &str = "in_a_browser::";

/// The module of what is no test but a chore: `cargo xtask bench` measures there.
const CHORES: &str = "figures::";

pub(crate) fn run(arguments: &[String]) -> Result<(), Error> {
    count(None, arguments)?.conclude()
}

/// Runs them. Without a browser, the tests that need one are left out.
pub(crate) fn count(browser: Option<&Browser>, arguments: &[String]) -> Result<Tally, Error> {
    let (for_cargo, filters) = match arguments.iter().position(|argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, [].as_slice()),
    };
    let control_plane = control_plane::provide()?;
    let helm = helm::provide_if_possible();
    let contender = contender::provide_if_possible();
    let cargo_test = || {
        let mut cargo = workspace::cargo();
        cargo.env("KUBEOPS_CONTROL_PLANE", &control_plane).envs(helm.iter().map(|helm| ("KUBEOPS_HELM", helm)));
        cargo.envs(contender.iter().map(|contender| ("KUBEOPS_CONTENDER", contender)));
        if let Some(Browser { chromium, driver }) = browser {
            cargo.env("KUBEOPS_CHROMIUM", chromium).env("KUBEOPS_CHROMEDRIVER", driver);
        }
        cargo.args(["test", "--no-fail-fast"]);
        if for_cargo.is_empty() {
            cargo.arg("--workspace");
        }
        cargo.args(for_cargo);
        cargo
    };

    let mut tally = Tally::default();
    // First what needs nothing, with the documentation's examples, on all cores.
    tally.add_run(cargo_test().arg("--").args(filters))?;
    // Then what needs a control plane. Not the documentation again: an example marked `ignore` is none that runs.
    let mut on_control_planes = cargo_test();
    if env::var_os("RUST_TEST_THREADS").is_none() {
        on_control_planes.env("RUST_TEST_THREADS", at_once().to_string());
    }
    on_control_planes.args(["--tests", "--", "--ignored", "--skip", CHORES]).args(filters);
    if browser.is_none() {
        eprintln!("note: tests in a browser are left out; `cargo xtask ci` runs them too");
        on_control_planes.args(["--skip", IN_A_BROWSER]);
    }
    tally.add_run(&mut on_control_planes)?;
    Ok(tally)
}

/// Most of the time such a test waits for a lease; those that measure how fast the operator is have the machine to themselves.
fn at_once() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST_AT_ONCE)
}

/// What all test binaries together said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    /// Names of those that failed, and runs that ended without telling.
    failures: Vec<String>,
}

impl Tally {
    /// Runs cargo, passes its output on, and counts.
    fn add_run(&mut self, cargo: &mut Command) -> Result<(), Error> {
        let line = workspace::line(cargo);
        eprintln!("$ {line}");
        let failed = || Error::io(format!("run `{line}`"));
        let failed_before = self.failed;
        let mut child = cargo.stdout(Stdio::piped()).spawn().map_err(failed())?;
        if let Some(output) = child.stdout.take() {
            for text in BufReader::new(output).split(b'\n') {
                let text = text.map_err(failed())?;
                let text = String::from_utf8_lossy(&text);
                println!("{text}");
                self.read(&text);
            }
        }
        let status = child.wait().map_err(failed())?;
        if !status.success() && self.failed == failed_before {
            // Something did not compile, or a test binary was killed before it could tell.
            self.failed += 1;
            self.failures.push(format!("`{line}` itself ({status})"));
        }
        Ok(())
    }

    /// Takes in one line of a test binary's output, such as `test result: ok. 4 passed; 0 failed; 1 ignored; …`.
    fn read(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            self.failures.push(name.to_owned());
        }
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let count = |what: &str| {
            let words: Vec<&str> = counts.split([' ', ';']).collect();
            let pair = words.windows(2).find(|pair| pair[1] == what);
            pair.and_then(|pair| pair[0].parse::<u64>().ok()).unwrap_or(0)
        };
        self.passed += count("passed");
        self.failed += count("failed");
    }

    /// Prints the line, and fails if a test did, or if there was none.
    pub(crate) fn conclude(self) -> Result<(), Error> {
        if !self.failures.is_empty() {
            println!("\nfailed:\n    {}", self.failures.join("\n    "));
        }
        println!("\n{} passed, {} failed", self.passed, self.failed);
        match (self.passed, self.failed) {
            (0, 0) => Err(Error::NoTests),
            (_, 0) => Ok(()),
            (_, failed) => Err(Error::TestsFailed { failed }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally_of(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn results_of_all_binaries_are_summed_up() {
        let tally = tally_of(
            "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\
             test result: FAILED. 1 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 2.76s\n",
        );
        assert_eq!(tally, Tally { passed: 13, failed: 1, failures: vec!["b".to_owned()] });
    }

    #[test]
    fn a_run_without_any_test_fails() {
        let none =
            tally_of("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s");
        assert!(matches!(none.conclude(), Err(Error::NoTests)));
    }

    #[test]
    fn a_run_that_ends_without_a_result_counts_as_a_failure() {
        let mut tally = Tally { passed: 5, ..Tally::default() };
        tally.add_run(Command::new("false").env_clear()).unwrap();
        assert_eq!(tally.failed, 1);
        assert!(tally.failures[0].starts_with("`false` itself"), "{:?}", tally.failures);
        assert!(matches!(tally.conclude(), Err(Error::TestsFailed { failed: 1 })));
    }

    #[test]
    fn one_that_passed_and_nothing_that_failed_is_a_success() {
        assert!(tally_of("test result: ok. 1 passed; 0 failed; 0 ignored").conclude().is_ok());
    }
}
