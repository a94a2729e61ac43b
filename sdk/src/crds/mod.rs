//! CustomResourceDefinitions in a cluster: brought there by `install`, or at the start by the setting `InstallCrds`.
//!
//! They are applied on the server (server-side apply, with the operator's name as field manager, by force), so that what somebody else has
//! added stays, and then waited for until they are Established. Applying one that is already so changes nothing. [`Progress`] tells of each step.
//!
//! Both ways need the right to get and patch CustomResourceDefinitions. [`install`] fails with what the server said when it refuses one,
//! and when the time it was given is over. Dropped early, some of the CRDs may be there and others not; another call goes on from there.

pub(crate) mod definitions;
mod install;
mod request;

pub use definitions::Conflicting;
pub(crate) use definitions::by_name;
pub use install::{Effect, InstallError, Progress, install};
pub use request::RequestError;
pub(crate) use request::{ask, ask_within, served};
