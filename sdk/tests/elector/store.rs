//! A lock object in memory, with the API server's rules for versions, and with faults.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::ObjectReference;
use kubeops::leadership::election::{Observation, Put, Record, Spec};
use kubeops::leadership::lock::{Lock, LockError, LockWatch};
use tokio::sync::watch;

/// Shared by the locks of several candidates.
#[derive(Clone)]
pub struct Store(Arc<Mutex<State>>);

struct State {
    version: u64,
    uids: u64,
    record: Option<Record>,
    newest: watch::Sender<Observation>,
    writes: Vec<(String, Spec)>,
    at_next_write: Option<Box<dyn FnOnce() + Send>>,
}

/// One candidate's way to the store.
#[derive(Clone)]
pub struct Way {
    store: Store,
    faults: Arc<Mutex<Faults>>,
}

#[derive(Clone, Copy, Default)]
pub struct Faults {
    /// Nothing gets through: calls hang, watches say nothing.
    pub cut: bool,
    /// Writes are committed, and their answers are lost.
    pub answers_lost: bool,
    /// The next event of a watch meets a defect.
    pub watch_panics: bool,
}

impl Store {
    pub fn new() -> Self {
        let newest = watch::Sender::new(Observation::Absent { version: 1 });
        let state = State { version: 1, uids: 0, record: None, newest, writes: Vec::new(), at_next_write: None };
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn way(&self) -> Way {
        Way { store: self.clone(), faults: Arc::default() }
    }

    pub fn holder(&self) -> Option<String> {
        self.lock().record.as_ref().and_then(|record| record.spec.holder().map(str::to_owned))
    }

    /// Holders in the order of the accepted writes, each once in a row.
    pub fn holders(&self) -> Vec<String> {
        let mut holders: Vec<String> = self.lock().writes.iter().map(|(holder, _)| holder.clone()).collect();
        holders.dedup();
        holders
    }

    pub fn at_next_write(&self, then: impl FnOnce() + Send + 'static) {
        self.lock().at_next_write = Some(Box::new(then));
    }

    pub fn delete(&self) {
        let mut state = self.lock();
        state.record = None;
        state.version += 1;
        let version = state.version;
        state.newest.send_replace(Observation::Absent { version });
    }

    /// Writes as somebody with `kubectl edit` would.
    pub fn write_as_foreigner(&self, change: impl FnOnce(&mut Spec)) {
        let mut state = self.lock();
        let mut spec = state.record.as_ref().map(|record| record.spec.clone()).unwrap_or_default();
        change(&mut spec);
        state.accept(spec);
    }

    fn put(&self, put: Put) -> Result<Observation, LockError> {
        let mut state = self.lock();
        let current = state.record.as_ref().map(|record| (record.version, record.uid.clone()));
        if current != put.base {
            return Err(LockError::Conflict);
        }
        Ok(state.accept(put.spec))
    }
}

impl State {
    fn accept(&mut self, spec: Spec) -> Observation {
        if let Some(then) = self.at_next_write.take() {
            then();
        }
        self.version += 1;
        let uid = self.record.as_ref().map(|record| record.uid.clone());
        let uid = uid.unwrap_or_else(|| {
            self.uids += 1;
            format!("uid-{}", self.uids)
        });
        self.writes.push((spec.holder().unwrap_or_default().to_owned(), spec.clone()));
        let record = Record { version: self.version, uid, spec };
        self.record = Some(record.clone());
        self.newest.send_replace(Observation::Present(record.clone()));
        Observation::Present(record)
    }
}

impl Way {
    pub fn set(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
    }

    fn faults(&self) -> Faults {
        *self.faults.lock().unwrap()
    }

    async fn pass(&self) {
        if self.faults().cut {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl Lock for Way {
    fn read(&self) -> BoxFuture<'_, Result<Observation, LockError>> {
        Box::pin(async {
            self.pass().await;
            let state = self.store.lock();
            let absent = Observation::Absent { version: state.version };
            Ok(state.record.clone().map_or(absent, Observation::Present))
        })
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Observation, LockError>> {
        Box::pin(async {
            self.pass().await;
            let answer = self.store.put(put);
            if self.faults().answers_lost {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            answer
        })
    }

    fn watch(&self) -> BoxFuture<'_, Result<LockWatch, LockError>> {
        Box::pin(async {
            self.pass().await;
            let seen = self.store.lock().newest.subscribe();
            let faults = self.faults.clone();
            let events = stream::unfold(seen, |mut seen| async {
                seen.changed().await.ok()?;
                let observation = seen.borrow_and_update().clone();
                Some((Ok(observation), seen))
            });
            // A cut connection looks open and says nothing.
            let arrives = move |_: &_| {
                let Faults { cut, watch_panics, .. } = *faults.lock().unwrap();
                assert!(!watch_panics, "a defect");
                std::future::ready(!cut)
            };
            Ok(events.filter(arrives).boxed())
        })
    }

    fn reference(&self) -> ObjectReference {
        ObjectReference {
            name: Some("lock".to_owned()),
            namespace: Some("default".to_owned()),
            ..ObjectReference::default()
        }
    }
}
