//! Which locks this process stands for: each once. Of two that stand for one lock only one could lead at a time, and two of one
//! identity, as those of a pod have, could each take the other's lock for its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

static CLAIMS: Mutex<BTreeMap<Stand, Holder>> = Mutex::new(BTreeMap::new());

/// A server, and namespace and name of the lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stand {
    server: String,
    lock: String,
}

#[derive(Debug)]
struct Holder {
    name: String,
    /// It is about to give the claim up.
    ending: CancellationToken,
    gone: CancellationToken,
}

/// A lock that nobody else of this process stands for, until this is dropped.
#[derive(Debug)]
#[must_use = "dropped, another may stand for the lock"]
pub(crate) struct Claim(Stand);

/// Somebody else of this process stands for the lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{by}` of this process stands for the lock {lock} already")]
pub(crate) struct Claimed {
    /// Who stands for it.
    pub(crate) by: String,
    /// Namespace and name.
    pub(crate) lock: String,
}

impl Claim {
    /// For `name`. One that is about to end, as its token says, is waited for.
    ///
    /// # Cancel safety
    /// When dropped, nothing is claimed.
    pub(crate) async fn of(
        name: &str,
        server: &str,
        (namespace, lock): (&str, &str),
        ending: &CancellationToken,
    ) -> Result<Self, Claimed> {
        let stand = Stand { server: server.trim_end_matches('/').to_owned(), lock: format!("{namespace}/{lock}") };
        loop {
            let gone = match claims().get(&stand) {
                Some(other) if !other.ending.is_cancelled() => {
                    return Err(Claimed { by: other.name.clone(), lock: stand.lock });
                }
                Some(other) => Some(other.gone.clone()),
                None => None,
            };
            if let Some(gone) = gone {
                gone.cancelled().await;
                continue;
            }
            // Another may have come in between.
            let mut claims = claims();
            if !claims.contains_key(&stand) {
                let (ending, gone) = (ending.clone(), CancellationToken::new());
                claims.insert(stand.clone(), Holder { name: name.to_owned(), ending, gone });
                return Ok(Self(stand));
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(holder) = claims().remove(&self.0) {
            holder.gone.cancel();
        }
    }
}

fn claims() -> MutexGuard<'static, BTreeMap<Stand, Holder>> {
    CLAIMS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn claim(name: &str, server: &str, lock: &str, ending: &CancellationToken) -> Result<Claim, Claimed> {
        Claim::of(name, server, ("default", lock), ending).await
    }

    #[tokio::test]
    async fn a_lock_is_stood_for_once_in_a_process() {
        let goes_on = CancellationToken::new();
        let first = claim("shop", "https://one/", "once", &goes_on).await.unwrap();
        let told = claim("till", "https://one", "once", &goes_on).await.unwrap_err().to_string();
        assert_eq!(told, "`shop` of this process stands for the lock default/once already");
        let _other_lock = claim("till", "https://one", "another", &goes_on).await.unwrap();
        let _other_server = claim("till", "https://two", "once", &goes_on).await.unwrap();
        drop(first);
        let _again = claim("till", "https://one", "once", &goes_on).await.unwrap();
    }

    #[tokio::test]
    async fn one_that_ends_is_waited_for() {
        let (ends, goes_on) = (CancellationToken::new(), CancellationToken::new());
        let first = claim("shop", "https://one", "ends", &ends).await.unwrap();
        ends.cancel();
        let second = tokio::spawn(async move { claim("till", "https://one", "ends", &goes_on).await });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        let _second = second.await.unwrap().unwrap();
    }
}
