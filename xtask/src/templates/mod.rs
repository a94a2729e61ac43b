//! `cargo xtask templates`: projects from the templates, taken all the way that a newcomer takes.
//!
//! The ways are shell scripts in `templates/tests`, to be read as what one would type; here is what they need to run.

mod surroundings;

use std::process::Command;
use std::time::Instant;

use self::surroundings::Surroundings;
use crate::error::Error;
use crate::workspace;

const SCRIPTS: [&str; 3] = ["names", "newcomer", "empty"];

pub(crate) fn run() -> Result<(), Error> {
    let surroundings = Surroundings::provide()?;
    for name in SCRIPTS {
        let start = Instant::now();
        let script = workspace::root().join("templates").join("tests").join(format!("{name}.sh"));
        let mut bash = Command::new("bash");
        workspace::run(surroundings.apply_to(bash.arg(script), name)?)?;
        eprintln!("{name}: {} s", start.elapsed().as_secs());
    }
    println!("the templates are fine");
    Ok(())
}
