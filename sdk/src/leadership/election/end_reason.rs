//! Why a term ends.

use std::fmt;

/// Why a term ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The renew deadline passed without a renewal that counted.
    Expired,
    /// The lock was written by somebody else.
    Lost {
        /// The identity that the lock names now; empty if it names nobody.
        holder: String,
    },
    /// The lock is gone, or is another object than the one that was acquired.
    Deleted,
    /// What the work runs on does not go on: its threads are blocked.
    Blocked,
    /// The process was asked to stop, and the term's work has ended.
    Stopped,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("no renewal was accepted before the renew deadline"),
            Self::Lost { holder } if holder.is_empty() => f.write_str("somebody else cleared the lock's holder"),
            Self::Lost { holder } => write!(f, "the lock was written by somebody else and names {holder}"),
            Self::Deleted => f.write_str("the lock was deleted"),
            Self::Blocked => {
                f.write_str("the runtime of the work is blocked: code that blocks its thread holds up all others")
            }
            Self::Stopped => f.write_str("the process was asked to stop"),
        }
    }
}
