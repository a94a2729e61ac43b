//! What all clients of a cluster share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::ServerClock;
use super::faults::{AllFaults, Fault};
use super::record::Record;
use super::serve::Access;
use super::signal::{Listener, Signal};
use super::state::State;

#[derive(Debug)]
pub(crate) struct Server {
    state: Mutex<State>,
    pub(crate) clock: ServerClock,
    pub(crate) record: Record,
    pub(crate) faults: AllFaults,
    /// Who may ask by the network.
    pub(crate) access: Access,
    /// For each table that is watched: given at each write.
    signals: Mutex<BTreeMap<Arc<str>, Signal>>,
}

impl Server {
    pub(crate) fn new(seed: u64) -> Self {
        let clock = ServerClock::default();
        let state = Mutex::new(State::new(seed, clock.now()));
        Self {
            state,
            clock,
            record: Record::default(),
            faults: AllFaults::default(),
            access: Access::default(),
            signals: Mutex::default(),
        }
    }

    /// The state as of now. Held for as long as it takes to compute one answer, never over an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.clock.now();
        state
    }

    /// Wakes the watches of what was written.
    pub(crate) fn tell_watches(&self, state: &mut State) {
        let written = state.store.take_written();
        let signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        written.iter().filter_map(|table| signals.get(table)).for_each(Signal::give);
    }

    /// What strikes the request that was recorded there.
    pub(crate) fn faults_of(&self, user: &str, index: usize) -> Vec<Fault> {
        let faults = self.faults.of(user);
        if faults.is_mended() {
            Vec::new()
        } else {
            self.record.at(index).map_or_else(Vec::new, |event| faults.of(&event))
        }
    }

    pub(crate) fn signal(&self, table: &Arc<str>) -> Listener {
        let mut signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        signals.entry(table.clone()).or_default().listen()
    }
}
