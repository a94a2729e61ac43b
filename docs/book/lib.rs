//! The book's Rust examples: each chapter is a page of this crate, so that each of its code blocks compiles.
//!
//! `cargo xtask book` fails if a chapter with a Rust block is missing here. A block may start with lines that begin with `# `:
//! they compile too, and the book hides them.

use kubeops::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What most examples are about: `# use kubeops_book::Guestbook;`.
#[derive(CustomResource, Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[kube(group = "guestbook.example.com", version = "v1", kind = "Guestbook", namespaced, shortname = "gb")]
pub struct GuestbookSpec {
    /// Title of the page.
    pub title: String,
    /// Text of the page.
    #[serde(default)]
    pub message: String,
}

#[cfg(doctest)]
mod chapters {
    macro_rules! chapters {
        ($($name:ident = $file:literal,)+) => {
            $( #[doc = include_str!($file)] struct $name; )+
        };
    }

    chapters! {
        Introduction = "../src/introduction.md",
        Tutorial = "../src/tutorial.md",
        Host = "../src/concepts/host.md",
        Leadership = "../src/concepts/leadership.md",
        LeaderForLife = "../src/concepts/leader-for-life.md",
        Fences = "../src/concepts/fences.md",
        Controllers = "../src/concepts/controllers.md",
        SettingsGuide = "../src/guides/settings.md",
        Probes = "../src/guides/probes.md",
        StatusPage = "../src/guides/status-page.md",
        Testing = "../src/guides/testing.md",
        OnlyLeaderElection = "../src/guides/only-leader-election.md",
        InMemoryCluster = "../src/guides/in-memory-cluster.md",
    }
}
