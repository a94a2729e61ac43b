//! Settings in layers, as a .NET host reads them: later layers win.
//!
//! 1. defaults in code
//! 2. `appsettings.json`
//! 3. `appsettings.{Environment}.json`
//! 4. environment variables, `__` between levels: `KubeOps__LeaderElectionId`
//! 5. `--set KEY=VALUE`, `:` between levels: `--set KubeOps:LeaderElectionId=x`
//!
//! The environment is `KUBEOPS_ENVIRONMENT`, else `DOTNET_ENVIRONMENT`, else `Production`.
//!
//! - Keys are compared without regard to case. A number as a level is an index into a list, and lists are merged index by
//!   index, as .NET does: `[]` in a later layer takes nothing away. `null`, or an empty variable, does.
//! - Files are JSON with comments, trailing commas and a BOM. `null` means unset: what lower layers say is forgotten.
//! - Of the environment only variables are read whose first level is a section that somebody asks for.
//! - Every value knows its [`Origin`], and what is wrong is told all at once, as [`Problems`].
//!
//! This room knows nobody: neither Kubernetes nor which sections there are.

mod binding;
mod deserializer;
mod duration;
mod failure;
mod file;
mod loading;
mod node;
mod problems;
mod variables;

pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use loading::{LoadOptions, Settings};
pub use node::Entry;
pub use problems::{Layer, Origin, Problem, Problems, Warning};

#[cfg(feature = "dev")]
pub(crate) use loading::ENVIRONMENT_VARIABLES;
pub(crate) use node::{Kind, Node, same_key};
