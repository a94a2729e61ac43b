//! Everything a cluster is, but for its clients: what verbs work on.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::gc::Chore;
use super::resources::Resources;
use super::store::{Key, Store};

/// What a new cluster has, as a real one does.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Letters of generated names: none that may spell words, none that look alike.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH: usize = 5;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) resources: Resources,
    /// The server's clock at the request that is being answered.
    pub(crate) now: Timestamp,
    /// What the answer to the request at hand is to warn of.
    pub(crate) warnings: Vec<String>,
    /// What writes left to be looked after.
    pub(crate) chores: Vec<Chore>,
    /// Whether CRDs may have CEL rules although nothing evaluates them.
    pub(crate) leaves_rules_unevaluated: bool,
    random: fastrand::Rng,
}

impl State {
    pub(crate) fn new(seed: u64, now: Timestamp) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let mut state = Self {
            store: Store::default(),
            resources: Resources::default(),
            now,
            warnings: Vec::new(),
            chores: Vec::new(),
            leaves_rules_unevaluated: false,
            random,
        };
        for name in NAMESPACES {
            let namespace = json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {
                    "name": name, "uid": state.uid(), "creationTimestamp": state.time(),
                    "labels": {"kubernetes.io/metadata.name": name},
                },
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            });
            state.store.put(&"namespaces".into(), Key::new("", name), namespace);
        }
        state
    }

    /// The server's time as objects carry it.
    pub(crate) fn time(&self) -> Value {
        Self::time_of(self.now)
    }

    pub(crate) fn time_of(time: Timestamp) -> Value {
        Value::String(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// A random one, as RFC 9562 has it.
    pub(crate) fn uid(&mut self) -> String {
        const VERSION_4: u128 = 0x4000 << 64;
        const VARIANT: u128 = 0x8000 << 48;
        let bits = self.random.u128(..) & !(0xf000 << 64) & !(0xc000 << 48) | VERSION_4 | VARIANT;
        let hex = format!("{bits:032x}");
        let (a, rest) = hex.split_at(8);
        let (b, rest) = rest.split_at(4);
        let (c, rest) = rest.split_at(4);
        let (d, e) = rest.split_at(4);
        format!("{a}-{b}-{c}-{d}-{e}")
    }

    /// What is put behind `generateName`.
    pub(crate) fn suffix(&mut self) -> String {
        let letter = |random: &mut fastrand::Rng| random.choice(SUFFIX).copied().map_or('x', char::from);
        (0..SUFFIX_LENGTH).map(|_| letter(&mut self.random)).collect()
    }

    /// How long a watch lasts whose client did not say: between half an hour and an hour, as on the real server.
    pub(crate) fn watch_seconds(&mut self) -> u64 {
        self.random.u64(1800..3600)
    }
}
