//! The keyed delay queue.

/// Who is handed out first, of those that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// The initial list of a term, and resyncs: many at once, and none of them urgent.
    Background,
    /// Something changed just now.
    Live,
}
