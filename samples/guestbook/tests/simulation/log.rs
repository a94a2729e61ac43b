//! What happened, and whether it should have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use kubeops::leadership::Term;
use kubeops_testkit::AuditEvent;
use serde_json::Value;

use super::network::{is_work, mark};
use super::{Author, contender};

/// The lease times of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) lease: Duration,
    pub(super) deadline: Duration,
    pub(super) retry: Duration,
}

/// A request, from its client's point of view and from the server's.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) author: Author,
    pub(super) method: Method,
    pub(super) path: String,
    /// When its client handed it to the network.
    pub(super) begun: Duration,
    /// Fencing token of the term that its client had then.
    pub(super) token: Option<u64>,
    /// When the server did something with it the last time.
    pub(super) served: Option<Duration>,
    /// When its client had an answer, with its code, or gave up.
    pub(super) ended: Option<(Duration, Option<u16>)>,
}

/// A term of a replica.
pub(super) struct TermRecord {
    pub(super) author: Author,
    pub(super) token: u64,
    began: Duration,
    ended: Option<Duration>,
    pub(super) term: Term,
}

/// A state of the lock.
#[derive(Clone, Debug)]
pub(super) struct LockState {
    version: u64,
    author: Author,
    spec: Value,
    /// When the spec was changed the last time.
    since: Duration,
}

/// Somebody deleted the lock, or wrote into its spec without standing for it: an election is forced, and the old leader may go
/// on until it learns of that.
#[derive(Clone, Copy, Debug)]
struct Forced {
    at: Duration,
    version: u64,
}

/// What the contender believes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Belief {
    pub(super) token: u64,
    pub(super) until: Duration,
}

#[derive(Default)]
pub(super) struct Log {
    pub(super) entries: Vec<Entry>,
    pub(super) terms: Vec<TermRecord>,
    pub(super) story: Vec<(Duration, String)>,
    /// How often each kind of trouble was made.
    pub(super) strikes: BTreeMap<&'static str, u64>,
    pub(super) violations: Vec<String>,
    /// Writes that were refused, or given up, because their term was over.
    pub(super) fenced: u64,
    /// Somebody breaks the rules on purpose.
    pub(super) is_sabotaged: bool,
    /// Every process that ever ran, with its times.
    pub(super) lives: BTreeMap<Author, Times>,
    /// The leader that follows client-go's rules, while it believes to lead.
    pub(super) contender: Option<Belief>,
    lock: Option<LockState>,
    newest_version: u64,
    forced: Vec<Forced>,
    /// Names of Guestbooks with a status of an older leader over that of a newer one.
    overwritten: BTreeSet<String>,
    /// The token of the newest status of each Guestbook, by its uid.
    statuses: BTreeMap<String, u64>,
    dead: Vec<Author>,
}

impl Log {
    pub(super) fn violated(&mut self, now: Duration, what: impl fmt::Display) {
        self.story.push((now, format!("VIOLATED: {what}")));
        self.violations.push(format!("{:.3} s: {what}", now.as_secs_f64()));
    }

    // === requests ===

    /// No write of the work is begun outside of its writer's term.
    pub(super) fn begun(
        &mut self,
        now: Duration,
        author: Author,
        request: &Request<Bytes>,
        token: Option<u64>,
    ) -> usize {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        if author.is_replica() && token.is_none() && is_work(&method, &path) {
            self.violated(now, format!("{author} begins a write outside of a term: {method} {path}"));
        }
        self.entries.push(Entry { author, method, path, begun: now, token, served: None, ended: None });
        self.entries.len() - 1
    }

    /// The lock is given back after the work, and not while a write of it may still land.
    pub(super) fn check_release(&mut self, now: Duration, author: Author, token: Option<u64>) {
        if let Some(token) = token {
            self.violated(now, format!("{author} gives the lock back within its term {token}"));
        }
        if let Some(entry) = self.may_land(now, author) {
            self.violated(now, format!("{author} gives the lock back although a write may still land: {entry}"));
        }
    }

    /// A write of the work of which its process does not know what has become, and that others were not given a lease's time for.
    pub(super) fn may_land(&self, now: Duration, author: Author) -> Option<String> {
        let lease = self.lives.get(&author)?.lease;
        let may_land = |entry: &&Entry| match entry.ended {
            None => true,
            Some((at, code)) => !is_final(code) && now < at + lease,
        };
        let of_work = |entry: &&Entry| entry.author == author && is_work(&entry.method, &entry.path);
        self.entries.iter().filter(of_work).find(may_land).map(ToString::to_string)
    }

