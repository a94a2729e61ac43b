//! CustomResourceDefinitions in a cluster: brought there by `install`, or at the start by the setting `InstallCrds`.

pub(crate) mod definitions;
mod install;
mod request;

pub use definitions::Conflicting;
pub(crate) use definitions::by_name;
pub use install::{Effect, InstallError, Progress, install};
pub use request::RequestError;
pub(crate) use request::{ask, ask_within, served};
