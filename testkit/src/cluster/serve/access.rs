//! Who may ask by the network: one authority and one token for each user, as long as the cluster lives.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;
use crate::authority::Authority;

/// The same each time the cluster is served, so that a kubeconfig outlasts an outage.
#[derive(Default)]
pub(crate) struct Access {
    authority: Mutex<Option<Arc<Authority>>>,
    /// By their tokens.
    users: Mutex<BTreeMap<String, Arc<str>>>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

impl Access {
    /// Made when it is asked for first: most clusters are never served.
    pub(super) fn authority(&self) -> Result<Arc<Authority>, Error> {
        let mut authority = self.authority.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = &*authority {
            return Ok(authority.clone());
        }
        Ok(authority.insert(Arc::new(Authority::new()?)).clone())
    }

    /// The token of `user`, valid from now on.
    pub(super) fn token_of(&self, user: &str) -> String {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, _)) = users.iter().find(|(_, known)| &***known == user) {
            return token.clone();
        }
        let token = format!("{:032x}", fastrand::u128(..));
        users.insert(token.clone(), user.into());
        token
    }

    pub(super) fn user_of(&self, token: &str) -> Option<Arc<str>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_one_token_and_each_token_one_user() {
        let access = Access::default();
        let (a, b) = (access.token_of("a"), access.token_of("b"));
        assert_ne!(a, b);
        assert_eq!(access.token_of("a"), a);
        assert_eq!(access.user_of(&b).as_deref(), Some("b"));
        assert_eq!(access.user_of("a"), None);
    }
}
