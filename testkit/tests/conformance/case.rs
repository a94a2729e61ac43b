//! What a case is.

use futures::future::BoxFuture;

use crate::harness::Side;
use crate::normal::{self, Step};
use crate::session::Session;

/// One conversation with the API, which is to go the same way on both sides.
pub(crate) struct Case {
    pub(crate) topic: &'static str,
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a mut Session) -> BoxFuture<'a, ()>,
}

/// Lists the cases of a topic: functions `async fn(&mut Session)`.
macro_rules! cases {
    ($topic:literal: $($name:ident),+ $(,)?) => {
        pub(super) const CASES: &[$crate::case::Case] =
            &[$($crate::case::Case { topic: $topic, name: stringify!($name), run: |session| Box::pin($name(session)) }),+];
    };
}
pub(crate) use cases;

impl Case {
    pub(crate) fn is_meant_by(&self, words: &str) -> bool {
        self.topic.contains(words) || self.name.contains(words)
    }

    /// Whether kubectl is to be had.
    pub(crate) fn uses_kubectl(&self) -> bool {
        self.topic.starts_with("kubectl")
    }

    /// What was said, in the form in which both sides can be compared.
    pub(crate) async fn run_on(&self, side: &Side) -> Vec<Step> {
        let mut session = Session::start(side, self).await;
        (self.run)(&mut session).await;
        let managers = session.compares_managers;
        normal::normalised(session.into_steps(), managers)
    }
}