    /// A status is about the generation that the object has, and no older leader's comes after a newer one's.
    pub(super) fn wrote_status(&mut self, now: Duration, id: usize, book: &Value) {
        let Entry { author, token, .. } = self.entries[id];
        let (told, real) = (&book["status"]["observedGeneration"], &book["metadata"]["generation"]);
        if told != real {
            self.violated(now, format!("{author} writes a status of generation {told} at generation {real}"));
        }
        let uid = book["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let token = token.unwrap_or_default();
        let newest = self.statuses.get(&uid).copied().unwrap_or_default();
        if token < newest {
            if self.forced_since(token).is_none() {
                self.violated(now, format!("{author} writes the status of term {token} over that of term {newest}"));
            }
            self.overwritten.insert(book["metadata"]["name"].as_str().unwrap_or_default().to_owned());
        }
        self.statuses.insert(uid, token.max(newest));
    }

    /// Guestbooks whose newer leader does not know that an older one, which another's hand had left in its term, has written
    /// their status since: it looks at them again when they change.
    pub(super) fn take_overwritten(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.overwritten)
    }

    // === the lock ===

    /// The lock was written, or looked at after a try to write it. Nobody who stands for it overwrites what is held by
    /// another and not expired.
    pub(super) fn saw_lock(&mut self, now: Duration, author: Author, lease: Option<&Value>) {
        let Some(lease) = lease else {
            if self.lock.take().is_some() {
                self.newest_version += 1;
                self.forced.push(Forced { at: now, version: self.newest_version });
            }
            return;
        };
        let version = number(&lease["metadata"]["resourceVersion"]);
        if version <= self.newest_version {
            return;
        }
        self.newest_version = version;
        let spec = lease["spec"].clone();
        let before = self.lock.take();
        let same = before.as_ref().filter(|before| before.spec == spec);
        let (author, since) = same.map_or((author, now), |before| (before.author, before.since));
        if same.is_none()
            && let Some(before) = &before
        {
            self.check_overwrite(now, author, before, version);
        }
        self.lock = Some(LockState { version, author, spec, since });
    }

    fn check_overwrite(&mut self, now: Duration, author: Author, before: &LockState, version: u64) {
        let holder = before.spec["holderIdentity"].as_str().filter(|holder| !holder.is_empty());
        let Some(holder) = holder.filter(|_| before.author != author) else { return };
        if author == Author::Meddler {
            self.forced.push(Forced { at: now, version });
            return;
        }
        let lasts = Duration::from_secs(before.spec["leaseDurationSeconds"].as_u64().unwrap_or_default());
        let held = now - before.since;
        // The kernel says that an earlier container of its pod is dead.
        let buried = author.any_life() == before.author.any_life() && self.dead.contains(&before.author);
        if held < lasts && !buried {
            self.violated(
                now,
                format!(
                    "{author} overwrites version {} of the lock after {held:?} of {lasts:?}, held by {holder}",
                    before.version
                ),
            );
        }
    }

    /// The first time since that state of the lock that an election was forced.
    fn forced_since(&self, version: u64) -> Option<Forced> {
        self.forced.iter().find(|forced| forced.version > version).copied()
    }

    // === terms ===

    /// Never two valid terms at one instant, but for an election that was forced: then the older one may go on for the rest
    /// of its renew deadline.
    pub(super) fn term_began(&mut self, now: Duration, author: Author, token: u64, term: Term) -> usize {
        let others = self.terms.iter().filter(|other| !self.dead.contains(&other.author) && other.term.is_valid());
        let others: Vec<(Author, u64)> = others.map(|other| (other.author, other.token)).collect();
        for (other, older) in others {
            self.check_two(now, (author, token), (other, older));
        }
        if let Some(Belief { token: older, .. }) = self.contender.filter(|belief| now < belief.until) {
            self.check_two(now, (author, token), (Author::Contender, older));
        }
        let newest = self.terms.iter().map(|term| term.token).max().unwrap_or_default();
        if token <= newest && self.forced_since(token).is_none() {
            self.violated(now, format!("{author} leads with token {token}, and an earlier term had {newest}"));
        }
        self.terms.push(TermRecord { author, token, began: now, ended: None, term });
        self.terms.len() - 1
    }

    /// The contender believes to lead now.
    pub(super) fn contender_began(&mut self, now: Duration, belief: Belief) {
        let others = self.terms.iter().filter(|other| !self.dead.contains(&other.author) && other.term.is_valid());
        let others: Vec<(Author, u64)> = others.map(|other| (other.author, other.token)).collect();
        for other in others {
            self.check_two(now, (Author::Contender, belief.token), other);
        }
        self.contender = Some(belief);
    }

