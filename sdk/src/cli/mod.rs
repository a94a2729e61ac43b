//! The operator's command line: what it may say, and what its commands do.
//!
//! [`parse`] turns arguments into an [`Invocation`]; each command is a function over plain inputs that writes to a given
//! [`std::io::Write`]. Who calls them decides where clients, arguments and terminals come from.
//!
//! [`Operator::run`](crate::Operator::run) calls them for the process it runs in, which is all that most programs need. What each
//! command does and takes: [`describe`], and the book's chapter on the command line, which is made of it.
//!
//! ```
//! use kubeops::cli::{Command, Program, parse};
//!
//! let program = Program { name: "guestbook", version: "0.1.0", about: "" };
//! let invocation = parse(program, ["guestbook", "uninstall", "--yes"])?;
//! assert_eq!(invocation.command, Command::Uninstall { yes: true });
//! assert_eq!(parse(program, ["guestbook", "instal"]).unwrap_err().exit_code(), 2);
//! # Ok::<(), kubeops::cli::Usage>(())
//! ```
//!
//! # Errors
//! Each command has an error of its own; [`EXIT_CODES`] lists what the process exits with.

mod arguments;
mod describe;
#[cfg(feature = "dev")]
mod dev;
mod dispatch;
mod generate;
mod generate_arguments;
mod install;
mod manifests;
mod overrides;
mod uninstall;
mod version;

pub use crate::crds::RequestError;
pub use crate::manifests::{Format, GenerateError};
pub use arguments::{Command, EXIT_CODES, Invocation, Program, Usage, parse};
pub use describe::{CommandHelp, OptionHelp, describe};
#[cfg(feature = "dev")]
pub use dev::{DevError, DevOptions};
pub use generate::generate_crds;
pub use generate_arguments::{ChartArguments, ManifestsArguments};
pub use install::{InstallError, install};
pub use overrides::Overrides;
pub use uninstall::{Confirmation, Objects, UninstallError, uninstall};
pub use version::{VersionError, version};
