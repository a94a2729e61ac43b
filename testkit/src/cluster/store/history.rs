//! What happened to the objects of one table, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Compacted, Key, Object};

/// How many writes a table remembers. More than any watch of a test lags behind, and some megabytes at most.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Created,
    Modified,
    Deleted,
}

/// One write.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) key: Key,
    /// What it is now; of a deleted one the last state, under the version of its end.
    pub(crate) object: Arc<Object>,
    /// What it was before.
    pub(crate) before: Option<Arc<Object>>,
}

impl Change {
    pub(crate) fn version(&self) -> u64 {
        self.object.version()
    }
}

#[derive(Debug, Default)]
pub(super) struct History {
    changes: VecDeque<Change>,
    /// The version of the newest change that is forgotten.
    forgotten: u64,
}

impl History {
    pub(super) fn push(&mut self, change: Change) {
        if self.changes.len() == REMEMBERED
            && let Some(oldest) = self.changes.pop_front()
        {
            self.forgotten = oldest.version();
        }
        self.changes.push_back(change);
    }

    pub(super) fn forget(&mut self) {
        self.forgotten = self.last_version();
        self.changes.clear();
    }

    /// What happened after `version`, oldest first.
    pub(super) fn since(&self, version: u64) -> Result<impl DoubleEndedIterator<Item = &Change>, Compacted> {
        if version < self.forgotten {
            return Err(Compacted { oldest: self.forgotten });
        }
        let start = self.changes.partition_point(|change| change.version() <= version);
        Ok(self.changes.range(start..))
    }

    pub(super) fn last_version(&self) -> u64 {
        self.changes.back().map_or(self.forgotten, Change::version)
    }
}
