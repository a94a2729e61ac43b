//! The Event recorder that controllers use.