    fn check_two(&mut self, now: Duration, one: (Author, u64), other: (Author, u64)) {
        let (older, newer) = if one.1 < other.1 { (one, other) } else { (other, one) };
        // client-go goes on although it sees another holder, and counts its deadline from the poll that fails first.
        let allowed = self.lives.get(&older.0).map_or(contender::LONGEST_BELIEF, |times| times.deadline);
        let is_forced = self.forced_since(older.1).is_some_and(|forced| now <= forced.at + allowed);
        if !is_forced || one.0 == other.0 {
            self.violated(
                now,
                format!(
                    "two terms at one instant: {} with token {}, and {} with token {}",
                    older.0, older.1, newer.0, newer.1
                ),
            );
        }
    }

    pub(super) fn term_ended(&mut self, now: Duration, index: usize) {
        self.terms[index].ended.get_or_insert(now);
    }

    pub(super) fn died(&mut self, now: Duration, author: Author) {
        self.dead.push(author);
        for term in self.terms.iter_mut().filter(|term| term.author == author) {
            term.ended.get_or_insert(now);
        }
    }

    // === the end ===

    /// How often another process leads than before.
    pub(super) fn takeovers(&self) -> usize {
        self.terms.windows(2).filter(|pair| pair[0].author != pair[1].author).count()
    }

    /// Writes of the work that the server took after the end of the term in which they were begun: they were on their way.
    pub(super) fn landed_late(&self, record: &[AuditEvent]) -> usize {
        let accepted: BTreeMap<&str, bool> = record
            .iter()
            .map(|event| (event.user_agent.as_str(), event.code.is_some_and(|code| (200..300).contains(&code))))
            .collect();
        let late = |(id, entry): &(usize, &Entry)| {
            let ended = self.end_of_term(entry);
            ended.zip(entry.served).is_some_and(|(ended, served)| served > ended)
                && accepted.get(mark(*id).as_str()).copied().unwrap_or_default()
        };
        self.entries.iter().enumerate().filter(late).count()
    }

    /// Writes of the work that were on their way when their term ended, and that their client gave up then.
    pub(super) fn cut_short(&self) -> usize {
        let given_up = |entry: &&Entry| entry.ended.filter(|(_, code)| code.is_none()).map(|(at, _)| at);
        let cut = |entry: &&Entry| {
            given_up(entry).is_some_and(|at| Some(at) >= self.end_of_term(entry).or(Some(Duration::MAX)))
        };
        self.entries.iter().filter(cut).count()
    }

    /// When the term ended in which this write of the work was begun.
    fn end_of_term(&self, entry: &Entry) -> Option<Duration> {
        let of_term = |term: &&TermRecord| term.author == entry.author && Some(term.token) == entry.token;
        let of_work = entry.author.is_replica() && is_work(&entry.method, &entry.path);
        self.terms.iter().find(of_term).filter(|_| of_work).and_then(|term| term.ended)
    }

    /// All that happened, in order, one line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let story = self.story.iter().map(|(at, what)| (*at, what.clone()));
        let requests = self.entries.iter().map(|entry| (entry.begun, entry.to_string()));
        let mut lines: Vec<(Duration, String)> = requests.chain(story).collect();
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(at, what)| format!("{:>10.3} {what}", at.as_secs_f64())).collect()
    }

    /// A number that is the same for the same history: who asked for what, when, what the server did when, and what came of it.
    pub(super) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for Entry { author, method, path, begun, token, served, ended } in &self.entries {
            // Events are named after the time of the machine.
            let path = if path.contains("/events") { "events" } else { path.as_str() };
            (author, method.as_str(), path, begun, token, served, ended).hash(&mut hasher);
        }
        for TermRecord { author, token, began, ended, term: _ } in &self.terms {
            (author, token, began, ended).hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { author, method, path, begun, token, served, ended } = self;
        let took = |at: Duration| (at - *begun).as_millis();
        write!(f, "{author} {method} {path}")?;
        token.map_or(Ok(()), |token| write!(f, " in term {token}"))?;
        served.map_or(Ok(()), |at| write!(f, ", at the server after {} ms", took(at)))?;
        match ended {
            Some((at, Some(code))) => write!(f, ", {code} after {} ms", took(*at)),
            Some((at, None)) => write!(f, ", given up or broken after {} ms", took(*at)),
            None => Ok(()),
        }
    }
}

/// Whether the answer says what became of the write.
fn is_final(code: Option<u16>) -> bool {
    code.is_some_and(|code| code < 500)
}

fn number(text: &Value) -> u64 {
    text.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}
