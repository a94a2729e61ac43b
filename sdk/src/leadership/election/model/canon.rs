//! When two states are the same: what the search tells apart.
//!
//! Histories go on for ever, and so do instants, versions and stamps; but what may happen from now on depends only on how
//! instants lie to now, on the order of versions, and on which stamps and uids are the same. Candidates of one kind may be
//! exchanged. A field that an election gains has to be written here, too, or this does not compile.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::super::known::{Knowledge, Known, Sent};
use super::super::pauses::Pauses;
use super::super::vouched::{Vouched, led_for};
use super::super::{Call as Awaits, Election, Input, Observation, Phase, Put, Record, Reign, Spec, Stamp};
use super::server::{Author, Held, Server};
use super::state::{Call, Candidate, State, Stray};
use crate::leadership::clock::Moment;

/// The state as a row of numbers.
struct Row<'a> {
    row: Vec<u64>,
    /// Places of versions, which are written as they are and then numbered by their order.
    versions: Vec<usize>,
    /// Numbered in the order of their first appearance.
    stamps: Vec<Stamp>,
    uids: Vec<&'a str>,
    identities: Vec<&'a str>,
    server: &'a Server,
    /// Which candidate comes at which place.
    order: &'a [usize],
    longest: Duration,
    /// How long a term has lasted by its stamps counts.
    bearers: bool,
    /// The clock of the candidate that is written.
    now: Moment,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.canonical().hash(hasher);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl State {
    /// The least row of all orders of the candidates.
    pub(super) fn canonical(&self) -> Vec<u64> {
        orders(self.candidates.len()).iter().map(|order| self.row(order)).min().unwrap_or_default()
    }

    fn row(&self, order: &[usize]) -> Vec<u64> {
        let Self { tick, server, candidates, strays, rival, left, violation, view } = self;
        let mut row = Row {
            row: Vec::with_capacity(160),
            versions: Vec::with_capacity(32),
            stamps: Vec::with_capacity(16),
            uids: Vec::with_capacity(4),
            identities: Vec::with_capacity(4),
            server,
            order,
            longest: view.longest,
            bearers: view.bearers,
            now: Moment::default(),
        };
        for who in order {
            row.candidate(&candidates[*who]);
        }
        row.server(server, candidates, *tick);
        row.count(strays.len());
        // Their own order is by author: it follows from the order of the candidates.
        for who in order {
            for stray in strays.iter().filter(|stray| stray.author == *who) {
                row.stray(stray, candidates);
            }
        }
        let super::scenario::Budget {
            deletions,
            labels,
            clears,
            crashes,
            stops,
            unanswered,
            silences,
            failures,
            step_downs,
            coordinations,
            dates,
            blocks,
            rival: acts,
        } = *left;
        row.row.extend(
            [deletions, labels, clears, crashes, stops, unanswered, silences, failures, blocks, acts].map(u64::from),
        );
        row.row.extend([step_downs, coordinations, dates].map(u64::from));
        if acts > 0 || rival.term.is_some() {
            row.now = candidates[candidates.len() - 1].clock;
            row.maybe(rival.observed.as_ref(), Row::spec);
            row.row.push(as_number(rival.age(row.now, row.longest)));
            row.maybe(rival.term.as_ref(), |row, (until, token)| {
                row.future(*until);
                row.term(*token);
            });
        }
        row.row.push(violation.map_or(0, |violation| 1 + violation as u64));
        if view.keeps_told {
            for who in order {
                row.told(&candidates[*who].told);
            }
        }
        row.finish()
    }
}

fn orders(candidates: usize) -> &'static [&'static [usize]] {
    match candidates {
        1 => &[&[0]],
        2 => &[&[0, 1], &[1, 0]],
        3 => &[&[0, 1, 2], &[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]],
        _ => &[],
    }
}

