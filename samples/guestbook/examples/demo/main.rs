//! The guestbook operator at work, with nothing but this machine: a control plane, some guestbooks, and three replicas that
//! hand over to each other. `cargo xtask demo` builds and runs it.

mod cluster;
mod holder;
mod keys;
mod options;
mod replica;
mod screen;
mod show;
mod signals;
mod tail;

use std::process::ExitCode;

use crate::cluster::Cluster;
use crate::keys::Keys;
use crate::options::Options;
use crate::screen::Screen;
use crate::show::Show;
use crate::signals::Signals;

/// Whatever stops the demo; told to who runs it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let mut screen = Screen::new();
    let shown = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => demo(&options, &mut screen).await,
        Err(usage) => {
            screen.complain(&usage);
            return ExitCode::from(2);
        }
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            screen.complain(&in_full(&*failure));
            ExitCode::FAILURE
        }
    }
}

/// All that is started belongs to values of this function, and ends when it returns. When the process is killed, the test
/// kit's guards end it.
async fn demo(options: &Options, screen: &mut Screen) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let starting = async {
        let cluster = Cluster::start(screen).await?;
        cluster.fill(screen).await?;
        Ok::<_, Failure>(cluster)
    };
    let cluster = tokio::select! {
        cluster = starting => cluster?,
        () = signals.next() => return Ok(()),
    };
    Show::new(&cluster, screen, options)?.run(&mut Keys::listen()?, &mut signals).await
}

/// The failure and what caused it.
fn in_full(failure: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(failure), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
