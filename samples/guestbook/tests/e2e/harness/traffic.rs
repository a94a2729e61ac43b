//! Users who keep changing guestbooks, so that a leader has work under way at whatever moment a test strikes.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::guestbooks::Guestbooks;

/// Runs until it is dropped. A change that the server does not take is left out: tests break the server on purpose.
#[derive(Debug)]
pub(crate) struct Traffic(JoinHandle<()>);

impl Traffic {
    /// Changes the guestbooks one after the other, one every `pause`.
    pub(crate) fn start(guestbooks: &Guestbooks, names: &[String], pause: Duration) -> Self {
        let (guestbooks, names) = (guestbooks.clone(), names.to_vec());
        Self(tokio::spawn(async move {
            for (number, name) in names.iter().cycle().enumerate() {
                let _ = guestbooks.touch(name, &format!("visit {number}")).await;
                tokio::time::sleep(pause).await;
            }
        }))
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.0.abort();
    }
}