const fn as_number(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

impl<'a> Row<'a> {
    fn candidate(&mut self, candidate: &'a Candidate) {
        let Candidate {
            election,
            clock,
            kind,
            life: _,
            call,
            term,
            working,
            awaited,
            unanswered,
            stopping,
            stepped_down,
            gone,
            told: _,
        } = candidate;
        self.now = *clock;
        self.row.push(*kind as u64);
        self.flags(&[*gone, *working, *awaited, *stopping]);
        if *gone {
            return;
        }
        self.election(election);
        self.maybe(call.as_ref(), Self::call);
        self.maybe(term.as_ref(), |row, term| {
            row.future(term.valid_until);
            row.term(term.token);
            row.maybe(term.acquired.as_ref(), |row, stamp| row.stamp(*stamp));
        });
        self.maybe(unanswered.as_ref(), |row, at| row.past(*at));
        self.maybe(stepped_down.as_ref(), |row, at| row.past(*at));
    }

    fn election(&mut self, election: &'a Election) {
        // Stamps only grow, so that the next is new whatever the last was; the rest is for metrics.
        let Election {
            options,
            lock: Knowledge { newest, pending, left_alone_until },
            // Of the dates only what they say of the newest record, which does not change.
            vouched: Vouched { has_written, dated: _ },
            pauses: Pauses { began, short, until },
            phase,
            calling,
            must_read,
            refused,
            not_before,
            watching,
            last_read,
            standing,
            blocked,
            stopping,
            stepping_down,
            working,
            unanswered,
            last_stamp: _,
            slow_renewals: _,
        } = election;
        self.identity(&options.identity);
        self.maybe(newest.as_ref(), Self::known);
        self.count(pending.len());
        for sent in pending {
            self.sent(sent);
        }
        self.future(*left_alone_until);
        match phase {
            Phase::Standby => self.row.push(0),
            Phase::Leading(Reign { acquired, valid_until, due }) => {
                self.row.push(1);
                self.maybe(acquired.as_ref(), |row, stamp| row.stamp(*stamp));
                if self.bearers {
                    // A renewal will tell.
                    self.past(*began);
                }
                self.future(*valid_until);
                self.future(*due);
            }
            Phase::Releasing { read, give_up } => {
                self.row.push(2);
                self.flags(&[*read]);
                self.future(*give_up);
            }
            Phase::Stopped => self.row.push(3),
        }
        self.maybe(calling.as_ref(), |row, call| match call {
            Awaits::Read => row.row.push(0),
            Awaits::Put(base) => row.maybe(base.as_ref(), |row, version| row.version(*version)),
        });
        self.flags(&[*must_read, *watching, *standing, *blocked, *stopping, *working]);
        self.flags(&[stepping_down.is_some(), options.only_bearer && *has_written, election.is_long_dead()]);
        if matches!(phase, Phase::Leading(_)) {
            self.past(*began);
        }
        self.row.push(u64::from(*short));
        self.future(*until);
        self.maybe(refused.as_ref(), |row, base| row.maybe(base.as_ref(), |row, version| row.version(*version)));
        self.future(*not_before);
        // Asked for only while no watch is open.
        if !watching {
            self.past(*last_read);
        }
        self.maybe(unanswered.as_ref(), |row, at| row.past(*at));
    }

    fn known(&mut self, known: &'a Known) {
        let Known { observation, seen, jitter, mine } = known;
        self.observation(observation);
        // Only somebody else's hold is waited for.
        if mine.is_none() && observation.record().is_some_and(|record| record.spec.holder().is_some()) {
            self.past(*seen);
            self.row.push(as_number(*jitter));
        }
        // It was counted when it was learnt.
        self.maybe(mine.as_ref(), |row, sent| row.flags(&[sent.release]));
    }

    fn sent(&mut self, sent: &'a Sent) {
        let Sent { put, at, release } = sent;
        self.put(put);
        self.past(*at);
        self.flags(&[*release]);
    }

    fn put(&mut self, put: &'a Put) {
        let Put { base, spec } = put;
        self.maybe(base.as_ref(), |row, (version, uid)| {
            row.version(*version);
            row.uid(uid);
        });
        self.spec(spec);
    }

    fn spec(&mut self, spec: &'a Spec) {
        // Each write has a stamp of its own, which tells all that the number of transitions could.
        let Spec { holder, duration, acquired, renewed, transitions: _, foreign: _ } = spec;
        match holder.as_deref() {
            None => self.row.push(0),
            Some("") => self.row.push(1),
            Some(holder) => self.identity(holder),
        }
        self.row.push(duration.map_or(0, |seconds| u64::from(seconds.unsigned_abs())));
        self.maybe(acquired.as_ref(), |row, stamp| row.stamp(*stamp));
        self.maybe(renewed.as_ref(), |row, stamp| row.stamp(*stamp));
        if self.bearers {
            self.flags(&[led_for(spec) >= self.longest]);
        }
    }

    fn observation(&mut self, observation: &'a Observation) {
        self.version(observation.version());
        self.token(observation.version());
        self.maybe(observation.record(), |row, Record { version: _, uid, spec }| {
            row.uid(uid);
            row.spec(spec);
        });
    }

    fn call(&mut self, call: &'a Call) {
        match call {
            Call::Read => self.row.push(1),
            Call::Put(put) => {
                self.row.push(2);
                self.put(put);
            }
            Call::Answer { of_put, input: Input::Answered(observation) } => {
                self.row.push(3);
                self.flags(&[*of_put]);
                self.observation(observation);
            }
            Call::Answer { .. } => self.row.push(4),
        }
    }

    fn server(&mut self, server: &'a Server, candidates: &'a [Arc<Candidate>], tick: u64) {
        let Server { version, uids: _, held, earlier, late: _, cleared, deleted, newest_token } = server;
        self.version(*version);
        self.maybe(held.as_ref(), |row, Held { record, author, since: _ }| {
            row.uid(&record.uid);
            row.spec(&record.spec);
            row.author(*author, candidates);
        });
        self.row.push(server.age(tick, self.longest));
        self.count(earlier.len());
        for observation in earlier {
            self.observation(observation);
        }
        let _ = (cleared, deleted, newest_token);
        self.token(*version);
    }

    fn term(&mut self, token: u64) {
        let forced = self.server.forced();
        self.flags(&[token > forced, token > self.server.cleared]);
    }

    /// Of what is, or may become, a token only this is asked.
    fn token(&mut self, version: u64) {
        let Server { cleared, newest_token, .. } = self.server;
        let forced = self.server.forced();
        self.flags(&[version >= forced, version > forced, version > *cleared, version > *newest_token]);
    }

    fn stray(&mut self, stray: &'a Stray, candidates: &'a [Arc<Candidate>]) {
        let Stray { author, life, put } = stray;
        self.author(Author::Candidate(*author, *life), candidates);
        self.put(put);
    }

    fn author(&mut self, author: Author, candidates: &[Arc<Candidate>]) {
        let place = match author {
            Author::Candidate(who, life) => {
                let place = self.order.iter().position(|it| *it == who).unwrap_or_default() as u64;
                if candidates[who].life == life { 10 + place } else { 20 + place }
            }
            Author::Other => 0,
        };
        self.row.push(place);
    }

    /// Only what is still spoken of elsewhere matters.
    fn told(&mut self, told: &[Stamp]) {
        let mut known: Vec<u64> =
            told.iter().filter_map(|stamp| self.stamps.iter().position(|it| it == stamp)).map(|at| at as u64).collect();
        known.sort_unstable();
        self.count(known.len());
        self.row.append(&mut known);
    }

    fn maybe<T>(&mut self, value: Option<&'a T>, write: impl FnOnce(&mut Self, &'a T)) {
        self.row.push(u64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn flags(&mut self, flags: &[bool]) {
        self.row.push(flags.iter().fold(0, |all, flag| all << 1 | u64::from(*flag)));
    }

    fn count(&mut self, count: usize) {
        self.row.push(count as u64);
    }

    /// An instant that has passed: how long ago, but nothing lasts longer than the longest lease.
    fn past(&mut self, at: Moment) {
        self.row.push(as_number(self.now.since(at).min(self.longest)));
    }

    /// An instant to come, or now if it has passed.
    fn future(&mut self, at: Moment) {
        self.row.push(as_number(at.since(self.now)));
    }

    fn version(&mut self, version: u64) {
        self.versions.push(self.row.len());
        self.row.push(version);
    }

    fn stamp(&mut self, stamp: Stamp) {
        number(&mut self.stamps, &mut self.row, stamp);
    }

    fn uid(&mut self, uid: &'a str) {
        number(&mut self.uids, &mut self.row, uid);
    }

    fn identity(&mut self, identity: &'a str) {
        // 0 and 1 are nobody.
        self.row.push(2);
        number(&mut self.identities, &mut self.row, identity);
    }

    fn finish(mut self) -> Vec<u64> {
        let mut versions: Vec<u64> = self.versions.iter().map(|at| self.row[*at]).collect();
        versions.sort_unstable();
        versions.dedup();
        for at in self.versions {
            self.row[at] = versions.binary_search(&self.row[at]).unwrap_or_default() as u64;
        }
        self.row
    }
}

fn number<T: PartialEq>(known: &mut Vec<T>, row: &mut Vec<u64>, value: T) {
    let place = known.iter().position(|it| *it == value).unwrap_or_else(|| {
        known.push(value);
        known.len() - 1
    });
    row.push(place as u64);
}
