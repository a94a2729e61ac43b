//! One watch and one store per kind, shared.
