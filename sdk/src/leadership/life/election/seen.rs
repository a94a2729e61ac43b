//! What is seen of a lock and of pods.

/// The lock as a read, an answer or the watch has shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The version of this state: a read's is the list's.
    pub version: u64,
    /// What was there.
    pub lock: Lock,
}

/// The object that is the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It is not there: whoever creates it leads.
    Absent,
    /// A pod's.
    Held(Held),
    /// There is an object of its name that is none, and not to be touched.
    Foreign(Foreign),
}

/// A lock that belongs to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Version of the object.
    pub version: u64,
    /// Its uid.
    pub uid: String,
    /// The pod that it goes with.
    pub holder: Holder,
    /// Who wrote it last, if that was one of ours.
    pub mark: Option<Mark>,
    /// When it was created, in microseconds since 1970.
    pub created: Option<i64>,
    /// It is being deleted, and goes as soon as its finalizers are gone.
    pub going: bool,
    /// There is something in it that no lock has: it is for its pod's owner to delete.
    pub has_data: bool,
}

/// What a term writes into its lock, so that it knows its own write again however it learns of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The process.
    pub process: String,
    /// Number of the term in it.
    pub term: u64,
}

/// A pod, as an owner reference names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Its name.
    pub name: String,
    /// Its uid: another pod of the same name has another one.
    pub uid: String,
}

/// Why an object is no lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Nobody owns it: nobody would ever free it.
    Unowned,
    /// Its owner is no pod, or it has several.
    OtherOwner,
    /// There is something in it.
    Data,
}

/// A pod, as the API server shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSeen {
    /// The version of this state.
    pub version: u64,
    /// The pod of that name, if there is one.
    pub pod: Option<Pod>,
}

/// A pod that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its uid.
    pub uid: String,
    /// None of its containers runs, or ever will again.
    pub dead: bool,
}

/// What is known of the pod that holds the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// Nothing yet.
    #[default]
    Unknown,
    /// It may be at work.
    Alive,
    /// It will never be at work again.
    Dead,
    /// There is no such pod any more: the garbage collector deletes its lock.
    Gone,
}

impl Holder {
    /// What it is called where people read it, and in a Lease.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}_{}", self.name, self.uid)
    }
}

impl Seen {
    /// The lock, if a pod has it.
    #[must_use]
    pub const fn held(&self) -> Option<&Held> {
        match &self.lock {
            Lock::Held(held) => Some(held),
            Lock::Absent | Lock::Foreign(_) => None,
        }
    }
}

impl PodSeen {
    /// What this says of the pod with that uid.
    #[must_use]
    pub fn fate_of(&self, uid: &str) -> Fate {
        match &self.pod {
            Some(pod) if pod.uid != uid => Fate::Gone,
            Some(pod) if pod.dead => Fate::Dead,
            Some(_) => Fate::Alive,
            None => Fate::Gone,
        }
    }
}
