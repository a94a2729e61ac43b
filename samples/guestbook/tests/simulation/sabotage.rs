//! Each rule broken on purpose: a check that can't fail shows nothing.

use http::{Method, Request};
use kube::client::Body;
use serde_json::{Value, json};
use tower::Service as _;

use super::Author;
use super::network::way;
use super::play::Play;
use super::world::LOCK;

/// A rule that is broken, by a replica whose fence or election is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sabotage {
    /// A standby leads, too.
    SecondTerm,
    /// A standby writes.
    StrayWrite,
    /// A standby takes the lock that another holds.
    Overwrite,
    /// The leader gives the lock back, and goes on.
    EarlyRelease,
    /// A status of an older generation is written, without the version that was read.
    OldGeneration,
    /// An older leader's status comes after a newer one's.
    OldLeader,
    /// All replicas are gone for good, with something left to do.
    NobodyLeft,
}

impl Sabotage {
    /// Each, with what must be said of it.
    pub(super) const ALL: [(Self, &str); 7] = [
        (Self::SecondTerm, "two terms at one instant"),
        (Self::StrayWrite, "begins a write outside of a term"),
        (Self::Overwrite, "overwrites version"),
        (Self::EarlyRelease, "gives the lock back within its term"),
        (Self::OldGeneration, "writes a status of generation"),
        (Self::OldLeader, "over that of term"),
        (Self::NobodyLeft, "s after the last trouble: 0 lead"),
    ];
}

impl Play {
    pub(super) async fn sabotage(&mut self, sabotage: Sabotage) {
        let world = self.world.clone();
        let leader = world.leaders()[0];
        let standby =
            self.replicas.iter().map(super::replica::Replica::author).find(|author| *author != leader).unwrap();
        let lease = world.look(LOCK).unwrap();
        let status = "/apis/guestbook.example.com/v1/namespaces/default/guestbooks/book-0/status";
        match sabotage {
            Sabotage::SecondTerm => {
                let (now, mut log) = (world.now(), world.log());
                let (token, term) = log.terms.last().map(|newest| (newest.token, newest.term.clone())).unwrap();
                log.term_began(now, standby, token + 1, term);
            }
            Sabotage::StrayWrite => {
                let page = "/api/v1/namespaces/default/configmaps/book-0";
                self.write(standby, Method::PATCH, page, json!({ "data": { "stray": "yes" } })).await;
            }
            Sabotage::Overwrite => self.write(standby, Method::PUT, LOCK, held_by(lease, "replica-9_stray")).await,
            Sabotage::EarlyRelease => self.write(leader, Method::PUT, LOCK, held_by(lease, "")).await,
            Sabotage::OldGeneration => {
                self.write(leader, Method::PATCH, status, json!({ "status": { "observedGeneration": 0 } })).await;
            }
            Sabotage::OldLeader => {
                let (now, mut log) = (world.now(), world.log());
                let (id, _) = log.entries.iter().enumerate().rfind(|(_, entry)| entry.path == status).unwrap();
                log.entries[id].token = Some(1);
                let book = world.look(status.trim_end_matches("/status")).unwrap();
                log.wrote_status(now, id, &book);
            }
            Sabotage::NobodyLeft => {
                world.log().is_sabotaged = true;
                for replica in &mut self.replicas {
                    replica.crash().await;
                }
                self.books.create("book-9", "nobody sees it".to_owned()).await.unwrap();
            }
        }
    }

    async fn write(&self, author: Author, method: Method, path: &str, body: Value) {
        let kind = if method == Method::PUT { "application/json" } else { "application/merge-patch+json" };
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let answer =
            way(&self.world, author).call(request.body(Body::from(body.to_string().into_bytes())).unwrap()).await;
        assert!(answer.unwrap().status().is_success());
    }
}

fn held_by(mut lease: Value, holder: &str) -> Value {
    lease["spec"]["holderIdentity"] = json!(holder);
    lease
}
