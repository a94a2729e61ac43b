//! `cargo xtask simulate`: whole operators on the cluster in memory, with whatever can go wrong, for as many seeds as one likes.

use crate::error::Error;
use crate::workspace;

pub(crate) const USAGE: &str = "\
usage: cargo xtask simulate [--seeds N] [--seed S] [--minutes M]

  --seeds N       how many seeds to play (1000; with --seed, 1)
  --seed S        the first of them (0); a single one tells all that happens
  --minutes M     virtual minutes of trouble for each (60)
";
/// What the test in the sample reads.
const OPTIONS: [(&str, &str); 3] = [
    ("--seeds", "KUBEOPS_SIMULATION_SEEDS"),
    ("--seed", "KUBEOPS_SIMULATION_SEED"),
    ("--minutes", "KUBEOPS_SIMULATION_MINUTES"),
];
const MANY: &str = "1000";
const AN_HOUR: &str = "60";
const TEST: &str = "simulation::whatever_goes_wrong_nobody_is_wrong_about_who_leads_and_in_the_end_all_is_well";

pub(crate) fn run(arguments: &[&str]) -> Result<(), Error> {
    let set = variables(arguments)?;
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--locked", "--profile", "simulation", "--package", "guestbook", "--bin", "guestbook"]);
    cargo.args(["--", "--nocapture", TEST]).envs(set);
    workspace::run(&mut cargo)
}

fn variables<'a>(arguments: &[&'a str]) -> Result<Vec<(&'static str, &'a str)>, Error> {
    let mut set = Vec::new();
    for pair in arguments.chunks(2) {
        let [name, value] = *pair else { return Err(Error::Usage(USAGE)) };
        let option = OPTIONS.iter().find(|(option, _)| *option == name).ok_or(Error::Usage(USAGE))?;
        value.parse::<u64>().map_err(|_| Error::Usage(USAGE))?;
        set.push((option.1, value));
    }
    if !set.iter().any(|(name, _)| *name == OPTIONS[0].1 || *name == OPTIONS[1].1) {
        set.push((OPTIONS[0].1, MANY));
    }
    if !set.iter().any(|(name, _)| *name == OPTIONS[2].1) {
        set.push((OPTIONS[2].1, AN_HOUR));
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_what_the_test_reads() {
        let an_hour = ("KUBEOPS_SIMULATION_MINUTES", AN_HOUR);
        assert_eq!(variables(&[]).unwrap(), [("KUBEOPS_SIMULATION_SEEDS", MANY), an_hour]);
        assert_eq!(variables(&["--seed", "7"]).unwrap(), [("KUBEOPS_SIMULATION_SEED", "7"), an_hour]);
        let both = [("KUBEOPS_SIMULATION_SEEDS", "5"), ("KUBEOPS_SIMULATION_MINUTES", "10")];
        assert_eq!(variables(&["--seeds", "5", "--minutes", "10"]).unwrap(), both);
    }

    #[test]
    fn what_is_no_option_or_no_number_is_refused() {
        for wrong in [&["--seeds"][..], &["--seeds", "many"], &["--speed", "1"]] {
            assert!(matches!(variables(wrong), Err(Error::Usage(_))), "{wrong:?}");
        }
    }
}
