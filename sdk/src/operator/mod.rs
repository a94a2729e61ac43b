//! The operator and its builder: the only room that knows the others.
